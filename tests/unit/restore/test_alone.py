"""Whether an error concerns one file, or all: every row of the table."""

import errno
from types import SimpleNamespace
from typing import Any

import pytest

from smugmug_backup.errors import (
    Archived,
    NotABackup,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.restore.alone import (
    IN_A_ROW,
    Alone,
    Missing,
    StoreGone,
    TargetUnusable,
    problem_of,
)


class Places:
    """A store and a target that are there, or are not."""

    def __init__(self, *, store: bool = True, target: bool = True) -> None:
        self.store, self.target = store, target
        self.probes: list[str] = []

    def ask_store(self) -> None:
        self.probes.append("store")
        if not self.store:
            raise StoreUnavailable("nobody answers")

    def try_target(self) -> None:
        self.probes.append("target")
        if not self.target:
            raise OSError(errno.EIO, "Input/output error")

    def alone(self) -> Alone:
        return Alone(self.ask_store, self.try_target)


EIO = OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_or_read_only_target_ends_all_without_a_question(number: int) -> None:
    places = Places()
    halted = places.alone().concerns_all(OSError(number, "full"))
    assert isinstance(halted, TargetUnusable)
    assert not places.probes


@pytest.mark.parametrize("alive", [True, False])
def test_an_error_of_the_disk_ends_all_if_nothing_can_be_written_there(alive: bool) -> None:
    places = Places(target=alive)
    halted = places.alone().concerns_all(EIO)
    assert isinstance(halted, TargetUnusable) is not alive
    assert places.probes == ["target"]


@pytest.mark.parametrize("alive", [True, False])
def test_a_refusal_ends_all_if_the_store_as_a_whole_refuses(alive: bool) -> None:
    places = Places(store=alive)
    halted = places.alone().concerns_all(StoreRefused("no"))
    assert isinstance(halted, StoreGone) is not alive
    assert places.probes == ["store"]


@pytest.mark.parametrize("error", [StoreUnavailable("503"), Missing("nothing there")])
@pytest.mark.parametrize("alive", [True, False])
def test_a_store_that_does_not_answer_is_asked_after_eight_in_a_row(
    error: Exception, alive: bool
) -> None:
    places = Places(store=alive)
    alone = places.alone()
    for _ in range(IN_A_ROW - 1):
        assert alone.concerns_all(error) is None
    assert not places.probes
    assert isinstance(alone.concerns_all(error), StoreGone) is not alive
    assert places.probes == ["store"]


def test_what_goes_well_in_between_breaks_the_row() -> None:
    places = Places(store=False)
    alone = places.alone()
    for _ in range(10 * IN_A_ROW):
        assert alone.concerns_all(StoreUnavailable("503")) is None
        alone.went_well()


def test_a_store_that_is_gone_may_say_so_in_several_ways() -> None:
    alone = Places(store=False).alone()
    said = [StoreUnavailable("503"), Missing("nothing there")] * IN_A_ROW
    halted = [alone.concerns_all(error) for error in said]
    assert halted[: IN_A_ROW - 1] == [None] * (IN_A_ROW - 1)
    assert all(isinstance(each, StoreGone) for each in halted[IN_A_ROW - 1 :])


def test_a_hundred_refusals_in_a_row_cost_a_question_for_eight_of_them() -> None:
    places = Places()
    alone = places.alone()
    for _ in range(100):
        assert alone.concerns_all(StoreRefused("no")) is None
    assert len(places.probes) == 1 + 100 // IN_A_ROW


@pytest.mark.parametrize(
    "error", [Archived("thaw it"), NotABackup("damaged"), ValueError("a defect")]
)
def test_anything_else_never_ends_all(error: Exception) -> None:
    places = Places(store=False, target=False)
    alone = places.alone()
    for _ in range(2 * IN_A_ROW):
        assert alone.concerns_all(error) is None
    assert not places.probes


def test_once_ended_it_stays_so_for_the_same_reason() -> None:
    places = Places(store=False)
    alone = places.alone()
    halted = alone.concerns_all(StoreRefused("no"))
    assert halted is not None
    assert alone.concerns_all(EIO) is halted
    assert alone.halted is halted


def test_a_name_that_a_system_of_few_letters_cannot_write_is_told_as_such() -> None:
    target: Any = SimpleNamespace(problem=lambda code, message: (code, message))
    with pytest.raises(UnicodeEncodeError) as caught:
        "Alps \u2014 \u5c71".encode("ascii")
    code, message = problem_of(target, caught.value)  # type: ignore[misc]
    assert code == "file_error" and "LANG" in message
