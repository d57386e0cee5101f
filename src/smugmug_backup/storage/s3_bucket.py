"""The one way to S3: client, bucket and prefix; every request and every error goes by here."""

import copy
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import add_expect_header
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from smugmug_backup.aws.client import aws_client
from smugmug_backup.aws.errors import AwsRefused
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    Concerns,
    NotStored,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage import s3_errors
from smugmug_backup.storage.keys import checked
from smugmug_backup.storage.s3_budget import Budget, Patience, TookTooLong, within
from smugmug_backup.storage.s3_put import Puts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_DICE = random.SystemRandom()
CONFLICT_WAITS = (0.1, 0.3, 0.9, 2.7)

BROKEN = (BotoCoreError, HTTPError, HTTPException, OSError, ResponseParserError, ValueError)
"""What the libraries below raise for an answer that is none: botocore's own wrapping is not whole.

urllib3's SSLError comes through botocore's body (1.44), a date that is none is a ValueError of
its parser, and XML that is none a ResponseParserError.
"""

_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")
_SAYS_NOTHING = frozenset({"301", "307", "400", "403"})
"""To a HEAD, whose code is its status: an expired login is 400, a wrong clock 403, as are region
and permission."""


def s3_client(
    *,
    max_connections: int,
    endpoint: str | None = None,
    profile: str | None = None,
    copies: bool = False,
) -> "S3Client":
    """An S3 client for so many threads, as `aws_client` makes it. ``copies``: S3 is to copy by
    itself, and may say nothing for minutes; whoever asks has a `Budget` for each attempt.

    Raises BadRequest for an endpoint that must not be asked, StoreRefused if AWS is not set up.
    """
    config = Config(
        # The store itself asks again (`Bucket.call`), for only it knows how long it may.
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=max_connections,
        # We send the checksums that S3 shall check, and botocore does not compute another one.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # Over https, what a checksum is sent of is not hashed once more for the signature.
        s3={"payload_signing_enabled": False},
    )
    if copies:
        # Of a copied gigabyte it sends not even the head of its answer before it is there, as
        # others have seen (aws-sdk-go-v2, issue 712; AutoMQ, issue 791).
        config = config.merge(Config(read_timeout=Patience().completion))
    try:
        client: S3Client = aws_client("s3", config=config, endpoint=endpoint, profile=profile)
    except AwsRefused as error:
        raise StoreRefused(f"S3: {error}", concerns=Concerns.CREDENTIALS) from None
    # To ask before each body whether it may come costs a round trip; nearly all may.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    return client


class _OnlyWriter:
    """What stands in for conditions where the owner says that nobody else writes. ``looks``: it
    does. Of threads that write the same key, one does and the others wait."""

    def __init__(self) -> None:
        self.looks = False
        self._keys: set[str] = set()
        self._free = threading.Condition()

    @contextmanager
    def writing(self, key: str) -> Iterator[None]:
        with self._free:
            self._free.wait_for(lambda: key not in self._keys)
            self._keys.add(key)
        try:
            yield
        finally:
            with self._free:
                self._keys.remove(key)
                self._free.notify_all()


