"""Whether a target may take a copy: whose it is, and whether its history is the source's own.

Both are chains: each report states the ones before it, each generation the one before it. Where the
target's newest link lies in the source, all that comes before it is the same.

=====================================  =========================================================
the target                             then
=====================================  =========================================================
holds neither reports nor manifests    it may: it is empty, or a copy that has just begun
is of another account                  refused
has a generation with other bytes      refused, and where they part is named
than the source states
has reports that the source lacks,     refused, likewise: two histories
and the source some that it lacks
has reports that the source lacks,     it may: it is ahead (the source is an older copy), and
and all of the source's                takes what it lost
has a generation that no report of     refused: it was committed there
either names, and the source lacks it
has a damaged file in its chain, or    it may: what is damaged proves nothing, and a check names
the source has                         it
=====================================  =========================================================
"""

from contextlib import suppress

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.stated import Inventory
from smugmug_backup.errors import BadRequest, NotABackup, NotStored
from smugmug_backup.model import Account


def check_same_history(stock: Inventory, target: Archive) -> None:
    """Raise BadRequest unless ``target`` may take a copy of what ``stock`` is of; StoreError."""
    runs = target.runs()
    generations = target.generations()
    for error in generations.unreadable.values():
        raise error
    if not runs and not generations:
        return
    common = _check_reports(stock, target, runs)
    ahead = any(run not in stock.reports for run in runs)
    unproved = stock.unproved
    for album_key, numbers in sorted(generations.items()):
        for number in reversed(numbers):
            if (album_key, number) in common:
                break  # The report that names it lies in both.
            if (album_key, number) in unproved:
                continue
            try:
                manifest = target.manifest(album_key, number)
            except NotABackup:
                continue
            _check_account(stock, manifest.header.account)
            known = stock.stated.get((album_key, number))
            here = stock.manifests.get((album_key, number))
            wanted = here.sha256 if here is not None else known
            if wanted is None and ahead:
                break
            if wanted != manifest.sha256:
                what = "another version" if wanted else "a version that the source lacks"
                raise _parted(f"{what}: number {number} of album {album_key}")
            break


def _check_reports(stock: Inventory, target: Archive, runs: list[str]) -> set[tuple[str, int]]:
    """Compare the chains of reports; the generations that the newest common one names."""
    known = {*stock.reports, *stock.stated, *stock.unproved}
    own = [run for run in runs if run not in known]
    lacks = any(run not in runs for run in stock.reports)
    if own:
        with suppress(NotABackup, NotStored):
            _check_account(stock, target.report(own[0]).account)
        if lacks:
            before = [run for run in runs if run < own[0] and run in stock.reports]
            since = f" after run {before[-1]}" if before else ""
            raise _parted(f"run {own[0]}{since}, which the source does not know")
    for run in reversed(runs):
        if run not in stock.reports:
            continue
        wanted = stock.reports[run]
        try:
            report = target.inspect_report(run)
        except (NotABackup, NotStored):
            continue
        if report.sha256 == wanted.file.sha256:
            return {*wanted.names}
        # Of one run there is one report: other bytes are damaged, and the one before tells.
    return set()


def _check_account(stock: Inventory, account: Account | None) -> None:
    mine = stock.account
    if account is None or mine is None:
        return
    known = {mine.nickname.casefold(), *(each.casefold() for each in stock.formerly)}
    if account.nickname.casefold() not in known:
        raise BadRequest(
            f"the target is a backup of the account {account.nickname}, the source one of "
            f"{mine.nickname}; nothing was written"
        )


def _parted(where: str) -> BadRequest:
    return BadRequest(
        f"the target has a history of its own, and nothing was written; they part at {where}"
    )
