"""What `smugmug-backup schedule` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, add_nightly, command_parser

NAME = "schedule"

_DESCRIPTION = """\
Stay in the foreground and back up every night, for machines that have no timer of
their own: a container, a NAS. Where there is one, `smugmug-backup setup` is better.

Each run is that of `smugmug-backup run`, one at a time. A night that was missed,
because the machine slept or was off, is made up for at once, and so is the first
one. A run that fails is told, and the next night comes all the same. Ctrl-C or
SIGTERM ends it: at once while it waits, as in `run` while a run is under way."""


def add_parser(subparsers: Any) -> None:
    """The command's arguments."""
    parser = command_parser(
        subparsers,
        NAME,
        help="stay, and back up every night",
        description=_DESCRIPTION,
        example="smugmug-backup schedule --at 03:00 ~/photos-backup",
        quiet="say nothing of a run that is complete, nor when the next one begins",
        verbose="name also the albums that have not changed",
    )
    add_location(parser)
    parser.add_argument(
        "--at",
        required=True,
        metavar="HH:MM",
        help="when, every day, by the clock of this machine; in a container TZ says where that is",
    )
    parser.add_argument(
        "--nights", type=int, metavar="N", help="end after N runs, with the last one's status"
    )
    add_nightly(parser)
    # What an owner accepts once is accepted in a run of its own.
    parser.set_defaults(dry_run=False, accept_shrink=None, accept_rename=False, new_location=False)
