"""A stack for each scenario, over an account at the local SmugMug; all tests in one process."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_smugmug import Account, LocalSmugMug, World, generate_account
from tests.stack import LocalAws, Stack, deploy
from tests.tools.canaries import leaks
from tests.tools.independent_reader import Reading, assert_sound

_NUMBERS = count(1)
_GONE = ("NoSuchBucket", "ResourceNotFoundException", "ValidationError")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process for them all: they share a local AWS."""
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("stack"))
            item.add_marker(pytest.mark.stack)


@dataclass
class Deployment:
    """A deployed stack and the account that it backs up."""

    stack: Stack
    smugmug: LocalSmugMug

    @property
    def world(self) -> World:
        return self.smugmug.world

    def invoke(self, event: Any) -> dict[str, Any]:
        """Invoke, and insist on an answer."""
        answer = self.stack.invoke(event)
        assert answer.error is None, (answer.error, answer.payload)
        assert isinstance(answer.payload, dict)
        return answer.payload

    def refused(self, event: Any) -> str:
        """Invoke, and insist on an error: its message, in which no line is a traceback."""
        answer = self.stack.invoke(event)
        assert answer.error is not None, answer.payload
        return str(answer.payload["errorMessage"])

    def _reports(self) -> list[str]:
        return sorted(key for key in self.stack.keys("runs/") if key.endswith(".json"))

    def reports(self) -> list[dict[str, Any]]:
        """All run reports, oldest first."""
        return [json.loads(self.stack.read(key)) for key in self._reports()]

    def sound(self, **options: Any) -> Reading:
        """What the independent reader finds in the bucket; fails with all that is wrong there."""
        return assert_sound(self.stack.objects(), **options)

    def everything_is_there(self) -> bool:
        """Whether the store is sound, and its live lines name the very bytes that SmugMug offers
        now."""
        stored = {
            (album, line["image_key"]): self._digest(line)
            for album, (_, lines) in self.sound().newest.items()
            for line in lines.values()
            if line["missing_since"] is None
        }
        offered = {
            (album.key, image.key): image.best.sha256 if image.best else None
            for album in self.world.account.albums.values()
            for image in self.world.listed(album)
        }
        return stored == offered

    def everything_kept(self) -> Iterator[tuple[str, bytes | str]]:
        """All that is stored, logged, queued or handed to the state machine; with names."""
        try:
            yield from ((key, self.stack.read(key)) for key in self.stack.keys(""))
            yield from (("log", line) for line in self.stack.log_lines())
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return  # The scenario removed it.
            raise
        for queue in ("FailedRuns", "UndeliveredSchedules"):
            yield from ((queue, json.dumps(each)) for each in self.stack.queue(queue))
        if "StateMachineArn" in self.stack.outputs:
            client = self.stack.aws.client("stepfunctions")
            for execution in self.stack.executions():
                yield "execution", json.dumps(execution, default=str)
                history = client.get_execution_history(executionArn=execution["executionArn"])
                yield "history", json.dumps(history, default=str)

    def _digest(self, line: dict[str, Any]) -> str | None:
        if line["original"]["status"] != "stored":
            return None
        return hashlib.sha256(self.stack.read(line["original"]["key"])).hexdigest()


@pytest.fixture(scope="module")
def deployment_of(aws: LocalAws):
    """Makes deployments: ``with deployment_of(account, Timeout="20") as deployment``."""

    @contextmanager
    def make(account: Account | None = None, **parameters: str) -> Iterator[Deployment]:
        world = World(account or generate_account(seed=3, albums=3, images=3))
        with LocalSmugMug(world) as smugmug:
            given = {
                "SmugMugNickname": world.account.nickname,
                "SmugMugApiUrl": smugmug.url,
                "SmugMugPhotoHosts": "127.0.0.1",
                "MaxCallsPerSecond": "1000",
                "SecretName": f"/test-{next(_NUMBERS)}/secret",
                **parameters,
            }
            stack = deploy(aws, given, name=f"backup-{next(_NUMBERS)}")
            stack.put_secret(world.account.secret())
            deployment = Deployment(stack, smugmug)
            yield deployment
            # After each scenario, whatever went wrong in it.
            assert leaks(world.account, deployment.everything_kept()) == []

    return make
