"""The settings file, ``config.toml``: profiles, each of which says what its owner chose.

Reading needs the standard library alone; writing keeps what a person wrote beside, comments too.
No secret stands there, only where it lies.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smugmug_backup.cli import private_file
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.errors import BadRequest

APP = "smugmug-backup"
DEFAULT = "default"

NAMES = {
    "location": "SMUGMUG_BACKUP_LOCATION",
    "nickname": "SMUGMUG_NICKNAME",
    "api": "SMUGMUG_API",
    "secret": "SMUGMUG_SECRET",
    "max_concurrency": "MAX_CONCURRENCY",
    "max_calls_per_second": "MAX_CALLS_PER_SECOND",
    "full_listing_days": "FULL_LISTING_DAYS",
    "ignore_albums": "IGNORE_ALBUMS",
    "api_url": "SMUGMUG_API_URL",
    "photo_hosts": "SMUGMUG_PHOTO_HOSTS",
}
"""What a profile may say, and the name that the environment has for it."""

OWN_NAMES = ("limit_rate", "between", "notify", "at")
"""What a profile may say besides (`manners`); ``at``: when `setup` has a run start."""

_HEAD = (
    "What `smugmug-backup` is to do when it is not told otherwise; `smugmug-backup setup` writes\n"
    "it, and keeps what you write here. An option counts before the environment, and that before\n"
    "this file; `smugmug-backup doctor` says which one won. No secret stands here."
)

Values = Mapping[str, Any]


class BrokenSettings(Mistaken):
    """The settings file is there, and is none."""


def config_path() -> Path:
    """Where the profiles stand: on Linux ``~/.config/smugmug-backup/config.toml``.

    Raises BadRequest if there is no home folder.
    """
    return _place("user_config_dir") / "config.toml"


def state_folder() -> Path:
    """Where the tool keeps what it has seen: on Linux ``~/.local/state/smugmug-backup``.

    Raises BadRequest if there is no home folder.
    """
    return _place("user_state_dir")


def _place(which: str) -> Path:
    try:
        import platformdirs  # asks for the home folder as it is imported

        folder = str(getattr(platformdirs, which)(APP, appauthor=False))
    except RuntimeError:
        folder = "~"
    # Where nobody knows the home folder, the tilde stays what it was.
    if folder.startswith("~") or "\0" in folder:
        raise Mistaken(
            "there is no place for the settings: nobody here has a home folder", hint="set HOME"
        )
    return Path(folder)


def read_profile(name: str, path: Path) -> dict[str, Any]:
    """What the profile says, under the names that stand in `NAMES`; empty if there is none.

    Raises BadRequest that names all that is wrong with it, BrokenSettings if that is the file.
    """
    profiles = _read(path)
    if name not in profiles:
        if name == DEFAULT:
            return {}
        known = ", ".join(sorted(profiles)) or "none"
        raise Mistaken(
            f"there is no profile {name!r} in {path} (there: {known})",
            hint=f"`smugmug-backup setup --profile {name}` makes it",
        )
    profile = profiles[name]
    problems = list(_problems(profile))
    if problems:
        raise BadRequest(f"the profile {name} in {path} cannot be used: {'; '.join(problems)}")
    return dict(profile)


def profile_names(path: Path) -> list[str]:
    """All profiles there, in the order of the file. Raises BadRequest."""
    return list(_read(path))


def as_environment(profile: Values) -> dict[str, str]:
    """The profile by the names that the environment has for it."""
    return {name: _text(profile[key]) for key, name in NAMES.items() if key in profile}


def write_profile(name: str, changes: Values, path: Path) -> None:
    """Change what is named in ``changes`` (None: take it out) and leave all else as it stands.

    A file that cannot be read is put aside first. Raises BadRequest, and changes nothing.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    with told(path):
        try:
            document = tomlkit.parse(path.read_text(encoding="utf-8"))
            profiles = document.setdefault("profiles", tomlkit.table(is_super_table=True))
            profile = profiles.setdefault(name, tomlkit.table())
            changed = _change(profile, changes)
        except FileNotFoundError:
            document, changed = _begun(name, changes), True
        except (TOMLKitError, UnicodeDecodeError, AttributeError, TypeError):
            path.replace(path.with_name(f"{path.name}.broken"))
            document, changed = _begun(name, changes), True
        if changed:
            private_file.write(path, tomlkit.dumps(document), overwrite=True)


def try_to_write(path: Path) -> None:
    """Whether `write_profile` could write there, tried out. Raises BadRequest."""
    with told(path):
        private_file.try_to(path)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What the disk refuses, in one sentence."""
    try:
        yield
    except OSError as error:
        raise BadRequest(f"the settings in {path} cannot be written ({error.strerror})") from None


def _begun(name: str, changes: Values) -> Any:
    import tomlkit

    document = tomlkit.document()
    for line in _HEAD.splitlines():
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    profiles = tomlkit.table(is_super_table=True)
    profile = tomlkit.table()
    _change(profile, changes)
    profiles.add(name, profile)
    document.add("profiles", profiles)
    return document


def _change(profile: Any, changes: Values) -> bool:
    """Whether anything differs by now."""
    changed = False
    for key, value in changes.items():
        if value is None:
            changed = profile.pop(key, None) is not None or changed
        elif profile.get(key) != value:
            profile[key] = value
            changed = True
    return changed


def _read(path: Path) -> dict[str, Any]:
    """All profiles of the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}  # A home that is a file has no settings.
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BrokenSettings(f"{path} cannot be read ({why})", hint=_ANEW) from None
    import tomllib  # where there is something to read

    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenSettings(f"{path} cannot be read: {str(error)[:200]}", hint=_ANEW) from None
    profiles = data.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(p, dict) for p in profiles.values()):
        raise BrokenSettings(f"{path} has no tables like [profiles.{DEFAULT}]", hint=_ANEW)
    return profiles


_ANEW = "mend it, or `smugmug-backup setup` puts it aside and writes it anew"


def _problems(profile: Values) -> Iterator[str]:
    """What a profile says that nobody understands."""
    for key, value in profile.items():
        if key not in NAMES and key not in OWN_NAMES:
            yield f"{key} is no setting (there are: {', '.join((*NAMES, *OWN_NAMES))})"
        elif not _is_plain(value):
            yield f"{key} must be a text, a number or a list of texts"


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _text(value: str | float | Sequence[str]) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)
