"""What the S3 store sends, and what it makes of every answer; S3 is scripted."""

import base64
import hashlib
import io
import zlib

import pytest
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from smugmug_backup.errors import (
    AlreadyStored,
    Archived,
    BadRequest,
    Concerns,
    NotStored,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage import s3_upload
from smugmug_backup.storage.s3 import S3Store, s3_client
from smugmug_backup.storage.s3_budget import Patience
from smugmug_backup.storage.s3_errors import Unknown
from tests.tools.fake_s3 import FakeS3
from tests.tools.local_s3 import set_environment

MIB = 1024 * 1024
KEY = "originals/V2xgTbs/rev-0123456789abcdef.mp4"
RECORD = "records/hT4mWq/V2xgTbs/1f2e3d4c5b6a7988.json"
MODIFIED = {"Last-Modified": "Tue, 24 Nov 2026 03:00:00 GMT"}


class Raw(io.BytesIO):
    """The body of an answer, as urllib3 gives it."""

    def stream(self, amt=None, decode_content=None):
        yield self.read()


class Damaged(Raw):
    """One whose second piece is a TLS record that is not what was sent."""

    def read(self, amt=None):
        piece = super().read(MIB if self.tell() == 0 else 0)
        if not piece:
            raise urllib3.exceptions.SSLError("[SSL: DECRYPTION_FAILED] secret words")
        return piece


class Script:
    """S3's answers in order; what was asked is in ``seen``."""

    def __init__(self, client):
        self.client = client
        self.answers = []
        self.seen = []
        self.waits = []
        client.meta.events.register_first("before-send.s3", self)
        self.store = S3Store(
            client, "bucket", "pre/fix", sleep=self.waits.append, patience=Patience(attempts=1)
        )

    def __call__(self, request, event_name, **_):
        body = request.body.read() if hasattr(request.body, "read") else request.body
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        self.seen.append((event_name.rpartition(".")[2], request.url, headers, body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        raw = body if isinstance(body, Raw) else Raw(body)
        return AWSResponse(request.url, status, {"Content-Type": "x", **headers}, raw)

    def then(self, status=200, body=b"", **headers):
        """The next answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, named, body))
        return self

    def fails(self, status, code, message="secret words"):
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        return self.then(status, body)

    def goes_on(self, size, body=b"", *, at):
        """The rest of an object, which is ``size`` bytes, from ``at`` on."""
        length = str(size - at)
        content_range = f"bytes {at}-{size - 1}/{size}"
        return self.then(206, body, Content_Length=length, Content_Range=content_range)

    def finds(self, size, body=b"", *, status=200, **headers):
        return self.then(status, body, ETag='"e"', Content_Length=str(size), **headers, **MODIFIED)

    def breaks(self, error):
        self.answers.append(error)
        return self

    @property
    def operations(self):
        return [each[0] for each in self.seen]


@pytest.fixture(scope="module")
def client():
    """One for all tests, for it is slow to make."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_environment(monkeypatch)
        return s3_client(max_connections=4)


@pytest.fixture
def s3(client):
    script = Script(client)
    yield script
    client.meta.events.unregister("before-send.s3", script)
    assert script.answers == []


def begins(s3, parts, **headers):
    """Answers for an upload of so many parts, up to its completion."""
    s3.then(
        body=b"<InitiateMultipartUploadResult><UploadId>up</UploadId></InitiateMultipartUploadResult>",
        **headers,
    )
    for number in range(parts):
        s3.then(ETag=f'"part{number}"')


COMPLETED = (
    b"<CompleteMultipartUploadResult><Key>x</Key><ETag>e</ETag></CompleteMultipartUploadResult>"
)


def big(size=17 * MIB):
    return hashlib.shake_128(b"video").digest(size)


def upload(s3, body):
    with s3.store.upload(KEY) as begun:
        begun.write(body)
        begun.commit()


def crc(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


# -- what is sent ----------------------------------------------------------------------------------


def test_a_put_is_conditional_and_carries_one_checksum(s3):
    s3.then()
    s3.store.create(RECORD, b"{}")
    operation, url, headers, body = s3.seen[0]
    assert operation == "PutObject"
    assert url.endswith(f"/pre/fix/{RECORD}")
    assert body == b"{}"
    assert headers["if-none-match"] == "*"
    digest = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
    assert headers["x-amz-checksum-sha256"] == digest
    assert headers["content-type"] == "application/json"
    checksums = [name for name in headers if "checksum" in name or "md5" in name]
    assert checksums == ["x-amz-checksum-sha256"]
    assert "x-amz-trailer" not in headers


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("README.txt", "text/plain; charset=utf-8"),
        ("catalog/index.html", "text/html; charset=utf-8"),
        ("manifests/a/00000001.jsonl", "application/x-ndjson"),
        ("manifests/hT4mWq=12/00000001.2.jsonl", "application/x-ndjson"),
        ("originals/a/b.jpg", "image/jpeg"),
        ("originals/a/b.mov", "video/quicktime"),
        ("originals/a/b.bin", "application/octet-stream"),
        ("originals/a/b", "application/octet-stream"),
    ],
)
def test_a_browser_is_told_what_it_is(s3, key, kind):
    s3.then()
    s3.store.create(key, b"x")
    assert s3.seen[0][2]["content-type"] == kind


def test_sixteen_mebibytes_go_with_one_put(s3):
    s3.then()
    upload(s3, big(16 * MIB))
    assert s3.operations == ["PutObject"]


def test_more_goes_in_parts_whose_whole_is_checked_before_it_is_visible(s3):
    begins(s3, 3)
    s3.then(body=COMPLETED)
    body = big()
    upload(s3, body)
    assert s3.operations == [
        "CreateMultipartUpload",
        *["UploadPart"] * 3,
        "CompleteMultipartUpload",
    ]
    create, *parts, complete = s3.seen
    assert create[2]["x-amz-checksum-algorithm"] == "CRC32"
    assert create[2]["x-amz-checksum-type"] == "FULL_OBJECT"
    assert create[2]["content-type"] == "video/mp4"
    assert [len(part[3]) for part in parts] == [8 * MIB, 8 * MIB, MIB]
    assert b"".join(part[3] for part in parts) == body
    for part in parts:
        assert part[2]["x-amz-checksum-crc32"] == crc(part[3])
        assert "x-amz-sdk-checksum-algorithm" not in part[2]
        assert f"<ChecksumCRC32>{crc(part[3])}</ChecksumCRC32>".encode() in complete[3]
    assert complete[2]["if-none-match"] == "*"
    assert complete[2]["x-amz-mp-object-size"] == str(len(body))
    assert complete[2]["x-amz-checksum-crc32"] == crc(body)
    assert complete[2]["x-amz-checksum-type"] == "FULL_OBJECT"


def test_what_has_more_parts_than_s3_takes_is_refused_in_our_words(s3, monkeypatch):
    monkeypatch.setattr(s3_upload, "_PARTS", 2)
    begins(s3, 2)
    s3.then(204)
    with pytest.raises(StoreRefused, match="larger than 78 GiB"):
        upload(s3, big())
    assert s3.operations[-1] == "AbortMultipartUpload"


def test_an_s3_that_knows_no_checksum_of_the_whole_gets_none(s3):
    begins(s3, 3, x_amz_checksum_type="COMPOSITE")
    s3.then(body=COMPLETED)
    upload(s3, big())
    complete = s3.seen[-1]
    assert "x-amz-checksum-crc32" not in complete[2]
    assert complete[3].count(b"<ChecksumCRC32>") == 3


def test_every_attempt_counts(monkeypatch):
    set_environment(monkeypatch)
    client = s3_client(max_connections=1)
    store = S3Store(client, "bucket")
    sent = []

    def first_lost(request, **_):
        sent.append(request)
        if len(sent) == 1:
            raise ConnectionClosedError(endpoint_url="lost")
        return AWSResponse(request.url, 200, {}, Raw())

    client.meta.events.register("before-send.s3", first_lost)
    store.create(RECORD, b"{}")
    assert store.requests == 2


@pytest.mark.parametrize("size", [5, 17 * MIB], ids=["small", "large"])
def test_an_original_is_saved_by_a_browser_under_its_own_name(s3, size):
    told = "inline; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.MOV"
    if size == 5:
        s3.then()
    else:
        begins(s3, 3)
        s3.then(body=COMPLETED)
    with s3.store.upload(KEY, file_name="Größe 1.MOV") as begun:
        begun.write(big(size))
        begun.commit()
    assert s3.seen[0][2]["content-disposition"] == told
    s3.then().then()
    s3.store.create("originals/a/b.jpg", b"x", file_name="quay.jpg")
    s3.store.create(RECORD, b"{}")
    assert s3.seen[-2][2]["content-disposition"] == "inline; filename*=UTF-8''quay.jpg"
    assert "content-disposition" not in s3.seen[-1][2]


def test_what_may_pass_is_asked_five_times_with_growing_waits(client):
    script = Script(client)
    waits = []
    script.store = S3Store(client, "bucket", sleep=waits.append)
    for _ in range(5):
        script.fails(503, "SlowDown")
    with pytest.raises(StoreUnavailable, match="SlowDown"):
        script.store.create(RECORD, b"{}")
    client.meta.events.unregister("before-send.s3", script)
    assert script.operations == ["PutObject"] * 5
    assert all(0 <= wait <= 2**number for number, wait in enumerate(waits))
    assert len(waits) == 4


# -- a key that is taken ---------------------------------------------------------------------------


def test_a_create_that_meets_its_own_bytes_is_done(s3):
    s3.fails(412, "PreconditionFailed").finds(2).finds(2, b"{}")
    s3.store.create(RECORD, b"{}")
    assert s3.operations == ["PutObject", "HeadObject", "GetObject"]


@pytest.mark.parametrize("theirs", [b"[]", b"{}}"])
def test_a_create_that_meets_other_bytes_says_so(s3, theirs):
    s3.fails(412, "PreconditionFailed").finds(len(theirs))
    if len(theirs) == 2:
        s3.finds(2, theirs)
    with pytest.raises(AlreadyStored, match=rf"s3://bucket/pre/fix/{RECORD} is there already"):
        s3.store.create(RECORD, b"{}")


@pytest.mark.parametrize("same", [True, False])
def test_in_an_archive_the_stored_sha256_tells_whether_the_bytes_are_ours(s3, same):
    digest = base64.b64encode(hashlib.sha256(b"{}" if same else b"[]").digest()).decode()
    s3.fails(412, "PreconditionFailed").finds(2, x_amz_storage_class="GLACIER")
    s3.finds(2, x_amz_storage_class="GLACIER", x_amz_checksum_sha256=digest)
    if same:
        s3.store.create(RECORD, b"{}")
    else:
        with pytest.raises(AlreadyStored):
            s3.store.create(RECORD, b"{}")
    assert s3.seen[-1][2]["x-amz-checksum-mode"] == "ENABLED"


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
def test_a_conflict_that_is_being_decided_is_asked_again(s3, code):
    s3.fails(409, code).fails(409, code).then()
    s3.store.create(RECORD, b"{}")
    assert s3.operations == ["PutObject"] * 3
    assert s3.waits == [0.1, 0.3]


def test_a_conflict_without_an_end_is_given_up(s3):
    for _ in range(5):
        s3.fails(409, "ConditionalRequestConflict")
    with pytest.raises(StoreUnavailable, match="ConditionalRequestConflict"):
        s3.store.create(RECORD, b"{}")
    assert len(s3.waits) == 4


def test_a_completion_that_meets_another_object_is_aborted(s3):
    begins(s3, 3)
    s3.fails(412, "PreconditionFailed").then(204)
    with pytest.raises(AlreadyStored):
        upload(s3, big())
    assert s3.operations[-1] == "AbortMultipartUpload"


def test_a_completion_that_was_done_and_not_answered_is_found_done(s3):
    begins(s3, 3)
    s3.fails(404, "NoSuchUpload")
    s3.finds(17 * MIB, x_amz_checksum_crc32=crc(big()), x_amz_checksum_type="FULL_OBJECT")
    upload(s3, big())
    assert s3.operations[-1] == "HeadObject"


@pytest.mark.parametrize(
    "other",
    [
        {"size": 17 * MIB},
        {"size": 5, "x_amz_checksum_crc32": crc(big()), "x_amz_checksum_type": "FULL_OBJECT"},
        {
            "size": 17 * MIB,
            "x_amz_checksum_crc32": "AAAAAA==-3",
            "x_amz_checksum_type": "COMPOSITE",
        },
    ],
)
def test_a_completion_whose_upload_is_gone_never_takes_another_object_for_its_own(s3, other):
    begins(s3, 3)
    s3.fails(404, "NoSuchUpload").finds(**other).fails(404, "NoSuchUpload")
    with pytest.raises(AlreadyStored):
        upload(s3, big())


def test_a_completion_whose_upload_is_gone_without_an_object_may_be_repeated(s3):
    begins(s3, 3)
    s3.fails(404, "NoSuchUpload").then(404).fails(404, "NoSuchUpload")
    with pytest.raises(StoreUnavailable, match="parts are gone"):
        upload(s3, big())


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
def test_a_conflict_ends_an_upload_which_is_not_completed_once_more(s3, code):
    begins(s3, 3)
    s3.fails(409, code).then(404).then(204)
    with pytest.raises(StoreUnavailable, match="begins anew"):
        upload(s3, big())
    assert s3.operations[-3:] == ["CompleteMultipartUpload", "HeadObject", "AbortMultipartUpload"]
    assert s3.waits == []


def test_a_conflict_that_another_has_won_says_that_the_key_is_taken(s3):
    begins(s3, 3)
    s3.fails(409, "ConditionalRequestConflict").finds(17 * MIB).then(204)
    with pytest.raises(AlreadyStored):
        upload(s3, big())


def test_a_create_whose_upload_met_a_conflict_begins_a_new_one(s3):
    begins(s3, 3)
    s3.fails(409, "ConditionalRequestConflict").then(404).then(204)
    begins(s3, 3)
    s3.then(body=COMPLETED)
    s3.store.create(KEY, big())
    assert s3.operations.count("CreateMultipartUpload") == 2
    assert s3.waits == [0.1]


def test_whatever_happens_to_an_upload_it_is_aborted_once(s3):
    begins(s3, 1)
    s3.fails(503, "SlowDown").fails(500, "InternalError")
    with pytest.raises(StoreUnavailable, match="SlowDown"):
        upload(s3, big())
    assert s3.operations[-1] == "AbortMultipartUpload"


# -- errors in words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (403, "AccessDenied", StoreRefused, "s3:PutObject"),
        (403, "InvalidAccessKeyId", StoreRefused, "does not know this access key"),
        (403, "SignatureDoesNotMatch", StoreRefused, "secret access key is wrong"),
        (400, "ExpiredToken", StoreRefused, "log in again"),
        (403, "RequestTimeTooSkewed", StoreRefused, "clock is wrong"),
        (404, "NoSuchBucket", StoreRefused, "no bucket named bucket"),
        (400, "AuthorizationHeaderMalformed", StoreRefused, "another region"),
        (400, "KMS.DisabledException", StoreRefused, "KMS key"),
        (400, "InvalidRequest", Unknown, "InvalidRequest"),
        (405, "MethodNotAllowed", Unknown, "MethodNotAllowed"),
        (400, "BadDigest", StoreUnavailable, "BadDigest"),
        (400, "RequestTimeout", StoreUnavailable, "RequestTimeout"),
        (429, "TooManyRequests", StoreUnavailable, "TooManyRequests"),
        (500, "InternalError", StoreUnavailable, "InternalError"),
        (503, "SlowDown", StoreUnavailable, "SlowDown"),
        (503, "", StoreUnavailable, "503"),
    ],
)
def test_each_refusal_is_one_of_our_errors(s3, status, code, error, words):
    s3.fails(status, code)
    with pytest.raises(error, match=words) as caught:
        s3.store.create(RECORD, b"{}")
    assert type(caught.value) is error
    assert RECORD in str(caught.value)
    assert "secret words" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_not_there_is_told_from_what_is_denied(s3):
    s3.fails(404, "NoSuchKey").then(404)
    s3.then(403).fails(403, "AccessDenied").fails(403, "AccessDenied")
    with pytest.raises(NotStored):
        s3.store.read(RECORD)
    assert s3.store.head(RECORD) is None
    for attempt in (s3.store.head, s3.store.read):
        with pytest.raises(StoreRefused, match=r"s3:GetObject .* s3:ListBucket on bucket"):
            attempt(RECORD)


