"""``completion SHELL``: what a shell needs to complete this command; made from its own parser."""

import argparse
from typing import TYPE_CHECKING

from smugmug_backup.cli.parsing import FINE

if TYPE_CHECKING:
    from rich.console import Console


def run(args: argparse.Namespace, console: "Console") -> int:
    """Print it."""
    import shtab

    from smugmug_backup.cli.main import whole_parser

    script = shtab.complete(whole_parser(), args.shell)
    if args.json:
        from smugmug_backup.cli.output import print_json

        print_json(console, {"shell": args.shell, "script": script})
    else:
        console.file.write(script.rstrip() + "\n")
    return FINE
