"""What a benchmark talks to: each a process of its own on loopback, ended by its own pid."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
import psutil
import requests
from botocore.config import Config

from tests.bench import front, light
from tests.local_smugmug.bodies import SeededBody
from tests.local_smugmug.generate import generate_account
from tests.stack.environment import ACCESS_KEY, REGION, ROOT, aws_environment
from tests.stack.ministack import local_aws

__all__ = [
    "BUCKET",
    "REGION",
    "ROOT",
    "S3",
    "Scene",
    "SmugMug",
    "aws_environment",
    "client_of",
    "light_s3",
    "ministack",
    "scene",
    "smugmug",
    "tls",
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
        self._watched = psutil.Process(self.process.pid)
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

    @property
    def cpu(self) -> float:
        """CPU seconds that it has taken so far."""
        if sys.platform == "linux":
            # clock_getcpuclockid(3): to the nanosecond, where /proc counts in hundredths.
            return time.clock_gettime((~self.process.pid << 3) | 2)
        times = self._watched.cpu_times()
        return float(times.user + times.system)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


class SmugMug:
    """The local SmugMug in a process of its own, controlled over HTTP."""

    def __init__(self, url: str, process: Process) -> None:
        self.url = url
        self.process = process
        self._control = url
        self._session = _session()
        self.secret = self.look("secret")
        self.nickname = ""

    def look(self, what: str) -> Any:
        answer = self._session.get(f"{self._control}/_control/{what}", timeout=600)
        answer.raise_for_status()
        return answer.json()

    def change(self, what: str, **given: Any) -> Any:
        answer = self._session.post(f"{self._control}/_control/{what}", json=given, timeout=600)
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


class S3:
    """A light S3; ``endpoint`` is where it is asked, which may be a front of it."""

    def __init__(self, url: str, process: Process) -> None:
        self.endpoint = self._url = url
        self.process = process
        self._session = _session()

    def counts(self) -> dict[str, int]:
        """How often what was asked."""
        counted: dict[str, int] = self._session.get(f"{self._url}/_counts", timeout=60).json()
        return {name: number for name, number in counted.items() if number}

    def forget(self) -> None:
        """Begin to count anew."""
        self._session.delete(f"{self._url}/_counts", timeout=60)


@contextmanager
def smugmug(
    *, albums: int, images: int, size: int = 2_000, seed: int = 1, photos_at: str | None = None
) -> Iterator[SmugMug]:
    """A generated account, without latency at first."""
    sizes = ["--albums", albums, "--images", images, "--size", size, "--seed", seed]
    command = [sys.executable, "-m", "tests.local_smugmug", *map(str, sizes)]
    if photos_at is not None:
        command += ["--photo-base", photos_at]
    with Process(*command) as process:
        served = SmugMug(process.line(), process)
        served.nickname = process.line().removeprefix("NickName: ")
        yield served


@contextmanager
def light_s3(latency: float = 0.0) -> Iterator[S3]:
    """The S3 of `light`; its writes wait so many seconds."""
    with Process(*light.command(), "s3", str(round(latency * 1000))) as process:
        yield S3(process.line(), process)


@dataclass(slots=True)
class Scene:
    """An account whose photos a light host serves, and a light S3 to put them into."""

    served: SmugMug
    s3: S3
    photos: list[tuple[str, str]]
    """(URL, name) of all photos."""
    bundle: Path | None
    """The authorities to trust; None: no TLS."""
    processes: list[Process]
    """The photo host and the S3, and what stands before them."""

    @property
    def cpu(self) -> float:
        """CPU seconds of these so far; those of SmugMug's API, of few calls, are not in it."""
        return sum(process.cpu for process in self.processes)


@contextmanager
def scene(
    *,
    albums: int,
    images: int,
    size: int,
    api: float = 0.0,
    photo: float = 0.0,
    put: float = 0.0,
    secure: bool = False,
) -> Iterator[Scene]:
    """All servers for rows that store photos, with these latencies. ``secure``: over https."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        account = generate_account(albums=albums, images=images, size=size)
        bodies = [
            (image.key, image.body)
            for album in account.albums.values()
            if album.lazy is not None
            for image in album.lazy.all()
            if isinstance(image.body, SeededBody)
        ]
        pack = light.write_pack(folder, bodies)
        host = stack.enter_context(
            Process(*light.command(), "photos", str(round(photo * 1000)), *pack)
        )
        photos_at = host.line()
        s3 = stack.enter_context(light_s3(put))
        processes, bundle = [host, s3.process], None
        if secure:
            certificate, bundle = front.make_certificate(folder)
            photos_front = stack.enter_context(tls(certificate, photos_at))
            photos_at = photos_front.line()
            s3_front = stack.enter_context(tls(certificate, s3.endpoint))
            s3.endpoint = s3_front.line()
            processes += [photos_front, s3_front]
        served = stack.enter_context(
            smugmug(albums=albums, images=images, size=size, photos_at=photos_at)
        )
        # Makes the digests, too, so that nobody waits for them.
        photos = [
            (_at(photos_at, image["listed"]["OriginalURL"]), f"{image['key']}/{image['md5']}.jpg")
            for album in served.look("source")["albums"]
            for image in album["images"]
        ]
        if secure:
            api_front = stack.enter_context(
                tls(certificate, served.url, "X-Forwarded-Proto: https")
            )
            served.url = api_front.line()
        served.slow(api=api, photo=photo)
        yield Scene(served, s3, photos, bundle, processes)


def _at(host: str, url: str) -> str:
    return host + url[url.index("/photos/") :]


def tls(certificate: Path, to: str, *headers: str, proxy: bool = False) -> Process:
    """A front of ``to``, to be entered; its address is its first line."""
    command = [sys.executable, "-m", "tests.bench.front", str(certificate), to]
    command += [part for line in headers for part in ("--header", line)]
    return Process(*command, *(["--proxy"] if proxy else []))


@contextmanager
def ministack() -> Iterator[str]:
    """An S3 (and more of AWS) that answers as the real one does; the URL of its endpoint."""
    # Rights are proven elsewhere; here they and the log would only take time.
    with local_aws(settings={"AUTH": "false", "LOG_LEVEL": "WARNING"}) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        yield aws.endpoint


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


@contextmanager
def thrown_away(parent: Path | None = None) -> Iterator[Path]:
    """A folder to write into, on a disk that has nothing left to do for anybody."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    flush(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flush(folder: Path) -> None:
    """``sync``: what is written there is on its disk (on Linux: nothing but that disk)."""
    command = ["sync", "-f", str(folder)] if sys.platform == "linux" else ["sync"]
    subprocess.run(command, check=True)