def test_a_listing_of_a_bucket_that_is_not_there_is_refused_not_empty(s3):
    s3.fails(404, "NoSuchBucket").fails(404, "NotFound").fails(403, "AccessDenied")
    for words in ("no bucket named bucket", "no bucket named bucket", "s3:ListBucket on bucket"):
        with pytest.raises(StoreRefused, match=words):
            list(s3.store.list("manifests/"))


@pytest.mark.parametrize(
    ("broken", "error", "words"),
    [
        (NoCredentialsError(), StoreRefused, "no AWS credentials"),
        (EndpointConnectionError(endpoint_url="https://secret"), StoreUnavailable, "Endpoint"),
        (ReadTimeoutError(endpoint_url="https://secret"), StoreUnavailable, "ReadTimeoutError"),
    ],
)
def test_a_request_without_an_answer_is_one_of_our_errors(s3, broken, error, words):
    s3.breaks(broken)
    with pytest.raises(error, match=words) as caught:
        s3.store.create(RECORD, b"{}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "concerns", "words"),
    [
        (400, "ExpiredToken", Concerns.CREDENTIALS, "log in again"),
        (403, "RequestTimeTooSkewed", Concerns.CREDENTIALS, "clock is wrong"),
        (400, "AuthorizationHeaderMalformed", Concerns.REGION, "another region"),
        (403, "AccessDenied", Concerns.OBJECT, "s3:GetObject"),
    ],
)
def test_what_a_head_cannot_say_is_asked_by_a_get_of_the_first_byte(
    s3, status, code, concerns, words
):
    s3.then(status)
    if status == 400:
        s3.then(400)  # botocore itself asks by HeadBucket whether it is the region.
    s3.fails(status, code)
    with pytest.raises(StoreRefused, match=words) as caught:
        s3.store.head(RECORD)
    assert caught.value.concerns is concerns
    asked = [each for each in s3.seen if each[0] != "HeadBucket"]
    assert [each[0] for each in asked] == ["HeadObject", "GetObject"]
    assert asked[1][2]["range"] == "bytes=0-0"


