"""What a record says of its image, for a restored file: its time and its sidecars."""

import html
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from smugmug_backup.archive.encoding import canonical_json, fingerprint

Record = dict[str, Any]
"""What `archive.records` makes of a line."""

# XML 1.0 has no characters but these, not even as references.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "smugmug": "urn:smugmug-backup:record",
}


def json_sidecar(record: Mapping[str, Any]) -> bytes:
    """The record, indented for people."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=2)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def xmp_sidecar(record: Mapping[str, Any]) -> bytes:
    """Title, caption, keywords and place as an XMP packet; it names the record it came from."""
    image = record["image"]
    found = [f"smugmug:Record={quoteattr(fingerprint(canonical_json(record)))}"]
    found += [f"exif:{name}={quoteattr(value)}" for name, value in _place(image)]
    parts = [
        _alternative("dc:title", _text(image.get("Title"))),
        _alternative("dc:description", _text(image.get("Caption"))),
        _bag("dc:subject", keywords_of(image)),
    ]
    namespaces = "".join(f'\n    xmlns:{name}="{uri}"' for name, uri in _NAMESPACES.items())
    attributes = "".join(f"\n    {each}" for each in found)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="SmugMug Backup">\n'
        f' <rdf:RDF xmlns:rdf="{_NAMESPACES["rdf"]}">\n'
        f'  <rdf:Description rdf:about=""{namespaces}{attributes}>\n'
        f"{''.join(parts)}"
        "  </rdf:Description>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="w"?>\n'
    ).encode()


def is_sidecar_of(body: bytes, kind: str, record_fingerprint: str) -> bool:
    """Whether ``body`` is what we would write for that record, found out without the record."""
    if kind == "xmp":
        return f'smugmug:Record="{record_fingerprint}"'.encode() in body
    try:
        return fingerprint(canonical_json(json.loads(body))) == record_fingerprint
    except (ValueError, TypeError, RecursionError):
        return False


def keywords_of(image: Mapping[str, Any]) -> list[str]:
    """The keywords one by one, each once; SmugMug parts them by semicolons, or by commas."""
    listed = image.get("KeywordArray")
    if isinstance(listed, list) and listed:
        words = [_text(each) for each in listed]
    else:
        text = _text(image.get("Keywords"))
        words = text.split(";" if ";" in text else ",")
    return list(dict.fromkeys(word for word in (each.strip(' "\t\n\r') for each in words) if word))


def _text(value: object) -> str:
    text = html.unescape(value) if isinstance(value, str) else ""
    return _NOT_XML.sub("\ufffd", text)


def _place(image: Mapping[str, Any]) -> list[tuple[str, str]]:
    latitude, longitude = _number(image.get("Latitude")), _number(image.get("Longitude"))
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return []  # SmugMug says 0, 0 of what has no place.
    if abs(latitude) > 90 or abs(longitude) > 180:
        return []
    found = [
        ("GPSVersionID", "2.3.0.0"),
        ("GPSLatitude", _degrees(latitude, "NS")),
        ("GPSLongitude", _degrees(longitude, "EW")),
    ]
    altitude = _number(image.get("Altitude"))
    if altitude is not None and altitude != 0 and abs(altitude) < 100_000:
        below = "1" if altitude < 0 else "0"
        found += [("GPSAltitude", f"{round(abs(altitude) * 100)}/100"), ("GPSAltitudeRef", below)]
    return found


def _degrees(value: float, letters: str) -> str:
    # Rounded first, or 59.9999999 minutes would be written as 60.
    millionths = round(abs(value) * 60 * 1_000_000)
    degrees, rest = divmod(millionths, 60 * 1_000_000)
    return f"{degrees},{rest / 1_000_000:.6f}{letters[value < 0]}"


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _alternative(name: str, text: str) -> str:
    if not text:
        return ""
    item = f'<rdf:li xml:lang="x-default">{escape(text)}</rdf:li>'
    return f"   <{name}><rdf:Alt>{item}</rdf:Alt></{name}>\n"


def _bag(name: str, words: list[str]) -> str:
    if not words:
        return ""
    items = "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in words)
    return f"   <{name}><rdf:Bag>{items}</rdf:Bag></{name}>\n"
