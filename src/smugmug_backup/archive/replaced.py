"""Whether the source shows other bytes than those that are stored: for runs, and for the drill."""

from collections.abc import Mapping
from typing import Any

from smugmug_backup.archive import records
from smugmug_backup.archive.original import Original
from smugmug_backup.model import Kind, Offer

Record = Mapping[str, Any]


def is_replaced(before: Original, offer: Offer, old: Record | None, new: Record) -> bool:
    """Whether the source shows other bytes than those that ``before`` stands for.

    ``old`` and ``new`` are the image's records; without the old one, what no MD5 proves to be the
    same counts as replaced. A change of API alone never counts: what the two
    APIs say of a video's MD5 and size are facts of different files.
    """
    same_source = old is None or old["source"] == new["source"]
    rendition = Kind.RENDITION in (before.kind, offer.kind)
    if before.source_md5 is not None and offer.md5 is not None and (same_source or not rendition):
        if before.source_md5 != offer.md5:
            return True
        if not rendition:
            return False
    elif not rendition and before.md5 is not None and offer.md5 is not None:
        # The source had given no MD5 so far; now it can be compared with the bytes themselves.
        return before.md5 != offer.md5
    if old is None:
        return True
    then, now = records.traits(old), records.traits(new)
    if not same_source:
        return None not in (then.serial, now.serial) and then.serial != now.serial
    return then != now
