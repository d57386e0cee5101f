"""What a run saw change at SmugMug that its owner would want to know, album by album.

Reports carry it (``changes``); the page, the weekly mail and the alarm read it from there. It is
what a person would ask about after a stolen login, or a slip of their own, so it tells no more than
that: what else changed stands in the manifests, and `diff` shows it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self

from smugmug_backup.archive import keys
from smugmug_backup.archive.texts import keywords_of, text_of

NAMED = 1_000
"""So many images a report names; it counts the rest."""
NEW_NAMED = 50
"""So many images that came, or merely changed, are named of one album in one run."""


class What(StrEnum):
    """What became of an image, or (the second half) of a whole album with so many images."""

    NEW = "new"
    CHANGED = "changed"
    REPLACED = "replaced"
    CAPTION_LOST = "caption_lost"
    KEYWORDS_LOST = "keywords_lost"
    BACK = "back"
    MISSING = "missing"
    MOVED = "moved"
    LEFT = "left"
    ALBUM_NEW = "album_new"
    ALBUM_BACK = "album_back"
    ALBUM_MISSING = "album_missing"
    ALBUM_LEFT = "album_left"
    MADE_PUBLIC = "made_public"
    MADE_PRIVATE = "made_private"


GUARDED = (
    What.MISSING,
    What.ALBUM_MISSING,
    What.REPLACED,
    What.CAPTION_LOST,
    What.KEYWORDS_LOST,
    What.MADE_PUBLIC,
    What.MADE_PRIVATE,
)
"""What the change guard counts, each when it is first seen: that an absence was confirmed the night
after (``left``) is no second one, and what moved to another album has not left."""


def what_changed(
    before: Mapping[str, Any] | None, now: Mapping[str, Any], *, replaced: bool
) -> tuple[What, ...]:
    """What the change of an image's record means to its owner, the gravest first.

    ==========================================  ======================================
    the records of one and the same API         what is told
    ==========================================  ======================================
    other bytes are offered                     replaced
    had a title or caption, has it no more      caption_lost
    had keywords, has none                      keywords_lost
    several of these                            each
    none of these                               changed
    of two APIs, or the old one is lost         replaced if it is, else changed
    ==========================================  ======================================
    """
    found = [What.REPLACED] if replaced else []
    if before is not None and before["source"] == now["source"]:
        then, image = before["image"], now["image"]
        if any(_is_lost(text_of(then.get(n)), text_of(image.get(n))) for n in ("Caption", "Title")):
            found.append(What.CAPTION_LOST)
        if keywords_of(then) and not keywords_of(image):
            found.append(What.KEYWORDS_LOST)
    return tuple(found) or (What.CHANGED,)


def _is_lost(before: str, now: str) -> bool:
    return bool(before.strip()) and not now.strip()


def what_opened(before: Mapping[str, Any], now: Mapping[str, Any]) -> What | None:
    """Whether an album became visible to everybody, or is so no more, by its own record.

    ``before`` and ``now`` are of the same API. API 1.3.0 says ``Public`` and ``Passworded``, API v2
    ``Privacy`` and ``SecurityType``.

    ==========================  ======================  =============
    everybody could see it      everybody can see it    what is told
    ==========================  ======================  =============
    no                          yes                     made_public
    yes                         no                      made_private
    the same, or unknown                                nothing
    ==========================  ======================  =============
    """
    then, open_now = _is_public(before), _is_public(now)
    if then is None or open_now is None or then == open_now:
        return None
    return What.MADE_PUBLIC if open_now else What.MADE_PRIVATE


def _is_public(album: Mapping[str, Any]) -> bool | None:
    if "Privacy" in album:
        return album["Privacy"] == "Public" and album.get("SecurityType") in (None, "", "None")
    public = _flag(album.get("Public"))
    return None if public is None else public and not _flag(album.get("Passworded"))


def _flag(value: object) -> bool | None:
    # Answers of API 1.3.0 were seen with true, 1 and "1".
    if isinstance(value, str):
        return {"1": True, "true": True, "0": False, "false": False}.get(value.lower())
    return bool(value) if isinstance(value, (bool, int)) else None


@dataclass(frozen=True, slots=True)
class Told:
    """An image that is named, by the gravest of what became of it."""

    album_key: str
    image_key: str
    file_name: str | None
    what: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `asdict` did not make."""
        what = str(What(data["what"]))
        return cls(data["album_key"], data["image_key"], data["file_name"], what)


