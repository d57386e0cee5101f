"""What `smugmug-backup authorize` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_source_options, command_parser
from smugmug_backup.words import DEFAULT_CREDENTIALS

NAME = "authorize"

_DESCRIPTION = """\
Ask SmugMug for access to an account, check it, and store the secret.

You need an API key and its secret:
https://api.smugmug.com/api/developer/apply
SmugMug then asks you whether this program may read all of your account, and
shows a code of six digits to type in here. It may read, and nothing else.

The secret goes where --secret or SMUGMUG_SECRET says; without them into a file
that only you can read. It is never shown. The other commands find it. For a
stack, AWS_REGION must be the region that the stack is in.

The environment may bring SMUGMUG_API_KEY, SMUGMUG_API_SECRET and, with
--anonymous, SMUGMUG_SITE_PASSWORD; what it does not bring is asked for."""


def add_parser(subparsers: Any) -> None:
    """The command's arguments."""
    parser = command_parser(
        subparsers,
        NAME,
        help="get access to a SmugMug account and store the secret",
        description=_DESCRIPTION,
        example=f"smugmug-backup authorize --secret {DEFAULT_CREDENTIALS}",
    )
    parser.add_argument("--api-key", metavar="KEY", help="the API key (its secret is asked for)")
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, open nothing"
    )
    parser.add_argument(
        "--anonymous",
        action="store_true",
        help="no access token: only what the public sees of --nickname, or who knows the passwords",
    )
    parser.add_argument(
        "--yes", action="store_true", help="replace a secret that is there already, unasked"
    )
    add_source_options(parser)
