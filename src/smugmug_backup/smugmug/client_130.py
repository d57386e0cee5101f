"""SmugMug's API 1.3.0 as it is: methods, parameters, envelope, codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import EmptySet, MalformedAnswer, SourceError, SourceRetired
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.errors import (
    GONE,
    EmptyAnswer,
    Retry,
    Rule,
    Trouble,
    rule_of_code,
    rule_of_refusal,
    rule_of_status,
)
from smugmug_backup.smugmug.transport import Reply, Transport

PATH = "/services/api/json/1.3.0/"

RETIRED = (
    "API 1.3.0 does not answer as itself any more ({reason}); if SmugMug has switched it off, set "
    "SMUGMUG_API=v2, which goes on with the same backup (README: the day API 1.3.0 stops)"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: the envelope's payload, and the ``Date`` it came with."""

    data: Mapping[str, Any]
    answered_at: datetime | None


class SmugMug130:
    """The methods of API 1.3.0 that still work and that a backup needs.

    Every method raises the `SourceError` of its code or status, after bounded retries, and
    OutOfTime. Parameters travel in the POST body and in no URL.
    """

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials

    def images_get(
        self,
        *,
        album_id: int,
        album_key: str,
        deadline: Deadline,
        api_key: str | None = None,
        session_id: str | None = None,
        associative: bool | None = None,
        callback: str | None = None,
        custom_size: str | None = None,
        extras: Sequence[str] = (),
        heavy: bool | None = None,
        last_updated: int | None = None,
        password: str | None = None,
        pretty: bool | None = None,
        sandboxed: bool | None = None,
        site_password: str | None = None,
        strict: bool | None = None,
    ) -> Answer:
        """``smugmug.images.get``: the images of an album. The payload is ``Album``.

        :param album_id: AlbumID, the id of the album (required).
        :param album_key: AlbumKey, the key of the album (required).
        :param api_key: APIKey; that of the credentials if not given, and none if OAuth signs
            the request, for there the consumer key is the API key.
        :param session_id: SessionID, a valid session. Sessions came from ``login.*`` of versions
            that were switched off in 2018.
        :param associative: Associative, return an associative array. Its shape is documented
            nowhere.
        :param callback: Callback, a JSONP function name; the wrapping is taken off here.
        :param custom_size: CustomSize, a custom size image to return.
        :param extras: Extras, names of further attributes of the light response.
        :param heavy: Heavy, all attributes.
        :param last_updated: LastUpdated, only images changed after this epoch (seconds).
        :param password: Password of the album.
        :param pretty: Pretty, a more human friendly response.
        :param sandboxed: Sandboxed, URLs at a location with a crossdomain.xml file.
        :param site_password: SitePassword of the user.
        :param strict: Strict error handling: no images is code 15 (`EmptyAnswer`).
        """
        return self._ask(
            "smugmug.images.get",
            {
                "AlbumID": album_id,
                "AlbumKey": album_key,
                "APIKey": api_key or self._api_key,
                "SessionID": session_id,
                "Associative": associative,
                "Callback": callback,
                "CustomSize": custom_size,
                "Extras": ",".join(extras) or None,
                "Heavy": heavy,
                "LastUpdated": last_updated,
                "Password": password,
                "Pretty": pretty,
                "Sandboxed": sandboxed,
                "SitePassword": site_password,
                "Strict": strict,
            },
            deadline=deadline,
        )

    def albums_get(
        self,
        *,
        deadline: Deadline,
        nick_name: str | None = None,
        api_key: str | None = None,
        session_id: str | None = None,
        associative: bool | None = None,
        callback: str | None = None,
        empty: bool | None = None,
        extras: Sequence[str] = (),
        heavy: bool | None = None,
        last_updated: int | None = None,
        pretty: bool | None = None,
        site_password: str | None = None,
        strict: bool | None = None,
    ) -> Answer:
        """``smugmug.albums.get``: the albums of a user. The payload is ``Albums``.

        :param nick_name: NickName; required without OAuth, else the token's own user.
        :param empty: Empty, return empty albums as well.

        The others as for `images_get`. An answer that is none of this API's (a page of HTML,
        404, 410, a redirect) raises SourceRetired here, after the retries.
        """
        return self._ask(
            "smugmug.albums.get",
            {
                "NickName": nick_name,
                "APIKey": api_key or self._api_key,
                "SessionID": session_id,
                "Associative": associative,
                "Callback": callback,
                "Empty": empty,
                "Extras": ",".join(extras) or None,
                "Heavy": heavy,
                "LastUpdated": last_updated,
                "Pretty": pretty,
                "SitePassword": site_password,
                "Strict": strict,
            },
            deadline=deadline,
            vital=True,
        )

    def check_access_token(self, *, deadline: Deadline) -> Answer:
        """``smugmug.auth.checkAccessToken``: whose token it is. The payload is ``Auth``."""
        return self._ask("smugmug.auth.checkAccessToken", {}, deadline=deadline, vital=True)

    def service_ping(self, *, deadline: Deadline) -> Answer:
        """``smugmug.service.ping``: whether the service answers at all. No payload."""
        return self._ask(
            "smugmug.service.ping", {"APIKey": self._api_key}, deadline=deadline, vital=True
        )

    @property
    def _api_key(self) -> str | None:
        return None if self._credentials.signed else self._credentials.api_key

    def _ask(
        self,
        method: str,
        parameters: Mapping[str, object],
        *,
        deadline: Deadline,
        vital: bool = False,
    ) -> Answer:
        """``vital``: the account as a whole depends on it, so a wrong answer may be the end."""
        form = {"method": method}
        form |= {name: _text(value) for name, value in parameters.items() if value is not None}
        callback = form.get("Callback")
        request = requests.Request("POST", self._transport.api_url + PATH, data=form)

        def read(reply: Reply) -> Answer:
            return _judge(reply, method, callback=callback, vital=vital)

        return self._transport.call(request, read, deadline=deadline)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _judge(reply: Reply, method: str, *, callback: str | None, vital: bool) -> Answer:
    """What one reply means. SmugMug's own code decides where there is one, else the status."""
    rule = rule_of_status(reply.status)
    if reply.status == 429 or reply.status >= 500:
        raise _trouble_of_status(reply, rule, method, vital=vital)
    try:
        data = answers.parse_object(_without_callback(reply.body, callback))
        if data.get("stat") not in ("ok", "fail"):
            raise MalformedAnswer("the answer has no stat")
    except MalformedAnswer as error:
        if rule is not None:
            raise _trouble_of_status(reply, rule, method, vital=vital) from None
        if vital and answers.is_html(reply.body, reply.headers.get("Content-Type", "")):
            reason = f"{method} is answered by a web page"
            raise Trouble(SourceRetired(RETIRED.format(reason=reason)), retry=Retry.YES) from None
        raise Trouble(MalformedAnswer(f"{method}: {error}"), retry=Retry.YES) from None
    date = answers.answered_at(reply.headers)
    if data["stat"] == "fail":
        raise _trouble_of_code(data, method, date)
    if rule is not None:
        raise _trouble_of_status(reply, rule, method, vital=vital)
    if data.get("method", method) != method:
        message = f"{method}: the answer is one to another method"
        raise Trouble(MalformedAnswer(message), retry=Retry.YES)
    return Answer(data, date)


