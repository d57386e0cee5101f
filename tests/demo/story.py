"""What the demo does and shows, in its order. Everything that it says, it has checked."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from tests.local_smugmug import LocalSmugMug, World
from tests.stack import LocalAws, Stack
from tests.stack.environment import ROOT, aws_environment
from tests.tools.independent_reader import look

EVENTS = ROOT / "events"
READER = "tests/tools/independent_reader.py"


class DemoError(Exception):
    """Something is not as it has to be; the message says what."""


def tell(
    console: Console, smugmug: LocalSmugMug, aws: LocalAws, stack: Stack, folder: Path
) -> None:
    """The story: a first night, a day of edits, a second night, a check, a proof, a restore."""
    world = smugmug.world
    stack.put_secret(world.account.secret())
    console.print(f"The stack is deployed; its bucket is {stack.bucket}.")

    _chapter(console, "The first night: the schedule fires")
    first = _invoke(stack, "schedule.json")
    _show_report(console, stack, first)
    _require(first["status"] == "complete", "the first night is not complete")
    _compare(console, stack, world)

    again = _invoke(stack, "schedule.json")
    _require(again == first | {"duplicate": True}, "a second delivery was not recognised")
    console.print("The same delivery once more: recognised as a duplicate, nothing was written.")

    _chapter(console, "A day passes: the owner edits the account")
    for line in _edit(world):
        console.print(f"  · {line}")

    _chapter(console, "The second night")
    second = _invoke(stack, "backup.json")
    _show_report(console, stack, second)
    _require(second["status"] == "complete", "the second night is not complete")
    _compare(console, stack, world)
    _show_manifest(console, stack, world)

    _chapter(console, "Three hours later: the nightly check reads the bytes again")
    checked = _invoke(stack, "check.json")
    _show_check(console, stack, checked)

    _chapter(console, "The third night: nothing has changed")
    before = set(stack.keys())
    third = _invoke(stack, "backup.json")
    new = sorted(set(stack.keys()) - before)
    _require(new == [_report_key(third)], f"a night without changes wrote {new}")
    report = json.loads(stack.read(new[0]))
    _require(report["check"]["run_id"] == checked["run_id"], "the report does not name the check")
    console.print("Nothing was written but its report, which names the check:")
    console.print(f"  {new[0]}")

    _chapter(console, "The bucket")
    console.print(_tree(stack))

    _chapter(console, "The proof")
    seal = hashlib.sha256(stack.read(new[0])).hexdigest()
    _prove(console, stack, folder / "copy", seal)

    _chapter(console, "The owner's tool")
    location = f"s3://{stack.bucket}"
    said = _owner(console, aws, "status", location)
    _require(seal in said, "status does not show the seal")
    _owner(console, aws, "check", location, "--read-data", "all")
    restored = folder / "restored"
    # One image has no original at SmugMug, so that not all could be restored: exit status 1.
    _owner(console, aws, "restore", location, str(restored), "--yes", ends_with=1)
    _compare_restored(console, restored, world)


# -- the account -----------------------------------------------------------------------------------


def _edit(world: World) -> list[str]:
    """A new photo, a caption, a replaced original, a removed photo, a move."""
    albums = {album.title: album for album in world.account.albums.values()}
    harbour, scans = albums["Harbour 2024"], albums["Scans &amp; Misc"]
    winter = albums["Best of winter"]
    images = {image.file_name: image for image in harbour.images}
    first_scan, second_scan, *_ = scans.images
    world.upload(harbour.key, file_name="quay_003.jpg", caption="The new quay")
    world.edit(images["quay_001.jpg"].key, caption="The old quay, at dusk")
    world.replace(images["quay_002.jpg"].key)
    world.delete(first_scan.key)
    world.move(second_scan.key, winter.key)
    return [
        "quay_003.jpg is new in Harbour 2024",
        "quay_001.jpg has another caption",
        "quay_002.jpg was replaced by a new version",
        "one scan.jpg was deleted from Scans & Misc",
        "the other scan.jpg was moved to Best of winter",
    ]


def _offered(world: World) -> dict[str, set[str]]:
    """SHA-256 of the bytes that SmugMug offers now, by image key, whatever album shows it."""
    found: dict[str, set[str]] = {}
    for album in world.account.albums.values():
        for image in world.listed(album):
            if image.best is not None:
                found.setdefault(image.key, set()).add(image.best.sha256)
    return found


# -- the store -------------------------------------------------------------------------------------


def _invoke(stack: Stack, name: str) -> dict[str, Any]:
    answer = stack.invoke(json.loads((EVENTS / name).read_text()))
    if answer.error is not None:
        raise DemoError(f"the function raised {answer.error}: {answer.payload}")
    result: dict[str, Any] = answer.payload
    return result


def _compare(console: Console, stack: Stack, world: World) -> None:
    """Every image that SmugMug shows is live in a manifest, its bytes in the bucket, and right."""
    reading = look(stack.objects())
    _require(not reading.wrong, "\n".join(reading.wrong))
    live: dict[str, set[str]] = {}
    for _, lines in reading.newest.values():
        for line in lines.values():
            if line["missing_since"] is None and line["original"]["status"] == "stored":
                body = stack.read(line["original"]["key"])
                digest = hashlib.sha256(body).hexdigest()
                _require(digest == line["original"]["sha256"], f"{line['file_name']} is damaged")
                live.setdefault(line["image_key"], set()).add(digest)
    offered = _offered(world)
    _require(live == offered, "what the manifests name is not what SmugMug offers")
    console.print(f"[green]✓[/] {len(offered)} originals, each byte by byte the one at SmugMug.")


def _report_key(result: dict[str, Any]) -> str:
    run = result["run_id"]
    return f"runs/{run[:4]}/{run[4:6]}/{run}.json"


def _show_report(console: Console, stack: Stack, result: dict[str, Any]) -> None:
    report = json.loads(stack.read(_report_key(result)))
    counts = report["counts"]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_row("run report", result["run_id"])
    table.add_row("status", f"[bold]{report['status']}[/]")
    table.add_row("account", f"{counts['albums']} albums, {counts['images']} images")
    table.add_row(
        "this night",
        f"{counts['new']} new, {counts['changed']} changed, {counts['missing']} missing; "
        f"{counts['originals_stored']} originals stored ({counts['bytes_stored']:,} bytes)",
    )
    table.add_row(
        "still to come",
        f"{counts['pending']} pending, {counts['unavailable']} unavailable, "
        f"{counts['unverified']} unverified",
    )
    for each in report["unavailable"]:
        table.add_row("", f"image {each['image_key']}: {each['reason']}")
    table.add_row(
        "requests", f"{counts['api_calls']} to SmugMug's API, {counts['s3_requests']} to S3"
    )
    console.print(table)


def _show_check(console: Console, stack: Stack, result: dict[str, Any]) -> None:
    """What the check wrote down, as its report says it."""
    report = json.loads(stack.read(result["report"]))
    _require(report["sound"] and not report["findings"], "the check did not find the store sound")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_row("check report", result["report"])
    table.add_row("status", f"[bold]{result['status']}[/]")
    table.add_row(
        "read again", f"{report['read_objects']} objects ({report['read_bytes']:,} bytes)"
    )
    table.add_row("findings", "none")
    console.print(table)


def _prove(console: Console, stack: Stack, copy: Path, seal: str) -> None:
    """A program that has nothing of ours reads a copy of the bucket, and needs the seal only."""
    objects = stack.objects()
    for key, body in objects.items():
        path = copy / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    reading = look(copy, seal=seal)
    _require(not reading.wrong, "\n".join(reading.wrong))
    left = {key for key in set(objects) - reading.proved if not key.endswith(".html")}
    _require(left == {"work/probe.txt"}, f"the seal does not prove {sorted(left)}")
    console.print(
        "The SHA-256 of the newest report is the [bold]seal[/]. That report names by their SHA-256 "
        "the one before it, the newest check and every manifest, and a manifest its records and "
        "originals. So whoever has kept the seal can tell whether a single bit has changed. "
        "A program that shares no code with the backup does it, on a copy of the bucket:"
    )
    console.print(f"\n[bold]$ python {READER} copy-of-the-bucket[/]", soft_wrap=True)
    _run(console, [str(ROOT / READER), str(copy)], {})
    console.print(
        "[green]✓[/] Every object is proved by the seal (but work/probe.txt, which is no backup, "
        "and the reports' pages for people)."
    )


def _tree(stack: Stack) -> Tree:
    """The bucket's folders, and a few keys of each."""
    tree = Tree(f"[bold]{stack.bucket}")
    keys = stack.keys()
    tops = Counter(key.split("/")[0] for key in keys)
    for top, number in sorted(tops.items()):
        inside = [key for key in keys if key.split("/")[0] == top]
        if inside == [top]:
            tree.add(top)
            continue
        objects = "1 object" if number == 1 else f"{number} objects"
        branch = tree.add(f"{top}/  [dim]({objects})")
        for key in inside[:4]:
            branch.add(key.removeprefix(f"{top}/"))
        if number > 4:
            branch.add(f"[dim]… and {number - 4} more")
    return tree


