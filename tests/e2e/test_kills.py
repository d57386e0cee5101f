"""kill -9 of the real workers at seeded photos: the next healthy run has every byte."""

import os
import random
import signal
import threading

import psutil
import pytest

from tests.local_smugmug import generate_account
from tests.tools.patience import until

ROUNDS = int(os.environ.get("KILL_ROUNDS", "3"))


def kill_workers(deployment) -> int:
    """End the processes in which the function runs; how many there were."""
    parent = psutil.Process(deployment.stack.aws.process.pid)
    workers = [each for each in parent.children(recursive=True) if is_worker(each)]
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
    return len(workers)


def is_worker(process: psutil.Process) -> bool:
    try:
        return any(word.endswith("_worker.py") for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def some_photos_into(night, deployment, some) -> None:
    """Begin a night, and wait until so many photos were asked for (or it has ended)."""
    calls = deployment.smugmug.calls
    enough = calls.photos + some
    night.start()
    until(lambda: calls.photos >= enough or not night.is_alive())


@pytest.fixture
def deployment(deployment_of):
    account = generate_account(seed=21, albums=6, images=8, video_every=7)
    with deployment_of(account) as deployment:
        yield deployment


def test_kills_in_the_middle_of_nights_lose_nothing_and_cost_no_second_download(deployment):
    chance = random.Random(5)
    deployment.smugmug.latency.photo = 0.1
    killed = 0
    for _ in range(ROUNDS):
        night = threading.Thread(target=deployment.stack.invoke, args=({"action": "backup"},))
        some_photos_into(night, deployment, chance.randint(1, 8))
        killed += kill_workers(deployment)
        night.join()
        sound = deployment.invoke({"action": "check"}) if deployment.stack.keys("runs/") else None
        assert sound is None or sound["status"] == "sound"
    assert killed
    deployment.smugmug.latency.photo = 0
    deployment.smugmug.calls.reset()
    verified = {
        key.split("/")[1].split("=")[0]
        for key in deployment.stack.keys("originals/")
        if "/rev-" not in key
    }
    assert deployment.invoke({"action": "backup"})["status"] == "complete"
    assert deployment.everything_is_there()
    assert not verified & set(deployment.smugmug.calls.downloads)
    assert deployment.invoke({"action": "check", "read_data": "all"})["status"] == "sound"
    deployment.sound()
