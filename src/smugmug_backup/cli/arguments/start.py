"""What `smugmug-backup start` understands."""

from typing import Any

from smugmug_backup.cli.parsing import command_parser

NAME = "start"

_DESCRIPTION = """\
Start a run of a stack's function, at once, and follow it until its report.

Ctrl-C ends the following only: the function works on by itself, and what one
invocation has no time for goes to Step Functions. Before the first write into
a bucket that the stack did not make, what would stop the run is looked for."""


def add_parser(subparsers: Any) -> None:
    """The command's arguments."""
    parser = command_parser(
        subparsers,
        NAME,
        help="start a run of the deployed function, and follow it",
        description=_DESCRIPTION,
        example="smugmug-backup start --stack smugmug-backup",
    )
    parser.add_argument(
        "--stack", required=True, metavar="NAME", help="the CloudFormation stack's name"
    )
    parser.add_argument(
        "--full", action="store_true", help="list every album in full, not only its changes"
    )
    parser.add_argument(
        "--no-follow", action="store_true", help="only start it, and do not wait for its report"
    )
