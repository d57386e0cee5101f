"""What all commands share on the command line, and what their exit statuses mean."""

import argparse
import re
from typing import Any, NoReturn

from smugmug_backup.cli.errors import Mistaken

FINE = 0
NOT_ALL = 1
"""check, drill: not sound; run, start: not complete; restore: not all restored; status: something
is wrong; albums, images, diff: something could not be read; forget: something could not be
deleted; copy, repair: not all could be brought; doctor: something is to be done."""
COULD_NOT = 2
INTERRUPTED = 130

EXIT_STATUSES = """\
exit status:
  0    fine
  1    check, drill: the backup is not sound; run, start: it is not complete;
       restore: not all was restored;
       status: not complete, damaged, or nothing runs any more;
       albums, images, diff: something is damaged or cannot be read;
       forget: something could not be deleted;
       copy, repair: not all could be brought; doctor: something is to be done
  2    could not do it: wrong arguments or settings, no permission, no such place
  130  interrupted"""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of descriptions and examples."""


_BEGINS_WITH_A_NUMBER = re.compile(r"-\.?\d")


class CommandParser(argparse.ArgumentParser):
    """A parser whose complaint is one of our errors, told as all are.

    Options may stand anywhere among the words, and the first word, LOCATION, may be left out.
    argparse's own way gives an optional word up as soon as an option stands before the next one
    (until Python 3.12), so that `diff --json LOCATION A B` would have a word too many.
    """

    _mixing = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # argparse's own takes a place in the south ("-33.86,151.2,5") for an option (until 3.14).
        self._negative_number_matcher = _BEGINS_WITH_A_NUMBER

    def error(self, message: str) -> NoReturn:
        """Raise it."""
        raise Mistaken(message, hint=f"`{self.prog} --help` shows how it is meant")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The options first, then all words together."""
        words = [action.nargs for action in self._actions if not action.option_strings]
        if self._mixing or {argparse.PARSER, argparse.REMAINDER} & {*words}:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False


def command_parser(
    subparsers: Any,
    name: str,
    *,
    help: str,  # noqa: A002 (argparse calls it so)
    description: str,
    example: str,
    quiet: str = "say nothing if all is well",
    verbose: str = "say also how long it took",
    looks_only: bool = False,
    plain: bool = False,
) -> argparse.ArgumentParser:
    """The parser of one command, with what every one has, and an example at its end.

    ``example`` is one or more whole command lines; a test runs them. ``looks_only``: nothing is
    written, so that Ctrl-C may end it at any moment. ``plain``: it prints one text, and needs no
    more of a console than a stream.
    """
    lines = "\n".join(f"  {line}" for line in example.strip().splitlines())
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=help,
        description=description,
        epilog=f"{EXIT_STATUSES}\n\nexample:\n{lines}",
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    much = parser.add_mutually_exclusive_group()
    much.add_argument("-q", "--quiet", action="store_true", help=quiet)
    much.add_argument("-v", "--verbose", action="store_true", help=verbose)
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    parser.add_argument(
        "--profile", metavar="NAME", help="the profile that `smugmug-backup setup` wrote (default)"
    )
    parser.set_defaults(looks_only=looks_only, plain=plain)
    return parser


def add_location(parser: argparse.ArgumentParser, *, before: str | None = None) -> None:
    """``args.location``: the store; `main` makes a `Location` of it.

    ``before``: the name of the list of words that follows, if their number is open. What does not
    look like a location is the first of them (`settings.location_of`).
    """
    parser.set_defaults(words_after_location=before)
    add_s3_of_location(parser)
    parser.add_argument(
        "location",
        nargs="?",
        metavar="LOCATION",
        help="the backup: s3://bucket/prefix, or a folder; without it SMUGMUG_BACKUP_LOCATION, or "
        "the profile's",
    )


def add_s3_of_location(parser: argparse.ArgumentParser) -> None:
    """``args.endpoint_url`` and ``args.aws_profile``; `settings.location_of` heeds them."""
    parser.add_argument(
        "--endpoint-url", metavar="URL", help="the S3 of LOCATION, if it is not AWS's own"
    )
    parser.add_argument(
        "--aws-profile",
        metavar="NAME",
        help="whose credentials are used for it (a profile of the AWS tools)",
    )


def add_nightly(parser: argparse.ArgumentParser) -> None:
    """What is said of a run, and makes sense every night."""
    parser.add_argument(
        "--album",
        action="append",
        default=[],
        metavar="KEY|TITLE",
        help="only this album; can be repeated",
    )
    parser.add_argument(
        "--full", action="store_true", help="list every album in full, not only its changes"
    )
    add_one_writer(parser)
    add_manners(parser)
    add_notify(parser)
    add_source_options(parser)


def add_one_writer(parser: argparse.ArgumentParser) -> None:
    """``args.one_writer``."""
    parser.add_argument(
        "--one-writer",
        action="store_true",
        help="into an S3 that is not AWS's and has no conditional writes: look before each write. "
        "Safe only while nothing else writes there",
    )


def add_s3_options(parser: argparse.ArgumentParser, place: str, *, what: str) -> None:
    """``--<place>-endpoint-url`` and ``--<place>-profile``; ``what`` the help calls the place."""
    parser.add_argument(
        f"--{place}-endpoint-url", metavar="URL", help=f"the S3 of {what}, if it is not AWS's own"
    )
    parser.add_argument(
        f"--{place}-profile",
        metavar="NAME",
        help=f"whose credentials are used for {what} (a profile of the AWS tools)",
    )


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """``--nickname``, ``--api`` and ``--secret``, read by `settings.source_settings_of`."""
    group = parser.add_argument_group(
        "the SmugMug account",
        "An option counts before the environment (SMUGMUG_NICKNAME, SMUGMUG_API, "
        "SMUGMUG_SECRET),\nand that before the profile that `smugmug-backup setup` wrote.",
    )
    group.add_argument("--nickname", help="whose account (the first part of its web address)")
    group.add_argument(
        "--api",
        choices=("auto", "1.3.0", "v2"),
        help="the API to use; auto, the default: 1.3.0 while it answers, then v2",
    )
    group.add_argument(
        "--secret",
        help="where the credentials lie: ssm:<name>, secretsmanager:<name or ARN>, file:<path>, "
        "keyring:<name>",
    )


def add_manners(parser: argparse.ArgumentParser) -> None:
    """``--downloads``, ``--limit-rate`` and ``--between``."""
    parser.add_argument(
        "--downloads",
        metavar="N",
        help="so many downloads at a time at most (16): more are tried while they bring more",
    )
    parser.add_argument(
        "--limit-rate",
        metavar="RATE",
        help="so many bytes a second at most, all downloads together: 500K, 5M (5M = 5,000,000)",
    )
    parser.add_argument(
        "--between",
        metavar="HH:MM-HH:MM",
        help="begin no work outside of these hours, by this machine's clock: 01:00-06:00. What is "
        "left over goes on with the next run",
    )


def add_notify(parser: argparse.ArgumentParser) -> None:
    """``--notify``."""
    parser.add_argument(
        "--notify",
        action="append",
        default=[],
        metavar="URL",
        help="tell how it ended: https://… is pinged as healthchecks.io and its like want it, all "
        "else is an address of Apprise (mailto://, ntfy://, tgram://…); can be repeated",
    )


def threads(text: str) -> int:
    """So many, as ``--threads`` has it. Raises ArgumentTypeError."""
    count = int(text) if text.isdecimal() else 0
    if not 1 <= count <= 64:
        raise argparse.ArgumentTypeError("must be a number from 1 to 64")
    return count
