"""Puts that the client does not send: what goes over the wire, and what every answer means."""

import hashlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ConnectionClosedError, NoCredentialsError

from smugmug_backup.errors import StoreRefused, StoreUnavailable
from smugmug_backup.storage.s3 import S3Store, s3_client
from smugmug_backup.storage.s3_budget import Patience
from tests.tools.local_s3 import set_environment
from tests.unit.storage.test_s3 import KEY, RECORD, Script

BODY = b'{"a": 1}\n'


@pytest.fixture(scope="module")
def client():
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_environment(monkeypatch)
        monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token")
        return s3_client(max_connections=4)


@pytest.fixture
def s3(client):
    """A store that has put something, so that the client sends no more."""
    script = Script(client)
    script.then()
    script.store.create("first.json", b"{}")
    script.by_client = script.seen.pop()
    yield script
    client.meta.events.unregister("before-send.s3", script)
    assert script.answers == []


@pytest.fixture
def calls(client, monkeypatch):
    """The puts that the client itself is asked for."""
    asked = []
    put = client.put_object
    monkeypatch.setattr(client, "put_object", lambda **more: asked.append(more) or put(**more))
    return asked


def test_the_first_put_is_the_clients_and_no_other(s3, calls):
    s3.then().then()
    s3.store.create(RECORD, BODY)
    s3.store.create(KEY, BODY, file_name="waves.mp4")
    assert calls == []
    assert s3.operations == ["PutObject", "PutObject"]


def test_what_is_sent_is_what_the_client_would_send(s3, client):
    s3.then().then()
    s3.store.create(KEY, BODY, file_name="waves.mp4")
    other = S3Store(client, "bucket", "pre/fix", proved=True)
    other.create(KEY, BODY, file_name="waves.mp4")
    ours, theirs = (each[2] for each in s3.seen)
    assert s3.seen[0][1] == s3.seen[1][1]
    varies = {"authorization", "x-amz-date", "content-length", "user-agent"}
    varies.add("x-amz-content-sha256")  # Ours is signed whole, where theirs leaves it to TLS.
    of_the_sdk = {"amz-sdk-invocation-id", "amz-sdk-request"}
    for name in theirs.keys() - varies - of_the_sdk:
        assert ours[name] == theirs[name], name
    assert ours.keys() == theirs.keys() - of_the_sdk
    assert ours["content-length"] == theirs["content-length"] == str(len(BODY))


@pytest.mark.parametrize("key", [RECORD, "manifests/hT4mWq=12/00000001.jsonl"])
def test_the_signature_is_that_of_the_body(s3, key):
    s3.then()
    s3.store.create(key, memoryview(BODY), sha256=hashlib.sha256(BODY).hexdigest())
    _, url, headers, body = s3.seen[0]
    assert body == BODY
    assert headers["x-amz-content-sha256"] == hashlib.sha256(BODY).hexdigest()
    _, _, signed = headers["authorization"].partition("SignedHeaders=")
    names = signed.partition(",")[0].split(";")
    auth = S3SigV4Auth(Credentials("testing", "testing", "a-token"), "s3", "us-east-1")
    request = AWSRequest(
        "PUT", url, {name: headers[name] for name in names if name != "host"}, BODY
    )
    request.context["timestamp"] = headers["x-amz-date"]
    request.context["client_config"] = None
    canonical = auth.canonical_request(request)
    expected = auth.signature(auth.string_to_sign(request, canonical), request)
    assert headers["authorization"].endswith(f"Signature={expected}")


def test_nobody_is_asked_before_a_body_is_sent(s3):
    s3.then()
    s3.store.create(RECORD, BODY)
    assert "expect" not in s3.seen[0][2]
    assert "expect" not in s3.by_client[2]


def test_credentials_that_are_new_sign_the_next_put(s3, client, monkeypatch):
    signer = s3.store._bucket._puts._way.signer
    monkeypatch.setattr(signer, "_credentials", Credentials("rotated", "testing", "newer"))
    s3.then()
    s3.store.create(RECORD, BODY)
    headers = s3.seen[0][2]
    assert "Credential=rotated/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "newer"


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (403, "AccessDenied", StoreRefused, "s3:PutObject"),
        (403, "SignatureDoesNotMatch", StoreRefused, "secret access key is wrong"),
        (400, "ExpiredToken", StoreRefused, "log in again"),
        (403, "RequestTimeTooSkewed", StoreRefused, "clock is wrong"),
        (404, "NoSuchBucket", StoreRefused, "no bucket named bucket"),
        (400, "BadDigest", StoreUnavailable, "BadDigest"),
        (501, "NotImplemented", StoreRefused, "no conditional writes"),
        (503, "SlowDown", StoreUnavailable, "SlowDown"),
        (503, "", StoreUnavailable, "503"),
    ],
)
def test_each_refusal_is_the_error_that_it_is_of_the_clients(s3, calls, status, code, error, words):
    s3.fails(status, code)
    with pytest.raises(error, match=words) as caught:
        s3.store.create(RECORD, BODY)
    assert "secret words" not in str(caught.value)
    assert calls == []


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (NoCredentialsError(), StoreRefused),
        (ConnectionClosedError(endpoint_url="https://secret"), StoreUnavailable),
    ],
)
def test_a_put_without_an_answer_is_one_of_our_errors(s3, broken, error):
    s3.breaks(broken)
    with pytest.raises(error) as caught:
        s3.store.create(RECORD, BODY)
    assert "secret" not in str(caught.value)


def test_what_may_pass_and_what_conflicts_is_asked_again(client):
    script = Script(client)
    script.store = S3Store(client, "bucket", sleep=script.waits.append, patience=Patience())
    script.then()
    script.store.create("first.json", b"{}")
    script.fails(503, "SlowDown").fails(409, "ConditionalRequestConflict").then()
    script.store.create(RECORD, BODY)
    client.meta.events.unregister("before-send.s3", script)
    assert [len(script.waits), len(script.seen)] == [2, 4]
    assert script.store.requests == 4


def test_a_bucket_that_turns_out_to_lie_elsewhere_is_the_clients_matter(s3, calls):
    body = b"<Error><Code>PermanentRedirect</Code></Error>"
    s3.then(301, body, x_amz_bucket_region="eu-west-3")
    # The client asks at home once more, hears where the bucket lies, and asks there.
    s3.then(301, body, x_amz_bucket_region="eu-west-3").then()
    s3.store.create(RECORD, BODY)
    s3.then()
    s3.store.create(KEY, BODY)
    assert len(calls) == 1
    assert all("eu-west-3" in url for _, url, _, _ in s3.seen[-2:])
