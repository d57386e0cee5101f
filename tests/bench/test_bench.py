"""The benchmark's arithmetic: what is judged, and when it is not."""

import json
from dataclasses import replace

import pytest

from tests.bench import page
from tests.bench.figures import (
    REFERENCE,
    Kind,
    Machine,
    Measure,
    Ran,
    Verdict,
    interleaved,
    least,
    number,
)

QUIET = Machine(REFERENCE, REFERENCE)
SLOW = Machine(2 * REFERENCE, 2.2 * REFERENCE)
BUSY = Machine(REFERENCE, 1.3 * REFERENCE)


@pytest.mark.parametrize(
    ("value", "exact", "verdict"),
    [
        (3, False, Verdict.OK),
        (3.0004, False, Verdict.OK),
        (3.001, False, Verdict.MISSED),
        (2, False, Verdict.OK),
        (3, True, Verdict.OK),
        (2, True, Verdict.MISSED),
        (None, False, Verdict.ABSENT),
    ],
)
def test_a_goal_is_met_or_missed_or_its_peer_is_not_there(value, exact, verdict):
    assert Measure("row", "what", value, "", 3, exact=exact, machine=QUIET).verdict is verdict


def test_what_has_no_goal_is_only_told():
    assert Measure("row", "what", 3.0, machine=BUSY).verdict is Verdict.NONE


@pytest.mark.parametrize(
    ("kind", "machine", "value", "verdict"),
    [
        (Kind.RATIO, BUSY, 3.1, Verdict.MISSED),
        (Kind.QUIET, BUSY, 3.1, Verdict.BUSY),
        (Kind.QUIET, BUSY, 2.9, Verdict.BUSY),
        (Kind.QUIET, SLOW, 3.1, Verdict.MISSED),
        (Kind.SCALED, BUSY, 2.9, Verdict.BUSY),
        (Kind.SCALED, QUIET, 3.1, Verdict.MISSED),
        (Kind.SCALED, SLOW, 6.3, Verdict.OK),
        (Kind.SCALED, SLOW, 6.301, Verdict.MISSED),
    ],
)
def test_seconds_are_judged_on_a_quiet_machine_and_by_how_fast_it_is(kind, machine, value, verdict):
    measure = Measure("row", "what", value, "s", 3, kind=kind, machine=machine)
    assert measure.verdict is verdict


def test_a_machine_is_busy_if_its_times_differ_by_more_than_a_fifth_either_way():
    assert not Machine(1.0, 1.2).busy
    assert not Machine(1.2, 1.0).busy
    assert Machine(1.0, 1.21).busy
    assert Machine(1.21, 1.0).busy


def test_a_scaled_goal_is_shown_with_the_one_it_comes_from():
    measure = Measure("row", "what", 1, "s", 0.1, kind=Kind.SCALED, machine=SLOW)
    assert measure.target == "≤ 0.210 (0.100)"
    assert replace(measure, machine=QUIET).target == "≤ 0.100"
    assert Measure("row", "what", 1, "", 4, exact=True).target == "= 4"


def test_of_several_runs_the_least_of_each_figure_counts_and_the_most_memory():
    found = least(
        [
            Ran(3.0, 0.4, 3.5, 50.0, 0.2, {"run": 1}),
            Ran(2.0, 0.5, 2.6, 60.0, 0.1, {"run": 2}),
        ]
    )
    assert (found.seconds, found.cpu, found.whole, found.servers) == (2.0, 0.4, 2.6, 0.1)
    assert (found.peak_mib, found.runs, found.said) == (60.0, (3.0, 2.0), {"run": 2})


def test_sides_take_turns_and_every_second_turn_goes_backwards():
    order = []

    def side(name):
        return lambda: order.append(name) or Ran(len(order))

    found = interleaved(3, {name: side(name) for name in "abc"})
    assert "".join(order) == "abccbaabc"
    assert found["c"].runs == (3, 4, 9)


def test_numbers_are_short():
    assert [number(value) for value in (0, 1234567, 1.0, 3.14159, 0.6)] == [
        *("0", "1,234,567", "1", "3.14", "0.600")
    ]


def test_a_benchmark_ends_with_1_while_a_goal_is_missed(tmp_path, monkeypatch, capsys):
    from tests.bench import __main__ as command

    def row(sizes):
        yield Measure("a", "counted", sizes.runs, "", 2, parts={"ours: seconds": 1.0})

    def broken(sizes):
        raise RuntimeError("gone")

    monkeypatch.setattr(command, "ROWS", {"requests": row, "v2": broken})
    monkeypatch.setattr(command, "yardstick", lambda: REFERENCE)
    path = tmp_path / "bench.json"
    assert command.main(["--only", "requests", "--set", "runs=2", "--json", str(path)]) == 0
    assert "counted" in capsys.readouterr().out
    (told,) = json.loads(path.read_text())["measures"]
    assert (told["verdict"], told["goal"], told["parts"]) == ("ok", 2, {"ours: seconds": 1.0})
    assert command.main(["--only", "requests", "--set", "runs=3"]) == 1
    assert command.main(["--only", "v2"]) == 1


# -- the page --------------------------------------------------------------------------------------


def test_the_page_and_its_plots_are_those_of_the_figures():
    result = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    for path, text in page.made_of(result).items():
        assert path.read_text(encoding="utf-8") == text, "run: make plots"


def test_a_plot_has_a_bar_for_each_side_and_reads_in_the_dark():
    drawn = page.plot("Time", "s", [("1 MB", [("ours", 2.0), ("rclone", 4.0)])])
    assert drawn.count("<rect class=") == 3  # the ground, and two bars
    assert "prefers-color-scheme: dark" in drawn
    assert 'aria-label="Time: 1 MB: ours 2 s, rclone 4 s"' in drawn


def test_what_was_not_measured_leaves_no_bar():
    assert page.sides_of({"measures": []}, "s3-1m", "seconds") == []
