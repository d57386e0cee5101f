"""Texts of an owner as SmugMug's records have them: with HTML entities, keywords in one line."""

import re
from collections.abc import Mapping
from typing import Any

# XML 1.0 has no such characters, not even as references; nor do people read them. (Said by what is
# text, and not by what is none, it would take Python ten times as long to compile: 7 ms.)
_NOT_TEXT = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"


def keywords_of(image: Mapping[str, Any]) -> list[str]:
    """The keywords one by one, each once; SmugMug parts them by semicolons, or by commas."""
    listed = image.get("KeywordArray")
    if isinstance(listed, list) and listed:
        words = [text_of(each) for each in listed]
    else:
        text = text_of(image.get("Keywords"))
        words = text.split(";" if ";" in text else ",")
    return list(dict.fromkeys(word for word in (each.strip(' "\t\n\r') for each in words) if word))


def text_of(value: object) -> str:
    """A text without HTML entities and without what is no character."""
    return re.sub(_NOT_TEXT, "\ufffd", unescaped(value) if isinstance(value, str) else "")


def unescaped(text: str) -> str:
    """``text`` with its HTML entities decoded, as SmugMug writes them."""
    if "&" not in text:
        return text
    import html  # 2,200 names of characters, for the texts that have one

    return html.unescape(text)