class Bucket:
    """``bucket`` below ``prefix``, as seen through ``client``; safe for many threads."""

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        prefix: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        patience: Patience,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.sleep = sleep
        self.patience = patience
        self._deadline: Deadline | None = None
        self._shared: Budget | None = None
        self._puts = Puts(client)
        self._requests = _Counter()
        self._only = _OnlyWriter()
        # First, because an emulator inside this process answers in the same hook and ends it.
        client.meta.events.register_first("before-send.s3", self._requests)

    def bounded(self, deadline: Deadline) -> "Bucket":
        """The same bucket, and one count of requests; see `BackupStore.bounded`."""
        bounded = copy.copy(self)
        bounded._deadline = deadline
        return bounded

    def spending(self) -> "Bucket":
        """The same bucket for one call of the store: all that it asks shares one budget."""
        spending = copy.copy(self)
        spending._shared = self.budget()
        return spending

    @property
    def requests(self) -> int:
        """Requests sent so far, each attempt counted."""
        return self._requests.count

    @property
    def is_of_aws(self) -> bool:
        """Whether it is S3 itself that is asked, not what somebody else calls so."""
        host = urlsplit(self._client.meta.endpoint_url).hostname or ""
        return host.endswith(_AWS_HOSTS)

    def is_beside(self, other: "Bucket") -> bool:
        """Whether one S3 holds both: AWS's own, of one partition, or somebody else's."""
        mine, theirs = self._client.meta, other._client.meta
        if self.is_of_aws or other.is_of_aws:
            return self.is_of_aws and other.is_of_aws and mine.partition == theirs.partition
        return mine.endpoint_url == theirs.endpoint_url

    def source(self, key: str) -> dict[str, str]:
        """``key`` as S3 takes it for what is to be copied."""
        return {"Bucket": self._bucket, "Key": self.prefix + checked(key)}

    def name(self, key: str) -> str:
        """``key`` as it is named in messages: ``s3://bucket/prefix/key``."""
        return f"s3://{self._bucket}/{self.prefix}{key}"

    def budget(self) -> Budget:
        """What a call may take that begins now."""
        return self._shared or Budget(self.patience, self._deadline)

    def call(self, operation: str, key: str, **arguments: Any) -> Any:
        """Do ``operation`` (S3's own name of it) on the object ``key``. Raises StoreError.

        What may pass is asked again, within the budget.
        """
        named = {"Key": self.prefix + checked(key), **arguments}
        if not self._only.looks or named.pop("IfNoneMatch", None) is None:
            return self._call(operation, key, named | arguments)
        with self._only.writing(key):
            with suppress(NotStored):
                self.call("HeadObject", key)
                raise AlreadyStored(f"{self.name(key)} is there already; it was left as it is")
            return self._call(operation, key, named)

    def look_before_writes(self) -> None:
        """Send no conditions from now on: look instead whether the key is free. That is safe only
        while nobody else writes here; threads of this process are kept apart."""
        self._only.looks = True

    def page(self, prefix: str, *, after: str, token: str | None) -> Any:
        """The next at most 1,000 objects below ``prefix``: by the ``token`` of the page before, or
        those whose whole key is above ``after``."""
        arguments: dict[str, Any] = {
            "Prefix": self.prefix + prefix,
            "OptionalObjectAttributes": ["RestoreStatus"],
        }
        if token:
            arguments["ContinuationToken"] = token
        elif after:
            arguments["StartAfter"] = after
        return self._call("ListObjectsV2", prefix, arguments)

    def versions(self, key: str, **after: str) -> Any:
        """The next at most 1,000 versions, and markers of deletion, of what begins with ``key``:
        all, or those ``after`` a page's last one."""
        return self._call(
            "ListObjectVersions", key, {"Prefix": self.prefix + checked(key), **after}
        )

    def within(
        self,
        seconds: float,
        act: Callable[[], T],
        operation: str,
        key: str,
        *,
        late: Callable[[T | None], None],
        budget: Budget | None = None,
    ) -> T:
        """See `within`; failures to bring a whole answer are StoreErrors."""
        try:
            return within(seconds, act, late=late, budget=budget)
        except TookTooLong as error:
            raise self.broken(error, operation, key) from None
        except BROKEN as error:
            raise self.broken(error, operation, key) from None

    def broken(self, error: Exception, operation: str, key: str) -> StoreError:
        """``error`` of an answer that did not come whole, as one of ours."""
        return s3_errors.unasked(error, operation=operation, name=self.name(key))

    def part_of(self, answer: Any, field: str, operation: str, key: str) -> Any:
        """``field`` of an answer, without which it is none. Raises StoreUnavailable."""
        if answer.get(field) is None:
            raise StoreUnavailable(f"{operation} of {self.name(key)} was answered without {field}")
        return answer[field]

    def _call(self, operation: str, key: str, arguments: dict[str, Any]) -> Any:
        budget = self.budget()
        conflicts = iter(CONFLICT_WAITS)
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(operation, key, arguments, budget)
            except ClientError as error:
                row = s3_errors.meaning_of(error, operation)
                refusal = s3_errors.refused(
                    error, operation=operation, name=self.name(key), bucket=self._bucket
                )
                code = s3_errors.code_of(error)
                if row.again and code in s3_errors.CONFLICTS:
                    wait, attempt = next(conflicts, None), attempt - 1
                else:
                    wait = self._backoff(attempt) if row.again else None
                if error.operation_name == "HeadObject" and code in _SAYS_NOTHING:
                    refusal = self._asked_with_a_body(key, arguments, budget) or refusal
            except StoreUnavailable as error:
                refusal, wait = error, self._backoff(attempt)
            if wait is None or budget.left <= wait:
                try:
                    raise refusal from None
                finally:
                    # It knows this frame, and through it whoever holds a part of 8 MiB.
                    del refusal
            self.sleep(wait)

    def _once(self, operation: str, key: str, arguments: dict[str, Any], budget: Budget) -> Any:
        if operation == "PutObject":
            method: Callable[..., Any] = self._puts.send
        else:
            method = getattr(self._client, _METHODS[operation])
        size, completes = len(arguments.get("Body", b"")), operation in _TAKES_LONG
        seconds = budget.attempt(size, completes=completes)
        return self.within(
            seconds,
            lambda: method(Bucket=self._bucket, **arguments),
            operation,
            key,
            late=_give_back,
            budget=budget,
        )

    def _backoff(self, attempt: int) -> float | None:
        """Seconds until the next attempt, with full jitter; None if there is none."""
        if attempt >= self.patience.attempts:
            return None
        return _DICE.random() * self.patience.backoff * 2.0 ** (attempt - 1)

    def _asked_with_a_body(
        self, key: str, arguments: dict[str, Any], budget: Budget
    ) -> StoreError | None:
        """What the answer to a HEAD, which has no body, cannot say: the error of a GET of it."""
        own = {"Key": arguments["Key"], "Range": "bytes=0-0"}
        try:
            self._once("GetObject", key, own, budget)["Body"].close()
        except ClientError as error:
            if s3_errors.status_of(error) == 416:  # It is empty, and may be read.
                return None
            return s3_errors.refused(
                error, operation="GetObject", name=self.name(key), bucket=self._bucket
            )
        except StoreError as error:
            return error
        return None


def _give_back(answer: Any) -> None:
    """Close the body of an answer that nobody waits for any more."""
    with suppress(*BROKEN):
        if answer is not None and "Body" in answer:
            answer["Body"].close()


class _Counter:
    """Counts the requests that a client sends."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self, **_: Any) -> None:
        with self._lock:
            self.count += 1


_METHODS = {
    "ListObjectsV2": "list_objects_v2",
    "ListObjectVersions": "list_object_versions",
    "DeleteObject": "delete_object",  # of `remove`, which the function does not have
    "HeadObject": "head_object",
    "GetObject": "get_object",
    "CopyObject": "copy_object",  # of `s3_copy`, which the function does not have; so the next
    "UploadPartCopy": "upload_part_copy",
    "CreateMultipartUpload": "create_multipart_upload",
    "UploadPart": "upload_part",
    "CompleteMultipartUpload": "complete_multipart_upload",
    "AbortMultipartUpload": "abort_multipart_upload",
}

_TAKES_LONG = frozenset({"CompleteMultipartUpload", "CopyObject", "UploadPartCopy"})
"""S3 may work on these for minutes, and sends blanks meanwhile."""
