"""Memory for originals on their way: one budget, whatever they turn out to need."""

import threading

import pytest

from smugmug_backup.backup.buffers import Buffers
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import OutOfTime
from tests.tools.clock import FakeClock

MIB = 1024 * 1024
EVER = Deadline.none(FakeClock())


def taken(buffers, size, **more):
    context = buffers.room(size, deadline=EVER, **more)
    return context, context.__enter__()


def given_back(context):
    context.__exit__(None, None, None)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, MIB, MIB + 1, 3 * MIB, 16 * MIB + 1])
def test_room_is_enough_and_at_most_a_quarter_more(size):
    buffers = Buffers(64 * MIB)
    with buffers.room(size, deadline=EVER) as room:
        assert size <= len(room.view) <= max(64 * 1024, size * 1.25 + 64 * 1024)
        assert buffers.used == len(room.view)
    assert buffers.used == 0


def test_a_buffer_is_used_again_by_whoever_needs_its_size():
    buffers = Buffers(64 * MIB)
    with buffers.room(MIB - 5, deadline=EVER) as room:
        first = room.buffer
    with buffers.room(MIB - 9, deadline=EVER) as room:
        assert room.buffer is first
    assert buffers.kept == MIB


def test_one_whose_work_failed_is_not_for_somebody_may_be_sending_it_still():
    buffers = Buffers(64 * MIB)
    with pytest.raises(OSError), buffers.room(MIB, deadline=EVER) as room:
        first = room.buffer
        raise OSError
    assert (buffers.used, buffers.kept) == (0, 0)
    with buffers.room(MIB, deadline=EVER) as room:
        assert room.buffer is not first


def test_those_that_wait_go_for_one_of_another_size():
    buffers = Buffers(4 * MIB)
    with buffers.room(3 * MIB, deadline=EVER):
        pass
    with buffers.room(2 * MIB, deadline=EVER):
        assert buffers.used + buffers.kept <= 4 * MIB


def test_what_does_not_fit_waits_until_others_gave_back():
    buffers, came = Buffers(4 * MIB), threading.Event()
    first, _ = taken(buffers, 3 * MIB)

    def second():
        with buffers.room(2 * MIB, deadline=EVER):
            came.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not came.wait(0.05)
    given_back(first)
    assert came.wait(120)
    thread.join()


def test_what_somebody_else_holds_for_it_counts():
    buffers = Buffers(32 * MIB)
    with buffers.room(MIB, beside=24 * MIB, deadline=EVER):
        assert buffers.used == 25 * MIB
    assert buffers.used == 0


def test_more_than_there_is_at_all_is_given_alone():
    buffers = Buffers(MIB)
    with buffers.room(16 * MIB, deadline=EVER) as room:
        assert len(room.view) == 16 * MIB
    assert buffers.kept == 0


def test_what_turns_out_larger_is_not_kept_waiting_and_loses_nothing():
    buffers = Buffers(2 * MIB)
    with buffers.room(MIB, deadline=EVER) as room:
        room.view[:3] = b"abc"
        room.grow(8 * MIB)
        assert bytes(room.view[:3]) == b"abc"
        assert len(room.view) == buffers.used == 8 * MIB
    assert buffers.used == 0


@pytest.mark.parametrize("behind", [False, True])
def test_a_wait_ends_with_the_deadline(behind):
    clock = FakeClock()
    buffers, over = Buffers(MIB), Deadline.after(clock, -1)
    first, _ = taken(buffers, MIB)
    if behind:
        assert buffers._turn.acquire(blocking=False)  # Somebody else is the next.
    with pytest.raises(OutOfTime), buffers.room(MIB, deadline=over):
        pass
    assert buffers.used == MIB
    given_back(first)
