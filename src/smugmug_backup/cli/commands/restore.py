"""``restore LOCATION TARGET``: albums as folders again."""

import argparse
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.estimate import RestoreEstimate
from smugmug_backup.cli.interruption import interruptible
from smugmug_backup.cli.output import make_console, plural, print_json, size
from smugmug_backup.cli.parsing import (
    FINE,
    INTERRUPTED,
    NOT_ALL,
)
from smugmug_backup.cli.progress import RestoreProgress, can_ask
from smugmug_backup.cli.restored import Told, tell_problems
from smugmug_backup.cli.store import open_existing
from smugmug_backup.cli.thaw import archived
from smugmug_backup.errors import BackupError, BadRequest, Code
from smugmug_backup.restore import bag, tables
from smugmug_backup.restore.alone import TargetUnusable, said
from smugmug_backup.restore.choice import Choice, Gone
from smugmug_backup.restore.embed import Embedder
from smugmug_backup.restore.folder import free_bytes, longest_name, refuse_overlap, target_at
from smugmug_backup.restore.names import Limits
from smugmug_backup.restore.perform import Restorer, Result
from smugmug_backup.restore.plan import Plan, Problem, folders, plan
from smugmug_backup.restore.select import Selection, select
from smugmug_backup.restore.survey import Survey
from smugmug_backup.restore.ways import WAYS, Way
from smugmug_backup.restore.workers import Stopped

_SHOWN = 10
"""So many unknown keys are named."""


