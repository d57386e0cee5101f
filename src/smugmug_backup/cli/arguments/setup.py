"""What `smugmug-backup setup` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_source_options, command_parser
from smugmug_backup.cli.timers import NAMES

NAME = "setup"

AT = "03:00"

_DESCRIPTION = """\
Ask three questions (where to, which account, when), log in at SmugMug, try the
location, back up one small album, and have this system start the backup every
night. What was answered is remembered in a profile, so that `smugmug-backup
run`, `status` and all others need no location any more.

It may be repeated at any time: what is there already is offered as the answer.
Answers can be given as options; with --yes nothing else is asked."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="ask three questions, and back up every night",
        description=_DESCRIPTION,
        example="smugmug-backup setup\n"
        "smugmug-backup setup --to ~/photos-backup --at 03:00 --timer cron",
    )
    parser.add_argument("--to", metavar="LOCATION", help="s3://bucket/prefix, or a folder")
    parser.add_argument("--at", metavar="HH:MM", help=f"when to run every day ({AT})")
    parser.add_argument(
        "--timer",
        choices=(*NAMES, "none"),
        help="what starts it (the best that is here); none: nothing, and what there was is removed",
    )
    parser.add_argument(
        "--remove-timer", action="store_true", help="only remove the timer; all else stays"
    )
    parser.add_argument("--no-run", action="store_true", help="make no first small run")
    parser.add_argument(
        "--new-location",
        action="store_true",
        help="the location is meant, though another backup, or one that is gone, was seen there",
    )
    parser.add_argument("--api-key", metavar="KEY", help="the API key (its secret is asked for)")
    parser.add_argument(
        "--no-browser", action="store_true", help="only print SmugMug's address, open nothing"
    )
    parser.add_argument(
        "--yes", action="store_true", help="take what is offered as the answer to each question"
    )
    add_source_options(parser)