@pytest.mark.parametrize("readable", [True, False], ids=["readable", "empty"])
def test_a_head_alone_that_is_refused_is_told_by_what_it_said(s3, readable):
    s3.then(403)
    if readable:
        s3.goes_on(5, b"h", at=0)
    else:
        s3.fails(416, "InvalidRange")
    with pytest.raises(StoreRefused, match=r"HeadObject of .* \(403\).*s3:GetObject"):
        s3.store.head(RECORD)


def test_a_role_that_may_not_be_assumed_is_no_missing_permission_of_the_bucket(tmp_path):
    def denied(request):
        request.answer(
            403,
            b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>secret "
            b"words</Message></Error><RequestId>1</RequestId></ErrorResponse>",
            Content_Type="text/xml",
        )

    (tmp_path / "config").write_text(
        "[profile backup]\nrole_arn = arn:aws:iam::123456789012:role/reader\n"
        "source_profile = me\nregion = us-east-1\n"
    )
    (tmp_path / "credentials").write_text(
        "[me]\naws_access_key_id = AKIATESTING\naws_secret_access_key = testing\n"
    )
    with FakeS3() as sts, pytest.MonkeyPatch.context() as monkeypatch:
        set_environment(monkeypatch, sts.address)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_PROFILE", "backup")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        # STS is asked by POST, which this S3 takes for the end of an upload.
        sts.always("CompleteMultipartUpload", denied)
        store = S3Store(s3_client(max_connections=1), "bucket")
        with pytest.raises(
            StoreRefused, match=r"AWS refused AssumeRole \(AccessDenied\)"
        ) as caught:
            list(store.list("runs/"))
        assert sts.asked("ListObjectsV2") == 0
    assert caught.value.concerns is Concerns.CREDENTIALS
    assert "ListBucket" not in str(caught.value)
    assert "secret words" not in str(caught.value)


