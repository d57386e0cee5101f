"""How long S3 is waited for, though somebody asks for an end meanwhile."""

import os
import subprocess
import sys
import threading
import time

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.storage import s3_budget
from smugmug_backup.storage.s3_budget import Budget, Patience, TookTooLong, _Hand, within
from smugmug_backup.wiring import SystemClock

PATIENCE = Patience(last=0.2)


def test_an_answer_that_does_not_come_is_left_when_an_end_is_asked_for():
    deadline = Deadline.none(SystemClock())
    budget = Budget(PATIENCE, deadline)
    let_go, late = threading.Event(), threading.Event()
    threading.Timer(0.1, lambda: deadline.stop(grace=0.1)).start()
    began = time.monotonic()
    with pytest.raises(TookTooLong):
        within(300, lambda: let_go.wait(300), late=lambda _: late.set(), budget=budget)
    assert time.monotonic() - began < 120
    let_go.set()
    assert late.wait(120)


def test_an_answer_that_comes_in_time_is_taken():
    budget = Budget(PATIENCE, Deadline.none(SystemClock()))
    assert within(60, lambda: "whole", late=lambda _: None, budget=budget) == "whole"


def test_after_an_end_a_call_has_what_a_last_one_has():
    deadline = Deadline.none(SystemClock())
    budget = Budget(Patience(last=1000), deadline)
    assert budget.left == float("inf")
    deadline.stop(grace=0.0)
    assert 500 < budget.left <= 1000


def test_calls_one_after_the_other_are_done_by_one_thread():
    _Hand.forget_all()
    doers = {within(60, threading.get_ident, late=lambda _: None) for _ in range(20)}
    assert len(doers) == 1 and threading.get_ident() not in doers


def test_calls_at_a_time_wait_for_none_another():
    both = threading.Barrier(2)

    def inner() -> int:
        return within(60, lambda: both.wait(60), late=lambda _: None)

    other = threading.Thread(target=inner)
    other.start()
    inner()
    other.join(60)
    assert not other.is_alive()


def test_what_is_left_to_a_thread_holds_up_no_later_call():
    let_go, late = threading.Event(), threading.Event()
    with pytest.raises(TookTooLong):
        within(0.01, lambda: let_go.wait(300), late=lambda _: late.set())
    assert within(60, lambda: "whole", late=lambda _: None) == "whole"
    let_go.set()
    assert late.wait(120)


def test_an_error_of_one_call_is_none_of_the_next():
    def fail() -> None:
        raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        within(60, fail, late=lambda _: None)
    assert within(60, lambda: "whole", late=lambda _: None) == "whole"


def test_a_thread_without_calls_ends(monkeypatch):
    _Hand.forget_all()
    monkeypatch.setattr(s3_budget, "_IDLE", 0.01)
    found = within(60, threading.current_thread, late=lambda _: None)
    found.join(60)
    assert not found.is_alive()
    assert within(60, lambda: "whole", late=lambda _: None) == "whole"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_was_forked_has_threads_of_its_own():
    program = """
import os, sys
from smugmug_backup.storage.s3_budget import within
within(60, lambda: None, late=lambda _: None)
child = os.fork()
if not child:
    os._exit(within(60, lambda: 7, late=lambda _: None))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=300,
    )
    assert done.returncode == 7