@dataclass(slots=True)
class News:
    """What changed in some albums: how many images of each kind, and the names of some.

    ``more``: images beyond those named.
    """

    albums: dict[str, dict[str, int]] = field(default_factory=dict)
    images: list[Told] = field(default_factory=list)
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.albums)

    def count(self, album_key: str, what: What, number: int = 1) -> None:
        """``number`` more of a kind."""
        counted = self.albums.setdefault(album_key, {})
        counted[what] = counted.get(what, 0) + number

    def note(
        self, album_key: str, image_key: str, file_name: str | None, what: Sequence[What]
    ) -> None:
        """One image: counted as each of ``what``, named once, as the first."""
        for each in what:
            self.count(album_key, each)
        self._name(Told(album_key, image_key, file_name, str(what[0])), most=NEW_NAMED)

    def _name(self, told: Told, *, most: int | None = None) -> None:
        """Name an image. What came or merely changed may come by the ten thousand; what left is
        named whole, for only its names tell later that it moved."""
        common = told.what in (What.NEW, What.CHANGED, What.BACK)
        if common and most is not None and self._of(told.album_key, told.what) > most:
            self.more += 1
        else:
            self.images.append(told)

    def _of(self, album_key: str, what: str) -> int:
        return self.albums.get(album_key, {}).get(what, 0)

    def add(self, other: "News") -> None:
        """Add all of ``other``, to so many names as a report holds of what is common."""
        for key, counted in other.albums.items():
            for what, number in counted.items():
                self.count(key, What(what), number)
        self.more += other.more
        for told in other.images:
            if len(self.images) >= NAMED and told.what in (What.NEW, What.CHANGED, What.BACK):
                self.more += 1
            else:
                self.images.append(told)

    def missing(self) -> set[str]:
        """The images that were first not shown any more."""
        return {each.image_key for each in self.images if each.what == What.MISSING}

    def mark_moved(self, shown: Mapping[str, Iterable[str]]) -> None:
        """What is missing in one album and shown in another of ``shown`` (images by album) has
        moved."""
        where: dict[str, set[str]] = {}
        for key, images in shown.items():
            for image in images:
                where.setdefault(image, set()).add(key)
        for index, told in enumerate(self.images):
            if told.what == What.MISSING and where.get(told.image_key, set()) - {told.album_key}:
                counted = self.albums[told.album_key]
                counted[What.MISSING] -= 1
                if not counted[What.MISSING]:
                    del counted[What.MISSING]
                self.count(told.album_key, What.MOVED)
                self.images[index] = Told(
                    told.album_key, told.image_key, told.file_name, What.MOVED.value
                )

    def as_json(self) -> dict[str, Any]:
        """The object as it stands in a report: at most `NAMED` images, the gravest kinds first."""
        rank = {what: index for index, what in enumerate(_GRAVEST)}
        named = sorted(self.images, key=lambda each: rank[What(each.what)])[:NAMED]
        return {
            "albums": {key: dict(self.albums[key]) for key in sorted(self.albums)},
            "images": [asdict(each) for each in named],
            "more_images": self.more + len(self.images) - len(named),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make; a kind that
        only a later program knows is passed over."""
        known = frozenset(What)
        albums = {
            str(key): {what: int(number) for what, number in counted.items() if what in known}
            for key, counted in data["albums"].items()
        }
        if not all(map(keys.is_id, albums)):
            raise ValueError("it names an album by what is no key")
        images = [Told.from_json(each) for each in data["images"]]
        return cls(albums, images, data["more_images"])


_GRAVEST = (
    What.MISSING,
    What.REPLACED,
    What.CAPTION_LOST,
    What.KEYWORDS_LOST,
    What.LEFT,
    What.MOVED,
    What.NEW,
    What.BACK,
    What.CHANGED,
    What.ALBUM_MISSING,
    What.ALBUM_LEFT,
    What.ALBUM_NEW,
    What.ALBUM_BACK,
    What.MADE_PUBLIC,
    What.MADE_PRIVATE,
)


class Guarded(NamedTuple):
    """What the change guard tells of one kind: images, in how many albums, the largest first."""

    what: What
    images: int
    albums: tuple[tuple[str, int], ...]


def guarded(several: Iterable[News]) -> tuple[Guarded, ...]:
    """What changed in all of these that a person would want to know, kind by kind.

    ==============================  ======================================================
    kind                            counted
    ==============================  ======================================================
    missing                         images that an album showed no more, and no other shows
    album_missing                   images of albums that the account showed no more
    replaced                        images with other bytes
    caption_lost, keywords_lost     images
    made_public, made_private       images of albums that became so
    all else                        not at all
    ==============================  ======================================================
    """
    found = []
    several = list(several)
    for what in GUARDED:
        albums: dict[str, int] = {}
        for news in several:
            for key, counted in news.albums.items():
                if what in counted:
                    albums[key] = albums.get(key, 0) + counted[what]
        if albums:
            ranked = tuple(sorted(albums.items(), key=lambda each: (-each[1], each[0])))
            found.append(Guarded(what, sum(albums.values()), ranked))
    return tuple(found)


def losses(news: News) -> int:
    """How many images the change guard counts in one run: what the alarm's threshold is about."""
    return sum(each.images for each in guarded([news]))