# -- reading ---------------------------------------------------------------------------------------


def test_a_body_that_breaks_off_is_taken_up_where_it_broke(s3):
    body = big(3 * MIB)
    s3.finds(len(body), body[: MIB + 10])
    s3.goes_on(3 * MIB, body[MIB + 10 : MIB + 20], at=MIB + 10)
    s3.goes_on(3 * MIB, body[MIB + 20 :], at=MIB + 20)
    with s3.store.open(KEY) as chunks:
        seen = list(chunks)
    assert b"".join(seen) == body
    assert max(map(len, seen)) <= MIB
    ranges = [each[2].get("range") for each in s3.seen]
    assert ranges == [None, f"bytes={MIB + 10}-{3 * MIB - 1}", f"bytes={MIB + 20}-{3 * MIB - 1}"]
    assert s3.seen[1][2]["if-match"] == '"e"'


def test_one_damaged_record_of_tls_costs_one_request_not_the_read(s3):
    body = big(2 * MIB)
    s3.finds(len(body), Damaged(body)).goes_on(len(body), body[MIB:], at=MIB)
    assert s3.store.read(KEY) == body


def test_damaged_records_without_an_end_are_an_error_of_the_store(s3):
    body = big(2 * MIB)
    s3.finds(len(body), Damaged(body))
    for _ in range(2):
        s3.goes_on(len(body), Damaged(b""), at=MIB)
    with pytest.raises(StoreUnavailable, match="SSLError") as caught:
        s3.store.read(KEY)
    assert "secret words" not in str(caught.value)


