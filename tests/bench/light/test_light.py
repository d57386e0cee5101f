"""The light servers, in C and in Python, are the photo host and the S3 that they stand for."""

import hashlib
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
from botocore.exceptions import ClientError

from tests.bench import light
from tests.bench.services import BUCKET, ROOT, client_of
from tests.local_smugmug.generate import generate_account

KINDS = ["python", "C"] if light.compiler() else ["python"]
PICTURE = {"ContentType": "image/jpeg"}


@contextmanager
def served(kind, *arguments):
    command = [*light.command(python=kind == "python"), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="module", params=KINDS)
def endpoint(request):
    with served(request.param, "s3", "0") as url:
        yield url


@pytest.fixture
def s3(endpoint):
    return client_of(endpoint)


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(Bucket=BUCKET, **arguments)
    return caught.value.response["Error"]["Code"]


def test_what_is_stored_is_read_whole_and_in_parts(s3):
    body = bytes(range(256)) * 3
    s3.put_object(Bucket=BUCKET, Key="a/one & two", Body=body, ContentDisposition="inline")
    found = s3.get_object(Bucket=BUCKET, Key="a/one & two")
    assert found["Body"].read() == body
    assert found["ContentDisposition"] == "inline"
    part = s3.get_object(
        Bucket=BUCKET, Key="a/one & two", Range="bytes=700-900", IfMatch=found["ETag"]
    )
    assert part["Body"].read() == body[700:]
    assert part["ContentRange"] == "bytes 700-767/768"
    assert refused(s3.get_object, Key="a/one & two", Range="bytes=768-") == "InvalidRange"
    assert refused(s3.get_object, Key="a/one & two", IfMatch='"other"') == "PreconditionFailed"
    assert refused(s3.get_object, Key="a/three") == "NoSuchKey"


def test_a_key_that_is_taken_is_kept(s3):
    s3.put_object(Bucket=BUCKET, Key="taken", Body=b"first", IfNoneMatch="*")
    assert refused(s3.put_object, Key="taken", Body=b"second", IfNoneMatch="*") == (
        "PreconditionFailed"
    )
    assert s3.get_object(Bucket=BUCKET, Key="taken")["Body"].read() == b"first"
    s3.put_object(Bucket=BUCKET, Key="taken", Body=b"third")
    assert s3.get_object(Bucket=BUCKET, Key="taken")["Body"].read() == b"third"
    s3.delete_object(Bucket=BUCKET, Key="taken")
    assert refused(s3.head_object, Key="taken") == "404"


def test_a_checksum_is_told_to_who_asks_for_it(s3):
    sent = s3.put_object(Bucket=BUCKET, Key="sum", Body=b"x", ChecksumSHA256="abc=")
    assert sent["ChecksumSHA256"] == "abc="
    assert "ChecksumSHA256" not in s3.head_object(Bucket=BUCKET, Key="sum")
    found = s3.head_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")
    assert (found["ContentLength"], found["ChecksumSHA256"]) == (1, "abc=")


def test_a_large_picture_is_dropped_and_known_by_its_size(s3):
    s3.put_object(Bucket=BUCKET, Key="big.jpg", Body=bytes(3_000_000), **PICTURE)
    assert s3.head_object(Bucket=BUCKET, Key="big.jpg")["ContentLength"] == 3_000_000
    assert refused(s3.get_object, Key="big.jpg") == "NotKept"
    s3.put_object(Bucket=BUCKET, Key="big.txt", Body=bytes(300_000))
    assert len(s3.get_object(Bucket=BUCKET, Key="big.txt")["Body"].read()) == 300_000


def test_listings_come_in_order_and_by_pages(s3):
    for number in (3, 1, 2, 5, 4):
        s3.put_object(Bucket=BUCKET, Key=f"list/<{number}>", Body=b"x" * number)
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="list/", StartAfter="list/<1>", MaxKeys=2
    )
    found = [[(each["Key"], each["Size"]) for each in page["Contents"]] for page in pages]
    assert found == [[("list/<2>", 2), ("list/<3>", 3)], [("list/<4>", 4), ("list/<5>", 5)]]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="nothing/")
    assert refused(s3.list_objects_v2, Delimiter="/") == "NotImplemented"


def test_parts_become_one_object_or_nothing(s3):
    def begin(key):
        return s3.create_multipart_upload(
            Bucket=BUCKET, Key=key, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
        )

    def part(key, upload, number, size):
        s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=bytes(size))

    def complete(key, upload):
        return s3.complete_multipart_upload(
            Bucket=BUCKET,
            Key=key,
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "x"}]},
            IfNoneMatch="*",
            ChecksumCRC32="AAAAAA==",
            ChecksumType="FULL_OBJECT",
        )

    first = begin("parts")
    assert first["ChecksumType"] == "FULL_OBJECT"
    for number, size in ((1, 500_000), (2, 7), (2, 8)):
        part("parts", first["UploadId"], number, size)
    complete("parts", first["UploadId"])
    found = s3.head_object(Bucket=BUCKET, Key="parts", ChecksumMode="ENABLED")
    assert (found["ContentLength"], found["ChecksumCRC32"]) == (500_008, "AAAAAA==")
    second = begin("parts")["UploadId"]
    part("parts", second, 1, 5)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        complete("parts", second)
    s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=second)
    with pytest.raises(ClientError, match="NoSuchUpload"):
        part("parts", second, 1, 5)


def test_what_it_does_not_know_is_refused_and_everything_is_counted(endpoint, s3):
    opener = build_opener(ProxyHandler({}))
    s3.put_object(Bucket=BUCKET, Key="counted", Body=b"")
    assert refused(s3.get_bucket_versioning) == "NotImplemented"
    assert b'"PutObject"' in opener.open(f"{endpoint}/_counts").read()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [3, 4_000, 65_536, 200_000])
def test_photos_are_those_of_the_local_smugmug(kind, size, tmp_path):
    account = generate_account(albums=1, images=2, size=size)
    (album,) = account.albums.values()
    images = {each.key: each.body for each in album.lazy.all()}
    pack = light.write_pack(Path(tmp_path), images.items())
    opener = build_opener(ProxyHandler({}))
    with served(kind, "photos", "0", *pack) as url:
        for key, body in images.items():
            found = opener.open(f"{url}/photos/i-{key}/0/token/O/name-O.jpg").read()
            assert hashlib.md5(found).hexdigest() == body.md5
