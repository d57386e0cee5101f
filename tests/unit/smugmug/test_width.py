"""How many downloads run at a time, row by row of the table, and where it ends up."""

import pytest

from smugmug_backup.smugmug.width import Width

MIB = 1024 * 1024


def window(width, *, rate, start, wanted=True):
    """A whole window in which ``rate`` downloads a second end, and the moment of its end."""
    moment = start
    for _ in range(2 * width.now):
        moment += 1 / rate
        if wanted:
            width.wanted()
        width.came(MIB)
        width.ended(moment)
    return moment


def begun(start=8, most=16):
    width = Width(start=start, most=most)
    width.ended(100.0)
    return width


def test_the_first_window_is_measured_and_a_quarter_more_are_tried():
    width = begun()
    assert width.now == 8
    window(width, rate=80, start=100)
    assert width.now == 10


def test_while_more_come_more_are_tried_up_to_the_most():
    width, moment, seen = begun(), 100.0, []
    for _ in range(6):
        moment = window(width, rate=10 * width.now, start=moment)
        seen.append(width.now)
    assert seen == [10, 12, 15, 16, 16, 16]


def test_where_no_more_came_it_is_as_many_as_before_for_twelve_windows():
    width = begun()
    moment = window(width, rate=80, start=100)
    moment = window(width, rate=82, start=moment)
    assert width.now == 8
    for _ in range(12):
        moment = window(width, rate=80, start=moment)
        assert width.now == 8
    moment = window(width, rate=80, start=moment)
    assert width.now == 10


def test_where_nobody_waits_for_a_place_nothing_is_tried():
    width, moment = begun(), 100.0
    for _ in range(3):
        moment = window(width, rate=80, start=moment, wanted=False)
    assert width.now == 8


def test_a_complaint_halves_it_at_once_and_it_comes_back_slowly():
    width = begun()
    moment = window(width, rate=80, start=100)
    width.complained(moment)
    assert width.now == 5
    width.ended(moment)
    for _ in range(12):
        moment = window(width, rate=1000, start=moment)
    assert width.now == 5  # The first of them were within two seconds.
    moment = window(width, rate=1, start=moment)
    for _ in range(12):
        moment = window(width, rate=50, start=moment)
    assert width.now == 6


def test_never_less_than_one():
    width = begun()
    for moment in range(10):
        width.complained(200.0 + moment)
    assert width.now == 1


@pytest.mark.parametrize(("start", "most", "now"), [(8, 16, 8), (8, 4, 4), (1, 1, 1)])
def test_it_begins_with_what_was_said_but_never_above_the_most(start, most, now):
    width = Width(start=start, most=most)
    assert width.now == now
    width.ended(1.0)
    window(width, rate=10, start=1.0)
    assert now <= width.now <= most


def test_long_downloads_are_judged_after_ten_seconds():
    width = begun()
    width.wanted()
    width.came(100 * MIB)
    assert not width.ended(105.0)
    assert width.ended(110.0)
    assert width.now == 10


@pytest.mark.parametrize(("bound", "least", "most"), [(50, 4, 8), (110, 8, 14), (1000, 16, 16)])
def test_it_ends_up_near_what_the_way_can_carry(bound, least, most):
    width, moment, seen = begun(), 100.0, []
    for _ in range(200):
        moment = window(width, rate=min(10 * width.now, bound), start=moment)
        seen.append(width.now)
    settled = sorted(seen[20:])
    assert least <= settled[len(settled) // 2] <= max(most, 8)