def test_a_body_without_a_length_ends_with_its_last_chunk(s3):
    s3.then(200, b"hello", Transfer_Encoding="chunked", ETag='"e"')
    assert s3.store.read(RECORD) == b"hello"


def test_a_body_without_a_length_that_breaks_off_is_taken_up_and_then_has_one(s3):
    body = big(2 * MIB)
    s3.then(200, Damaged(body), Transfer_Encoding="chunked", ETag='"e"')
    s3.goes_on(len(body), body[MIB:], at=MIB)
    assert s3.store.read(KEY) == body


def test_a_body_without_length_and_chunks_cannot_be_told_from_half_of_it(s3):
    s3.then(200, b"hello", ETag='"e"').fails(416, "InvalidRange")
    with pytest.raises(StoreUnavailable, match="changed under way"):
        s3.store.read(RECORD)


def test_a_body_that_cannot_be_known_again_is_not_taken_up(s3):
    s3.then(200, b"12345", Content_Length="10")
    with pytest.raises(StoreUnavailable):
        s3.store.read(RECORD)


@pytest.mark.parametrize("operation", ["head", "read"])
def test_a_date_that_is_none_is_an_error_of_the_store(s3, operation):
    s3.then(200, b"x", Content_Length="1", Last_Modified="the day before")
    with pytest.raises(StoreUnavailable):
        getattr(s3.store, operation)(RECORD)


