"""The command line: LOCATION may be left out, and options stand anywhere."""

import pytest

from smugmug_backup.cli.parsing import CommandParser, add_location, command_parser
from smugmug_backup.errors import BadRequest


@pytest.fixture
def parse():
    top = CommandParser()
    subparsers = top.add_subparsers(parser_class=CommandParser)
    parser = command_parser(subparsers, "diff", help="", description="", example="")
    add_location(parser)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--most", nargs="*")
    return lambda line: top.parse_args(["diff", *line.split()])


@pytest.mark.parametrize(
    ("line", "location"),
    [
        ("A B", None),
        ("L A B", "L"),
        ("--json L A B", "L"),
        ("L --json A B", "L"),
        ("L A --json B", "L"),
        ("--json A B", None),
        ("A --json B", None),
        ("A B --most x y", None),
        ("-- L A B", "L"),
    ],
)
def test_a_location_is_the_first_of_three_words_wherever_the_options_stand(parse, line, location):
    args = parse(line)
    assert (args.location, args.before, args.after) == (location, "A", "B")
    assert args.json is ("--json" in line)


@pytest.mark.parametrize("line", ["", "A", "L A B C", "A B --nonsense"])
def test_too_few_and_too_many_words_are_a_mistake(parse, line):
    with pytest.raises(BadRequest):
        parse(line)
