"""Albums that SmugMug shows no more: missing first, gone after a second look.

======================  ==============================  ==========================================
the album is            and the account's listing       what becomes of it
======================  ==============================  ==========================================
live                    shows it                        nothing, here
live                    lacks it                        missing since now
missing                 shows it                        live again, listed in full; even if that
                                                        fails: the next absence is a new one
missing                 lacks it, 20 hours or more      a last generation (buried); without any
                        later                           generation, its entry is dropped
missing                 lacks it, sooner                nothing yet
missing since a time    lacks it                        missing since now
that is still to come
gone                    lacks it, and a check found     mended without a listing
                        something damaged, or its
                        newest manifest is
gone                    otherwise                       nothing, here
======================  ==============================  ==========================================

Without a date that is believed no album becomes missing or gone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from smugmug_backup.archive.report import AlbumState, NextFull
from smugmug_backup.backup.belief import SECOND_LOOK


@dataclass(slots=True)
class Departures:
    """What an account's listing makes of the albums known so far.

    ``states``: the entries that change; None: it is dropped. ``first_missing``: those missing for
    the first time. ``to_bury`` and ``to_mend``: albums for which there is work to do.
    """

    states: dict[str, AlbumState | None] = field(default_factory=dict)
    first_missing: list[str] = field(default_factory=list)
    to_bury: list[str] = field(default_factory=list)
    to_mend: list[str] = field(default_factory=list)


def departures(
    known: Mapping[str, AlbumState],
    shown: Collection[str],
    *,
    damaged: Collection[str],
    now: datetime | None,
) -> Departures:
    """Compare the albums ``known`` with those ``shown``; ``damaged``: where there is something to
    mend. ``now``: SmugMug's date, None if it is not known."""
    found = Departures()
    for key, state in known.items():
        if state.gone:
            if key not in shown and key in damaged:
                found.to_mend.append(key)
        elif key in shown:
            if not state.live:
                back = replace(state, missing_since=None, next_full=NextFull.ALBUM_BACK)
                found.states[key] = back
        elif now is None:
            continue
        elif state.missing_since is None or state.missing_since > now:
            if state.missing_since is None:
                found.first_missing.append(key)
            away = replace(state, missing_since=now, next_full=NextFull.ALBUM_MISSING)
            found.states[key] = away
        elif now - state.missing_since >= SECOND_LOOK:
            if state.generation:
                found.to_bury.append(key)
            else:
                found.states[key] = None
    return found