def test_a_head_without_a_date_tells_none(s3):
    s3.then(200, Content_Length="5")
    assert s3.store.head(KEY).modified is None


def test_a_body_that_gets_no_further_is_an_error_not_an_end(s3):
    s3.finds(10, b"12345").goes_on(10, at=5).goes_on(10, at=5)
    with pytest.raises(StoreUnavailable, match=KEY):
        s3.store.read(KEY)


def test_a_body_that_changed_under_way_is_an_error(s3):
    s3.finds(10, b"12345").fails(412, "PreconditionFailed")
    with pytest.raises(StoreUnavailable, match="changed"):
        s3.store.read(KEY)


def test_a_server_that_begins_anew_does_not_mix_bodies(s3):
    s3.finds(10, b"12345").finds(10, b"1234567890")
    with pytest.raises(StoreUnavailable), s3.store.open(KEY) as chunks:
        assert next(chunks) == b"12345"
        next(chunks)


def test_what_is_archived_says_so_and_cannot_be_read(s3):
    s3.fails(403, "InvalidObjectState")
    with pytest.raises(Archived, match="restore it"):
        s3.store.read(KEY)


@pytest.mark.parametrize(
    ("headers", "archived"),
    [
        ({}, False),
        ({"x_amz_storage_class": "GLACIER_IR"}, False),
        ({"x_amz_storage_class": "GLACIER"}, True),
        ({"x_amz_storage_class": "DEEP_ARCHIVE"}, True),
        ({"x_amz_storage_class": "GLACIER", "x_amz_restore": 'ongoing-request="true"'}, True),
        (
            {
                "x_amz_storage_class": "GLACIER",
                "x_amz_restore": 'ongoing-request="false", expiry-date="Fri, 23 Dec 2026"',
            },
            False,
        ),
        (
            {
                "x_amz_storage_class": "INTELLIGENT_TIERING",
                "x_amz_archive_status": "ARCHIVE_ACCESS",
            },
            True,
        ),
    ],
)
def test_the_storage_class_tells_what_must_be_thawed(s3, headers, archived):
    s3.finds(5, **headers)
    assert s3.store.head(KEY).archived is archived


