"""SmugMug's API v2 as it is: addresses, envelope, statuses, pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

import requests

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AccessRefused,
    AlbumNotFound,
    MalformedAnswer,
    SourceRetired,
)
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.errors import (
    GONE,
    SIGN_AGAIN,
    UNKNOWN_CODE,
    NotThere,
    Retry,
    Rule,
    TimedOut,
    Trouble,
    rule_of_refusal,
    rule_of_status,
)
from smugmug_backup.smugmug.transport import Reply, Transport

PAGE = 200
"""Asked for; SmugMug clamps it as it likes, and the next page begins where it says. Pages of 500
images were often slower than a client's time-out; after a time-out half as many are asked for."""
_LEAST_PAGE = 25

_MOST_PAGES = 10_000

LOGIN_LOST = (
    "API v2 does not accept the login ({reason}): either the access token was revoked, or the API "
    "key lacks access to v2. For the latter, its owner accepts SmugMug's terms once, on the page "
    "api/developer/accept of api.smugmug.com; for the former, `smugmug-backup authorize` gets "
    "a new one"
)
RETIRED = (
    "API v2 does not answer as itself any more ({reason}); look for a newer version of this "
    "program, or try SMUGMUG_API=1.3.0 (README)"
)


class About(Enum):
    """What is asked about: it decides what a refusal means."""

    ACCOUNT = "account"
    ALBUMS = "albums"
    ALBUM = "album"
    IMAGE = "image"


_VITAL = {About.ACCOUNT, About.ALBUMS}


class Answer(NamedTuple):
    """The ``Response`` of an envelope, and the ``Date`` it came with."""

    data: Mapping[str, Any]
    answered_at: datetime | None


@dataclass(slots=True)
class Pages:
    """All pages of one list, read once through.

    ``total`` is what the last page says. ``shifted``: entries moved while we read, so that one
    may have been shown twice and another not at all. ``resized``: so they did because some came
    or left, and what was shown may be gone. ``twice``: entries whose key the same page has shown
    before; the first one counts.
    """

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    twice: list[dict[str, Any]] = field(default_factory=list)
    total: int | None = None
    answered_at: datetime | None = None
    shifted: bool = False
    resized: bool = False


