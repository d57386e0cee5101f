"""The table of what S3 says: a test for each kind of row, and for what the table cannot hold."""

import string

import pytest

from smugmug_backup.errors import (
    AlreadyStored,
    Archived,
    Concerns,
    NotStored,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage import s3_errors
from smugmug_backup.storage.s3_errors import Unknown, UploadGone, meaning

OBJECT, BUCKET, CREDENTIALS = Concerns.OBJECT, Concerns.BUCKET, Concerns.CREDENTIALS
REGION, MOMENT = Concerns.REGION, Concerns.MOMENT


@pytest.mark.parametrize(
    ("status", "code", "operation", "error", "concerns", "again"),
    [
        (404, "NoSuchKey", "GetObject", NotStored, OBJECT, False),
        (404, "404", "HeadObject", NotStored, OBJECT, False),
        (404, "NoSuchBucket", "GetObject", StoreRefused, BUCKET, False),
        (404, "NoSuchBucket", "ListObjectsV2", StoreRefused, BUCKET, False),
        (404, "NotFound", "ListObjectsV2", StoreRefused, BUCKET, False),
        (404, "NoSuchUpload", "CompleteMultipartUpload", UploadGone, OBJECT, False),
        (400, "InvalidPart", "CompleteMultipartUpload", UploadGone, OBJECT, False),
        (412, "PreconditionFailed", "PutObject", AlreadyStored, OBJECT, False),
        (403, "InvalidObjectState", "GetObject", Archived, OBJECT, False),
        (403, "AccessDenied", "GetObject", StoreRefused, OBJECT, False),
        (403, "AccessDenied", "PutObject", StoreRefused, OBJECT, False),
        (403, "403", "HeadObject", StoreRefused, OBJECT, False),
        (403, "AccessDenied", "ListObjectsV2", StoreRefused, BUCKET, False),
        (403, "AllAccessDisabled", "GetObject", StoreRefused, BUCKET, False),
        (400, "KMS.DisabledException", "GetObject", StoreRefused, BUCKET, False),
        (400, "KMS.ThrottlingException", "GetObject", StoreUnavailable, MOMENT, True),
        (400, "ExpiredToken", "PutObject", StoreRefused, CREDENTIALS, False),
        (403, "InvalidAccessKeyId", "ListObjectsV2", StoreRefused, CREDENTIALS, False),
        (403, "RequestTimeTooSkewed", "GetObject", StoreRefused, CREDENTIALS, False),
        (301, "PermanentRedirect", "GetObject", StoreRefused, REGION, False),
        (400, "AuthorizationHeaderMalformed", "PutObject", StoreRefused, REGION, False),
        (301, "301", "HeadObject", StoreRefused, REGION, False),
        (503, "SlowDown", "PutObject", StoreUnavailable, MOMENT, True),
        (500, "InternalError", "CompleteMultipartUpload", StoreUnavailable, MOMENT, True),
        (520, "", "GetObject", StoreUnavailable, MOMENT, True),
        (400, "BadDigest", "PutObject", StoreUnavailable, MOMENT, True),
        (409, "ConditionalRequestConflict", "PutObject", StoreUnavailable, MOMENT, True),
        (409, "ConditionalRequestConflict", "CompleteMultipartUpload", UploadGone, OBJECT, False),
        (409, "OperationAborted", "CompleteMultipartUpload", UploadGone, OBJECT, False),
        (501, "NotImplemented", "PutObject", StoreRefused, BUCKET, False),
        (501, "", "CompleteMultipartUpload", StoreRefused, BUCKET, False),
        (501, "NotImplemented", "GetObject", StoreRefused, BUCKET, False),
        (416, "InvalidRange", "GetObject", NotStored, OBJECT, False),
        (400, "SomethingNew", "PutObject", Unknown, OBJECT, False),
        (405, "MethodNotAllowed", "PutObject", Unknown, OBJECT, False),
    ],
)
def test_an_answer_means_one_thing(status, code, operation, error, concerns, again):
    row = meaning(status, code, operation)
    assert (row.error, row.concerns, row.again) == (error, concerns, again)


def test_only_what_may_pass_is_asked_again():
    for row in [*s3_errors._BY_CODE.values(), *s3_errors._BY_STATUS.values()]:
        assert not row.again or (row.error is StoreUnavailable and row.concerns is MOMENT)


def test_every_row_can_be_told():
    for row in [*s3_errors._BY_CODE.values(), *s3_errors._BY_STATUS.values()]:
        fields = {field for _, field, _, _ in string.Formatter().parse(row.words) if field}
        assert fields <= {"name", "bucket", "denied"}


def test_501_says_what_is_missing_only_where_a_condition_was_sent():
    assert "conditional writes" in meaning(501, "NotImplemented", "PutObject").words
    assert "conditional" not in meaning(501, "NotImplemented", "ListObjectsV2").words


def test_an_error_of_the_store_says_whom_it_concerns():
    assert StoreRefused("no").concerns is BUCKET
    assert StoreUnavailable("no").concerns is MOMENT
    assert StoreRefused("no", concerns=REGION).concerns is REGION
    assert StoreRefused("no", concerns=OBJECT).fatal
