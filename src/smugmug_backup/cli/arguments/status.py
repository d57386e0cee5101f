"""What `smugmug-backup status` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "status"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="is the backup complete, as of when, and what is wrong",
        description="Say whether a backup is complete, as of when, when it was last checked, and "
        "what is damaged,\npending, unavailable, unverified, not believed, gone or ignored, each "
        "with its reason.\nSizes are decimal: 1 MB = 10^6 bytes.",
        looks_only=True,
        example="smugmug-backup status ~/photos-backup",
    )
    add_location(parser)
    parser.add_argument(
        "--healthy",
        action="store_true",
        help="say in one line whether runs come and are complete, by their reports alone: for "
        "a health check every few minutes",
    )
    parser.add_argument("--all", action="store_true", help="show all lines of every list")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="the last N runs (5)")
    parser.add_argument(
        "--stack",
        metavar="NAME",
        help="also look at the CloudFormation stack: is the schedule on, is the alarm's mail "
        "address confirmed",
    )
