"""What SmugMug says of an image, written into a copy of its file: EXIF, IPTC and XMP.

By ``exiv2``, which is optional (the extra ``embed``). The picture stays as it
is: a file whose picture would change is not taken.

==============  ===================================  =====================  ======================
SmugMug's       EXIF                                 IPTC                   XMP
==============  ===================================  =====================  ======================
title                                                ObjectName             as in `xmp`
caption         ImageDescription                     Caption                as in `xmp`
keywords                                             Keywords               as in `xmp`
date taken      DateTimeOriginal and its zone, only                         the same
                if the file has none: what the
                camera wrote stays
place           GPSInfo                                                     as in `xmp`
rating          Rating                                                      as in `xmp`
==============  ===================================  =====================  ======================

What SmugMug leaves empty stays as the file has it.
"""

import importlib
import threading
from datetime import datetime
from pathlib import Path  # noqa: TID251 - restored files are written here
from typing import Any

from smugmug_backup.archive.details import Place, instant_of, place_of
from smugmug_backup.archive.texts import keywords_of, text_of
from smugmug_backup.errors import BadRequest
from smugmug_backup.restore.picture import picture_digest
from smugmug_backup.restore.plan import Target
from smugmug_backup.restore.record import Record
from smugmug_backup.restore.xmp import NAMESPACES, rating_of, taken_at, xmp_sidecar

_TAKEN, _ZONE = "Exif.Photo.DateTimeOriginal", "Exif.Photo.OffsetTimeOriginal"
_LARGEST = 1 << 30
"""A file is read whole; what is larger gets a sidecar."""


class NoEmbedding(BadRequest):
    """The library that writes into files is not there."""

    hint = (
        "install it as smugmug-backup[embed], as it was installed (docs/packages.md), or "
        "--no-embed, which writes sidecars"
    )


