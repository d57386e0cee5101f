"""To wait for something that happens elsewhere: for itself, and not for a time that may suffice."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

HANG = 300.0
"""Seconds after which it is said to hang: far more than the busiest machine takes."""


def until(look: Callable[[], T], *, seconds: float = HANG) -> T:
    """What ``look`` finds, as soon as it finds something; fails if that never comes."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
    return found
