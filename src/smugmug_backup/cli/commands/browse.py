"""`smugmug-backup browse`: look through a backup in the browser."""

import argparse
import socket
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.browse.fresh import Freshness
from smugmug_backup.browse.views import PAGE, Views
from smugmug_backup.catalog.taken import HEAD
from smugmug_backup.cli.catalogs import (
    Catalog,
    bring_up,
    cache_of,
    open_catalog,
    reading,
    writer_of,
)
from smugmug_backup.cli.dates import DatesMeanwhile, add_dates
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.estimate import LookEstimate, out_of_s3
from smugmug_backup.cli.output import make_console, plural, print_json
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import Opened, open_to_look
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.errors import BadRequest
from smugmug_backup.restore.folder import refuse_overlap
from smugmug_backup.words import a_path

_LOOK_EVERY, _LOOK_EVERY_S3 = 30.0, 300.0
"""Seconds after which the next page looks whether a run has ended."""


def run(args: argparse.Namespace, console: Console) -> int:
    """Serve until somebody presses Ctrl-C, or write the pages."""
    if args.static is not None:
        return _write(args, console)
    if args.with_originals or args.as_of:
        raise Mistaken("--with-originals and --as-of are for --static", hint="name a folder, too")
    site_of, pictures_of, create_server = _libraries()
    opened = open_to_look(args.location)
    cache = cache_of(args.location)
    say = make_console(stderr=True)
    with (
        _listening(args.port) as listener,
        _catalog(args, opened, cache, say) as catalog,
        ExitStack() as stack,
    ):
        port = listener.getsockname()[1]
        tell_problems([f"album {key}: {why}" for key, why in catalog.updated.problems.items()])
        clock = SystemClock()
        dates: DatesMeanwhile | None = None

        def update(archive: Archive) -> Mapping[str, str]:
            with writer.alone():
                updated = bring_up(writer.db, archive)
            if dates is not None:
                dates.look_again()
            return updated.problems

        site = site_of(
            catalog.db,
            opened.archive,
            _pictures(args, opened, cache, pictures_of),
            location=str(args.location),
            port=port,
            fresh=Freshness(
                opened.archive,
                update,
                clock=clock,
                every=_LOOK_EVERY_S3 if args.location.in_s3 else _LOOK_EVERY,
            ),
        )
        writer = stack.enter_context(writer_of(catalog, site.alone))
        if args.read_exif or not args.location.in_s3:
            dates = DatesMeanwhile(
                writer.db, opened.archive, cache, alone=writer.alone, clock=clock
            )
            if args.location.in_s3:
                dates.tell(say)
        address = f"http://127.0.0.1:{port}/?token={site.token}"
        if args.json:
            print_json(console, {"address": address})
        else:
            console.print(f"{address}\nCtrl-C ends it.", soft_wrap=True)
        console.file.flush()
        server = create_server(site, sockets=[listener], threads=8, ident=None)
        if not args.no_browser:
            webbrowser.open(address)
        try:
            if dates is not None:
                dates.start()
            server.run()
        except KeyboardInterrupt:
            pass
        finally:
            if dates is not None:
                dates.stop()
            server.close()
    return FINE


@contextmanager
def _catalog(
    args: argparse.Namespace, opened: Opened, cache: Path | None, say: Console
) -> Iterator[Catalog]:
    """The catalog; of a bucket, with what reading it costs said before."""
    if args.location.in_s3 and (cache is None or not cache.exists()):
        told = [each.bytes for each in opened.archive.manifests_and_records()]
        say.print(
            f"The first look reads all manifests and records: {out_of_s3(len(told), sum(told))}.",
            soft_wrap=True,
        )
    with reading() as tell, open_catalog(opened.archive, cache, tell=tell) as catalog:
        if args.location.in_s3:
            to_read = Views(catalog.db).to_read(HEAD)
            lines = LookEstimate(*to_read, page=PAGE).lines()
            for line in ["What is looked at is read from S3, once:", *lines] if lines else []:
                say.print(line, soft_wrap=True)
        yield catalog


def _pictures(args: argparse.Namespace, opened: Opened, cache: Path | None, of: Any) -> Any:
    kept = None if cache is None else cache.parent.parent / "pictures"
    return of(opened.archive, kept, on_disk=not args.location.in_s3)


def _write(args: argparse.Namespace, console: Console) -> int:
    _, pictures_of, _ = _libraries()
    from smugmug_backup.browse.originals import Originals
    from smugmug_backup.browse.static import StaticSite

    folder = a_path(args.static)
    refuse_overlap(str(args.location), folder)
    at = None if args.as_of is None else _end_of(args.as_of)
    opened = open_to_look(args.location)
    cache = cache_of(args.location)
    say = make_console(stderr=True)
    with _catalog(args, opened, cache, say) as catalog, reading() as tell:
        add_dates(
            catalog.db,
            opened.archive,
            args.location,
            cache,
            say,
            seconds=None,
            asked=args.read_exif,
        )
        try:
            site = StaticSite(
                Views(catalog.db),
                _pictures(args, opened, cache, pictures_of),
                folder,
                originals=Originals(opened.archive) if args.with_originals else None,
                at=at,
            )
            done = site.write(tell)
        except OSError as error:
            raise BadRequest(f"{folder} cannot be written: {error.strerror or error}") from None
    problems = [f"album {key}: {why}" for key, why in catalog.updated.problems.items()]
    problems += [*opened.unseen(), *done.failed]
    tell_problems(problems)
    if args.json:
        print_json(console, {**asdict(done), "folder": str(folder), "problems": problems})
    else:
        console.print(
            f"{folder / 'index.html'}: {plural(done.written, 'file')} written, {done.same:,} as "
            f"they were, {done.removed:,} removed",
            soft_wrap=True,
        )
    return NOT_ALL if problems else FINE


def _end_of(day: str) -> str:
    try:
        return f"{date.fromisoformat(day).isoformat()}T23:59:59Z"
    except ValueError:
        raise Mistaken(f"{day!r} is no day", hint="write it as 2026-03-01") from None


def _libraries() -> tuple[Any, Any, Any]:
    try:
        from waitress.server import create_server

        from smugmug_backup.browse.pictures import pictures_of
        from smugmug_backup.browse.site import Site
    except ImportError as error:
        raise Mistaken(
            f"{error.name} is not installed",
            hint="install it as smugmug-backup[browse], as it was installed (docs/packages.md)",
        ) from None
    return Site, pictures_of, create_server


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
    except (OSError, OverflowError) as error:
        listener.close()
        raise Mistaken(
            f"port {port} cannot be used: {getattr(error, 'strerror', None) or error}",
            hint="leave --port away: any that is free is taken",
        ) from None
    return listener
