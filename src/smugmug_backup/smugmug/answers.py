"""Read what SmugMug sends: strict JSON, dates, and values that come in more than one shape."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from smugmug_backup.archive.records import whole_number
from smugmug_backup.errors import MalformedAnswer
from smugmug_backup.words import is_id

_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_OLDEST = 60
_PROBLEM = re.compile(r"oauth_problem[\"'=:\s]+([a-z_]+)")
_PROBLEMS = frozenset(
    {
        "additional_authorization_required",
        "consumer_key_refused",
        "consumer_key_rejected",
        "consumer_key_unknown",
        "nonce_used",
        "parameter_absent",
        "parameter_rejected",
        "permission_denied",
        "permission_unknown",
        "signature_invalid",
        "signature_method_rejected",
        "timestamp_refused",
        "token_expired",
        "token_rejected",
        "token_revoked",
        "token_used",
        "user_refused",
        "verifier_invalid",
        "version_rejected",
    }
)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that ``body`` is, whole. Raises MalformedAnswer for anything else."""
    try:
        value = json.loads(
            body.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite
        )
    except (ValueError, RecursionError):
        value = None  # The original, which quotes the answer, is left behind.
    if value is None:
        raise MalformedAnswer("the answer is not JSON, or not whole")
    if not isinstance(value, dict):
        raise MalformedAnswer("the answer is no JSON object")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError("not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number beyond all bounds")
    return value


def is_html(body: bytes, content_type: str) -> bool:
    """Whether this is a web page where data should be."""
    return body.lstrip()[:1] == b"<" or content_type.lower().startswith("text/html")


def http_date(text: str | None) -> datetime | None:
    """The instant of a ``Date`` or ``Retry-After`` header, None if it is unreadable."""
    if not text:
        return None
    try:
        instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def answered_at(headers: Mapping[str, str]) -> datetime | None:
    """The source's clock: the ``Date`` header, unless a cache kept the answer for long.

    =====================  ====
    ``Age``                Date
    =====================  ====
    none                   counts
    up to 60 s             counts: a hop on the way, not last night's answer
    more                   none
    no number of seconds   none
    =====================  ====
    """
    age = headers.get("Age")
    if age is not None:
        age = age.strip()
        if not (age.isascii() and age.isdigit()) or int(age[:9]) > _OLDEST:
            return None
    return http_date(headers.get("Date"))


def oauth_problem(headers: Mapping[str, str], body: bytes) -> str | None:
    """What ``oauth_problem`` says of a request that was refused; None if it says nothing.

    Looked for in the ``WWW-Authenticate`` header, then in the body, whatever form that has. Only
    the words of OAuth's problem reporting are given back, so that nothing else can be in one.
    """
    places = (headers.get("WWW-Authenticate") or "", body[:4096].decode("latin-1"))
    for match in (_PROBLEM.search(place) for place in places):
        if match is not None:
            return match[1] if match[1] in _PROBLEMS else "a problem without a name"
    return None


def wait_asked_for(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds that ``Retry-After`` asks for, by a number or by a date; None if it does not."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    instant = http_date(text)
    if instant is None:
        return None
    # Both dates by the server's own clock, if it tells.
    return max(0.0, (instant - (http_date(headers.get("Date")) or now)).total_seconds())


def window_left(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds until the rate limit's window ends, if it is used up (v2); else None."""
    remaining = (headers.get("X-RateLimit-Remaining") or "").strip()
    reset = (headers.get("X-RateLimit-Reset") or "").strip()
    if not remaining or (remaining.strip("0") and not remaining.startswith("-")):
        return None
    if not (reset.isascii() and reset.isdigit() and len(reset) <= 11):
        return None
    server = http_date(headers.get("Date")) or now
    return max(0.0, int(reset) - server.timestamp())


def key_of(data: Mapping[str, Any], name: str) -> str:
    """The album or image key under ``name``. Raises MalformedAnswer if it cannot be one."""
    key = data.get(name)
    if not is_id(key):
        raise MalformedAnswer(f"an entry of the answer has no usable {name}")
    return str(key)


def objects(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The list of objects under ``name``; absent and null are empty lists."""
    value = data.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedAnswer(f"{name} is no list of objects")
    return value


def struct(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object under ``name``. Raises MalformedAnswer if it is not there."""
    value = data.get(name)
    if not isinstance(value, dict):
        raise MalformedAnswer(f"the answer has no {name}")
    return value


def number(data: Mapping[str, Any], name: str) -> int | None:
    """The integer under ``name``, written as a number or as a text; None if there is none."""
    return whole_number(data.get(name))


def count(data: Mapping[str, Any], name: str) -> int | None:
    """The count under ``name``; a negative one is none."""
    value = number(data, name)
    return value if value is not None and value >= 0 else None


def text(data: Mapping[str, Any], name: str) -> str | None:
    """The text under ``name``, verbatim; None if it is absent, empty or no text."""
    value = data.get(name)
    return value if isinstance(value, str) and value else None


def flag(data: Mapping[str, Any], name: str) -> bool:
    """The truth under ``name``: true, 1, "1" or "true"."""
    value = data.get(name)
    return (
        value is True or value == 1 or (isinstance(value, str) and value.lower() in {"1", "true"})
    )


def md5(data: Mapping[str, Any], name: str) -> str | None:
    """The MD5 under ``name`` in lower case; None if it is absent or cannot be one."""
    value = data.get(name)
    return value.lower() if isinstance(value, str) and _MD5.fullmatch(value) else None


def instant(value: str | None) -> datetime | None:
    """The instant of an ISO date; one without a zone is read as UTC. None if unreadable."""
    try:
        parsed = datetime.fromisoformat(value or "")
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def refuse_duplicates(keys: list[str], ids: list[int | None], what: str) -> None:
    """Raise MalformedAnswer if the answer shows the same thing twice."""
    known = [number for number in ids if number is not None]
    if len(set(keys)) != len(keys) or len(set(known)) != len(known):
        raise MalformedAnswer(f"the answer shows the same {what} twice")
