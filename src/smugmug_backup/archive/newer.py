"""A manifest that says a greater version: of a newer program, or damaged in that digit?

Where a report or the next generation states its SHA-256, that tells. Of the newest generation, as
long as no report names it, nothing does but ``README.txt``: whoever writes a store puts the one of
its form there before anything else, and each says of which version it is.

====================================  ==========================================================
what README.txt and its numbered      the manifest
names say
====================================  ==========================================================
one: a greater version                is a newer program's: refused, and its album left as it is
each: no greater version              is damaged in that digit: the generation before it counts
there is none, one does not say it,   cannot be told apart: refused, with a word of what its owner
or cannot be read tonight             can do, if no newer program was ever there
====================================  ==========================================================
"""

import re

from smugmug_backup.archive import keys, reading
from smugmug_backup.archive.manifest import VERSION
from smugmug_backup.errors import BackupError, FormatTooNew, NotABackup, StoreError
from smugmug_backup.ports import BackupStore

_SAYS = r"^ *version +of this description, ([0-9]{1,9})\r?$"


def judged(store: BackupStore, key: str, refused: FormatTooNew) -> BackupError:
    """What the manifest ``key`` is that ``refused`` says is too new; see above."""
    said = _versions(store)
    if said and None not in said:
        if max(filter(None, said)) > VERSION:
            return refused
        return NotABackup(
            f"{key} says a greater version than README.txt, which knows of {VERSION} only: "
            "that digit is damaged"
        )
    return FormatTooNew(
        f"{refused}; or, if none was ever used here, that digit is damaged, which no README.txt "
        "tells: then put this file aside, and the next run goes on from the generation before it"
    )


def _versions(store: BackupStore) -> list[int | None]:
    """The version that each README there says it is of; None of one that does not say it."""
    found: list[int | None] = []
    try:
        for name in reading.names(store, keys.README):
            match = re.search(_SAYS, store.read(name).decode("utf-8", "replace"), re.MULTILINE)
            found.append(int(match[1]) if match else None)
    except StoreError:
        found.append(None)
    return found
