"""What a benchmark talks to: each a process of its own on loopback, ended by its own pid."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import boto3
import requests
from botocore.config import Config

from tests.stack.environment import ACCESS_KEY, REGION, ROOT, aws_environment
from tests.stack.ministack import local_aws

__all__ = [
    "BUCKET",
    "REGION",
    "ROOT",
    "SmugMug",
    "aws_environment",
    "client_of",
    "discarding_s3",
    "ministack",
    "smugmug",
    "work",
]

BUCKET = "bench"


class Process:
    """A child that lives as long as the block."""

    def __init__(self, *command: str) -> None:
        self._command = command

    def __enter__(self) -> "Process":
        self._log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()

    def line(self) -> str:
        """The next line that the child says."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        if not text:
            self._log.seek(0)
            raise RuntimeError(f"{self._command[:3]} ended: {self._log.read()[-2000:]}")
        return text.strip()


class SmugMug:
    """The local SmugMug in a process of its own, controlled over HTTP."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid
        self._session = requests.Session()
        self._session.trust_env = False
        self.secret = self.look("secret")
        self.nickname = ""

    def look(self, what: str) -> Any:
        answer = self._session.get(f"{self.url}/_control/{what}", timeout=600)
        answer.raise_for_status()
        return answer.json()

    def change(self, what: str, **given: Any) -> Any:
        answer = self._session.post(f"{self.url}/_control/{what}", json=given, timeout=600)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def slow(self, *, api: float, photo: float) -> None:
        """Inject latency."""
        self.change("latency", api=api, photo=photo)

    def calls(self) -> dict[str, Any]:
        """The counters."""
        counted: dict[str, Any] = self.look("calls")
        return counted

    def forget(self) -> None:
        """Reset the counters."""
        self.change("calls/reset")


@contextmanager
def smugmug(*, albums: int, images: int, size: int = 2_000, seed: int = 1) -> Iterator[SmugMug]:
    """A generated account, without latency at first."""
    sizes = ["--albums", albums, "--images", images, "--size", size, "--seed", seed]
    command = [sys.executable, "-m", "tests.local_smugmug", *map(str, sizes)]
    with Process(*command) as process:
        url = process.line()
        served = SmugMug(url, process.process.pid)
        served.nickname = process.line().removeprefix("NickName: ")
        yield served


@contextmanager
def ministack() -> Iterator[str]:
    """An S3 (and more of AWS) that answers as the real one does; the URL of its endpoint."""
    # Rights are proven elsewhere; here they and the log would only take time.
    with local_aws(settings={"AUTH": "false", "LOG_LEVEL": "WARNING"}) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        yield aws.endpoint


@contextmanager
def discarding_s3() -> Iterator[str]:
    """An S3 that takes everything and keeps nothing, for streams that no memory could hold."""
    with Process(sys.executable, "-m", "tests.bench.discarding_s3") as process:
        yield process.line()


def client_of(endpoint: str, service: str = "s3") -> Any:
    """A client of a local endpoint."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
        config=Config(proxies={}, s3={"addressing_style": "path"}),
    )


@dataclass(frozen=True)
class Done:
    """What a worker said of its run."""

    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    @property
    def counts(self) -> dict[str, Any]:
        counted: dict[str, Any] = self.data["counts"]
        return counted


def work(
    served: SmugMug,
    store: dict[str, Any],
    *,
    api: str = "1.3.0",
    concurrency: int = 8,
    calls_per_second: float | None = None,
    kill_when: Any = None,
) -> Done:
    """One run in a fresh process, which is the thing that is measured.

    ``kill_when``: called again and again; SIGKILL as soon as it is true.
    """
    spec = {
        "url": served.url,
        "secret": served.secret,
        "nickname": served.nickname,
        "api": api,
        "store": store,
        "concurrency": concurrency,
        "calls_per_second": calls_per_second,
    }
    environment = aws_environment(store["endpoint"]) if store["kind"] == "s3" else {}
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
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
        process.stdin.write(json.dumps(spec) + "\n")
        process.stdin.close()
        while kill_when is not None and process.poll() is None:
            if kill_when():
                process.kill()
                break
            time.sleep(0.05)
        said = process.stdout.read()
        if process.wait() not in (0, -9):
            log.seek(0)
            raise RuntimeError(log.read()[-3000:])
    return Done(json.loads(said) if said else {})
