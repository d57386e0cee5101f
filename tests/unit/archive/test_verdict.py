"""How a backup stands, in one word: a test for each row of the table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import Checked
from smugmug_backup.archive.standing import SILENCE, standing_of
from smugmug_backup.archive.verdict import Verdict, verdict_of
from smugmug_backup.errors import SourceUnavailable
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


@pytest.fixture
def nights():
    clock = FakeClock()
    source = FakeSource(clock)
    source.album("harbour", images=1)
    return Nights(source, MemoryStore(), clock)


def verdict(nights, **later):
    now = nights.clock.now() + timedelta(**later)
    return verdict_of(standing_of(Archive(nights.store), now=now), now)


def test_a_backup_without_a_run_over_the_account_has_no_verdict_yet(nights):
    assert verdict(nights) is Verdict.NO_RUN
    nights.run(albums=("harbour",))
    assert verdict(nights) is Verdict.NO_RUN
    assert verdict(nights, days=90) is Verdict.NO_RUN


def test_complete_and_not_complete_are_those_of_the_newest_run_over_the_account(nights):
    nights.run()
    assert verdict(nights) is Verdict.COMPLETE
    nights.source.errors["images:harbour"] = SourceUnavailable("98")
    nights.clock.advance(hours=1)
    nights.run(albums=("harbour",))
    assert verdict(nights) is Verdict.COMPLETE
    nights.next_night()
    assert verdict(nights) is Verdict.NOT_COMPLETE


def test_two_nights_without_a_run_are_silence_whatever_the_last_one_said(nights):
    nights.run()
    assert verdict(nights, hours=50) is Verdict.COMPLETE
    assert verdict(nights, hours=51) is Verdict.SILENT
    nights.source.errors["images:harbour"] = SourceUnavailable("98")
    nights.next_night()
    assert verdict(nights, hours=51) is Verdict.SILENT


def test_a_refused_run_is_no_silence(nights):
    nights.run()
    nights.source.errors["albums"] = SourceUnavailable("503")
    nights.clock.advance(days=3)
    nights.run()
    assert verdict(nights) is Verdict.NOT_COMPLETE


def test_damage_that_is_not_mended_outweighs_complete(nights):
    report = nights.run()
    now = nights.clock.now()
    standing = standing_of(Archive(nights.store), now=now)
    for open_findings, told in ((1, Verdict.DAMAGED), (0, Verdict.COMPLETE)):
        check = Checked(report.run_id, "", now, sound=False, open=open_findings)
        assert verdict_of(replace(standing, check=check), now) is told


@pytest.mark.parametrize(
    ("days", "patience"), [(0.5, 50), (1, 50), (7, 14 * 24 + 2), (60, 62 * 24)]
)
def test_the_rhythm_of_the_runs_says_how_long_a_silence_is(nights, days, patience):
    for _ in range(4):
        nights.clock.advance(days=days)
        nights.run()
    ended = nights.clock.now()
    for hours, silent in ((patience - 1, False), (patience + 1, True)):
        nights.clock.advance(hours=hours)
        standing = standing_of(Archive(nights.store), now=nights.clock.now())
        assert (standing.silence(nights.clock.now()) is not None) is silent
        nights.clock.advance(hours=-hours)
    assert nights.clock.now() == ended


def test_two_runs_and_attempts_of_one_are_no_rhythm(nights):
    nights.clock.advance(days=20)
    nights.run(trigger="late")
    nights.clock.advance(hours=1)
    nights.run(trigger="late")
    assert standing_of(Archive(nights.store), now=nights.clock.now()).patience == SILENCE