def run(args: argparse.Namespace, console: Console) -> int:
    """Restore; see the parser."""
    began = time.monotonic()
    base = target_at(args.target)
    target = base / bag.PAYLOAD if args.bag else base
    refuse_overlap(str(args.location), target)
    refuse_overlap(str(args.location), base)
    args.images = image_keys(args.images)
    way = WAYS[args.way]
    embeds = way.embeds if args.embed is None else args.embed
    archive = Archive(open_existing(args.location))
    say = make_console(stderr=args.json or args.list_archived, quiet=args.quiet)
    progress = RestoreProgress(say)
    restorer = Restorer(
        archive,
        target,
        token=secrets.token_hex(8),
        threads=args.threads,
        observer=progress,
        embedder=Embedder() if embeds and not args.list_archived else None,
    )
    try:
        with progress.live():
            chosen = _chosen(args, archive, target, way, embeds=embeds)
        planned = chosen.plan
        if args.list_archived:
            with interruptible(say, restorer.stop, saying="Stopping."), progress.live():
                found = restorer.survey(planned)
                restorer.look_up(found, each=True)
            return _list_archived(args, console, say, planned, found)
        with restorer.workshop():
            with interruptible(say, restorer.stop, saying="Stopping."), progress.live():
                found = restorer.survey(planned)
                restorer.look_up(found)
            if args.bag:
                bag.refuse_more(base, len(found.todo))
            _check_space(found, target)
            if args.location.in_s3:
                _ask(args, make_console(stderr=args.json), found)
            result = _perform(say, restorer, progress, found)
            tables = []
            waiting = _may_still_come(result) if args.bag else 0
            if not (result.stopped or waiting or (args.bag and bag.is_finished(base))):
                with progress.live():
                    tables = _write_tables(args, archive, restorer, chosen, result)
    except Stopped:
        say.print("Interrupted before anything was written.")
        return INTERRUPTED
    if args.bag and not result.stopped:
        if bag.is_finished(base):
            for path, why in bag.differences(base):
                result.problems.append(Problem("", None, path, "bag", why))
        elif waiting:
            message = f"no bag was made yet: {plural(waiting, 'file')} may still come into it"
            result.problems.append(Problem("", None, str(base), "bag", message))
        else:
            _finish_bag(base, chosen, found, result)
    result.problems += planned.problems
    told = Told(args, planned, found, result, embeds=embeds, tables=tuple(tables))
    if args.json:
        print_json(console, told.as_json())
    elif not args.quiet or result.problems or result.stopped:
        told.tell(make_console(), seconds=time.monotonic() - began)
    if result.error is not None:
        raise result.error
    if result.stopped:
        return INTERRUPTED
    return NOT_ALL if result.problems else FINE


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is restored, and of which albums. ``homes``: their folders."""

    plan: Plan
    manifests: list[Manifest]
    homes: Mapping[str, str]


def image_keys(words: Sequence[str]) -> list[str] | None:
    """The keys that ``--images`` means; None if it was not said. Raises Mistaken."""
    if not words:
        return None
    texts = [_read_keys() if word == "-" else word.replace(",", "\n") for word in words]
    keys = list(dict.fromkeys(key for text in texts for key in text.split()))
    if not keys:
        raise Mistaken(
            "--images names no image; nothing was written",
            hint="`find --keys` prints keys, one a line, and --images - reads them",
        )
    return keys


def _read_keys() -> str:
    """Standard input. Raises Mistaken where it is no text."""
    try:
        return sys.stdin.read() if sys.stdin is not None else ""
    except (OSError, ValueError):
        raise Mistaken(
            "--images - reads standard input, and that cannot be read",
            hint="`find --keys` prints keys, one a line",
        ) from None


def _chosen(
    args: argparse.Namespace, archive: Archive, target: Path, way: Way, *, embeds: bool
) -> _Chosen:
    whole = args.images is not None or args.gone or args.with_gone
    with ThreadPoolExecutor(args.threads) as executor:
        found = select(archive, executor.map, albums=args.album, as_of=args.as_of, deleted=whole)
    unknown = _unknown(args.images or (), found)
    limits = Limits.of(longest_name(target), percent=not args.bag)
    homes = folders(way.placed(found.known), limits)
    gone = Gone.ONLY if args.gone else Gone.TOO if args.with_gone else Gone.LEFT_OUT
    choice = Choice.among(
        found.manifests, gone=gone, images=args.images, gone_albums=found.gone if whole else ()
    )
    planned = plan(
        found.manifests,
        homes,
        sidecars=way.kinds(args.sidecar),
        embed=embeds,
        choice=choice,
        limits=limits,
    )
    planned.problems += found.problems + unknown
    if whole:
        named = {each.album_key for each in planned.targets}
        named |= {each.album_key for each in planned.problems}
        found.manifests = [m for m in found.manifests if m.header.album_key in named]
        planned.albums = len(found.manifests)
    return _Chosen(planned, found.manifests, homes)


def _unknown(keys: Sequence[str], found: Selection) -> list[Problem]:
    """The keys that no album knows; a mistake, unless an album could not be read."""
    lost = [key for key in keys if not any(key in each.entries for each in found.manifests)]
    if lost and not found.problems:
        named = ", ".join(shown(key) for key in lost[:_SHOWN]) + (", …" * (len(lost) > _SHOWN))
        raise BadRequest(f"no image here has the key {named}; nothing was written")
    return [Problem("", key, key, "unknown", "no album that can be read has it") for key in lost]


def _write_tables(
    args: argparse.Namespace, archive: Archive, restorer: Restorer, chosen: _Chosen, result: Result
) -> list[str]:
    """The tables' names; what cannot be written or read is a problem of the result's."""
    records: dict[tuple[str, str], Mapping[str, Any]] = {}
    wanted: dict[str, list[Entry]] = {}
    for target in chosen.plan.targets:
        if target.entry is not None and target.entry.record is not None:
            wanted.setdefault(target.album_key, []).append(target.entry)
    with ThreadPoolExecutor(args.threads) as executor:
        for album_key, entries in wanted.items():
            try:
                read = archive.records(album_key, entries, executor.map)
            except BackupError as error:
                message = (
                    f"an album's photos stand there without what SmugMug says of them: {error}"
                )
                result.problems.append(Problem(album_key, None, tables.PHOTOS, error.code, message))
                continue
            records.update({(album_key, key): record for key, record in read.items()})
    problems = result.problems
    bodies = {
        tables.ALBUMS: tables.albums_table(chosen.manifests, chosen.homes, chosen.plan),
        tables.PHOTOS: tables.photos_table(
            chosen.manifests, chosen.plan, records, embedded=result.embedded, problems=problems
        ),
    }
    if WAYS[args.way].by_hand:
        bodies[tables.BY_HAND] = tables.by_hand_table(
            chosen.manifests, chosen.homes, chosen.plan, result.embedded
        )
    names = []
    for name, body in bodies.items():
        try:
            names.append(restorer.keep(name, body))
        except (OSError, BackupError) as error:
            message = f"cannot be written: {said(error) if isinstance(error, OSError) else error}"
            problems.append(Problem("", None, name, "file_error", message))
    return names


_PASSING = frozenset((Code.ARCHIVED, Code.STORE_UNAVAILABLE))


def _may_still_come(result: Result) -> int:
    """How many files the same command may bring the next time: a bag is closed only without them,
    for it takes no more then."""
    return len({each.path for each in result.problems if each.code in _PASSING})


def _finish_bag(base: Path, chosen: _Chosen, found: Survey, result: Result) -> None:
    known = {
        target.path: target.sha256
        for target in (*found.done, *result.written)
        if target.path not in result.embedded
    }
    account = chosen.manifests[0].header.account.nickname if chosen.manifests else ""
    try:
        bag.finish(base, known=known, account=account, token=secrets.token_hex(8))
    except (OSError, BackupError) as error:
        message = f"no bag was made: {said(error) if isinstance(error, OSError) else error}"
        result.problems.append(Problem("", None, str(base), "bag", message))


def _list_archived(
    args: argparse.Namespace, console: Console, say: Console, planned: Plan, found: Survey
) -> int:
    keys = archived(args.location, found.thaw)
    if args.json:
        print_json(console, {"archived": keys})
    else:
        for key in keys:
            console.file.write(f"{key}\n")
    unread = [each for each in planned.problems if each.image_key is None]
    tell_problems(say, unread)
    return NOT_ALL if unread else FINE


def _check_space(found: Survey, target: Path) -> None:
    free = free_bytes(target)
    if found.bytes > free:
        raise TargetUnusable(
            f"{size(found.bytes)} are to be written, and {target} has {size(free)} free; "
            "nothing was written (--album takes a part)"
        )


def _ask(args: argparse.Namespace, say: Console, found: Survey) -> None:
    """Tell what AWS will charge, and go on only if the owner agrees."""
    sizes = found.downloads()
    if not found.todo:
        return
    estimate = RestoreEstimate(sum(sizes.values()), len(sizes) + len(found.todo))
    say.print(estimate.text())
    if args.yes:
        return
    if not can_ask():
        raise Mistaken(
            "nobody is there to agree to what AWS charges; nothing was written",
            hint="the same command with --yes does not ask",
        )
    say.print("Go on? [y/N] ", end="")
    if not _agreed():
        raise BadRequest("not restored, as you wished; nothing was written")


def _agreed() -> bool:
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _perform(say: Console, restorer: Restorer, progress: RestoreProgress, found: Survey) -> Result:
    progress.expect(len(found.todo), sum(target.bytes for target in found.todo))
    saying = "Stopping: what is half done is dropped, what is done stays."
    with interruptible(say, restorer.stop, saying=saying), progress.live():
        return restorer.restore(found)
