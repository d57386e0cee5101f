"""`repair`: what a check found damaged is brought from another copy of the store.

What is sought is what this store states: the SHA-256 of each file that it names. The other store
only has to have these bytes, under whatever name the readers' rule finds them; so nothing that it
says is believed, and nothing of another account can come in.

========================================  ==================================================
a file that an open finding names, or     then
that a newest line calls lost
========================================  ==================================================
lies here sound, under some name          nothing: repairing twice is nothing new
lies there                                it is brought, under its name where that is free,
                                          else under the next number
lies nowhere, or nothing states what it   it is named
was
is told to be forgotten                   nothing: it stays so
========================================  ==================================================

Manifests and reports come first: what they state is looked for, too. No line of a manifest is
changed here. The next check finds what was brought, and the next run says of it ``stored`` again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.check_report import joined
from smugmug_backup.archive.stated import Inventory, Stated, take_stock
from smugmug_backup.archive.transfer import bring, lies_sound
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError, NotABackup, StoreFull
from smugmug_backup.ports import Way


@dataclass(slots=True)
class Repaired:
    """What was done. ``brought``: the names where the bytes lie now, by the keys that were damaged;
    ``sound``: keys that were sound already; ``left``: what could not be brought, and why;
    ``by_way``: how many came by the `Way`, and ``way_closed`` why no more did."""

    brought: dict[str, str] = field(default_factory=dict)
    sound: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    checked: bool = True
    by_way: int = 0
    way_closed: str | None = None
    stopped: bool = False

    @property
    def whole(self) -> bool:
        """Nothing is damaged any more."""
        return not self.left and not self.stopped


def repair(
    archive: Archive,
    other: Archive,
    *,
    now: datetime,
    deadline: Deadline,
    map_: Map,
    way: Way | None = None,
) -> Repaired:
    """Bring into ``archive`` what is damaged there, and sound in ``other``; by ``way`` what comes
    by it.

    Raises FormatTooNew, and StoreError if a store cannot be listed or takes nothing.
    """
    done = Repaired()
    heads = archive.check_heads(now=now)
    done.checked = bool(heads)
    asked = {each.key for each in joined(heads).findings if each.open} if heads else set()
    tried: set[tuple[str, str]] = set()
    while True:
        stock = take_stock(archive.store, map_)
        wanted = [
            each
            for each in _wanted(stock, asked | set(stock.damaged) | stock.awaited)
            if (each.key, each.sha256) not in tried
        ]
        tried.update((each.key, each.sha256) for each in wanted)
        history = [each for each in wanted if each.key.startswith((keys.RUNS, keys.MANIFESTS))]
        # What a manifest says that came back is asked for by the next look.
        for _ in map_(
            lambda each: _one(archive, other, each, done, deadline, way), history or wanted
        ):
            pass
        if history:
            tried.difference_update(
                (each.key, each.sha256) for each in wanted if each not in history
            )
        elif not wanted or deadline.passed:
            break
    found = {*done.brought, *done.sound, *done.left}
    for key in sorted(asked | set(stock.damaged)):
        if key not in found and not _is_past(stock, key):
            done.left[key] = stock.damaged.get(key, "nothing says what it was")
    if way is not None:
        done.by_way, done.way_closed = way.copied, way.closed
    done.stopped = deadline.passed
    return done


def _is_past(stock: Inventory, key: str) -> bool:
    """Whether a finding is of what is forgotten, or of what nothing names (any more)."""
    return key in stock.gone or not keys.is_known(key)


def _wanted(stock: Inventory, asked: Iterable[str]) -> list[Stated]:
    """What the store states of these keys; those behind a numbered name, too."""
    plain = {keys.plain(each)[0] for each in asked}
    named = [
        *(Stated(key, sha256) for key, sha256 in stock.stated_files()),
        *stock.readmes,
        *stock.records.values(),
        *stock.originals.values(),
    ]
    return [each for each in named if keys.plain(each.key)[0] in plain]


def _one(
    archive: Archive,
    other: Archive,
    stated: Stated,
    done: Repaired,
    deadline: Deadline,
    way: Way | None,
) -> None:
    if deadline.passed:
        return
    try:
        if lies_sound(archive.store, stated):
            done.sound.append(stated.key)
            return
        done.brought[stated.key] = bring(
            other.store, archive.store, stated, lambda _: None, way=way, taken=True
        )
        done.left.pop(stated.key, None)
    except StoreFull:
        raise
    except NotABackup as error:
        done.left[stated.key] = f"the other store has it no more: {error}"
    except BackupError as error:
        done.left[stated.key] = str(error)
