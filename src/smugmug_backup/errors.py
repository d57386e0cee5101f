"""Every error of the backup, and the questions each one answers.

An adapter decides once, at its edge and by status or code, which of these an answer is. All that
is above reads `answer`, `remedy` and `fatal`, never the words of a message. `code` is the stable
word that stands in a run report; a message never holds a secret, a URL or a query.
"""

from enum import Enum, StrEnum


class Code(StrEnum):
    """The stable word of a failure, as it stands in a run report and in log lines."""

    ACCESS_REFUSED = "access_refused"
    ALBUM_NOT_FOUND = "album_not_found"
    ALREADY_STORED = "already_stored"
    ARCHIVED = "archived"
    BAD_AT_SOURCE = "bad_at_source"
    BAD_REQUEST = "bad_request"
    CLOCK_DOUBTED = "clock_doubted"
    COMMIT_CONFLICT = "commit_conflict"
    DEFECT = "defect"
    DOWNLOAD_FAILED = "download_failed"
    EARLIER_FORM = "earlier_form"
    EMPTY_SET = "empty_set"
    ERROR = "error"
    FORMAT_TOO_NEW = "format_too_new"
    INCOMPLETE = "incomplete"
    INTERRUPTED = "interrupted"
    LESSER_VIEW = "lesser_view"
    LISTING_NOT_BELIEVED = "listing_not_believed"
    LOGIN_LOST = "login_lost"
    MALFORMED_ANSWER = "malformed_answer"
    MD5_MISMATCH = "md5_mismatch"
    NO_ALBUMS = "no_albums"
    NO_DATE = "no_date"
    NOT_DONE = "not_done"
    NOT_STORED = "not_stored"
    OTHER_ACCOUNT = "other_account"
    OUT_OF_TIME = "out_of_time"
    OVERFLOW_NOT_STARTED = "overflow_not_started"
    PROCESSING = "processing"
    REFUSED = "refused"
    REFUSED_BY_SOURCE = "refused_by_source"
    REQUEST_REJECTED = "request_rejected"
    SOURCE_RETIRED = "source_retired"
    SOURCE_UNAVAILABLE = "source_unavailable"
    STORE_DAMAGED = "store_damaged"
    STORE_FULL = "store_full"
    STORE_REFUSED = "store_refused"
    STORE_UNAVAILABLE = "store_unavailable"
    TOO_LARGE = "too_large"
    UNSAFE_URL = "unsafe_url"


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

    code: str = Code.ERROR
    answer = Answer.NEVER
    remedy = Remedy.TIME
    fatal = False


class BadRequest(BackupError):
    """An event, a setting or an argument that cannot be used; nothing was done."""

    code = Code.BAD_REQUEST
    remedy = Remedy.OWNER


class LesserToken(BadRequest):
    """The access token is the account's own and sees no more of it than any visitor."""

    code = Code.ACCESS_REFUSED


class OutOfTime(BackupError):
    """The invocation's time ended before this could be done; it is work left over, no failure."""

    code = Code.OUT_OF_TIME
    answer = Answer.AGAIN


class SourceError(BackupError):
    """The source did not deliver; ``api_code`` is SmugMug's own number, if it gave one."""

    def __init__(self, message: str, *, api_code: int | None = None) -> None:
        super().__init__(message)
        self.api_code = api_code


class SourceUnavailable(SourceError):
    """5xx, 429, codes 5, 98, 99, a time-out or a broken connection, after all retries."""

    code = Code.SOURCE_UNAVAILABLE
    answer = Answer.AGAIN


class ConnectionLost(SourceUnavailable):
    """The connection itself was gone, and was waited for in vain; it ends the run."""

    fatal = True


class MalformedAnswer(SourceError):
    """Not JSON, truncated, HTML, a wrong envelope, duplicate ids, a missing or malformed key."""

    code = Code.MALFORMED_ANSWER
    answer = Answer.AGAIN


class RequestRejected(SourceError):
    """The source rejects what we asked (16, 22, an unknown code): a defect, not the weather."""

    code = Code.REQUEST_REJECTED


class EmptySet(SourceError):
    """Code 15: no images found. A believable empty list."""

    code = Code.EMPTY_SET
    answer = Answer.EMPTY


class AccessRefused(SourceError):
    """No right to this album (codes 4, 34; 401, 403): wrong password, private, or not ours."""

    code = Code.ACCESS_REFUSED
    remedy = Remedy.OWNER


class AlbumNotFound(SourceError):
    """The source does not know this album any more (code 9; v2: 404)."""

    code = Code.ALBUM_NOT_FOUND
    remedy = Remedy.TIME
    answer = Answer.AGAIN


class LoginLost(SourceError):
    """The API key, token or signature is not accepted (3, 18, 30-37; a 401 that says so).

    Of one album it may be that album's alone: `PhotoSource.account` tells.
    """

    code = Code.LOGIN_LOST
    remedy = Remedy.OWNER
    fatal = True


class SourceRetired(SourceError):
    """This API seems to be switched off (11, 17, 38, 404, 410 or HTML, after the retries)."""

    code = Code.SOURCE_RETIRED
    remedy = Remedy.OWNER
    fatal = True


class PhotoError(SourceError):
    """The bytes of one image could not be had."""

    code = Code.DOWNLOAD_FAILED
    answer = Answer.AGAIN


