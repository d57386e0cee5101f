"""What SmugMug knows of an image as an XMP packet: beside the file, or in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from smugmug_backup.archive.details import Place, moment_text, place_of
from smugmug_backup.archive.encoding import canonical_json, fingerprint
from smugmug_backup.archive.texts import keywords_of, text_of

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "smugmug": "urn:smugmug-backup:record",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpDM": "http://ns.adobe.com/xmp/1.0/DynamicMedia/",
}
_MOST_STARS = 5


def xmp_sidecar(
    record: Mapping[str, Any],
    *,
    album: str = "",
    dated: bool = True,
    marks: Mapping[str, str] | None = None,
) -> bytes:
    """Title, caption, keywords, date, place, rating and album; it names the record it came from.

    ``dated``: with the date taken. ``marks``: what else it says of itself. Keywords stand in the
    three fields that programs look into, the date as SmugMug says it, with a zone only if it says
    one (API 1.3.0 says no date taken at all: there the file's own counts).
    """
    image = record["image"]
    attributes = {
        "smugmug:Record": fingerprint(canonical_json(dict(record))),
        **{f"smugmug:{name}": value for name, value in (marks or {}).items()},
        **place_fields(place_of(image)),
    }
    taken = taken_at(image) if dated else None
    if taken is not None:
        for name in ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate"):
            attributes[name] = taken.isoformat(timespec="seconds")
    stars = rating_of(image)
    if stars is not None:
        attributes["xmp:Rating"] = str(stars)
    if album:
        attributes["xmpDM:album"] = text_of(album)
    words = keywords_of(image)
    parts = [
        _alternative("dc:title", text_of(image.get("Title"))),
        _alternative("dc:description", text_of(image.get("Caption"))),
        _list("dc:subject", "Bag", words),
        # A keyword is one level. What parts levels in one field is the other's plain character;
        # Immich, too, writes a / of a name as | (immich-app/immich pull request 12288).
        _list("lr:hierarchicalSubject", "Bag", [word.replace("|", "/") for word in words]),
        _list("digiKam:TagsList", "Seq", [word.replace("/", "|") for word in words]),
    ]
    namespaces = "".join(f'\n    xmlns:{name}="{uri}"' for name, uri in NAMESPACES.items())
    said = "".join(f"\n    {name}={quoteattr(value)}" for name, value in attributes.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="SmugMug Backup">\n'
        f' <rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">\n'
        f'  <rdf:Description rdf:about=""{namespaces}{said}>\n'
        f"{''.join(parts)}"
        "  </rdf:Description>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="w"?>\n'
    ).encode()


def taken_at(image: Mapping[str, Any]) -> datetime | None:
    """When it was taken; with a zone only if SmugMug says one."""
    text = moment_text(image.get("DateTimeOriginal"))
    return None if text is None else datetime.fromisoformat(text)


def rating_of(image: Mapping[str, Any]) -> int | None:
    """Its stars, 1 to 5. Neither API is known to tell any; where a record has them, they count."""
    stars = image.get("Rating")
    return stars if type(stars) is int and 1 <= stars <= _MOST_STARS else None


def place_fields(place: Place | None) -> dict[str, str]:
    """Where it was taken, in the words of XMP."""
    if place is None:
        return {}
    found = {
        "exif:GPSVersionID": "2.3.0.0",
        "exif:GPSLatitude": _degrees(place.latitude, "NS"),
        "exif:GPSLongitude": _degrees(place.longitude, "EW"),
    }
    if place.altitude is not None:
        found["exif:GPSAltitude"] = f"{round(abs(place.altitude) * 100)}/100"
        found["exif:GPSAltitudeRef"] = "1" if place.altitude < 0 else "0"
    return found


def _degrees(value: float, letters: str) -> str:
    # Rounded first, or 59.9999999 minutes would be written as 60.
    millionths = round(abs(value) * 60 * 1_000_000)
    degrees, rest = divmod(millionths, 60 * 1_000_000)
    return f"{degrees},{rest / 1_000_000:.6f}{letters[value < 0]}"


def _alternative(name: str, text: str) -> str:
    if not text:
        return ""
    item = f'<rdf:li xml:lang="x-default">{escape(text)}</rdf:li>'
    return f"   <{name}><rdf:Alt>{item}</rdf:Alt></{name}>\n"


def _list(name: str, kind: str, words: Sequence[str]) -> str:
    if not words:
        return ""
    items = "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in words)
    return f"   <{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>\n"
