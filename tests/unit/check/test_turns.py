"""Whose turn it is: every object within N days, the one that waited longest first."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from smugmug_backup.check.turns import Amount, Found, OriginalsIndex, Turn, Weights, place, turn_of

START = datetime(2026, 11, 24, 3, tzinfo=UTC)


def weighed(sizes):
    weights = Weights()
    for key, size in sizes.items():
        weights.add(place(key), size)
    return weights


def library(number, seed=1, largest=20_000_000):
    dice = random.Random(seed)
    return {f"originals/i{n}/x.jpg": dice.randint(1_000, largest) for n in range(number)}


def test_a_share_gives_every_object_its_turn_once_in_so_many_days():
    sizes = library(500)
    amount = Amount.parse("5%")
    seen = {key: [] for key in sizes}
    for day in range(40):
        turn = turn_of(amount, weighed({}), now=START + timedelta(days=day))
        for key in sizes:
            if turn.has(place(key)):
                seen[key].append(day)
    assert all(len(days) == 2 and days[1] - days[0] == 20 for days in seen.values())


def test_no_turn_is_larger_than_the_budget():
    sizes = library(2_000)
    weights, budget = weighed(sizes), 2_000_000_000
    turns = weights.turns_within(budget)
    for number in range(turns):
        turn = Turn(number, turns, 0)
        objects, size = weights.of(turn)
        inside = [key for key in sizes if turn.has(place(key))]
        assert (len(inside), sum(sizes[key] for key in inside)) == (objects, size)
        assert size <= budget
    assert turns <= 2 * sum(sizes.values()) / budget + 1


def test_what_is_read_is_what_waited_longest_also_while_the_store_grows():
    """Four months: nothing waits longer than the turns before and after a change together."""
    sizes = library(300)
    amount = Amount.parse("300MB")
    last, most = {}, 0
    before = 0
    for day in range(120):
        sizes |= library(300 + 4 * day)
        turn = turn_of(amount, weighed(sizes), now=START + timedelta(days=day))
        assert turn.turns >= before
        before = turn.turns
        for key in sizes:
            last.setdefault(key, day)
            if turn.has(place(key)):
                last[key] = day
            most = max(most, day - last[key])
    assert most < 2 * before


def test_an_object_above_the_budget_does_not_multiply_the_turns_without_end():
    sizes = library(50) | {"originals/huge/x.mp4": 10**12}
    assert weighed(sizes).turns_within(10**9) < 10_000


def test_all_is_one_turn():
    assert turn_of(Amount.parse("all"), weighed({}), now=START) == Turn(
        0, 1, START.date().toordinal()
    )


def test_units_are_decimal():
    assert Amount.parse("5GB").bytes == 5 * 10**9
    assert Amount.parse(" 1.5 mb ").bytes == 1_500_000
    assert Amount.parse("12.5%").turns == 8
    assert Amount.parse("100%").turns == 1


@given(st.dictionaries(st.text("abc/-_", min_size=1), st.integers(0, 2**47 - 1), max_size=50))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_the_index_finds_all_that_was_listed_and_nothing_else(listed):
    index = OriginalsIndex()
    for key, size in listed.items():
        index.add(place(key), size, archived=size % 2 == 1)
    index.close()
    for key, size in listed.items():
        assert index.agrees(place(key), f"{size:064x}")
    for key, size in listed.items():
        found = index.find(place(key))
        assert (found.bytes, found.archived) == (size, size % 2 == 1)
        assert index.refer(place(key)) and not index.refer(place(key))
        assert index.claim(place(key)) and not index.claim(place(key))
        assert index.find(place(key)).bytes == size
    assert index.referenced == len(listed)
    assert index.find(place("never listed")) is None


def test_the_index_tells_lines_that_state_another_sha256_than_the_first():
    index = OriginalsIndex()
    index.add(place("a"), 2**47 - 1, archived=True)
    index.close()
    one, other = "1f" * 32, "2e" * 32
    assert index.agrees(place("a"), one) and index.agrees(place("a"), one)
    assert not index.agrees(place("a"), other)
    assert index.agrees(place("a"), one)
    assert index.find(place("a")) == Found(2**47 - 1, archived=True)
    assert index.refer(place("a")) and index.claim(place("a"))
    assert index.agrees(place("nowhere"), other)
