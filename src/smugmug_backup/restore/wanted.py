"""Which bytes of an image are restored, and what must be told of them."""

from dataclasses import dataclass

from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.original import Reason, StoredBytes

Note = tuple[str, str]
"""A stable word, and the message for people."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The bytes that stand for an image. ``beside``: older ones that are offered too.

    ``note``: what must be told; without ``content``, why there is nothing.
    """

    content: StoredBytes | None
    beside: StoredBytes | None = None
    note: Note | None = None


def wanted(entry: Entry) -> Wanted:
    """Which bytes of an image to restore.

    ==============================  ====================  ==============  ==========================
    the line says                   restored              beside it       told
    ==============================  ====================  ==============  ==========================
    stored                          its bytes
    stored, and their MD5 is wrong  its bytes             the older ones  ``md5_mismatch``
    not stored, older ones were     the older ones                        ``older``
    neither, or it was forgotten    nothing                               ``not_in_backup``
    ==============================  ====================  ==============  ==========================
    """
    original = entry.original
    if original.stored and original.reason == Reason.MD5_MISMATCH:
        return Wanted(original.content, original.previous, _MISMATCH)
    if original.stored:
        return Wanted(original.content)
    if original.previous is not None:
        found = original.reason == Reason.DAMAGED
        return Wanted(original.previous, note=_SOUND_AFTER_ALL if found else _OLDER)
    if original.reason == Reason.FORGOTTEN:
        return Wanted(None, note=_FORGOTTEN)
    why = _WHY.get(str(original.reason), "its bytes are not there")
    return Wanted(None, note=("not_in_backup", f"never came into the backup: {why}"))


_MISMATCH = (
    "md5_mismatch",
    "its bytes are not those that SmugMug says it has (their MD5 is another)",
)
_OLDER = ("older", "restored as it was before: SmugMug's newer version never came into the backup")
_SOUND_AFTER_ALL = (
    "older",
    "restored as it was stored; a check had found it damaged, and it has not come again",
)
_FORGOTTEN = ("not_in_backup", "forgotten by its owner: deleted from the backup for good")
_WHY = {
    "not_yet": "SmugMug had not been asked for it yet",
    "processing": "SmugMug is still making it",
    "download_failed": "it could not be downloaded so far",
    "md5_mismatch": "its bytes were wrong so far",
    "no_original_url": "SmugMug offers no original of it",
    "refused_by_source": "SmugMug refuses to deliver it",
    "bad_at_source": "what SmugMug delivers is no picture",
    "too_large": "it is larger than the backup's ceiling",
    "damaged": "it was found damaged, and has not come again",
}
