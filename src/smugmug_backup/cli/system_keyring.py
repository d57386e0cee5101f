"""The system's keyring (macOS' Keychain, Windows' Credential Manager, Secret Service, KWallet).

An optional extra: `smugmug-backup[keyring]`.
"""

from importlib import import_module
from typing import Any

from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.errors import BadRequest, StoreRefused

SERVICE = "smugmug-backup"


def is_there() -> bool:
    """Whether there is a keyring that keeps what it is given."""
    try:
        return float(_keyring().get_keyring().priority) >= 1
    except Exception:  # noqa: BLE001 (a backend may fail in any way: then there is none)
        return False


def read(name: str) -> str:
    """The secret ``name``. Raises BadRequest if there is none, or no keyring."""
    text = _asked("reading", lambda keyring: keyring.get_password(SERVICE, name))
    if text is None:
        raise BadRequest(f"the keyring has no secret {name!r} of {SERVICE}")
    return str(text)


def holds(name: str) -> bool:
    """Whether there is a secret ``name``. Raises BadRequest, StoreRefused."""
    return _asked("reading", lambda keyring: keyring.get_password(SERVICE, name)) is not None


def write(name: str, text: str) -> None:
    """Store it, in place of what there was. Raises BadRequest, StoreRefused."""
    _asked("writing", lambda keyring: keyring.set_password(SERVICE, name, text))


def _asked(doing: str, ask: Any) -> Any:
    keyring = _keyring()
    try:
        return ask(keyring)
    except Exception as error:  # noqa: BLE001 (each backend has errors of its own)
        # Its text is not shown: nobody knows what a backend puts there.
        raise StoreRefused(
            f"{doing} the system's keyring failed ({type(error).__name__}): is it there, and open?"
        ) from None


def _keyring() -> Any:
    try:
        return import_module("keyring")
    except ImportError:
        raise Mistaken(
            "the secret lies in the system's keyring, and what speaks to it is not installed",
            hint="install it as smugmug-backup[keyring], as it was installed (docs/packages.md)",
        ) from None
