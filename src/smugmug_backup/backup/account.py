"""The account's guard: whose store this is, and which account listing is believed."""

from collections.abc import Mapping, Sequence

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.errors import RunRefused
from smugmug_backup.model import Account, Album

_EXCUSED_ALBUMS = 2
_EXCUSED_IMAGES = 20


def check_binding(bound: Account | None, seen: Account) -> None:
    """Refuse another account, or a lesser view of the same one, than the store's own.

    Raises RunRefused. A change of API is no reason, nor is a wider view.
    """
    if bound is None:
        return
    if bound.nickname.casefold() != seen.nickname.casefold():
        raise RunRefused(
            f"this store holds the backup of '{bound.nickname}', the settings read "
            f"'{seen.nickname}'; give each account a bucket or a prefix of its own"
        )
    if bound.access == "owner" and seen.access != "owner":
        raise RunRefused(
            f"this store holds all that the owner of '{bound.nickname}' sees, the settings show "
            "only what is public; put the access token back (smugmug-backup authorize)"
        )


def check_albums(
    known: Mapping[str, AlbumState], albums: Sequence[Album], *, accept_shrink: bool
) -> None:
    """Refuse an account listing that lost too much since the newest report.

    Raises RunRefused if there are no albums, none of the known ones, or if the known live albums
    or the sum of their ImageCount shrank by more than a fifth; a loss of up to 2 albums excuses
    the first, of up to 20 images the second, ``accept_shrink`` both.
    """
    if not albums:
        raise RunRefused(
            "SmugMug shows no albums at all, which is never believed: check the nickname, the "
            "site password, and that the access token may see the account (Access=Full)"
        )
    answer = {album.key: album for album in albums}
    live = {key: state for key, state in known.items() if state.live}
    if live and not any(key in answer for key in live):
        raise RunRefused(f"SmugMug shows none of the {len(live)} albums of this backup")
    if accept_shrink:
        return
    lost = sum(key not in answer for key in live)
    if lost > _EXCUSED_ALBUMS and lost * 5 > len(live):
        raise RunRefused(_shrunk("albums", len(live), len(live) - lost))
    before = sum(state.source_count for state in live.values())
    after = sum(_count_now(answer.get(key), state) for key, state in live.items())
    if before - after > _EXCUSED_IMAGES and (before - after) * 5 > before:
        raise RunRefused(_shrunk("images", before, after))


def _count_now(album: Album | None, state: AlbumState) -> int:
    if album is None:
        return 0
    return state.source_count if album.image_count is None else album.image_count


def _shrunk(what: str, before: int, after: int) -> str:
    return (
        f"the known albums shrank from {before} to {after} {what}; if you removed them yourself, "
        'run once by hand with {"action": "backup", "accept_shrink": true}'
    )