class PhotoRefused(PhotoError):
    """The photo host answered 403, 404 or 410."""

    code = Code.REFUSED_BY_SOURCE
    remedy = Remedy.SOURCE


class PhotoUnsafe(PhotoError):
    """A URL or redirect that leads off SmugMug's hosts, off https, or to a private address."""

    code = Code.UNSAFE_URL


class PhotoTooLarge(PhotoError):
    """More bytes than the ceiling allows."""

    code = Code.TOO_LARGE
    answer = Answer.NEVER
    remedy = Remedy.OWNER


class BadBytes(PhotoError):
    """All bytes came and are not the image: no picture, none at all, or a picture for a video."""

    code = Code.BAD_AT_SOURCE
    remedy = Remedy.SOURCE


class StoreError(BackupError):
    """The store did not do what was asked; ``concerns`` says whom the answer is about."""

    code = Code.STORE_UNAVAILABLE
    answer = Answer.AGAIN
    concerns = Concerns.OBJECT

    def __init__(self, message: str, *, concerns: Concerns | None = None) -> None:
        super().__init__(message)
        self.concerns = concerns or type(self).concerns


class StoreUnavailable(StoreError):
    """5xx, time-outs, a broken connection: the same request may succeed later."""

    concerns = Concerns.MOMENT


class StoreFull(StoreError):
    """No room is left, or the quota is used up: all that is written fails until room is made."""

    code = Code.STORE_FULL
    concerns = Concerns.BUCKET
    remedy = Remedy.OWNER


class StoreRefused(StoreError):
    """Permission denied, no such bucket, an unusable file system; the message says which."""

    code = Code.STORE_REFUSED
    concerns = Concerns.BUCKET
    answer = Answer.NEVER
    remedy = Remedy.OWNER
    fatal = True


class ListingIncomplete(StoreRefused):
    """A listing gave all that it could, and could not look into what begins with ``keys``.

    What lies there is not known, so nothing there may be taken as absent. ``keys`` are files, and
    folders (they end with a slash), in order.
    """

    def __init__(self, message: str, *, keys: tuple[str, ...]) -> None:
        super().__init__(message, concerns=Concerns.OBJECT)
        self.keys = keys


class NotStored(StoreError):
    """Nothing lies under this key."""

    code = Code.NOT_STORED
    answer = Answer.NEVER


class Archived(StoreError):
    """The object lies in an archive class and must be thawed before it can be read."""

    code = Code.ARCHIVED
    answer = Answer.NEVER
    remedy = Remedy.OWNER


class AlreadyStored(StoreError):
    """Something else lies under this key; it was left as it is."""

    code = Code.ALREADY_STORED
    answer = Answer.NEVER


class CommitConflict(StoreError):
    """Another run committed this generation; tried again from the newest one, in vain."""

    code = Code.COMMIT_CONFLICT
    answer = Answer.AGAIN


class ListingNotBelieved(SourceError):
    """A full listing whose length is neither its own ImageCount nor that of the album."""

    code = Code.LISTING_NOT_BELIEVED
    answer = Answer.AGAIN


class FormatTooNew(BackupError):
    """A file of a newer format than this program knows; nothing was written."""

    code = Code.FORMAT_TOO_NEW
    remedy = Remedy.OWNER
    fatal = True


class EarlierForm(BackupError):
    """The store is of a form that was never released; nothing was written."""

    code = Code.EARLIER_FORM
    remedy = Remedy.OWNER
    fatal = True


class NotABackup(BackupError):
    """A file of the store is not what its key says it is."""

    code = Code.STORE_DAMAGED
    remedy = Remedy.OWNER


class RunRefused(BackupError):
    """The source or the store cannot be believed; nothing but the refused report was written."""

    code = Code.REFUSED
    remedy = Remedy.OWNER
    fatal = True


class OtherAccount(RunRefused):
    """The store is the backup of another account; of the same one, if SmugMug renamed it."""

    code = Code.OTHER_ACCOUNT


class LesserView(RunRefused):
    """The store holds what the owner sees, and this login sees less."""

    code = Code.LESSER_VIEW


class NoAlbums(RunRefused):
    """SmugMug shows no album at all, which is never believed."""

    code = Code.NO_ALBUMS


class StillInProgress(BackupError):
    """An earlier attempt of this very delivery broke off, or is still at work; nothing was done."""

    code = Code.INTERRUPTED
    answer = Answer.AGAIN


class RunIncomplete(BackupError):
    """Something is missing that a retry may bring; the report names it."""

    code = Code.INCOMPLETE
    answer = Answer.AGAIN


_REMEDIES = {
    Code.PROCESSING: Remedy.SOURCE,
    Code.MD5_MISMATCH: Remedy.SOURCE,
    Code.CLOCK_DOUBTED: Remedy.OWNER,
}
"""Of failures that no error of these stands for."""


def remedy_of(code: str) -> Remedy:
    """Who can mend the failure that a report calls ``code``; time, if the code is unknown."""
    if code in _REMEDIES:
        return _REMEDIES[Code(code)]
    pending = [BackupError]
    while pending:
        kind = pending.pop()
        if kind.code == code:
            return kind.remedy
        pending += kind.__subclasses__()
    return Remedy.TIME
