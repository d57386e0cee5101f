"""The process that is measured: one run, as the function does it, and what it took, as JSON.

Reads its task as one line of JSON from standard input, see `work`; `main` runs in the child, where
nothing of the product is loaded before the authorities of a local https are in their place.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.figures import Ran

ROOT = Path(__file__).resolve().parents[2]
PEAKS: list[tuple[float, str]] = []
"""MiB of every run of this benchmark so far, and what it was."""


def work(
    served: Any,
    store: dict[str, Any],
    *,
    what: str = "",
    kind: str = "run",
    api: str = "1.3.0",
    concurrency: int = 8,
    calls_per_second: float | None = None,
    bundle: Path | None = None,
    servers: Callable[[], float] = lambda: 0.0,
    kill_when: Callable[[], bool] | None = None,
    **more: Any,
) -> Ran:
    """One task in a fresh process, which is the thing that is measured.

    ``kind``: ``run``, a backup of the whole account; ``connect``, see `_connect`. ``servers``: the
    CPU seconds of what it talks to. ``kill_when``: called again and again; SIGKILL as soon as it
    is true.
    """
    task = {
        "kind": kind,
        "url": served.url,
        "secret": served.secret,
        "nickname": served.nickname,
        "api": api,
        "store": store,
        "concurrency": concurrency,
        "calls_per_second": calls_per_second,
        "bundle": bundle and str(bundle),
        **more,
    }
    from tests.stack.environment import aws_environment

    environment = aws_environment(store["endpoint"]) if store["kind"] == "s3" else {}
    if bundle is not None:
        environment["AWS_CA_BUNDLE"] = str(bundle)
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
        spent, began = servers(), time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.worker"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        stack.enter_context(process)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.close()
        while kill_when is not None and process.poll() is None:
            if kill_when():
                process.kill()
                break
            time.sleep(0.05)
        text = process.stdout.read()
        if process.wait() not in (0, -9):
            log.seek(0)
            raise RuntimeError(log.read()[-3000:])
        whole = time.monotonic() - began
    said = json.loads(text) if text else {"seconds": whole, "cpu": 0.0, "peak_mib": 0.0}
    if what:
        PEAKS.append((said["peak_mib"], what))
    return Ran(
        seconds=said["seconds"],
        cpu=said["cpu"],
        whole=whole,
        peak_mib=said["peak_mib"],
        servers=servers() - spent,
        said=said,
    )


def main() -> None:
    """Do the task."""
    task = json.loads(sys.stdin.readline())
    if task["bundle"]:
        _trust(task["bundle"])
    act = {"run": _run, "connect": _connect}[task["kind"]]
    print(json.dumps(act(task)))


def cpu_seconds() -> float:
    """What this process has spent, by its resource usage."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    """The most memory that this very process had (``ru_maxrss`` would count its parent's too)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _trust(bundle: str) -> None:
    # requests and the backup ask certifi for the authorities; botocore reads AWS_CA_BUNDLE.
    import certifi
    import certifi.core

    def where() -> str:
        return bundle

    certifi.where = certifi.core.where = where


def _run(task: dict[str, Any]) -> dict[str, Any]:
    """A backup of the whole account."""
    # Before the product is loaded, which may take hold of what is counted.
    flushes = _count_flushes() if task.get("count_flushes") else Counter()
    from smugmug_backup.archive.report import RunReport
    from smugmug_backup.backup.run import Backup, RunRequest
    from smugmug_backup.clock import Deadline
    from smugmug_backup.wiring import SystemClock, connections_of, new_token, options_of

    clock = SystemClock()
    settings, source = _source(task, clock)
    backup = Backup(
        source=source,
        store=_store(task["store"], connections_of(settings)),
        clock=clock,
        token=new_token,
        options=options_of(settings),
    )
    before, cpu, began = peak_mib(), cpu_seconds(), time.monotonic()
    report = backup.run(RunRequest(), deadline=Deadline.none(clock))
    seconds, cpu = time.monotonic() - began, cpu_seconds() - cpu
    assert isinstance(report, RunReport)
    counts = report.counts
    return {
        "seconds": seconds,
        "cpu": cpu,
        "peak_mib": peak_mib(),
        "before_mib": before,
        "status": report.status,
        "counts": {name: getattr(counts, name) for name in counts.__slots__},
        "failures": [str(each) for each in report.failures[:3]],
        "flushes": flushes,
    }


def _source(task: dict[str, Any], clock: Any) -> Any:
    from smugmug_backup.settings import SecretName, SourceSettings
    from smugmug_backup.smugmug.credentials import Credentials
    from smugmug_backup.wiring import build_source

    settings = SourceSettings(
        secret=SecretName("file", "unused"),
        api=task["api"],
        nickname=task["nickname"],
        api_url=task["url"],
        photo_hosts=("127.0.0.1",),
        max_concurrency=task["concurrency"],
        max_calls_per_second=task["calls_per_second"],
    )
    credentials = Credentials.from_json(json.dumps(task["secret"]))
    return settings, build_source(settings, credentials, clock)


def _store(named: dict[str, Any], connections: int) -> Any:
    """The store of a task."""
    if named["kind"] == "folder":
        from smugmug_backup.storage.folder import FolderStore

        return FolderStore(named["path"])
    if named["kind"] == "table":
        from tests.proof.big import TableStore

        return TableStore(Path(named["path"]))
    from smugmug_backup.storage.s3 import S3Store, s3_client

    client = s3_client(max_connections=connections)
    # As on AWS, whose S3 need not prove that it does not overwrite.
    return S3Store(client, named["bucket"], named["prefix"], proved=True)


def _count_flushes() -> Counter[str]:
    """Counts what is asked of the disk: in `os`, and by ctypes as far as it goes by a library's
    attribute (``libc.syncfs``)."""
    import ctypes

    counted: Counter[str] = Counter()
    lock = threading.Lock()

    def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counts(*given: Any) -> Any:
            with lock:
                counted[name] += 1
            return call(*given)

        return counts

    for name in ("fsync", "fdatasync", "sync"):
        if hasattr(os, name):
            setattr(os, name, counting(name, getattr(os, name)))

    found = ctypes.CDLL.__getattr__

    def look_up(library: Any, name: str) -> Any:
        function = found(library, name)
        if name not in ("syncfs", "fsync", "fdatasync", "sync"):
            return function
        counter = counting(name, function)
        setattr(library, name, counter)
        return counter

    ctypes.CDLL.__getattr__ = look_up  # type: ignore[method-assign]
    return counted


def _connect(task: dict[str, Any]) -> dict[str, Any]:
    """The same requests, one after the other, over connections that are kept or are not: what the
    server says. ``of``: ``photos``, ``api`` or ``s3``; once before the clock begins."""
    from smugmug_backup.clock import Deadline
    from smugmug_backup.model import Availability, Offer
    from smugmug_backup.wiring import SystemClock

    clock = SystemClock()
    deadline = Deadline.none(clock)
    _, source = _source(task, clock)
    if task["of"] == "s3":
        store = _store(task["store"], 1)

        def ask() -> None:
            assert store.head("runs/none.json") is None
    elif task["of"] == "api":

        def ask() -> None:
            source.albums(deadline=deadline)
    else:
        offer = Offer("original", Availability.READY, url=task["photo"])

        def ask() -> None:
            with source.open(offer, deadline=deadline) as stream:
                buffer, came = memoryview(bytearray(1 << 20)), 0
                while count := stream.readinto(buffer):
                    came += count
                assert came == stream.length

    ask()
    cpu, began = cpu_seconds(), time.monotonic()
    for _ in range(task["times"]):
        ask()
    seconds = time.monotonic() - began
    return {"seconds": seconds, "cpu": cpu_seconds() - cpu, "peak_mib": peak_mib()}


if __name__ == "__main__":
    main()
