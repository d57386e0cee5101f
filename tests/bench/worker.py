"""The process that is measured: one run, as the function does it, and what it took, as JSON.

Reads its task as one line of JSON from standard input, see `services.work`.
"""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.run import Backup, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.ports import BackupStore
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.s3 import S3Store, s3_client
from smugmug_backup.wiring import SystemClock, build_source, new_token, options_of


def main() -> None:
    """Do the task."""
    task = json.loads(sys.stdin.readline())
    operations: Counter[str] = Counter()
    settings = SourceSettings(
        secret=SecretName("file", "unused"),
        api=task["api"],
        nickname=task["nickname"],
        api_url=task["url"],
        photo_hosts=("127.0.0.1",),
        max_concurrency=task["concurrency"],
        max_calls_per_second=task["calls_per_second"],
    )
    clock = SystemClock()
    credentials = Credentials.from_json(json.dumps(task["secret"]))
    backup = Backup(
        source=build_source(settings, credentials, clock),
        store=store_of(task["store"], task["concurrency"], operations),
        clock=clock,
        token=new_token,
        options=options_of(settings),
    )
    before, cpu, began = peak_mib(), time.process_time(), time.monotonic()
    report = backup.run(RunRequest(), deadline=Deadline.none(clock))
    seconds = time.monotonic() - began
    assert isinstance(report, RunReport)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": time.process_time() - cpu,
                "peak_mib": peak_mib(),
                "before_mib": before,
                "status": report.status,
                "counts": vars_of(report.counts),
                "failures": [str(each) for each in report.failures[:3]],
                "operations": operations,
            }
        )
    )


def vars_of(counts: Any) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in counts.__slots__}


def store_of(named: dict[str, Any], concurrency: int, operations: Counter[str]) -> BackupStore:
    """The store of a task."""
    if named["kind"] == "folder":
        return FolderStore(named["path"])
    if named["kind"] == "table":
        from tests.proof.big import TableStore

        return TableStore(Path(named["path"]))
    client = s3_client(max_connections=2 * concurrency + 2)
    lock = threading.Lock()

    def count(*, event_name: str, **_: Any) -> None:
        with lock:
            operations[event_name.rpartition(".")[2]] += 1

    client.meta.events.register_first("before-send.s3", count)
    # As on AWS, whose S3 need not prove that it does not overwrite.
    return S3Store(client, named["bucket"], named["prefix"], proved=True)


def peak_mib() -> float:
    """The most memory that this very process had (``ru_maxrss`` would count its parent's too)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
