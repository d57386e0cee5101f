"""A picture of the tool at work in a terminal: what a real run on a real (pseudo) terminal showed.

`recorded` gives the commands to the tool as a process, keeps what was on the screen when each had
ended, colours and all, and lets rich draw it.
"""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from tests.local_smugmug import LocalSmugMug, World, demo_account
from tests.local_smugmug.pictures import draw_jpeg
from tests.local_smugmug.world import utc_now
from tests.stack.environment import ROOT
from tests.tools.terminal import Terminal

_COLUMNS = 112
_CODE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07]*\x07|\r?\n|\r|[^\x1b\r\n]+")

# Rich's own names a font at another host; a picture asks nobody.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace",
    "font-family: ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace",
)


def screen(shown: str) -> str:
    """What stands on a terminal after all of ``shown``, with its colours: lines that were drawn
    over, as those of a progress bar, are gone."""
    lines, row = [""], 0
    for match in _CODE.finditer(shown):
        text, (number, code) = match[0], match.group(1, 2)
        if text.endswith("\n"):
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif code == "A":
            row = max(0, row - int(number or 1))
        elif code == "B":
            row = min(len(lines) - 1, row + int(number or 1))
        elif code == "K":
            lines[row] = ""
        elif code == "m" or text[0] not in "\r\x1b":
            lines[row] += text
    return "\n".join(lines).rstrip()


def recorded(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str], *, title: str
) -> str:
    """An SVG of all of them, one after the other. A command that cannot do its work ends this."""
    console = Console(record=True, width=_COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        for words in commands:
            program = [sys.executable, "-m", "smugmug_backup.cli", *words]
            with Terminal(program, env=environment, columns=_COLUMNS, lines=40) as terminal:
                status = terminal.ends()
            assert status == 0, terminal.shown
            console.print(Text.assemble(("$ ", "green"), ("smugmug-backup " + " ".join(words))))
            console.print(Text.from_ansi(screen(terminal.shown)), soft_wrap=True)
            console.print()
        return console.export_svg(title=title, code_format=_FORMAT, unique_id="run")


def a_night(scratch: Path) -> str:
    """The demo account's second night, and how its backup stands afterwards."""
    world = World(demo_account())
    with LocalSmugMug(world) as smugmug:
        secret = scratch / "secret"
        secret.write_text(json.dumps(world.account.secret()))
        secret.chmod(0o600)
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT / "src"),
            "HOME": str(scratch),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "SMUGMUG_SECRET": f"file:{secret}",
            "SMUGMUG_NICKNAME": world.account.nickname,
            "SMUGMUG_API_URL": smugmug.url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
        }
        images = {i.file_name: i.key for each in world.account.albums.values() for i in each.images}
        harbour = next(a for a in world.account.albums.values() if a.title == "Harbour 2024")
        recorded([["run", "~/photos-backup"]], environment, title="")
        world.upload(
            harbour.key,
            draw_jpeg(41, utc_now() - timedelta(days=3), None),
            file_name="quay_003.jpg",
            caption="The new quay",
        )
        world.edit(images["quay_001.jpg"], caption="The old quay, at dusk")
        commands = [["run", "~/photos-backup"], ["status", "~/photos-backup", "--runs", "2"]]
        return recorded(commands, environment, title="smugmug-backup")
