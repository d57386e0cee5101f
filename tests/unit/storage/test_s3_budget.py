"""How long S3 is waited for, though somebody asks for an end meanwhile."""

import threading
import time

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.storage.s3_budget import Budget, Patience, TookTooLong, within
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
