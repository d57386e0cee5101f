"""Images and albums that are not simply there, in words for a person."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smugmug_backup.archive.manifest import RECORD_LOST, Entry, Manifest
from smugmug_backup.archive.original import Status, When
from smugmug_backup.archive.report import AlbumState, NextFull
from smugmug_backup.archive.titles import album_name, shown
from smugmug_backup.cli.output import day
from smugmug_backup.model import Kind


@dataclass(frozen=True, slots=True)
class ImageTrouble:
    """An image that is not simply there: ``why`` is the reason of its line."""

    album_key: str
    album: str
    image_key: str
    file_name: str
    why: str
    since: str | None


@dataclass(frozen=True, slots=True)
class Troubles:
    """One album's: what left it, what waits, what is not to be had, what nothing vouches for."""

    gone: tuple[ImageTrouble, ...] = ()
    pending: tuple[ImageTrouble, ...] = ()
    unavailable: tuple[ImageTrouble, ...] = ()
    unverified: tuple[ImageTrouble, ...] = ()


def troubles_of(manifest: Manifest, now: datetime) -> Troubles:
    """What is in trouble in one album, as of ``now``; an album that has left waits for nothing."""
    header, live = manifest.header, manifest.live
    name = album_name(header)

    def told(
        holds: Callable[[Entry], bool], why: Callable[[Entry], str]
    ) -> tuple[ImageTrouble, ...]:
        return tuple(
            ImageTrouble(
                header.album_key,
                name,
                entry.image_key,
                shown(entry.file_name) or "-",
                why(entry),
                day(entry.original.pending_since),
            )
            for entry in live
            if holds(entry)
        )

    return Troubles(
        gone=tuple(
            ImageTrouble(
                header.album_key,
                name,
                entry.image_key,
                shown(entry.file_name) or "-",
                "has left" if entry.deleted_at else "missing, a second look will tell",
                day(entry.deleted_at or entry.missing_since),
            )
            for entry in manifest.entries.values()
            if not entry.live
        ),
        pending=told(lambda entry: entry.original.waits(When(now)), _reason),
        unavailable=(
            *told(lambda entry: entry.original.status == Status.UNAVAILABLE, _reason),
            *told(lambda entry: entry.record_lost, lambda entry: RECORD_LOST),
        ),
        unverified=told(
            lambda entry: entry.unverified and not entry.original.waits(When(now)), why_unverified
        ),
    )


def _reason(entry: Entry) -> str:
    return entry.original.reason or "?"


def why_unverified(entry: Entry) -> str:
    """Why stored bytes could not be compared with a checksum of SmugMug's."""
    original = entry.original
    if original.reason is not None:
        return original.reason
    if original.kind == Kind.RENDITION:
        return "rendition of a video"
    return "SmugMug states no MD5" if original.source_md5 is None else "its MD5 is another"


def album_state(state: AlbumState, *, ignored: bool = False, damage: str | None = None) -> str:
    """In a few words, what a person should know of an album."""
    words = []
    if damage is not None:
        words.append("damaged")
    if state.gone:
        words.append(f"gone {day(state.deleted_at)}")
        return ", ".join(words)
    if not state.live:
        words.append(f"missing {day(state.missing_since)}")
        return ", ".join(words)
    if not state.generation:
        words.append("nothing yet")
    if ignored:
        words.append("ignored")
    if not_believed(state):
        words.append("not believed")
    for number, word in (
        (state.pending, "pending"),
        (state.unavailable, "unavailable"),
        (state.unverified, "unverified"),
    ):
        if number:
            words.append(f"{number} {word}")
    return ", ".join(words) or "ok"


def not_believed(state: AlbumState) -> bool:
    """Its last full listing was not believed, so another one follows."""
    return state.doubt is not None or state.next_full == NextFull.NOT_BELIEVED
