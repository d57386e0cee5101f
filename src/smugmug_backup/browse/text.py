"""Numbers, days and states in words, for pages."""

from typing import Any

WHAT = {
    "new": "came",
    "changed": "changed at SmugMug",
    "replaced": "replaced by other bytes",
    "missing": "missing at SmugMug",
    "gone": "left SmugMug",
    "back": "came back",
    "forgotten": "deleted for good at your word",
    "original": "its bytes were stored",
    "listed": "moved within the album",
}
"""What brought a version of an image about."""

REASONS = {
    "not_yet": "not fetched yet",
    "processing": "SmugMug is still working on it",
    "download_failed": "the download failed; it is tried at every run",
    "md5_mismatch": "SmugMug's bytes do not have the MD5 that SmugMug states",
    "no_original_url": "SmugMug does not give it out",
    "refused_by_source": "SmugMug refuses it",
    "bad_at_source": "what SmugMug has is no picture",
    "too_large": "it is larger than allowed",
    "damaged": "the stored bytes are damaged, and SmugMug has them no more",
    "forgotten": "deleted for good at your word",
}
"""Why bytes are not there, or not vouched for."""


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def size(count: int | None) -> str:
    """``4.2 MB`` (1 MB = 10^6 bytes)."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return (
                f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
            )
        value /= 1000
    return f"{value:.1f} TB"


def day(moment: str | None) -> str:
    """``24 Nov 2026``; the source's own texts as well as ours."""
    if not moment or len(moment) < 10:
        return "-"
    try:
        return f"{int(moment[8:10])} {_MONTHS[int(moment[5:7]) - 1]} {moment[:4]}"
    except (ValueError, IndexError):
        return moment


def moment(text: str | None) -> str:
    """``24 Nov 2026, 03:00``, and UTC where that is said."""
    if not text or len(text) < 16:
        return day(text)
    zone = " UTC" if text.endswith(("Z", "+00:00")) else ""
    return f"{day(text)}, {text[11:16]}{zone}"


def number(count: int) -> str:
    """``12,345``."""
    return f"{count:,}"


def plural(count: int, noun: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def what_it_is(image: Any) -> str:
    """Under the name on a sheet that is shown instead of a picture."""
    if not image.has_bytes:
        return REASONS.get(image.reason or "", "not stored yet")
    kind = "video" if image.is_video else (image.format or "file")
    return f"{kind}, {size(image.bytes)}"