class Embedder:
    """Writes into files of our own; safe for many threads, one file at a time.

    Raises NoEmbedding.
    """

    def __init__(self) -> None:
        try:
            self._exiv2: Any = importlib.import_module("exiv2")
        except ImportError:
            raise NoEmbedding("writing into files needs exiv2, which is not there") from None
        # Adobe's toolkit in it has one state for all threads.
        self._lock = threading.Lock()
        with self._lock:
            self._exiv2.LogMsg.setLevel(self._exiv2.LogMsg.Level.mute)
            self._exiv2.XmpProperties.registerNs(NAMESPACES["smugmug"], "smugmug")

    def embed(self, path: Path, target: Target, record: Record) -> bool:
        """Write ``record`` into the file ``path``, whose bytes are the original's.

        False: it cannot take it; what is in ``path`` then is of no use. Raises OSError.
        """
        before = picture_digest(path)
        if before is None or path.stat().st_size > _LARGEST:
            return False
        marks = {"Original": target.sha256, "Picture": before}
        try:
            with self._lock:
                self._write(path, target, record, marks)
        except self._exiv2.Exiv2Error:
            return False  # Too large for a segment, or broken in a way that we did not see.
        return picture_digest(path) == before and self.holds(path, target)

    def holds(self, path: Path, target: Target) -> bool:
        """Whether the file is what `embed` makes of that original and record: it says so, and its
        picture is whole. Raises OSError."""
        try:
            with self._lock:
                image = self._opened(path)
                said = {
                    name: image.xmpData()[f"Xmp.smugmug.{name}"].toString()
                    for name in ("Record", "Original", "Picture")
                }
        except (self._exiv2.Exiv2Error, KeyError):
            return False
        expected = {"Record": target.fingerprint, "Original": target.sha256}
        return said == {**expected, "Picture": picture_digest(path)}

    def taken(self, path: Path) -> datetime | None:
        """When the file itself says that it was taken; without a zone it is read as UTC."""
        try:
            with self._lock:
                exif = self._opened(path).exifData()
                text = exif[_TAKEN].toString().strip("\0 ")
                zone = exif[_ZONE].toString().strip("\0 ") if _ZONE in exif else ""
        except (self._exiv2.Exiv2Error, KeyError):
            return None
        day, _, hour = text.partition(" ")
        moment = f"{day.replace(':', '-')}T{hour}"
        return instant_of(moment + zone) or instant_of(moment)

    def _opened(self, path: Path) -> Any:
        image = self._exiv2.ImageFactory.open(str(path))
        image.readMetadata()
        return image

    def _write(self, path: Path, target: Target, record: Record, marks: dict[str, str]) -> None:
        image = self._opened(path)
        said = record["image"]
        exif = image.exifData()
        dated = _TAKEN not in exif
        packet = xmp_sidecar(record, album=target.album, dated=dated, marks=marks)
        source = self._exiv2.ImageFactory.open(packet)
        source.readMetadata()
        xmp = image.xmpData()
        for each in source.xmpData():
            xmp[each.key()] = each.value()
        self._write_exif(exif, said, dated=dated)
        if self._takes_iptc(image):
            self._write_iptc(image.iptcData(), said)
        image.writeMetadata()

    def _takes_iptc(self, image: Any) -> bool:
        """Whether it can have IPTC, and what it has is in an encoding that ours may join."""
        mode = image.checkMode(self._exiv2.MetadataId.Iptc)
        if mode not in (self._exiv2.AccessMode.amWrite, self._exiv2.AccessMode.amReadWrite):
            return False
        there = image.iptcData()
        return not there.count() or there.detectCharset() in ("UTF-8", "ASCII", "\x1b%G")

    def _write_exif(self, exif: Any, said: dict[str, Any], *, dated: bool) -> None:
        caption = text_of(said.get("Caption"))
        if caption:
            exif["Exif.Image.ImageDescription"] = caption
        taken = taken_at(said) if dated else None
        if taken is not None:
            exif[_TAKEN] = taken.strftime("%Y:%m:%d %H:%M:%S")
            if taken.tzinfo is not None:
                exif[_ZONE] = taken.isoformat()[-6:]
        stars = rating_of(said)
        if stars is not None:
            exif["Exif.Image.Rating"] = str(stars)
        place = place_of(said)
        if place is not None:
            for name, text in _gps(place).items():
                exif[f"Exif.GPSInfo.{name}"] = text

    def _write_iptc(self, iptc: Any, said: dict[str, Any]) -> None:
        texts = {
            "Iptc.Application2.ObjectName": text_of(said.get("Title")),
            "Iptc.Application2.Caption": text_of(said.get("Caption")),
        }
        words = keywords_of(said)
        if words or any(texts.values()):
            iptc["Iptc.Envelope.CharacterSet"] = "\x1b%G"
        for key, text in texts.items():
            if text:
                iptc[key] = text
        if words:
            keyword = self._exiv2.IptcKey("Iptc.Application2.Keywords")
            while keyword.key() in iptc:
                del iptc[keyword.key()]
            for word in words:
                iptc.add(keyword, self._exiv2.StringValue(word))


def _gps(place: Place) -> dict[str, str]:
    found = {
        "GPSVersionID": "2 3 0 0",
        "GPSLatitudeRef": "N" if place.latitude >= 0 else "S",
        "GPSLatitude": _degrees(place.latitude),
        "GPSLongitudeRef": "E" if place.longitude >= 0 else "W",
        "GPSLongitude": _degrees(place.longitude),
    }
    if place.altitude is not None:
        found["GPSAltitudeRef"] = "1" if place.altitude < 0 else "0"
        found["GPSAltitude"] = f"{round(abs(place.altitude) * 100)}/100"
    return found


def _degrees(value: float) -> str:
    seconds = round(abs(value) * 3600 * 10_000)
    degrees, rest = divmod(seconds, 3600 * 10_000)
    minutes, rest = divmod(rest, 60 * 10_000)
    return f"{degrees}/1 {minutes}/1 {rest}/10000"
