"""Starts: a command's, the function's import, both under the true runtime client; the package."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench import peers
from tests.bench.figures import Kind, Measure, Ran, interleaved
from tests.bench.services import BUCKET, ROOT, aws_environment, client_of, ministack, smugmug
from tests.bench.sizes import Sizes
from tests.tools.runtime_api import Runtime

SECRET = "smugmug-backup-bench"
BUILT = ROOT / ".aws-sam" / "build"


OURS = """
import smugmug_backup.function.handler
from smugmug_backup.storage.s3 import s3_client
s3_client(max_connections=18)
"""
FLOOR = """
import boto3, requests
boto3.client("s3")
"""
TIMED = """
import resource
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
began = cpu()
{what}
print("CPU", cpu() - began)
"""


def commands(sizes: Sizes) -> Iterator[Measure]:
    """What a user waits for before a command says anything."""
    environment = {"PYTHONPATH": str(ROOT / "src")}
    for arguments, limit in ((["--help"], 0.11), (["run", "--help"], 0.19)):
        command = [sys.executable, "-m", "smugmug_backup.cli", *arguments]
        peers.timed(command, environment)  # all byte-code
        sides = {"ours": lambda command=command: peers.timed(command, environment)}
        done = interleaved(sizes.starts, sides)["ours"]
        what, note = f"`{' '.join(arguments)}`", f"CPU {done.cpu:.2f} s"
        yield Measure("help", what, done.seconds, "s", limit, kind=Kind.SCALED, note=note)


def imports(sizes: Sizes) -> Iterator[Measure]:
    """The handler and an S3 client, against what they cannot do without; by CPU, with byte-code."""

    def side(what: str) -> Ran:
        command = [sys.executable, "-c", TIMED.format(what=what)]
        environment = {**aws_environment(), "PYTHONPATH": str(ROOT / "src")}
        environment["POWERTOOLS_SERVICE_NAME"] = "bench"
        ran = peers.timed(command, environment)
        cpu = float(ran.said["output"].rpartition("CPU ")[2])
        return Ran(ran.seconds, cpu)

    side(OURS)
    sides = {"ours": lambda: side(OURS), "floor": lambda: side(FLOOR)}
    done = interleaved(sizes.starts, sides)
    ours, floor = done["ours"].cpu, done["floor"].cpu
    yield Measure(
        "import",
        "handler import + S3 client ÷ boto3 + requests + client",
        ours / floor,
        "×",
        1.20,
        note=f"CPU {ours * 1e3:.0f} ms against {floor * 1e3:.0f} ms",
    )


def row(sizes: Sizes) -> Iterator[Measure]:
    """Import, first invocation, next invocation; with and without byte-code; package size."""
    with smugmug(albums=3, images=2) as served, ministack() as endpoint:
        client_of(endpoint, "ssm").put_parameter(
            Name=SECRET, Value=json.dumps(served.secret), Type="SecureString"
        )
        environment = {
            **aws_environment(endpoint),
            "BACKUP_BUCKET": BUCKET,
            "SMUGMUG_SECRET": f"ssm:{SECRET}",
            "SMUGMUG_NICKNAME": served.nickname,
            "SMUGMUG_API_URL": served.url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
        }
        start(environment)  # the first backup, and all byte-code
        ready, first, again = least(start(environment) for _ in range(3))
        yield Measure("start", "import, with byte-code", ready * 1e3, "ms")
        yield Measure("start", "first invocation (a night, 3 albums)", first * 1e3, "ms")
        yield Measure("start", "next invocation (the same)", again * 1e3, "ms")
        with without_byte_code() as bare:
            ready, first, _ = least(start({**environment, **bare}) for _ in range(2))
        note = "`sam build` leaves all of it: src/Makefile"
        yield Measure("start", "import, without byte-code", ready * 1e3, "ms", note=note)
        yield Measure("start", "first invocation, without", first * 1e3, "ms")
    yield from package()


def start(environment: Mapping[str, str]) -> tuple[float, float, float]:
    """Seconds to the first question for work, for the first event, and for the second."""
    began = time.monotonic()
    with Runtime() as runtime:
        process = runtime.start(environment)
        ready = runtime.asked.get(timeout=60) - began
        taken = []
        for number in range(2):
            began = time.monotonic()
            runtime.hand_out({"action": "backup"}, request_id=f"request-{number}")
            answer = runtime.answer()
            assert not answer.error, answer.payload
            taken.append(answer.at - began)
        process.kill()
    return ready, taken[0], taken[1]


def least(times: Iterator[tuple[float, float, float]]) -> tuple[float, float, float]:
    """The least of each, for others use the machine too."""
    ready, first, again = zip(*times, strict=True)
    return min(ready), min(first), min(again)


@contextmanager
def without_byte_code() -> Iterator[dict[str, str]]:
    """An environment in which only Python's own library has byte-code."""
    with tempfile.TemporaryDirectory() as kept:
        environment = {"PYTHONPYCACHEPREFIX": kept}
        subprocess.run(
            [
                sys.executable,
                "-c",
                "import awslambdaric.bootstrap, smugmug_backup.function.handler",
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
            check=True,
        )
        for own in (sysconfig.get_path("purelib"), str(ROOT / "src")):
            shutil.rmtree(Path(kept, own.lstrip("/")), ignore_errors=True)
        yield {**environment, "PYTHONDONTWRITEBYTECODE": "1"}


def package() -> Iterator[Measure]:
    """What is deployed, if it was built; else only our own code."""
    code = size_of(ROOT / "src" / "smugmug_backup")
    yield Measure("package", "our own code", code / 1e6, "MB")
    for place in sorted(BUILT.glob("*/")):
        if (place / "smugmug_backup").is_dir():
            # Lambda takes 250 MB unpacked.
            note = f"of `sam build` ({place.name})"
            yield Measure(
                "package", "with all it needs", size_of(place) / 1e6, "MB", 250, note=note
            )


def size_of(folder: Path) -> int:
    """Bytes of all files, byte-code aside."""
    return sum(
        each.stat().st_size
        for each in folder.rglob("*")
        if each.is_file() and "__pycache__" not in each.parts
    )
