"""S3 on this machine: ministack in a process of its own, for a client that knows nothing of it."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HYPERCORN = Path(__file__).parents[2] / ".venvs" / "ministack" / "bin" / "hypercorn"
_START_SECONDS = 180
_STOP_SECONDS = 60


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Its address; its files go to ``folder``, and it ends with the block."""
    # Ours from now on, so that nobody else takes the port before it is listened at.
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listening.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": "us-east-1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }
    log = folder / "ministack.log"
    with (
        listening,
        log.open("wb") as output,
        subprocess.Popen(
            # No workers: they would outlive it.
            [HYPERCORN, "ministack.app:app", "-w", "0", "-b", f"fd://{listening.fileno()}"],
            pass_fds=(listening.fileno(),),
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process, log)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(_START_SECONDS * 20):
        if process.poll() is not None:
            break
        try:
            with opener.open(f"{address}/_ministack/health", timeout=30):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"ministack did not start:\n{log.read_text()[-2000:]}")


def set_environment(monkeypatch: pytest.MonkeyPatch, endpoint: str | None = None) -> None:
    """Let boto3 see no real credentials, profile, proxy or certificate of this machine."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    if endpoint is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
