"""Start and stop ministack, the local AWS.

What it needs, found by trying 1.5.33:

- **Credentials.** Access key `test` (or a 12-digit account number) with secret `test` is the root
  of the account and may do everything. The account is `MINISTACK_ACCOUNT_ID`.
- **Roles.** With ``AUTH=true`` every signature is checked, and a worker gets a session of its
  function's own role, so that the role's policies decide, and the bucket's policy, too. State
  machines, schedules, the failure destination and the log act without asking their roles; a topic
  lets every role of its account publish (as AWS's default topic policy does). So these rights are
  proven by assertions on the template only.
- **Failures.** A worker that raised is replaced, so that the next invocation starts cold. Retries
  of asynchronous invocations come after `LAMBDA_ASYNC_RETRY_BASE_SECONDS`.
- **Endpoint.** Workers inherit ministack's environment and get `AWS_ENDPOINT_URL` of ministack
  itself, unless the function's own environment sets it. So what the machine sets (proxies,
  certificates, an endpoint) must not reach ministack.
- **Interpreter.** A worker runs in ministack's own interpreter, whatever the function's runtime
  says, and modules that the package forgot can be found in ministack's environment.
- **Placement.** It listens on all interfaces by itself; here it is handed a socket that is bound to
  the loopback address, so that no other process can take the port in between.
- **Processes.** Workers are its children and leave folders under `TMPDIR`; it and they get a
  process group, and a temporary folder, of their own.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import boto3
from botocore.config import Config

from tests.stack.environment import ACCESS_KEY, ACCOUNT, REGION, VENVS

_PATIENCE_SECONDS = 180.0
_opener = build_opener(ProxyHandler({}))


@dataclass
class LocalAws:
    """A running ministack. ``data``: where its objects lie, if they outlive it."""

    endpoint: str
    log: Path
    process: subprocess.Popen[bytes]
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The only account."""
        return ACCOUNT

    def client(self, service: str) -> Any:
        """A boto3 client as the account's root; the same one each time."""
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]

    def _client(self, service: str) -> Any:
        config = Config(
            proxies={},
            read_timeout=960,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            max_pool_connections=32,
        )
        session = boto3.session.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=REGION
        )
        return session.client(  # type: ignore[call-overload]
            service, endpoint_url=self.endpoint, config=config
        )

    def reset(self) -> None:
        """Forget everything: stacks, buckets, queues."""
        _opener.open(self.endpoint + "/_ministack/reset", data=b"", timeout=60).close()

    def log_tail(self, lines: int = 30) -> str:
        """What ministack said last."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """End it and its workers at once, as a power cut would."""
        _end(self.process, signal.SIGKILL)


@contextmanager
def local_aws(
    *, data: Path | None = None, settings: dict[str, str] | None = None
) -> Iterator[LocalAws]:
    """A fresh ministack with ``AUTH=true`` on a free loopback port; stopped at the end.

    ``data``: a folder in which S3's objects and versions are kept, also over a kill.
    ``settings``: further environment variables of ministack, such as
    ``LAMBDA_ASYNC_RETRY_BASE_SECONDS``.
    """
    with tempfile.TemporaryDirectory(prefix="ministack-", ignore_cleanup_errors=True) as scratch:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(128)
            aws = _start(listening, Path(scratch), data, settings or {})
        try:
            _wait_until_healthy(aws)
            yield aws
        finally:
            _end(aws.process, signal.SIGTERM)


def _start(
    listening: socket.socket, scratch: Path, data: Path | None, settings: dict[str, str]
) -> LocalAws:
    port = listening.getsockname()[1]
    bin_folder = VENVS / "ministack" / "bin"
    environment = {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "AUTH": "true",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "GATEWAY_PORT": str(port),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        # Listeners that nobody here needs.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "INFO",
        **settings,
    }
    if data is not None:
        environment |= {"S3_PERSIST": "1", "S3_DATA_DIR": str(data)}
    log = scratch / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(bin_folder / "hypercorn"),
                "ministack.app:app",
                "--bind",
                f"fd://{listening.fileno()}",
            ],
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(listening.fileno(),),
            start_new_session=True,
        )
    return LocalAws(f"http://127.0.0.1:{port}", log, process)


def _wait_until_healthy(aws: LocalAws) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if aws.process.poll() is not None:
            raise RuntimeError(f"ministack ended at once:\n{aws.log_tail()}")
        try:
            _opener.open(aws.endpoint + "/_ministack/ready", timeout=60).close()
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"ministack is not ready after {_PATIENCE_SECONDS:g} s:\n{aws.log_tail()}")


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End ``process`` and everything in the group that it leads."""
    if process.poll() is None:
        process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
