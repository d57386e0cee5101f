"""The README says what is so."""

import re

from smugmug_backup.cli.main import main
from tests.tools.readme import README, ROOT, parameters, section, template

TEXT = README.read_text(encoding="utf-8")


def test_its_table_of_parameters_is_the_templates():
    assert section(TEXT, "parameters") == parameters(), "run: python -m tests.tools.readme"


def test_every_parameter_stands_in_a_group():
    data = template()
    groups = data["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(data["Parameters"])


def test_its_metrics_are_those_that_are_counted():
    told = set(re.findall(r"^\| `([A-Z]\w+)` \| (?:Count|Bytes) \|", TEXT, re.MULTILINE))
    source = (ROOT / "src/smugmug_backup/function/telemetry.py").read_text(encoding="utf-8")
    counted = set(re.findall(r'_count\("(\w+)"|name="(\w+)", unit', source))
    assert told == {one or other for one, other in counted}
    assert len(told) <= 10


def test_its_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make (\w+)", TEXT)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_its_commands_of_the_owners_tool_exist(capsys):
    for command in sorted(set(re.findall(r"smugmug-backup (\w+)", TEXT))):
        assert main([command, "--help"]) == 0, command
        assert "example" in capsys.readouterr().out


def test_the_files_and_folders_it_names_are_there():
    for path in ("events/backup.json", "tests/behaviour", "tests/proof", "CHANGELOG.md"):
        assert path in TEXT
        assert (ROOT / path).exists()
    names = re.findall(
        r"^(\w+(?:\.py|/))\s", TEXT[TEXT.index("src/smugmug_backup/") :], re.MULTILINE
    )
    assert names
    for name in names:
        assert (ROOT / "src/smugmug_backup" / name).exists(), name
