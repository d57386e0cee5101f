"""The README and the pages for owners say what is so."""

import json
import re

import pytest

from smugmug_backup.cli.main import COMMANDS, main
from smugmug_backup.words import DEFAULT_CREDENTIALS
from tests.tools.readme import (
    DOCS,
    METRICS,
    PARAMETERS,
    README,
    ROOT,
    owners_pages,
    parameters,
    section,
    template,
    text_of,
)

TEXT = text_of(*owners_pages())


def test_the_table_of_parameters_is_the_templates():
    told = section(text_of(PARAMETERS), "parameters")
    assert told == parameters(), "run: python -m tests.tools.readme"


def test_every_parameter_stands_in_a_group():
    data = template()
    groups = data["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(data["Parameters"])


def test_the_metrics_are_those_that_are_counted():
    told = set(
        re.findall(r"^\| `([A-Z]\w+)` \| (?:Count|Bytes) \|", text_of(METRICS), re.MULTILINE)
    )
    source = (ROOT / "src/smugmug_backup/function/telemetry.py").read_text(encoding="utf-8")
    counted = set(re.findall(r'_count\("(\w+)"|name="(\w+)", unit', source))
    assert told == {one or other for one, other in counted}
    assert len(told) <= 10


def test_the_alarms_are_those_of_the_template():
    told = re.findall(r"^\| `(\w+Alarm)` \|", text_of(METRICS), re.MULTILINE)
    resources = template()["Resources"]
    alarms = [name for name, each in resources.items() if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert sorted(told) == sorted(alarms)


def test_what_is_called_a_parameter_an_output_or_a_statement_is_one():
    data = template()
    known = {*data["Parameters"], *data["Outputs"], *data["Resources"], "SmugMugBackup"}
    known |= set(re.findall(r"Sid: (\w+)", (ROOT / "template.yaml").read_text(encoding="utf-8")))
    known |= set(re.findall(r"^\| `(\w+)` \|", text_of(METRICS), re.MULTILINE))
    told = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", TEXT))
    assert told
    assert told <= known, told - known


OF_OTHERS = ("AWS_ENDPOINT_URL", "SHIV_ROOT")
"""Read by libraries: the AWS one, and what unpacks the program of one file."""


def test_a_setting_that_is_named_is_read_from_the_environment():
    package = ROOT / "src/smugmug_backup"
    source = text_of(*package.glob("*.py"), *(package / "cli").glob("*.py"))
    for name in set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", TEXT)):
        assert f'"{name}"' in source or name in OF_OTHERS, name


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z]+)", text_of(README, DOCS / "costs.md"))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_commands_of_the_owners_tool_exist(capsys):
    for command in sorted(set(re.findall(r"smugmug-backup ([a-z]+)", TEXT))):
        assert main([command, "--help"]) == 0, command
        assert "example" in capsys.readouterr().out


def test_the_options_of_a_command_exist(capsys):
    for line in re.findall(r"smugmug-backup ([a-z]+ .*)", TEXT.replace("`", "\n")):
        command, *words = line.split()
        assert main([command, "--help"]) == 0
        told = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in told, line


def test_every_command_has_its_row():
    told = re.findall(r"^\| `smugmug-backup (\w+)\b.*?` \|", text_of(README), re.MULTILINE)
    assert sorted(told) == sorted(COMMANDS)


def test_every_page_names_the_secret_that_a_stack_reads_by_default():
    named = re.findall(r"authorize --secret (\S+)", TEXT)
    assert len(named) == 2
    assert set(named) == {DEFAULT_CREDENTIALS}


@pytest.mark.parametrize("page", owners_pages(), ids=lambda page: page.name)
def test_a_request_by_hand_is_json_that_names_an_action_of_an_example(page):
    examples = [json.loads(each.read_text()) for each in (ROOT / "events").glob("*.json")]
    actions = {each.get("action") for each in examples}
    for text in re.findall(r"[`'](\{\"action\".*?\})[`']", text_of(page)):
        assert json.loads(text)["action"] in actions


def test_a_function_that_may_take_long_is_not_waited_for():
    """The command that waits asks again after a minute: five backups at once."""
    for line in re.findall(r"^.*sam remote invoke.*$", TEXT, re.MULTILINE):
        assert "--parameter InvocationType=Event" in line


def test_the_examples_of_events_that_it_names_are_there():
    named = set(re.findall(r"events/[\w-]+\.json", TEXT))
    assert "events/backup.json" in named
    assert all((ROOT / each).exists() for each in named)


def test_what_was_not_tried_is_said_where_its_reader_sees_it():
    for name in ("README.md", "docs/aws.md", "docs/disk.md", "docs/metrics-and-alarms.md"):
        beginning = text_of(ROOT / name)[:1800]
        assert "ot yet tried" in beginning, name


def test_every_defect_in_the_tables_names_tests_that_are_there():
    text = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    tables = re.findall(r"<!-- found: \w+ -->(.*?)<!-- /found", text, re.DOTALL)
    named = [
        each for table in tables for each in re.findall(r"`([^`]+\.py)`(?:: ([^|<]+))?", table)
    ]
    assert len(named) > 100
    for file, words in named:
        source = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert f"def test_{words.strip().replace(' ', '_')}(" in source or not words, (file, words)