class SmugMugV2:
    """Reads API v2. Every method raises `SourceError`, after bounded retries, and OutOfTime."""

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials

    def get(
        self,
        path: str,
        *,
        about: About,
        deadline: Deadline,
        parameters: Mapping[str, str] | None = None,
        impatient: bool = False,
    ) -> Answer:
        """The answer at ``/api/v2`` + ``path``; ``impatient`` as in `Transport.call`."""
        query = {"_verbosity": "1", "_filteruri": "", **(parameters or {})}
        if not self._credentials.signed:
            # v2 takes the key of an unsigned call in the query only; errors never show URLs.
            query["APIKey"] = self._credentials.api_key
        request = requests.Request(
            "GET",
            f"{self._transport.api_url}/api/v2{path}",
            params=query,
            headers={"Accept": "application/json"},
        )

        def read(reply: Reply) -> Answer:
            return self._judge(reply, about)

        return self._transport.call(request, read, deadline=deadline, impatient=impatient)

    def pages(
        self,
        path: str,
        *,
        locator: str,
        key: str,
        about: About,
        deadline: Deadline,
        fields: tuple[str, ...],
    ) -> Pages:
        """Read the list at ``path`` to its last page; entries are by their field ``key``.

        The order is that of the list. Raises MalformedAnswer if a page shows an entry twice, or
        does not lead on in this list.
        """
        pages, start, count = Pages(), 1, PAGE
        for _ in range(_MOST_PAGES):
            wanted = {"start": str(start), "count": str(count), "_filter": ",".join(fields)}
            patient = count <= _LEAST_PAGE
            try:
                answer = self.get(
                    path,
                    about=about,
                    deadline=deadline,
                    parameters=wanted,
                    impatient=not patient,
                )
            except TimedOut:
                if patient:
                    raise
                count = max(_LEAST_PAGE, count // 2)
                continue
            _same_place(answer.data, path)
            leads_on = _take_page(pages, answer, locator, key, first=start == 1)
            if leads_on is None:
                pages.shifted |= pages.total is not None and pages.total != len(pages.entries)
                return pages
            start = _next_start(leads_on, f"/api/v2{path}", self._transport.api_url, after=start)
        raise MalformedAnswer("the list has more pages than any account")

    def _judge(self, reply: Reply, about: About) -> Answer:
        rule = rule_of_status(reply.status)
        if reply.status == 429 or reply.status >= 500:
            raise self._trouble(reply, rule, about, enveloped=False)
        try:
            data = answers.parse_object(reply.body)
            code = answers.number(data, "Code")
            if code is None and "Response" not in data:
                raise MalformedAnswer("the answer has no Response")
        except MalformedAnswer as error:
            if rule is not None:
                raise self._trouble(reply, rule, about, enveloped=False) from None
            if about in _VITAL and answers.is_html(
                reply.body, reply.headers.get("Content-Type", "")
            ):
                message = RETIRED.format(reason="a web page in its place")
                raise Trouble(SourceRetired(message), retry=Retry.YES) from None
            raise Trouble(MalformedAnswer(f"API v2: {error}"), retry=Retry.YES) from None
        if rule is None and code not in {None, 200}:
            # The envelope's own code, should it ever differ from the status.
            rule = (rule_of_status(code) if code and 100 <= code <= 599 else None) or UNKNOWN_CODE
        if rule is not None:
            raise self._trouble(reply, rule, about, enveloped=True, code=code)
        response = data.get("Response")
        if not isinstance(response, dict):
            message = "API v2: the answer has no Response"
            raise Trouble(MalformedAnswer(message), retry=Retry.YES)
        return Answer(response, answers.answered_at(reply.headers))

    def _trouble(
        self,
        reply: Reply,
        rule: Rule | None,
        about: About,
        *,
        enveloped: bool,
        code: int | None = None,
    ) -> Trouble:
        assert rule is not None
        status = reply.status if reply.status != 200 else code
        if status in {401, 403}:
            return self._refused(reply, status, about)
        reason = f"HTTP {status}, {rule.meaning}"
        message = f"API v2: {reason}"
        # v2 says 404 of what there is not; that it is gone, nobody says of a user or a list.
        if status in GONE and enveloped and not (status == 410 and about in _VITAL):
            return _missing(reason, about)
        if about in _VITAL and (status in GONE or 300 <= reply.status < 400):
            return Trouble.by(rule, RETIRED.format(reason=reason), error=SourceRetired)
        return Trouble.by(rule, message, api_code=code)

    def _refused(self, reply: Reply, status: int, about: About) -> Trouble:
        """A 401 or 403: of the login, of one signature, or of what was asked."""
        vital = about in _VITAL
        problem = answers.oauth_problem(reply.headers, reply.body)
        rule = rule_of_refusal(status, problem, vital=vital)
        reason = f"HTTP {status}, {rule.meaning}"
        reason += f" (oauth_problem {problem})" if problem else ""
        of_the_login = vital and problem not in SIGN_AGAIN
        message = f"API v2: {reason}"
        if of_the_login:
            # Only what SmugMug itself does not name is left open.
            told = f"API v2 does not accept the login ({reason}); {rule.advice}"
            message = told if problem else LOGIN_LOST.format(reason=reason)
        trouble = Trouble.by(rule, message)
        if status == 401 and trouble.retry is Retry.NO and self._transport.clock_is_off(reply):
            trouble.retry, trouble.mends_clock = Retry.ONCE, True
        return trouble


def _missing(reason: str, about: About) -> Trouble:
    """v2's own 404, not an edge server's.

    =================  ==========================================================
    asked for          what it means
    =================  ==========================================================
    a list of albums   it occurs in passing: asked again
    the account        there is no such user
    an album or image  there is none: asking again changes nothing
    =================  ==========================================================
    """
    if about is About.ALBUMS:
        return Trouble(NotThere(f"API v2: {reason}"), retry=Retry.YES)
    if about is About.ACCOUNT:
        message = f"API v2: SmugMug knows no such user ({reason}); check the nickname"
        return Trouble(AccessRefused(message))
    return Trouble(AlbumNotFound(f"API v2: {reason}"))


def _same_place(response: Mapping[str, Any], path: str) -> None:
    uri = answers.text(response, "Uri")
    if uri is None:
        return
    shown, asked = unquote(urlsplit(uri).path), unquote(f"/api/v2{path}")
    # A nickname may come back spelt otherwise; an album's key may not.
    same = shown == asked if path.startswith("/album/") else shown.casefold() == asked.casefold()
    if not same:
        raise MalformedAnswer("API v2: the answer is about something else")


def _take_page(pages: Pages, answer: Answer, locator: str, key: str, *, first: bool) -> str | None:
    """Add a page; gives where the next one is, or None."""
    response = answer.data
    entries = answers.objects(response, locator)
    about = response.get("Pages")
    about = about if isinstance(about, dict) else {}
    total, count = answers.count(about, "Total"), answers.count(about, "Count")
    if count is not None and count != len(entries):
        raise MalformedAnswer(f"API v2: a page of {count} entries shows {len(entries)}")
    if not entries and total is None and answers.text(response, "Locator") != locator:
        # An empty list is left out of the answer, and so is every list of another answer.
        raise MalformedAnswer(f"API v2: the answer is no list of {locator}")
    keys = [answers.key_of(entry, key) for entry in entries]
    if locator != "AlbumImage":
        answers.refuse_duplicates(keys, [], locator)
    pages.shifted |= any(name in pages.entries for name in keys)
    pages.resized |= not first and total != pages.total
    pages.shifted |= pages.resized
    page = dict(zip(reversed(keys), reversed(entries), strict=True))
    pages.twice += (
        each for name, each in zip(keys, entries, strict=True) if page[name] is not each
    )
    pages.entries.update((name, page[name]) for name in dict.fromkeys(keys))
    pages.total = total
    if first:
        pages.answered_at = answer.answered_at
    elif pages.answered_at is not None:
        # The earliest date: what changed between two pages is seen again.
        date = answer.answered_at
        pages.answered_at = min(pages.answered_at, date) if date is not None else None
    leads_on = answers.text(about, "NextPage")
    if leads_on is not None and not entries:
        raise MalformedAnswer("API v2: an empty page that leads on")
    return leads_on


def _next_start(next_page: str, path: str, api_url: str, *, after: int) -> int:
    """Where the next page begins. Only the number is taken from SmugMug's link, so that it can
    lead nowhere else. Raises MalformedAnswer if it is not a later page of the same list."""
    try:
        parts = urlsplit(next_page)
        elsewhere = bool(parts.netloc) and parts.netloc != urlsplit(api_url).netloc
        start = answers.number({"start": parse_qs(parts.query).get("start", [""])[0]}, "start")
    except ValueError:
        elsewhere, start = True, None
    if elsewhere or unquote(parts.path).casefold() != unquote(path).casefold():
        raise MalformedAnswer("API v2: the next page is one of something else")
    if start is None or start <= after:
        raise MalformedAnswer("API v2: the next page does not lead on")
    return start


def quoted(name: str) -> str:
    """``name`` as a part of a path."""
    return quote(name, safe="")
