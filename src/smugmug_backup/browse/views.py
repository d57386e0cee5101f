"""What the pages show, asked of a catalog; ``at`` is a moment (``2026-11-24T03:00:09Z``), and None
is now. Every list has an end: pages are turned.

A state of an image holds from the moment it begins until the next one begins, so the account as of
any night is one condition on `image_versions`.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from smugmug_backup.catalog.schema import WANTING

PAGE = 200
"""So many images a page shows."""

_NOW = "9999"
"""Later than every moment."""

_LIVE = (
    "v.valid_from <= :at AND (v.valid_until IS NULL OR v.valid_until > :at) "
    "AND v.missing_since IS NULL AND v.deleted_at IS NULL"
)
_HELD = "v.valid_from <= :at AND (v.valid_until IS NULL OR v.valid_until > :at)"
_ORDER = "v.position IS NULL, v.position, v.file_name, v.image_key"

CAME, CHANGED, LEFT = "came", "changed", "left"


@dataclass(frozen=True, slots=True)
class Night:
    """A moment at which something of the backup changed: the end of a run's work."""

    at: str
    run_id: str
    came: int = 0
    changed: int = 0
    left: int = 0


@dataclass(slots=True)
class AlbumView:
    """An album at a moment; ``cover`` is a version that can be shown, or None."""

    album_key: str
    name: str
    title: str
    path: tuple[str, ...]
    images: int
    bytes: int
    cover: int | None = None
    gone: bool = False
    problem: str | None = None
    description: str | None = None
    privacy: str | None = None
    keywords: str | None = None
    marks: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Folder:
    """A folder of the account: what lies in it, and how much that is in all."""

    name: str
    path: tuple[str, ...]
    folders: list["Folder"] = field(default_factory=list)
    albums: list[AlbumView] = field(default_factory=list)

    @property
    def images(self) -> int:
        """Of all albums below."""
        return sum(a.images for a in self.albums) + sum(f.images for f in self.folders)

    @property
    def bytes(self) -> int:
        """Of all albums below."""
        return sum(a.bytes for a in self.albums) + sum(f.bytes for f in self.folders)


@dataclass(frozen=True, slots=True)
class ImageView:
    """One version of an image, with all that the catalog says of it (columns as in SCHEMA.md)."""

    row: dict[str, Any]
    mark: str | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def label(self) -> str:
        """What to call it."""
        return str(self.row["file_name"] or self.row["title"] or self.row["image_key"])

    @property
    def words(self) -> tuple[str, ...]:
        """Its keywords, one by one."""
        return tuple((self.row["keywords"] or "").split("; ")) if self.row["keywords"] else ()

    @property
    def is_gone(self) -> bool:
        """SmugMug shows it no more, as far as this version knows."""
        return bool(self.row["missing_since"] or self.row["deleted_at"])

    @property
    def has_bytes(self) -> bool:
        """There is something to show."""
        return self.row["key"] is not None


