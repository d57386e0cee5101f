"""The account's guard: whose store this is, and which account listing is believed."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.errors import LesserView, NoAlbums, OtherAccount, RunRefused
from smugmug_backup.model import Account, Album
from smugmug_backup.words import ACCOUNT

_EXCUSED_ALBUMS = 2
_EXCUSED_IMAGES = 20


class Binding(NamedTuple):
    """Whose backup a store holds: in its widest view, and the names that the account had before."""

    account: Account | None
    formerly: tuple[str, ...] = ()

    def after(self, seen: Account) -> "Binding":
        """The binding once a run of the account ``seen`` has been let in."""
        if self.account is None or _same(self.account.nickname, seen.nickname):
            return Binding(seen, self.formerly)
        names = dict.fromkeys((*self.formerly, self.account.nickname))
        return Binding(seen, tuple(each for each in names if not _same(each, seen.nickname)))

    def beside(self, later: "Binding") -> "Binding":
        """The binding of a run during which another one ended, with the binding ``later``.

        A name that is a former one by now is the account's no more, and the wider view stays.
        """
        if self.account is None or later.account is None:
            return later if self.account is None else self
        mine = self.account
        renamed = any(_same(mine.nickname, each) for each in later.formerly)
        lesser = _same(mine.nickname, later.account.nickname) and mine.access != "owner"
        account = later.account if renamed or lesser else mine
        names = dict.fromkeys((*self.formerly, *later.formerly))
        return Binding(account, tuple(each for each in names if not _same(each, account.nickname)))


def is_bound(bound: Binding, seen: Account) -> bool:
    """Whether the store is that of ``seen``, under its name or an earlier one, or of nobody yet."""
    if bound.account is None:
        return True
    return any(_same(name, seen.nickname) for name in (bound.account.nickname, *bound.formerly))


def check_binding(
    bound: Binding,
    seen: Account,
    *,
    known: Mapping[str, AlbumState] | None = None,
    albums: Sequence[Album] = (),
    accept_rename: bool = False,
) -> None:
    """Refuse another account, or a lesser view of the same one, than the store's own.

    Raises RunRefused. A change of API is no reason, nor is a wider view. A renamed account is let
    in if its owner says so (``accept_rename``) and it shows albums that are ``known``.
    """
    account = bound.account
    if account is None:
        return
    if not is_bound(bound, seen):
        shown = {album.key for album in albums}
        live = {key for key, state in (known or {}).items() if state.live}
        shows = sum(key in shown for key in live)
        if not (accept_rename and 2 * shows > len(live)):
            renamed = " (it shows albums of this backup)" if shows else ""
            raise OtherAccount(
                f"this store holds the backup of '{account.nickname}', the settings read "
                f"'{seen.nickname}'{renamed}; give each account a bucket or a prefix of its own, "
                "or, if SmugMug renamed yours, run once by hand with accept_rename"
            )
    if account.access == "owner" and seen.access != "owner":
        raise LesserView(
            f"this store holds all that the owner of '{account.nickname}' sees, the settings show "
            "only what is public; put the access token back (smugmug-backup authorize)"
        )


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def check_albums(
    known: Mapping[str, AlbumState], albums: Sequence[Album], *, accepted: Collection[str]
) -> None:
    """Refuse an account listing that lost too much since the newest report.

    ======================================================  ====================================
    the listing                                             is refused
    ======================================================  ====================================
    has no albums                                           always
    has none of the known live ones                         unless the owner ``accepted`` it
    lost more than a fifth, and more than 2, of them        unless accepted
    lost more than a fifth, and more than 20, of their      unless accepted, as a whole or album
    images                                                  by album
    ======================================================  ====================================

    ``accepted``: `ACCOUNT`, or album keys. Raises RunRefused.
    """
    if not albums:
        raise NoAlbums(
            "SmugMug shows no albums at all, which is never believed: check the nickname, the "
            "site password, and that the access token may see the account (Access=Full)"
        )
    if ACCOUNT in accepted:
        return
    answer = {album.key: album for album in albums}
    live = {key: state for key, state in known.items() if state.live and key not in accepted}
    if live and not any(key in answer for key in live):
        raise RunRefused(
            f"SmugMug shows none of the {len(live)} albums of this backup; {_HOW_TO_ACCEPT}"
        )
    lost = sum(key not in answer for key in live)
    if lost > _EXCUSED_ALBUMS and lost * 5 > len(live):
        raise RunRefused(_shrunk("albums", len(live), len(live) - lost))
    before = sum(state.source_count for state in live.values())
    after = sum(_count_now(answer.get(key), state) for key, state in live.items())
    if before - after > _EXCUSED_IMAGES and (before - after) * 5 > before:
        raise RunRefused(_shrunk("images", before, after))


def _count_now(album: Album | None, state: AlbumState) -> int:
    if album is None:
        return 0
    return state.source_count if album.image_count is None else album.image_count


_HOW_TO_ACCEPT = (
    "if you removed them yourself, run once by hand with "
    f'{{"action": "backup", "accept_shrink": ["{ACCOUNT}"]}}'
)


def _shrunk(what: str, before: int, after: int) -> str:
    return f"the known albums shrank from {before} to {after} {what}; {_HOW_TO_ACCEPT}"
