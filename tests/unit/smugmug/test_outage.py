"""The connection itself: gone, waited for, back, or lost."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.run import Backup, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import ConnectionLost, OutOfTime
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.smugmug import outage
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.outage import FEW, Outage, reach
from smugmug_backup.storage.location import open_store
from smugmug_backup.wiring import AtHome, SystemClock, build_source, new_token, options_of
from smugmug_backup.words import Location
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.unit.smugmug.server import FakeClock, serving


class Line:
    """A connection that is back after so many seconds."""

    def __init__(self, clock: FakeClock, back_after: float = 0.0) -> None:
        self.clock, self.back, self.asked = clock, clock.elapsed + back_after, 0
        self.said: list[str] = []
        self.outage = Outage(clock=clock, reach=self.reach, patience=600, tell=self.said.append)

    def reach(self) -> None:
        self.asked += 1
        if self.clock.elapsed < self.back:
            raise OSError("no way")

    def fails(self, times: int = 1, deadline: Deadline | None = None) -> bool:
        for _ in range(times):
            came = self.outage.came_back(deadline or Deadline.none(self.clock))
        return came


def test_one_failure_or_two_are_what_they_are_and_nobody_is_asked(clock: FakeClock) -> None:
    line = Line(clock, back_after=1000)
    assert line.fails(FEW - 1) is False
    line.outage.went_well()
    assert line.fails(FEW - 1) is False
    assert (line.asked, clock.elapsed) == (0, 0)


def test_where_only_one_host_is_gone_nobody_waits(clock: FakeClock) -> None:
    line = Line(clock)
    assert line.fails(FEW) is False
    assert (line.asked, clock.elapsed, line.said) == (1, 0, [])


def test_a_lost_connection_is_waited_for_with_growing_pauses_and_said_once(
    clock: FakeClock,
) -> None:
    line = Line(clock, back_after=100)
    assert line.fails(FEW) is True
    assert clock.sleeps == [5, 10, 20, 40, 60]
    assert len(line.said) == 2 and "gone" in line.said[0] and "back" in line.said[1]
    assert line.fails(FEW - 1) is False


def test_what_stays_away_for_ten_minutes_is_lost_for_everybody_at_once(clock: FakeClock) -> None:
    line = Line(clock, back_after=10_000)
    with pytest.raises(ConnectionLost, match="10 minutes"):
        line.fails(FEW)
    assert clock.elapsed == 600
    with pytest.raises(ConnectionLost):
        line.fails()
    assert clock.elapsed == 600 and len(line.said) == 1


def test_no_longer_than_there_is_time(clock: FakeClock) -> None:
    line = Line(clock, back_after=10_000)
    with pytest.raises(OutOfTime):
        line.fails(FEW, Deadline.after(clock, 100))
    assert clock.elapsed <= 135


def test_an_end_that_somebody_asks_for_ends_the_wait(clock: FakeClock) -> None:
    line = Line(clock, back_after=10_000)
    deadline = Deadline.none(clock)
    deadline.stop()
    with pytest.raises(OutOfTime):
        line.fails(FEW, deadline)
    assert clock.elapsed == 0


def test_a_function_waits_for_nothing(clock: FakeClock) -> None:
    def never() -> None:
        raise AssertionError("nobody asks")

    outage = Outage(clock=clock, reach=never)
    assert not any(outage.came_back(Deadline.none(clock)) for _ in range(20))


def test_many_threads_wait_for_one_that_asks(clock: FakeClock) -> None:
    line = Line(clock, back_after=30)
    line.fails(FEW - 1)
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(line.fails())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert True in found and len(line.said) == 2
    assert sum(clock.sleeps) == 35


def test_a_way_is_a_connection_and_no_word() -> None:
    with serving() as server:
        reach(server.url)
        url = server.url
    assert server.asked == []
    with pytest.raises(OSError):
        reach(url)


def test_a_run_whose_network_comes_back_has_not_failed(tmp_path: Path, monkeypatch: Any) -> None:
    """The true source, and a SmugMug that is gone for a while in the middle of a run."""
    monkeypatch.setattr(outage, "_FIRST_PAUSE", 0.05)
    world = World(generate_account(1, albums=3, images=6, size=2_000))
    first = LocalSmugMug(world)
    first.start()
    said: list[str] = []
    again: list[LocalSmugMug] = []

    def tell(line: str) -> None:
        said.append(line)
        if "gone" in line:
            again.append(LocalSmugMug(world, port=first.port))
            threading.Timer(0.2, again[0].start).start()

    class Watching:
        """Takes the network away after a few photos."""

        photos = 0

        def received(self, size: int) -> None:
            self.photos += 1
            if self.photos == 4:
                threading.Thread(target=first.stop).start()

        def defect(self, album: Any, error: Exception) -> None: ...
        def planned(self, albums: int) -> None: ...
        def album_done(self, album: Any, outcome: Any) -> None: ...

    settings = SourceSettings(
        SecretName("file", "/x"),
        nickname=world.account.nickname,
        api_url=first.url,
        photo_hosts=("127.0.0.1",),
        max_concurrency=2,
    )
    credentials = Credentials.from_json(json.dumps(world.account.secret()))
    clock = SystemClock()
    try:
        report = Backup(
            source=build_source(settings, credentials, clock, home=AtHome(tell, patience=600)),
            store=open_store(Location.parse(str(tmp_path / "b")), create=True),
            clock=clock,
            token=new_token,
            options=options_of(settings),
            observer=Watching(),
        ).run(RunRequest(), deadline=Deadline.none(clock))
    finally:
        for each in (first, *again):
            each.stop()
    assert isinstance(report, RunReport)
    assert (report.status, report.failures) == ("complete", ())
    assert len(said) == 2, said