class Views:
    """The questions; one connection, one thread at a time."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def _rows(self, sql: str, **values: Any) -> Iterator[dict[str, Any]]:
        cursor = self._db.execute(sql, values)
        names = [each[0] for each in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)

    def facts(self) -> dict[str, str | None]:
        """Whose backup this is, and as of when; see SCHEMA.md."""
        return dict(self._db.execute("SELECT name, value FROM facts"))

    def newest(self) -> tuple[str, str]:
        """The ids of the newest run and check that count; empty for none."""
        run = self.facts().get("newest_run")
        (check,) = self._db.execute("SELECT max(run_id) FROM checks").fetchone()
        return run or "", check or ""

    def nights(self) -> list[Night]:
        """The moments of change, oldest first; those of one run are one night."""
        rows = self._rows(
            "SELECT max(valid_from) AS at, run_id FROM album_versions GROUP BY run_id ORDER BY at"
        )
        return [Night(row["at"], row["run_id"]) for row in rows]

    def counted(self, nights: Sequence[Night]) -> list[Night]:
        """The same with what came, changed and left in each."""
        counts: dict[str, dict[str, int]] = {}
        for row in self._rows(
            "SELECT a.run_id, v.what, count(*) AS n FROM image_versions v JOIN album_versions a "
            "ON a.album_key = v.album_key AND a.generation = v.from_generation GROUP BY 1, 2"
        ):
            mark = mark_of(row["what"])
            if mark is not None:
                of_run = counts.setdefault(row["run_id"], {})
                of_run[mark] = of_run.get(mark, 0) + row["n"]
        return [Night(each.at, each.run_id, **counts.get(each.run_id, {})) for each in nights]

    def albums(self, at: str | None = None, *, gone: bool = False) -> list[AlbumView]:
        """The albums at a moment, by name; ``gone``: those that had left by then, instead."""
        return self.there_and_gone(at)[gone]

    def there_and_gone(
        self, at: str | None = None, *, only: str | None = None
    ) -> tuple[list[AlbumView], list[AlbumView]]:
        """The albums at a moment, by name, and those that had left by then; ``only``: of these the
        one with this key."""
        moment = at or _NOW
        one = "" if only is None else " AND v.album_key = :only"
        counts = {
            row["album_key"]: row
            for row in self._rows(
                "SELECT album_key, count(*) AS images, coalesce(sum(bytes), 0) AS bytes "
                f"FROM image_versions v WHERE {_LIVE}{one} GROUP BY 1",
                at=moment,
                only=only,
            )
        }
        covers = {
            row["album_key"]: row["version_id"]
            for row in self._rows(
                "SELECT album_key, version_id, min(coalesce(position, 1e9)) "
                f"FROM image_versions v WHERE {_LIVE}{one} AND key IS NOT NULL GROUP BY 1",
                at=moment,
                only=only,
            )
        }
        found: tuple[list[AlbumView], list[AlbumView]] = ([], [])
        for row in self._rows(
            "SELECT v.*, a.gone AS gone_now, a.problem FROM album_versions v "
            "LEFT JOIN albums a USING (album_key) "
            f"WHERE {_HELD}{one} ORDER BY v.name COLLATE NOCASE, v.album_key",
            at=moment,
            only=only,
        ):
            key = row["album_key"]
            left = row["deleted_at"] is not None or (at is None and bool(row["gone_now"]))
            of_it = counts.get(key, {"images": 0, "bytes": 0})
            found[left].append(
                AlbumView(
                    key,
                    row["name"],
                    row["title"],
                    tuple(json.loads(row["path"])),
                    of_it["images"],
                    of_it["bytes"],
                    covers.get(key),
                    left,
                    row["problem"],
                    row["description"],
                    row["privacy"],
                    row["keywords"],
                )
            )
        return found

    def album(self, album_key: str, at: str | None = None) -> AlbumView | None:
        """One album at a moment; None if it was not there yet."""
        there, gone = self.there_and_gone(at, only=album_key)
        return next(iter(there or gone), None)

    def images(
        self, album_key: str, at: str | None = None, *, since: str | None = None, page: int = 1
    ) -> tuple[list[ImageView], int]:
        """The images of an album at a moment in its order, and how many there are in all.

        ``since``: an earlier moment; what came, changed or left after it is marked, and what left
        stands at the end.
        """
        where = f"v.album_key = :album AND {_LIVE}"
        values = {"album": album_key, "at": at or _NOW}
        (total,) = self._db.execute(
            f"SELECT count(*) FROM image_versions v WHERE {where}",
            values,
        ).fetchone()
        rows = self._rows(
            f"SELECT v.* FROM image_versions v WHERE {where} ORDER BY {_ORDER} "
            "LIMIT :most OFFSET :skip",
            **values,
            most=PAGE,
            skip=(page - 1) * PAGE,
        )
        marks = self._marks(album_key, since, at or _NOW) if since else {}
        shown = [ImageView(row, marks.get(row["image_key"])) for row in rows]
        if since and page * PAGE >= total:
            shown += self._left(album_key, since, at or _NOW)
        return shown, total

    def _marks(self, album_key: str, since: str, at: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for row in self._rows(
            "SELECT image_key, what FROM image_versions WHERE album_key = :album "
            "AND valid_from > :since AND valid_from <= :at ORDER BY version_id",
            album=album_key,
            since=since,
            at=at,
        ):
            mark = mark_of(row["what"])
            if mark is not None and found.get(row["image_key"]) != CAME:
                found[row["image_key"]] = mark
        return found

    def _left(self, album_key: str, since: str, at: str) -> list[ImageView]:
        rows = self._rows(
            "SELECT v.* FROM image_versions v WHERE v.album_key = :album "
            f"AND {_HELD} AND (v.missing_since IS NOT NULL OR v.deleted_at IS NOT NULL) "
            "AND EXISTS (SELECT 1 FROM image_versions w WHERE w.album_key = v.album_key "
            "AND w.image_key = v.image_key AND w.valid_from <= :since "
            "AND (w.valid_until IS NULL OR w.valid_until > :since) "
            "AND w.missing_since IS NULL AND w.deleted_at IS NULL) "
            "ORDER BY v.file_name, v.image_key",
            album=album_key,
            since=since,
            at=at,
        )
        return [ImageView(row, LEFT) for row in rows]

    def gone_images(self, album_key: str) -> list[ImageView]:
        """What has left an album, by now."""
        rows = self._rows(
            "SELECT v.* FROM image_versions v WHERE v.album_key = :album "
            "AND v.until_generation IS NULL "
            "AND (v.missing_since IS NOT NULL OR v.deleted_at IS NOT NULL) "
            "ORDER BY v.file_name, v.image_key",
            album=album_key,
        )
        return [ImageView(row, LEFT) for row in rows]

    def version(self, version_id: int) -> ImageView | None:
        """One version by its number."""
        row = next(
            self._rows("SELECT * FROM image_versions WHERE version_id = :n", n=version_id), None
        )
        return None if row is None else ImageView(row)

    def image(self, album_key: str, image_key: str, at: str | None = None) -> ImageView | None:
        """An image of an album at a moment, there or gone; None if it was not there yet."""
        row = next(
            self._rows(
                "SELECT v.* FROM image_versions v WHERE v.album_key = :album "
                f"AND v.image_key = :image AND {_HELD}",
                album=album_key,
                image=image_key,
                at=at or _NOW,
            ),
            None,
        )
        return None if row is None else ImageView(row)

    def history(self, album_key: str, image_key: str) -> list[ImageView]:
        """All versions of an image in an album, newest first."""
        rows = self._rows(
            "SELECT v.*, a.run_id FROM image_versions v JOIN album_versions a "
            "ON a.album_key = v.album_key AND a.generation = v.from_generation "
            "WHERE v.album_key = :album AND v.image_key = :image ORDER BY v.version_id DESC",
            album=album_key,
            image=image_key,
        )
        return [ImageView(row) for row in rows]

    def beside(
        self, album_key: str, image_key: str, at: str | None = None
    ) -> tuple[str | None, str | None]:
        """The images before and after one in its album's order."""
        keys = [
            row["image_key"]
            for row in self._rows(
                f"SELECT v.image_key FROM image_versions v WHERE v.album_key = :album AND {_LIVE} "
                f"ORDER BY {_ORDER}",
                album=album_key,
                at=at or _NOW,
            )
        ]
        if image_key not in keys:
            return None, None
        place = keys.index(image_key)
        return (
            keys[place - 1] if place > 0 else None,
            keys[place + 1] if place + 1 < len(keys) else None,
        )

    def albums_of(self, image_key: str) -> list[tuple[str, str]]:
        """Where else an image is shown: (album key, name)."""
        rows = self._rows(
            "SELECT DISTINCT album_key, album_name FROM images WHERE image_key = :image "
            "AND NOT gone ORDER BY album_name",
            image=image_key,
        )
        return [(row["album_key"], row["album_name"]) for row in rows]

    def changes(self, since: str, at: str | None) -> list[AlbumView]:
        """The albums in which images came, changed or left between two moments; with counts."""
        counts: dict[str, dict[str, int]] = {}
        for row in self._rows(
            "SELECT album_key, what, count(DISTINCT image_key) AS n FROM image_versions "
            "WHERE valid_from > :since AND valid_from <= :at GROUP BY 1, 2",
            since=since,
            at=at or _NOW,
        ):
            mark = mark_of(row["what"])
            if mark is not None:
                of_album = counts.setdefault(row["album_key"], {})
                of_album[mark] = of_album.get(mark, 0) + row["n"]
        there = {each.album_key for each in self.albums(since)}
        found = []
        for gone, albums in enumerate(self.there_and_gone(at)):
            for album in albums:
                album.marks = counts.get(album.album_key, {})
                if gone and album.album_key in there:
                    album.marks[LEFT] = album.marks.get(LEFT, 0) + album.images
                if album.marks:
                    found.append(album)
        return found

    def needs(self) -> dict[str, list[dict[str, Any]]]:
        """What needs its owner: images that wait, cannot be had or are not vouched for, what has
        gone missing, what checks found, and albums that cannot be read whole."""
        images = (
            "SELECT v.album_key, a.name AS album_name, v.image_key, v.file_name, v.status, "
            "v.reason, v.version_id, coalesce(v.deleted_at, v.missing_since, a.deleted_at, "
            "a.missing_since) AS gone_since FROM (SELECT * FROM image_versions "
            "INDEXED BY image_versions_wanting WHERE until_generation IS NULL "
            f"AND {WANTING}) v JOIN albums a USING (album_key) WHERE"
        )
        live = f"{images} v.missing_since IS NULL AND v.deleted_at IS NULL AND NOT a.gone AND"
        return {
            "pending": list(self._rows(f"{live} status = 'pending' LIMIT 500")),
            "unavailable": list(
                self._rows(f"{live} status = 'unavailable' AND reason != 'forgotten' LIMIT 500")
            ),
            "unverified": list(self._rows(f"{live} status = 'stored' AND NOT verified LIMIT 500")),
            "missing": list(
                self._rows(
                    f"{images} v.missing_since IS NOT NULL AND v.deleted_at IS NULL LIMIT 500"
                )
            ),
            "findings": list(self._rows("SELECT * FROM findings LIMIT 500")),
            "problems": list(
                self._rows("SELECT album_key, name, problem FROM albums WHERE problem IS NOT NULL")
            ),
        }

    def to_read(self, head: int) -> tuple[int, int, int]:
        """Of what small pictures are made of: how many originals, how many bytes they have, and
        how many their first ``head`` bytes are."""
        count, whole, heads = self._db.execute(
            "SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(min(bytes, ?)), 0) FROM ("
            "SELECT max(bytes) AS bytes FROM image_versions WHERE until_generation IS NULL "
            "AND key IS NOT NULL AND NOT is_video GROUP BY md5)",
            (head,),
        ).fetchone()
        return int(count), int(whole), int(heads)

    def runs(self) -> list[dict[str, Any]]:
        """The runs, newest first."""
        return list(self._rows("SELECT * FROM runs ORDER BY run_id DESC LIMIT 400"))

    def failures(self, run_id: str) -> list[dict[str, Any]]:
        """What one run's report names."""
        return list(
            self._rows(
                "SELECT f.*, a.name FROM failures f LEFT JOIN albums a USING (album_key) "
                "WHERE run_id = :run",
                run=run_id,
            )
        )

    def checks(self) -> list[dict[str, Any]]:
        """The checks, newest first."""
        return list(self._rows("SELECT * FROM checks ORDER BY run_id DESC LIMIT 100"))

    def totals(self) -> dict[str, int]:
        """How much there is now, and how much SmugMug shows no more."""
        row = next(
            self._rows(
                "SELECT count(*) FILTER (WHERE NOT gone) AS images, "
                "count(*) FILTER (WHERE gone) AS gone, "
                "coalesce(sum(bytes) FILTER (WHERE NOT gone), 0) AS bytes FROM images"
            )
        )
        return {name: int(value or 0) for name, value in row.items()}


def mark_of(what: str) -> str | None:
    """How a version is marked in a grid; None for what nobody would see."""
    if what in ("new", "back"):
        return CAME
    if what in ("changed", "replaced"):
        return CHANGED
    # "gone" only makes sure of what was missing the night before.
    return LEFT if what in ("missing", "forgotten") else None


def tree(albums: Sequence[AlbumView]) -> Folder:
    """The albums in their folders, by name."""
    root = Folder("", ())
    folders: dict[tuple[str, ...], Folder] = {(): root}
    for album in albums:
        for depth in range(1, len(album.path) + 1):
            path = album.path[:depth]
            if path not in folders:
                folders[path] = Folder(path[-1], path)
                folders[path[:-1]].folders.append(folders[path])
        folders[album.path].albums.append(album)
    return root
