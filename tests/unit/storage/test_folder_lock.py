"""Where a name cannot be taken safely, one process is the only writer."""

import gc
import json
import os
import socket
import subprocess
import sys

import pytest

from smugmug_backup import system
from smugmug_backup.errors import StoreRefused
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.folder_lock import LOCK, only_writer
from tests.tools import lacks


@pytest.fixture
def incoming(tmp_path):
    return tmp_path


@pytest.fixture
def no_locks(monkeypatch):
    lacks.locks(monkeypatch)


def dead():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def left(incoming, *, process, host=None):
    said = {"host": host or socket.gethostname(), "process": process, "token": "x"}
    (incoming / LOCK).write_text(json.dumps(said))


def text(incoming):
    return (incoming / LOCK).read_text()


def test_two_stores_of_one_process_share_it_and_it_ends_with_the_last(incoming):
    one, is_new = only_writer(incoming)
    other, again = only_writer(incoming)
    assert (one is other, is_new, again, one.remark) == (True, True, False, None)
    assert json.loads(text(incoming))["process"] == os.getpid()
    del one
    assert text(incoming)
    del other
    gc.collect()
    assert text(incoming) == ""


def test_a_lock_that_a_dead_process_left_is_taken_and_told(incoming):
    left(incoming, process=4_000_001, host="nas")
    writer, _ = only_writer(incoming)
    assert writer.remark.startswith("process 4000001 on nas died")
    assert json.loads(text(incoming))["process"] == os.getpid()


def test_a_second_writer_is_refused_in_one_sentence(incoming):
    descriptor = os.open(incoming / LOCK, os.O_RDWR | os.O_CREAT)
    left(incoming, process=77, host="study")
    assert system.lock(descriptor)
    with pytest.raises(StoreRefused, match="process 77 on study is writing") as caught:
        only_writer(incoming)
    assert "\n" not in str(caught.value)
    os.close(descriptor)


@pytest.mark.usefixtures("no_locks")
class TestWithoutLocksOfTheSystem:
    def test_the_file_itself_is_the_lock_and_goes_at_the_end(self, incoming, monkeypatch):
        lacks.removing_what_is_open(monkeypatch)
        writer, _ = only_writer(incoming)
        assert json.loads(text(incoming))["process"] == os.getpid()
        del writer
        gc.collect()
        assert not list(incoming.iterdir())

    def test_a_process_that_is_gone_from_this_machine_has_lost_it(self, incoming):
        process = dead()
        left(incoming, process=process)
        writer, _ = only_writer(incoming)
        assert f"process {process}" in writer.remark
        assert json.loads(text(incoming))["process"] == os.getpid()

    @pytest.mark.parametrize("host", [None, "another-machine"])
    def test_one_that_lives_or_of_whom_nobody_can_tell_keeps_it(self, incoming, host):
        left(incoming, process=os.getppid(), host=host)
        before = text(incoming)
        with pytest.raises(StoreRefused, match=r"if it is gone, remove .*writer\.lock") as caught:
            only_writer(incoming)
        assert "\n" not in str(caught.value)
        assert text(incoming) == before

    def test_what_is_no_text_of_ours_is_not_taken_away(self, incoming):
        (incoming / LOCK).write_bytes(b"\xff\xfe")
        with pytest.raises(StoreRefused, match="another process is writing"):
            only_writer(incoming)


def test_a_store_that_only_reads_locks_nothing(tmp_path, monkeypatch):
    lacks.play(monkeypatch, (lacks.links, lacks.exclusive_rename))
    FolderStore(tmp_path / "b").create("runs/x", b"1")
    gc.collect()
    left(tmp_path / "b/.incoming", process=os.getppid())
    reader = FolderStore(tmp_path / "b", create=False)
    assert reader.read("runs/x") == b"1"
    assert os.getppid() == json.loads(text(tmp_path / "b/.incoming"))["process"]