def _show_manifest(console: Console, stack: Stack, world: World) -> None:
    """The album that lost two images, as its newest manifest says it."""
    album = next(a for a in world.account.albums.values() if a.title.startswith("Scans"))
    header, lines = look(stack.objects()).newest[album.key]
    console.print(
        f"\nThe newest manifest of [bold]{unescape(header['title'])}[/] "
        f"(generation {header['generation']}), its lines shortened:"
    )
    table = Table(box=None, padding=(0, 2, 0, 2))
    for name in ("file_name", "original", "bytes", "verified", "missing_since"):
        table.add_column(name)
    for line in lines.values():
        original = line["original"]
        table.add_row(
            line["file_name"],
            original["status"] if original["reason"] is None else original["reason"],
            f"{original['bytes']:,}" if original["bytes"] else "",
            "yes" if original["verified"] else "no",
            line["missing_since"] or "",
        )
    console.print(table)
    gone = sum(line["missing_since"] is not None for line in lines.values())
    _require(gone == 2, "the deleted and the moved image are not recorded as missing")
    console.print("What left the album is recorded; its bytes stay in the bucket.")


# -- the owner's tool ------------------------------------------------------------------------------


def _owner(console: Console, aws: LocalAws, *arguments: str, ends_with: int = 0) -> str:
    """Run the tool and show what it says, laid out as on a terminal, but plain."""
    console.print(f"\n[bold]$ smugmug-backup {' '.join(arguments)}[/]", soft_wrap=True)
    environment = {
        **aws_environment(aws.endpoint),
        "PYTHONPATH": str(ROOT / "src"),
        "FORCE_COLOR": "1",
        "TERM": "dumb",
    }
    command = ["-m", "smugmug_backup.cli", *arguments]
    return _run(console, command, environment, ends_with=ends_with)


