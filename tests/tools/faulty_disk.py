"""System calls that fail, below the folder store."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest


def failing(number: int) -> Callable[..., NoReturn]:
    """In the place of a call: it always fails so."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


def strike(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: int,
    *,
    when: Callable[..., bool],
    times: int = 1_000_000,
    after: bool = False,
) -> None:
    """The next ``times`` calls of ``os.name`` that ``when`` picks by their arguments fail;
    ``after``: though they are done (their answer was lost, or they tell of something late)."""
    call = getattr(os, name)
    left = iter(range(times))

    def struck(*arguments: Any, **more: Any) -> Any:
        if not when(*arguments, **more) or next(left, None) is None:
            return call(*arguments, **more)
        if after:
            call(*arguments, **more)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, struck)


def bar(monkeypatch: pytest.MonkeyPatch, name: str, number: int = errno.EACCES) -> None:
    """Nobody gets into the folders called so: mode 000, or a bad sector."""

    def leads_in(path: Any, *_: Any, **__: Any) -> bool:
        return not isinstance(path, int) and name in Path(path).parts

    def within(path: Any, *_: Any, **__: Any) -> bool:
        return leads_in(path) and Path(path).name != name

    for call, when in (("open", leads_in), ("scandir", leads_in), ("stat", within)):
        strike(monkeypatch, call, number, when=when)
    strike(monkeypatch, "lstat", number, when=within)
