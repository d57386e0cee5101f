"""What `smugmug-backup diff` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "diff"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="what changed between two runs or dates",
        description="Say what changed from A to B: new, changed (and which fields), replaced, "
        "moved and gone\nimages and albums. A and B are run ids, dates, or `latest`. A date means "
        "the end of that day,\na time is taken as it is; both are UTC.",
        looks_only=True,
        quiet="only what changed, without a sum",
        example="smugmug-backup diff ~/photos-backup 2026-11-24 latest",
    )
    add_location(parser)
    parser.add_argument("a", metavar="A", help="run id, 2026-03-01, 2026-03-01T12:00:00Z, latest")
    parser.add_argument("b", metavar="B", help="the same, later")
    parser.add_argument("--all", action="store_true", help="show all images of every album")
