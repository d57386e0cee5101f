"""The Runtime API of a Lambda sandbox, for the true runtime client (`awslambdaric`).

A sandbox is a process of its own, as on Lambda: it asks for work, and what it answers is told
apart from what it raises. One that is killed answers nothing, and the next is started for the same
request, as Lambda does for its own retries of an asynchronous event.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any, Self

from tests.tools.patience import HANG

ROOT = Path(__file__).parents[2]
HANDLER = "smugmug_backup.function.handler.lambda_handler"


@dataclass(frozen=True)
class Invocation:
    """What a sandbox is handed."""

    event: bytes
    request_id: str
    deadline_ms: int


@dataclass(frozen=True)
class RuntimeAnswer:
    """What it says of it; ``at``: when. ``error``: the type of what was raised."""

    at: float
    request_id: str
    payload: Any
    error: str | None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """The function was ended while it waited; that is no news."""


class Runtime:
    """Hands out invocations and takes their results; ends all that it started."""

    def __init__(self) -> None:
        self.asked: Queue[float] = Queue()
        self._answers: Queue[RuntimeAnswer] = Queue()
        self._invocations: Queue[Invocation] = Queue()
        self._processes: list[subprocess.Popen[bytes]] = []
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                runtime.asked.put(time.monotonic())
                invocation = runtime._invocations.get()
                body = invocation.event
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Lambda-Runtime-Aws-Request-Id", invocation.request_id)
                # Without it the native client crashes.
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-0-0;Sampled=0")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms))
                arn = "arn:aws:lambda:us-east-1:000000000000:function:backup"
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                *_, request_id, outcome = self.path.split("/")
                payload = json.loads(body)
                error = payload["errorType"] if outcome == "error" else None
                runtime._answers.put(RuntimeAnswer(time.monotonic(), request_id, payload, error))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Silent."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._server.shutdown()
        self._server.server_close()

    def start(self, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """A new sandbox, which asks for work as soon as it is ready."""
        process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", HANDLER],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "src"),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": "backup",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                **environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def hand_out(self, event: Any, *, request_id: str, seconds: float = 600) -> None:
        """An invocation for the next sandbox that asks; it has so many seconds from now."""
        deadline = int((time.time() + seconds) * 1000)
        self._invocations.put(Invocation(json.dumps(event).encode(), request_id, deadline))

    def answer(self, timeout: float = HANG) -> RuntimeAnswer:
        """The next answer."""
        return self._answers.get(timeout=timeout)

    @property
    def silent(self) -> bool:
        """Whether nobody has answered."""
        return self._answers.empty()
