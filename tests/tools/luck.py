"""Which tests failed, for `.ci/run`, which tries a few once more by themselves.

A plugin of pytest's. Among thousands of tests with processes, disks and threads, on two busy cores,
one may fail by luck. That is a defect of the test, to be mended, and is printed as such; it is not
one of the change under test if it passes twice when nothing runs beside it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.skips import may_skip

MOST = 3
"""Of more than that nobody believes that it was luck."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Name them in the file that ``FAILED_LIST`` names, one a line: none if there were too many,
    or if anything else was wrong besides."""
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    path = os.environ.get("FAILED_LIST")
    if hasattr(session.config, "workerinput") or terminal is None or not path:
        return
    if session.exitstatus != pytest.ExitCode.TESTS_FAILED:
        return
    stats = terminal.stats
    bad = [report.nodeid for kind in ("failed", "error") for report in stats.get(kind, ())]
    alone = list(dict.fromkeys(bad))
    skipped = stats.get("skipped") and not may_skip(os.environ)
    if len(alone) <= MOST and not skipped and all("::" in each for each in alone):
        Path(path).write_text("".join(f"{each}\n" for each in alone), encoding="utf-8")
