"""Every error of the backup, and the questions each one answers.

An adapter decides once, at its edge and by status or code, which of these an answer is. All that
is above reads `answer`, `remedy` and `fatal`, never the words of a message. `code` is the stable
word that stands in a run report; a message never holds a secret, a URL or a query.
"""

from enum import Enum


class Answer(Enum):
    """What asking the same thing again would bring."""

    AGAIN = "again"
    NEVER = "never"
    EMPTY = "empty"


class Remedy(Enum):
    """Who can mend it: time alone, the owner of the account, or the source."""

    TIME = "time"
    OWNER = "owner"
    SOURCE = "source"


class Concerns(Enum):
    """Whom an error of the store is about, as far as one answer tells.

    A refusal of one OBJECT may be the first of all: whether it is, a probe of the store says.
    """

    OBJECT = "object"
    BUCKET = "bucket"
    CREDENTIALS = "credentials"
    REGION = "region"
    MOMENT = "moment"


class BackupError(Exception):
    """Base of all errors that this program raises on purpose.

    ``fatal``: it concerns the whole run, not one album or image.
    """

    code = "error"
    answer = Answer.NEVER
    remedy = Remedy.TIME
    fatal = False


class BadRequest(BackupError):
    """An event, a setting or an argument that cannot be used; nothing was done."""

    code = "bad_request"
    remedy = Remedy.OWNER


class OutOfTime(BackupError):
    """The invocation's time ended before this could be done; it is work left over, no failure."""

    code = "out_of_time"
    answer = Answer.AGAIN


class SourceError(BackupError):
    """The source did not deliver; ``api_code`` is SmugMug's own number, if it gave one."""

    def __init__(self, message: str, *, api_code: int | None = None) -> None:
        super().__init__(message)
        self.api_code = api_code


class SourceUnavailable(SourceError):
    """5xx, 429, codes 5, 98, 99, a time-out or a broken connection, after all retries."""

    code = "source_unavailable"
    answer = Answer.AGAIN


class MalformedAnswer(SourceError):
    """Not JSON, truncated, HTML, a wrong envelope, duplicate ids, a missing or malformed key."""

    code = "malformed_answer"
    answer = Answer.AGAIN


class RequestRejected(SourceError):
    """The source rejects what we asked (16, 22, an unknown code): a defect, not the weather."""

    code = "request_rejected"


class EmptySet(SourceError):
    """Code 15: no images found. A believable empty list."""

    code = "empty_set"
    answer = Answer.EMPTY


class AccessRefused(SourceError):
    """No right to this album (codes 4, 34; v2: 401, 403): wrong password, private, or not ours."""

    code = "access_refused"
    remedy = Remedy.OWNER


class AlbumNotFound(SourceError):
    """The source does not know this album any more (code 9; v2: 404)."""

    code = "album_not_found"
    remedy = Remedy.TIME
    answer = Answer.AGAIN


class LoginLost(SourceError):
    """The API key, token or signature is not accepted (3, 18, 30-37; v2: 401)."""

    code = "login_lost"
    remedy = Remedy.OWNER
    fatal = True


class SourceRetired(SourceError):
    """This API seems to be switched off (11, 17, 38, 404, 410 or HTML, after the retries)."""

    code = "source_retired"
    remedy = Remedy.OWNER
    fatal = True


class PhotoError(SourceError):
    """The bytes of one image could not be had."""

    code = "download_failed"
    answer = Answer.AGAIN


class PhotoRefused(PhotoError):
    """The photo host answered 403, 404 or 410."""

    code = "refused_by_source"
    remedy = Remedy.SOURCE


class PhotoUnsafe(PhotoError):
    """A URL or redirect that leads off SmugMug's hosts, off https, or to a private address."""

    code = "unsafe_url"


class PhotoTooLarge(PhotoError):
    """More bytes than the ceiling allows."""

    code = "too_large"
    answer = Answer.NEVER
    remedy = Remedy.OWNER


class BadBytes(PhotoError):
    """The bytes that came are not the image: wrong length, wrong MD5, or no picture at all."""

    code = "bad_bytes"


class StoreError(BackupError):
    """The store did not do what was asked; ``concerns`` says whom the answer is about."""

    code = "store_unavailable"
    answer = Answer.AGAIN
    concerns = Concerns.OBJECT

    def __init__(self, message: str, *, concerns: Concerns | None = None) -> None:
        super().__init__(message)
        self.concerns = concerns or type(self).concerns


class StoreUnavailable(StoreError):
    """5xx, time-outs, a full disk: the same request may succeed later."""

    concerns = Concerns.MOMENT


class StoreRefused(StoreError):
    """Permission denied, no such bucket, an unusable file system; the message says which."""

    code = "store_refused"
    concerns = Concerns.BUCKET
    answer = Answer.NEVER
    remedy = Remedy.OWNER
    fatal = True


class NotStored(StoreError):
    """Nothing lies under this key."""

    code = "not_stored"
    answer = Answer.NEVER


class Archived(StoreError):
    """The object lies in an archive class and must be thawed before it can be read."""

    code = "archived"
    answer = Answer.NEVER
    remedy = Remedy.OWNER


class AlreadyStored(StoreError):
    """Something else lies under this key; it was left as it is."""

    code = "already_stored"
    answer = Answer.NEVER


class CommitConflict(StoreError):
    """Another run committed this generation; tried again from the newest one, in vain."""

    code = "commit_conflict"
    answer = Answer.AGAIN


class ListingNotBelieved(SourceError):
    """A full listing whose length is neither its own ImageCount nor that of the album."""

    code = "listing_not_believed"
    answer = Answer.AGAIN


class FormatTooNew(BackupError):
    """A file of a newer format than this program knows; nothing was written."""

    code = "format_too_new"
    remedy = Remedy.OWNER
    fatal = True


class NotABackup(BackupError):
    """A file of the store is not what its key says it is."""

    code = "store_damaged"
    remedy = Remedy.OWNER


class RunRefused(BackupError):
    """The source or the store cannot be believed; nothing but the refused report was written."""

    code = "refused"
    remedy = Remedy.OWNER
    fatal = True


class RunIncomplete(BackupError):
    """Something is missing that a retry may bring; the report names it."""

    code = "incomplete"
    answer = Answer.AGAIN


def remedy_of(code: str) -> Remedy:
    """Who can mend the failure that a report calls ``code``; time, if the code is unknown."""
    pending = [BackupError]
    while pending:
        kind = pending.pop()
        if kind.code == code:
            return kind.remedy
        pending += kind.__subclasses__()
    return Remedy.TIME