# -- listing ---------------------------------------------------------------------------------------


def page(*keys, more=False, inside=""):
    objects = "".join(
        f"<Contents><Key>{key}</Key><Size>3</Size>{inside}"
        "<LastModified>2026-11-24T03:00:00Z</LastModified></Contents>"
        for key in keys
    )
    truncated = str(more).lower()
    return f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{objects}</ListBucketResult>"


def test_each_page_goes_on_after_the_last_key(s3):
    s3.then(body=page("pre/fix/a/1", "pre/fix/a/strange key", more=True).encode())
    s3.then(body=page("pre/fix/a/two").encode())
    assert [each.key for each in s3.store.list("a/", after="a/0")] == ["a/1", "a/two"]
    first, second = (each[1] for each in s3.seen)
    assert "prefix=pre%2Ffix%2Fa%2F" in first
    assert "start-after=pre%2Ffix%2Fa%2F0" in first
    assert "start-after=pre%2Ffix%2Fa%2Fstrange%20key" in second


def test_a_page_tells_by_its_token_where_the_next_begins(s3):
    first = page("pre/fix/a/1", more=True).replace(
        "</ListBucketResult>",
        "<NextContinuationToken>t+1</NextContinuationToken></ListBucketResult>",
    )
    empty = first.replace("t+1", "t+2").partition("<Contents>")[0] + (
        "<NextContinuationToken>t+2</NextContinuationToken></ListBucketResult>"
    )
    s3.then(body=first.encode()).then(body=empty.encode())
    s3.then(body=page("pre/fix/a/2").encode())
    assert [each.key for each in s3.store.list("a/")] == ["a/1", "a/2"]
    urls = [each[1] for each in s3.seen]
    assert "continuation-token=t%2B1" in urls[1]
    assert "continuation-token=t%2B2" in urls[2]
    assert not any("start-after" in url for url in urls)


