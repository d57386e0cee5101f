"""The proof on real file systems, each small and in a file: crash points, kills, power cuts, and
what happens to disks at home: full, read-only, unplugged.

Needs root; see `tests.tools.disks`.
"""

import gc
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from smugmug_backup.errors import BackupError, StoreFull, StoreRefused
from smugmug_backup.ports import BackupStore
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.folder_naming import Naming
from tests.proof.crash import SCENARIOS, sample, try_all
from tests.proof.kills import kill_often
from tests.proof.world import MachineClock
from tests.tools import disks
from tests.tools.clock import FakeClock
from tests.tools.dying import ROOT
from tests.tools.fake_source import JPEG, FakeSource
from tests.tools.faulty_disk import bar
from tests.tools.invariants import violations
from tests.tools.nights import Nights
from tests.tools.patience import until

KINDS = [each.name for each in disks.kinds()]
NAMING = {
    "ext4": Naming.LINK,
    "xfs": Naming.LINK,
    "ntfs": Naming.LINK,
    "vfat": Naming.RENAME,
    "exfat": Naming.ALONE,
}


@pytest.fixture(scope="module")
def quickly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with disks.quick_place(tmp_path_factory.mktemp("disks")) as place:
        yield place


@pytest.fixture(scope="module")
def mounts(quickly: Path) -> Iterator[Any]:
    """Mounts each when it is first asked for."""
    opened = []

    @cache
    def mount(name: str) -> Path:
        context = disks.mounted(disks.named(name), quickly)
        opened.append(context)
        return context.__enter__()

    yield mount
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, mounts: Any, tmp_path: Path) -> Iterator[Path]:
    place: Path = mounts(request.param) / tmp_path.name
    place.mkdir()
    yield place
    gc.collect()  # What is open stays, on FUSE, as a hidden file.
    shutil.rmtree(place, ignore_errors=True)


def tmpfs(place: Path, kib: int) -> Path:
    """A disk in memory of that size."""
    disks.require(disks.KINDS[0])
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs to mount a tmpfs: a machine that lets root do it")
    return place


@pytest.fixture
def unmounting() -> Iterator[list[Path]]:
    """What is unmounted in the end."""
    places: list[Path] = []
    yield places
    gc.collect()
    for place in places:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def large_account(
    clock: FakeClock, albums: int = 3, images: int = 8, size: int = 40_000
) -> FakeSource:
    source, dice = FakeSource(clock), random.Random(3)
    for number in range(albums):
        source.album(f"Ab{number}")
        for _ in range(images):
            source.upload(f"Ab{number}", body=JPEG + dice.randbytes(size))
    return source


# -- what each can do, and that nothing is lost on it ----------------------------------------------


def test_how_a_file_gets_its_name_is_found_out_on_the_disk(
    disk: Path, request: pytest.FixtureRequest
) -> None:
    store = FolderStore(disk / "b")
    assert store._disk is not None
    assert store._disk.naming is NAMING[request.node.callspec.params["disk"]]
    assert store._disk.takes_large == (request.node.callspec.params["disk"] != "vfat")


def test_a_process_may_fail_at_any_operation_on_this_disk(disk: Path) -> None:
    # FUSE keeps what is open, and lowntfs-3g gives the numbers of what is gone anew: all stays.
    for number, scenario in enumerate(SCENARIOS[:2]):
        assert try_all(scenario, sample(scenario, 3), disk / str(number), keep=True)


def test_killed_processes_leave_a_backup_that_tells_the_truth_on_this_disk(disk: Path) -> None:
    assert kill_often(disk / "b", 2, seed=2) > 0


def test_a_run_on_a_disk_without_capitals_is_complete_the_hundredth_time_too(disk: Path) -> None:
    """Names are found again, whatever the disk makes of their capitals."""
    clock = FakeClock()
    source = large_account(clock, albums=2, images=2, size=100)
    nights = Nights(source, FolderStore(disk / "b"), clock)
    assert nights.run().status == "complete"
    nights.store = FolderStore(disk / "b", create=False)
    assert nights.next_night().counts.originals_stored == 0
    source.touch(source.world["Ab1"].images[0], caption="an edit")
    assert nights.next_night().counts.albums_changed == 1
    assert len(nights.reports[-1].previous) == 1
    assert not violations(nights.store, source, exact=True)


# -- a second writer, and one that died ------------------------------------------------------------