def _run(
    console: Console, command: list[str], environment: dict[str, str], *, ends_with: int = 0
) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environment, "COLUMNS": str(console.width)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != ends_with:
        ended = f"{command[-1]} ended with {done.returncode}, expected was {ends_with}"
        raise DemoError(f"{ended}: {done.stdout}{done.stderr}")
    console.out(done.stdout.rstrip(), highlight=False)
    return done.stdout


def _compare_restored(console: Console, restored: Path, world: World) -> None:
    said = (".json", ".xmp", ".csv")
    files = [each for each in restored.rglob("*.*") if each.is_file() and each.suffix not in said]
    found = Counter(hashlib.sha256(each.read_bytes()).hexdigest() for each in files)
    expected = Counter(
        image.best.sha256
        for album in world.account.albums.values()
        for image in world.listed(album)
        if image.best is not None
    )
    _require(found == expected, "the restored files are not those at SmugMug")
    console.print(f"[green]✓[/] {len(files)} restored files, each byte by byte the one at SmugMug:")
    for each in sorted(files)[:6]:
        console.print(f"    {each.relative_to(restored)}")
    if len(files) > 6:
        console.print(f"    … and {len(files) - 6} more")


def _chapter(console: Console, title: str) -> None:
    console.print()
    console.rule(f"[bold]{title}", align="left")


def _require(holds: bool, complaint: str) -> None:
    if not holds:
        raise DemoError(complaint)