def _without_callback(body: bytes, callback: str | None) -> bytes:
    if callback is None:
        return body
    inner = body.strip().removesuffix(b";").rstrip()
    start = callback.encode() + b"("
    # Failures may come without the wrapping: then it is plain JSON.
    return inner[len(start) : -1] if inner.startswith(start) and inner.endswith(b")") else body


def _trouble_of_code(data: Mapping[str, Any], method: str, date: datetime | None) -> Trouble:
    code = answers.number(data, "code")
    if code is None:
        return Trouble(MalformedAnswer(f"{method}: a failure without a code"), retry=Retry.YES)
    rule = rule_of_code(code)
    if rule.error is EmptySet:
        return Trouble(EmptyAnswer(f"{method}: {rule.meaning}", answered_at=date))
    message = rule.told(f"{method}: code {code}")
    if rule.error is SourceRetired:
        message = RETIRED.format(reason=message)
    return Trouble.by(rule, message, api_code=code)


def _trouble_of_status(reply: Reply, rule: Rule | None, method: str, *, vital: bool) -> Trouble:
    assert rule is not None
    if reply.status in {401, 403}:
        problem = answers.oauth_problem(reply.headers, reply.body)
        rule = rule_of_refusal(reply.status, problem, vital=vital)
        said = f" (oauth_problem {problem})" if problem else ""
        return Trouble.by(rule, rule.told(f"{method}: HTTP {reply.status}{said}"))
    message = f"{method}: HTTP {reply.status}, {rule.meaning}"
    error: type[SourceError] | None = None
    if vital and (reply.status in GONE or 300 <= reply.status < 400):
        error, message = SourceRetired, RETIRED.format(reason=message)
    return Trouble.by(rule, message, error=error)
