"""What the owner entrusts to us; it is shown nowhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smugmug_backup.errors import BadRequest
from smugmug_backup.words import is_id

_OAUTH = ("api_secret", "access_token", "access_token_secret")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The API key, and what else opens the account: an access token, or passwords.

    Its text form is empty on purpose. ``album_passwords`` are by AlbumKey.
    """

    api_key: str = field(repr=False)
    api_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    access_token_secret: str | None = field(default=None, repr=False)
    site_password: str | None = field(default=None, repr=False)
    album_passwords: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def signed(self) -> bool:
        """Whether requests are signed by OAuth, so that the owner's view is seen."""
        return self.access_token is not None

    @classmethod
    def from_json(cls, text: str) -> "Credentials":
        """Read the secret's JSON. Raises BadRequest that names all that is missing or wrong.

        ``api_key`` alone gives the public view; an access token needs all three of
        ``api_secret``, ``access_token`` and ``access_token_secret``. Names we do not know are
        left alone: the owner may keep notes there.
        """
        data = _object(text)
        wrong: list[str] = []
        values = {name: _text(data, name, wrong) for name in ("api_key", *_OAUTH, "site_password")}
        passwords = data.get("album_passwords") or {}
        if not isinstance(passwords, dict) or not all(
            is_id(key) and isinstance(value, str) for key, value in passwords.items()
        ):
            wrong.append("album_passwords must map AlbumKeys to passwords")
            passwords = {}
        missing = [] if values["api_key"] or _mentioned("api_key", wrong) else ["api_key"]
        if values["access_token"] or values["access_token_secret"]:
            missing += [name for name in _OAUTH if not values[name] and not _mentioned(name, wrong)]
        wrong += [f"{name} is missing" for name in missing]
        if wrong:
            raise BadRequest("the SmugMug secret cannot be used: " + "; ".join(wrong))
        return cls(
            api_key=values["api_key"] or "",
            api_secret=values["api_secret"],
            access_token=values["access_token"],
            access_token_secret=values["access_token_secret"],
            site_password=values["site_password"],
            album_passwords={key: value for key, value in passwords.items() if value},
        )


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        data = None  # The original exception holds the text.
    if not isinstance(data, dict):
        raise BadRequest("the SmugMug secret is no JSON object with an api_key")
    return data


def _text(data: Mapping[str, Any], name: str, wrong: list[str]) -> str | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    # Anything but visible ASCII in a key or token is a slip of copying; a password is free.
    if not isinstance(value, str) or (
        name != "site_password" and not all("!" <= character <= "~" for character in value)
    ):
        wrong.append(f"{name} must be a text without spaces")
        return None
    return value


def _mentioned(name: str, wrong: list[str]) -> bool:
    return any(problem.startswith(f"{name} ") for problem in wrong)