HOLDS = """
import sys, time
from smugmug_backup.ports import BackupStore
from smugmug_backup.storage.folder import FolderStore
store = FolderStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""


def another(disk: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(disk)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("disk", ["exfat"], indirect=True)
def test_a_second_writer_is_refused_and_a_dead_one_is_told(disk: Path) -> None:
    with another(disk / "b") as process:
        with pytest.raises(StoreRefused, match=f"process {process.pid} on .* only one") as caught:
            FolderStore(disk / "b")
        assert "\n" not in str(caught.value)
        reader = FolderStore(disk / "b", create=False)
        assert list(reader.list("")) == []
        process.kill()
        process.wait()
    store = FolderStore(disk / "b")
    assert [f"process {process.pid}" in each for each in store.remarks] == [True]
    store.create("runs/x", b"1")
    del store
    gc.collect()
    assert FolderStore(disk / "b").remarks == ()


@pytest.mark.parametrize("disk", ["exfat"], indirect=True)
def test_what_a_dead_writer_left_half_is_swept_at_once(disk: Path) -> None:
    with another(disk / "b") as process:
        (disk / "b/.incoming/0123456789abcdef.part").write_bytes(b"half")
        process.kill()
    FolderStore(disk / "b")
    assert [each.name for each in (disk / "b/.incoming").iterdir()] == ["writer.lock"]


# -- a power cut -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ext4", "xfs"])
def test_what_a_batch_promised_is_there_after_the_power_goes(name: str, quickly: Path) -> None:
    """The disk is a file on XFS, which clones it in a moment while a writer is at work: what was
    written to the disk until then is what a power cut leaves, and nothing that was in memory."""
    kind, outer = disks.named(name), disks.named("xfs")
    place = quickly / f"power-{name}"
    place.mkdir()
    with disks.mounted(outer, place, mib=1500) as clones:
        promised, cuts = _cut_often(kind, clones)
        looked = 0
        for cut, before in cuts:
            looked += len(before)
            _look(kind, cut, promised[: len(before)])
    assert looked


def _cut_often(kind: disks.Kind, clones: Path) -> tuple[list[str], list[tuple[Path, list[str]]]]:
    promised: list[str] = []
    with disks.mounted(kind, clones) as folder:
        store, stop = FolderStore(folder / "b"), threading.Event()

        def write() -> None:
            for number in range(400):
                batch = store.batch()
                keys = [f"originals/k{number}/{each}.jpg" for each in range(5)]
                for key in keys:
                    batch.create(key, body(key))
                assert batch.barrier() == {}
                promised.extend(keys)
                if stop.is_set():
                    return

        writer = threading.Thread(target=write)
        writer.start()
        cuts = []
        for number in range(5):
            seen = len(promised)
            until(lambda seen=seen: len(promised) > seen or not writer.is_alive())
            before, cut = list(promised), clones / f"cut{number}.img"
            image = clones / f"{kind.name}.img"
            subprocess.run(["cp", "--reflink=always", image, cut], check=True)
            cuts.append((cut, before))
        stop.set()
        writer.join()
    return promised, cuts


def _look(kind: disks.Kind, cut: Path, promised: list[str]) -> None:
    if kind.name == "xfs":  # The disk that it was cloned from has the same id.
        kind = disks.Kind("xfs", "", "mount -o loop,nouuid {image} {folder}", "xfsprogs")
    later = cut.with_suffix("")
    later.mkdir()
    with disks.mounted_again(kind, cut, later):
        seen = FolderStore(later / "b", create=False)
        for key in promised:
            assert seen.read(key) == body(key), (cut.name, key)
        for found in seen.list("originals/"):
            assert seen.read(found.key) == body(found.key), (cut.name, found)


def body(key: str) -> bytes:
    return key.encode() * (1 + len(key) * 37 % 400)


# -- a full disk -----------------------------------------------------------------------------------


def test_a_disk_that_is_too_small_by_any_amount_loses_nothing(
    quickly: Path, unmounting: list[Path]
) -> None:
    """Whatever write finds it full: all sizes from none at all to enough."""
    clock = FakeClock()
    source = large_account(clock)
    seen = set()
    for number, kib in enumerate([12, 40, 70, 100, 130, 160, 200, *range(300, 1700, 200)]):
        place = tmpfs(quickly / f"full{number}", kib)
        unmounting.append(place)
        nights = Nights(source, None, clock)  # type: ignore[arg-type]
        try:
            nights.store = FolderStore(place / "b")
            report = nights.run()
        except StoreFull:
            assert kib < 100  # README.txt alone has 20 KB, and the report needs a few more.
            seen.add("no report")
        else:
            seen.add(report.status)
            assert len(report.failures) <= 1
            if report.failures:
                assert report.failures[0].code == "store_full"
                assert "more are needed" in report.failures[0].message
                assert not violations(nights.store)
        subprocess.run(["mount", "-o", "remount,size=8m", str(place)], check=True)
        nights.store = FolderStore(place / "b")
        last = nights.next_night()
        assert last.status == "complete", (kib, last.failures, last.pending)
        assert not violations(nights.store, source, exact=True)
    assert seen == {"no report", "incomplete", "complete"}


def test_a_full_disk_of_each_kind_keeps_room_for_manifests_and_the_report(disk: Path) -> None:
    clock = FakeClock()
    source = large_account(clock, images=6, size=60_000)
    nights = Nights(source, FolderStore(disk / "b"), clock)
    fill(disk, nights.store, leave=700_000)
    report = nights.run()
    assert [each.code for each in report.failures] == ["store_full"], report.failures
    assert 0 < report.counts.originals_stored < 18
    # One that was under way with the first that did not fit was broken off.
    assert downloads(source) <= report.counts.originals_stored + 1
    fill(disk, nights.store, leave=50_000)
    again = nights.next_night()
    assert [each.code for each in again.failures] == ["store_full"]
    assert downloads(source) <= report.counts.originals_stored + again.counts.originals_stored + 2
    shutil.rmtree(disk / "fillers")
    # XFS gives back in its own time what is deleted.
    until(lambda: (nights.store.room().free or 0) > 5_000_000)
    nights.store = FolderStore(disk / "b")
    assert nights.next_night().status == "complete"
    assert not violations(nights.store, source, exact=True)


def fill(disk: Path, store: BackupStore, *, leave: int) -> None:
    """Fill the disk up but for about so much. Each file is closed, for XFS gives back then what it
    had allocated beyond its end."""
    (disk / "fillers").mkdir(exist_ok=True)
    while (free := store.room().free) and free > leave:
        (disk / "fillers" / str(free)).write_bytes(bytes(min(free - leave // 2, 8 << 20)))


def downloads(source: FakeSource) -> int:
    return sum(number for name, number in source.calls.items() if name.startswith("photo:"))


def test_a_disk_without_inodes_is_full(quickly: Path, unmounting: list[Path]) -> None:
    place = tmpfs(quickly / "inodes", 4_000)
    unmounting.append(place)
    subprocess.run(["mount", "-o", "remount,nr_inodes=60", str(place)], check=True)
    clock = FakeClock()
    nights = Nights(large_account(clock, size=100, images=20), FolderStore(place / "b"), clock)
    report = nights.run()
    assert [each.code for each in report.failures] == ["store_full"]


# -- read-only, unplugged, not mounted -------------------------------------------------------------


def one_sentence(nights: Nights) -> str:
    """What a run says, whether it ends with a report or without."""
    try:
        report = nights.next_night()
    except BackupError as error:
        said = str(error)
    else:
        (failure,) = report.failures
        said = failure.message
    assert "\n" not in said
    return said


@pytest.mark.parametrize("disk", ["ext4", "xfs"], indirect=True)
def test_a_disk_that_became_read_only_is_one_sentence_and_nothing_is_lost(disk: Path) -> None:
    clock = FakeClock()
    source = large_account(clock, 1, 2, 100)
    nights = Nights(source, FolderStore(disk / "b"), clock)
    nights.run()
    source.upload("Ab0")
    nights.store = None  # type: ignore[assignment]
    gc.collect()
    subprocess.run(["mount", "-o", "remount,ro", str(disk.parent)], check=True)
    try:
        nights.store = FolderStore(disk / "b", create=False)
        assert "read-only" in one_sentence(nights)
        assert not violations(nights.store)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk.parent)], check=True)
    nights.store = FolderStore(disk / "b")
    assert nights.next_night().status == "complete"


def test_a_disk_that_is_unplugged_in_the_night_is_one_sentence(
    quickly: Path, unmounting: list[Path]
) -> None:
    """Below it lies the empty folder of the mount point: no new backup is begun there."""
    place = tmpfs(quickly / "plug", 8_000)
    clock = FakeClock()
    source = large_account(clock, 2, 2, 100)
    nights = Nights(source, FolderStore(place / "b", create=True), clock)
    nights.run()
    source.upload("Ab0")
    subprocess.run(["umount", "-l", str(place)], check=True)
    said = one_sentence(nights)
    assert "mounted" in said or "plugged" in said
    assert list(place.iterdir()) == []


def test_a_disk_that_is_taken_from_the_mount_point_itself_is_one_sentence(
    quickly: Path, unmounting: list[Path]
) -> None:
    place = tmpfs(quickly / "itself", 8_000)
    clock = FakeClock()
    source = large_account(clock, 2, 2, 100)
    nights = Nights(source, FolderStore(place), clock)
    nights.run()
    source.upload("Ab0")
    source.errors["images:Ab0"] = lambda: subprocess.run(
        ["umount", "-l", str(place)], check=False, capture_output=True
    )
    said = one_sentence(nights)
    assert "mounted" in said or "plugged" in said
    assert list(place.iterdir()) == []


def test_a_permission_that_was_lost_is_one_sentence_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    source = large_account(clock, 2, 2, 100)
    nights = Nights(source, FolderStore(tmp_path / "mine"), clock)
    nights.run()
    source.upload("Ab0")
    with monkeypatch.context() as patch:
        bar(patch, "mine")
        assert "permission denied" in one_sentence(nights)
    assert not violations(nights.store)
    assert nights.next_night().status == "complete"


def test_a_clock_set_back_a_year_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    true = FakeClock()
    source, machine = large_account(true, 2, 2, 100), MachineClock(true)
    nights = Nights(source, FolderStore(tmp_path / "b"), machine)  # type: ignore[arg-type]
    nights.run()
    source.upload("Ab0")
    machine.skew = -timedelta(days=365)
    true.advance(days=1)
    nights.store = FolderStore(tmp_path / "b")
    (failure,) = nights.run().failures
    assert "set the clock right" in failure.message and "\n" not in failure.message
    machine.skew = timedelta()
    true.advance(days=1)
    nights.store = FolderStore(tmp_path / "b")
    assert nights.run().status == "complete"
    assert not violations(nights.store, source, exact=True)
