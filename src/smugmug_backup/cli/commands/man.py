"""``man``: the manual page; made from the parser that reads the command line."""

import argparse
from typing import TYPE_CHECKING

from smugmug_backup.cli.man_page import man_page
from smugmug_backup.cli.parsing import FINE

if TYPE_CHECKING:
    from rich.console import Console


def run(args: argparse.Namespace, console: "Console") -> int:
    """Print it."""
    from smugmug_backup.cli.main import whole_parser

    page = man_page(whole_parser())
    if args.json:
        from smugmug_backup.cli.output import print_json

        print_json(console, {"page": page})
    else:
        console.file.write(page)
    return FINE