@pytest.mark.parametrize(
    "pages",
    [
        ["<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"],
        ["<ListBucketResult></ListBucketResult>"],
        ["<html><body>Welcome</body></html>"],
        [page("pre/fix/a/1").replace("<Size>3</Size>", "")],
    ],
    ids=["no way on", "no end", "no listing", "no size"],
)
def test_a_page_that_is_none_is_an_error_not_an_empty_listing(s3, pages):
    for each in pages:
        s3.then(body=each.encode())
    with pytest.raises(StoreUnavailable, match="the listing of s3://bucket/pre/fix/a/"):
        list(s3.store.list("a/"))


def test_a_listing_that_comes_again_or_out_of_order_is_an_error(s3):
    s3.then(body=page("pre/fix/a/1", more=True).encode()).then(body=page("pre/fix/a/1").encode())
    with pytest.raises(StoreUnavailable, match="out of order"):
        list(s3.store.list("a/"))


def test_a_listing_asks_for_nothing_beyond_its_end(s3):
    s3.then(body=page("pre/fix/a/1", "pre/fix/a/2", "pre/fix/a/3", more=True).encode())
    assert [each.key for each in s3.store.list("a/", until="a/2")] == ["a/1", "a/2"]


def test_a_listing_tells_what_is_archived(s3):
    glacier = "<StorageClass>GLACIER</StorageClass>"
    thawed = (
        "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
        "<RestoreExpiryDate>2026-12-01T00:00:00Z</RestoreExpiryDate></RestoreStatus>"
    )
    s3.then(body=page("pre/fix/a", inside=glacier).encode())
    s3.then(body=page("pre/fix/a", inside=glacier + thawed).encode())
    assert [each.archived for each in s3.store.list("")] == [True]
    assert [each.archived for each in s3.store.list("")] == [False]


# -- the client ------------------------------------------------------------------------------------


def test_an_endpoint_on_this_machine_is_asked_directly(monkeypatch):
    set_environment(monkeypatch, "http://localhost:4566")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
    config = s3_client(max_connections=7).meta.config
    assert config.proxies == {}
    assert config.s3["addressing_style"] == "path"
    assert config.max_pool_connections == 7


def test_the_client_leaves_retries_to_the_store_and_adds_no_checksums(client):
    config = client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert Patience().attempts == 5
    assert config.request_checksum_calculation == "when_required"
    assert config.response_checksum_validation == "when_required"
    assert client.meta.endpoint_url.startswith("https://")


@pytest.mark.parametrize("endpoint", ["http://minio.example:9000", "http://169.254.1.1"])
def test_plain_http_to_another_machine_is_refused(monkeypatch, endpoint):
    set_environment(monkeypatch, endpoint)
    with pytest.raises(BadRequest, match="must be https"):
        s3_client(max_connections=1)


def test_a_setup_that_cannot_work_is_told(monkeypatch):
    set_environment(monkeypatch, "not a url")
    with pytest.raises(StoreRefused, match="AWS_ENDPOINT_URL"):
        s3_client(max_connections=1)
    set_environment(monkeypatch)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StoreRefused, match="AWS_PROFILE"):
        s3_client(max_connections=1)
