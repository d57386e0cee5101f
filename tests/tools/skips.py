"""What was skipped, and what would bring it: the last line of a run; a failure in CI.

A plugin of pytest's. A test that a machine cannot run says in its reason what is missing and how to
get it, a few words that make sense in a list: ``pytest.skip("root: sudo make test")``. A test that
makes no sense with some parameter is no skip: it is not made (``parametrize(..., indirect=True)``).
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pytest


def last_line(reasons: Iterable[str]) -> str | None:
    """How many were skipped and what would bring them, None if none was.

    ==================  ====================================================
    nothing             None
    one                 ``1 test was skipped; what would bring it: root``
    several             ``3 tests were skipped; what would bring them: root (2); a Linux (1)``
    ==================  ====================================================
    """
    counts = Counter(reasons)
    total = counts.total()
    if not total:
        return None
    if total == 1:
        return f"1 test was skipped; what would bring it: {next(iter(counts))}"
    named = "; ".join(f"{reason} ({count})" for reason, count in counts.most_common())
    return f"{total} tests were skipped; what would bring them: {named}"


def may_skip(environment: Mapping[str, str]) -> bool:
    """Whether a skip is no failure: everywhere but in CI, which has all that a test can need."""
    return environment.get("CI", "").lower() != "true"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """After all that others print. With xdist, only the process that saw all reports tells."""
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(session.config, "workerinput") or terminal is None:
        return
    line = last_line(_reason(each) for each in terminal.stats.get("skipped", ()))
    if line is None:
        return
    allowed = may_skip(os.environ)
    if not allowed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    terminal.write_line(line if allowed else f"{line} (in CI, that is a failure)")


def _reason(report: pytest.TestReport) -> str:
    where = report.longrepr
    told = where[2] if isinstance(where, tuple) else str(where)
    return told.removeprefix("Skipped: ")
