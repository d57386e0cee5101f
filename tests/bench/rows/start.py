"""Starts: a command's, the function's import, both under the true runtime client; the package."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

from tests.bench import peers
from tests.bench.figures import Kind, Measure, Ran, interleaved
from tests.bench.services import BUCKET, ROOT, aws_environment, client_of, ministack, smugmug
from tests.bench.sizes import Sizes

HANDLER = "smugmug_backup.function.handler.lambda_handler"
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """The function was ended while it waited; that is no news."""


class Runtime:
    """The Runtime API of one Lambda sandbox: hands out invocations, takes their results."""

    def __init__(self) -> None:
        self.asked: Queue[float] = Queue()
        self.answered: Queue[tuple[float, str, bytes]] = Queue()
        self.events: Queue[bytes] = Queue()
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                runtime.asked.put(time.monotonic())
                body = runtime.events.get()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Lambda-Runtime-Aws-Request-Id", "one")
                # Without it the native client crashes.
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-0-0;Sampled=0")
                self.send_header(
                    "Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000)
                )
                arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                runtime.answered.put((time.monotonic(), self.path, body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Silent."""

        self.server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


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
        note = "as `sam build` leaves it"
        yield Measure("start", "import, without byte-code", ready * 1e3, "ms", note=note)
        yield Measure("start", "first invocation, without", first * 1e3, "ms")
    yield from package()


def start(environment: Mapping[str, str]) -> tuple[float, float, float]:
    """Seconds to the first question for work, for the first event, and for the second."""
    runtime = Runtime()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", HANDLER],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "AWS_LAMBDA_RUNTIME_API": runtime.address,
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = runtime.asked.get(timeout=60) - began
        taken = []
        for _ in range(2):
            began = time.monotonic()
            runtime.events.put(b'{"action": "backup"}')
            ended, path, body = runtime.answered.get(timeout=60)
            assert path.endswith("/response"), body
            taken.append(ended - began)
    finally:
        process.kill()
        process.wait()
        runtime.server.shutdown()
        runtime.server.server_close()
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
