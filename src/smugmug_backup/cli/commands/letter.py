"""`smugmug-backup letter`: a page to print, for the person who has to find the photos one day."""

import argparse
import os
import sqlite3
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from smugmug_backup import __version__
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.standing import Standing, standing_of
from smugmug_backup.cli.arguments.letter import FILE
from smugmug_backup.cli.catalogs import cache_of, open_catalog, reading
from smugmug_backup.cli.dates import add_dates
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.output import make_console, print_json
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import open_to_look
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.cli.whereabouts import whereabouts
from smugmug_backup.errors import BackupError, BadRequest
from smugmug_backup.keeping.letter import Letter, may_be_replaced, page_of
from smugmug_backup.restore.folder import refuse_overlap
from smugmug_backup.words import Location, a_path

_SECONDS = 20.0
"""So long the originals' own dates are read, where SmugMug says none."""
_MOST = 1_000_000


def run(args: argparse.Namespace, console: Console) -> int:
    """Write it; 1 if something of the backup could not be read."""
    names = [*args.file] or [FILE]
    if len(names) > 1:
        raise Mistaken(f"one file, not {len(names)}", hint="`smugmug-backup letter LOCATION FILE`")
    file = a_path(names[0])
    refuse_overlap(str(args.location), file)
    replaces = _may_write(file)
    opened = open_to_look(args.location)
    letter, problems = _letter(opened.archive, args.location)
    problems += opened.unseen()
    _write(file, page_of(letter))
    tell_problems(problems)
    if args.json:
        print_json(console, _as_json(letter, file, replaces, problems))
    elif not args.quiet:
        said = f"{file}: {'the letter there is replaced' if replaces else 'written'}"
        console.print(f"{said}. Print it, and fill in its lines by hand.", soft_wrap=True)
    return NOT_ALL if problems else FINE


def _letter(archive: Archive, location: Location) -> tuple[Letter, list[str]]:
    """The letter, and what could not be read for it."""
    now = SystemClock().now()
    standing = standing_of(archive, now=now)
    cache = cache_of(location)
    with reading() as tell, open_catalog(archive, cache, tell=tell) as catalog:
        errors = make_console(stderr=True)
        add_dates(catalog.db, archive, location, cache, errors, seconds=_SECONDS, asked=False)
        letter = _made(catalog.db, archive, standing, location, now)
        problems = [f"album {key}: {why}" for key, why in catalog.updated.problems.items()]
    return letter, problems


def _made(
    db: sqlite3.Connection, archive: Archive, standing: Standing, location: Location, now: datetime
) -> Letter:
    (albums,) = db.execute("SELECT count(*) FROM albums WHERE NOT gone").fetchone()
    # An image that several albums show is one photo; one that any album still shows is not gone.
    (photos, videos, gone) = db.execute(
        "SELECT count(*) FILTER (WHERE NOT gone AND NOT is_video), "
        "count(*) FILTER (WHERE NOT gone AND is_video), count(*) FILTER (WHERE gone) FROM "
        "(SELECT min(gone) AS gone, max(is_video) AS is_video FROM images GROUP BY image_key)"
    ).fetchone()
    (size,) = db.execute(
        "SELECT coalesce(sum(bytes), 0) FROM "
        "(SELECT max(bytes) AS bytes FROM image_versions WHERE key IS NOT NULL GROUP BY key)"
    ).fetchone()
    # A camera without a clock says 0000, or the day of its making; one set wrong, the future.
    first, last, dated = db.execute(
        "SELECT min(day), max(day), count(*) FROM (SELECT min(substr(taken_at, 1, 10)) AS day "
        "FROM images WHERE NOT gone GROUP BY image_key) WHERE day BETWEEN '1826-01-01' AND ?",
        (f"{now:%Y-%m-%d}",),
    ).fetchone()
    as_of = standing.complete_as_of
    state = standing.state
    return Letter(
        made_at=now,
        version=__version__,
        account=state.account.nickname if state and state.account else "",
        place=whereabouts(location),
        albums=albums,
        photos=photos,
        videos=videos,
        gone=gone,
        bytes=size,
        taken=(str(first), str(last), int(dated)) if dated else None,
        is_complete=standing.is_complete,
        complete_as_of=as_of.when if as_of else None,
        heads=[(archive.report_key(each.run_id), each.sha256) for each in standing.seal],
        page=_newest_page(archive, standing),
    )


def _newest_page(archive: Archive, standing: Standing) -> str | None:
    for report in standing.shown:
        with suppress(BackupError):
            if not report.part and (page := archive.page_of(report)) is not None:
                return page
    return None


def _may_write(file: Path) -> bool:
    """Whether a letter lies there that may go. Raises BadRequest if anything else does."""
    try:
        # A pipe would be waited for, and a device lose its name to a page.
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise Mistaken(f"{file} is there and is no file", hint="give a name that is not taken")
        with file.open("rb") as opened:
            found = opened.read(_MOST)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise BadRequest(f"{file} cannot be written: {_why(error)}") from None
    if may_be_replaced(found):
        return True
    raise Mistaken(
        f"{file} is there and is no letter, or somebody has written into it; it was left as it was",
        hint="give a name that is not taken",
    )


def _write(file: Path, page: bytes) -> None:
    fresh = file.with_name(f".{file.name[:200]}.{os.getpid()}")
    try:
        try:
            fresh.write_bytes(page)
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise BadRequest(f"{file} cannot be written: {_why(error)}") from None


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _as_json(letter: Letter, file: Path, replaced: bool, problems: list[str]) -> dict[str, Any]:
    taken = letter.taken
    return {
        "file": str(file),
        "replaced": replaced,
        "account": letter.account,
        "place": asdict(letter.place),
        "albums": letter.albums,
        "photos": letter.photos,
        "videos": letter.videos,
        "gone": letter.gone,
        "bytes": letter.bytes,
        "taken": None if taken is None else {"first": taken[0], "last": taken[1], "of": taken[2]},
        "complete": letter.is_complete,
        "complete_as_of": letter.complete_as_of,
        "seal": [{"key": key, "sha256": digest} for key, digest in letter.heads],
        "problems": problems,
    }
