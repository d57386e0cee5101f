"""The benchmark itself stays alive: its smallest rows, at the smallest sizes."""

import json

import pytest

from tests.bench.__main__ import main
from tests.bench.result import Measure, number


def test_it_prints_a_table_and_writes_json(tmp_path, capsys):
    path = tmp_path / "bench.json"
    sizes = ["--set", "v2_albums=3", "--set", "v2_images=2", "--set", "api_latency=0"]
    assert main(["--only", "v2", *sizes, "--json", str(path)]) == 0
    assert "unchanged albums" in capsys.readouterr().out
    told = json.loads(path.read_text())
    assert told["sizes"]["v2_albums"] == 3
    assert all(each["holds"] in (True, None) for each in told["measures"])


@pytest.mark.parametrize(
    ("value", "exact", "holds"), [(3, False, True), (4, False, False), (2, True, False)]
)
def test_a_target_is_met_or_missed(value, exact, holds):
    assert Measure("row", "what", value, "", 3, exact=exact).holds is holds
    assert Measure("row", "what", value).holds is None


def test_numbers_are_short():
    assert [number(value) for value in (0, 1234567, 1.0, 3.14159)] == [
        "0",
        "1,234,567",
        "1",
        "3.14",
    ]
