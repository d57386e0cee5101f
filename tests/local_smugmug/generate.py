"""Accounts made from a seed: the same seed, the same account; nothing is made before its time."""

import hashlib
import random
from datetime import UTC, datetime

from tests.local_smugmug.bodies import MP4_HEAD, Body, SeededBody
from tests.local_smugmug.model import Account, Album, Image, Secrets
from tests.local_smugmug.world import url_name

GENERATED_AT = int(datetime(2026, 9, 1, 12, 0, 0, tzinfo=UTC).timestamp())
"""When the youngest image of a generated account was last changed."""

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLACES = ("Harbour", "Moor", "Garden", "Station", "Island", "Market", "Forest", "Valley")
_FOLDERS = (
    ("Travel", "Coast"),
    ("Family",),
    ("Travel", "Mountains", "2024", "Winter"),
    ("Other",),
    ("Events", "Weddings"),
)


class KeyMaker:
    """A one-to-one map between numbers and keys of a fixed length, another for each seed."""

    def __init__(self, seed: int, length: int) -> None:
        self.length = length
        self.size = 62**length
        rng = random.Random(f"keys {seed} {length}")
        self._step = rng.randrange(self.size // 3, self.size)
        while self._step % 2 == 0 or self._step % 31 == 0:
            self._step += 1
        self._start = rng.randrange(self.size)
        self._back = pow(self._step, -1, self.size)

    def key(self, number: int) -> str:
        rest = (number * self._step + self._start) % self.size
        letters = []
        for _ in range(self.length):
            rest, digit = divmod(rest, 62)
            letters.append(_LETTERS[digit])
        return "".join(letters)

    def number(self, key: str) -> int | None:
        """The number behind a key; None if it cannot be one."""
        if len(key) != self.length:
            return None
        value = 0
        for letter in reversed(key):
            digit = _LETTERS.find(letter)
            if digit < 0:
                return None
            value = value * 62 + digit
        return int((value - self._start) * self._back % self.size)


class Plan:
    """What a generated account is made of."""

    def __init__(
        self,
        seed: int,
        *,
        albums: int,
        images: int,
        size: int,
        video_every: int,
        video_size: int,
        no_md5_every: int,
        md5_up_to: int,
    ) -> None:
        self.seed, self.albums, self.images = seed, albums, images
        self.size, self.video_every, self.video_size = size, video_every, video_size
        self.no_md5_every, self.md5_up_to = no_md5_every, md5_up_to
        self.album_keys = KeyMaker(seed, 6)
        self.image_keys = KeyMaker(seed, 7)

    def album_key_of(self, image_key: str) -> str | None:
        number = self.image_keys.number(image_key)
        if number is None or number >= self.albums * self.images:
            return None
        return self.album_keys.key(number // self.images)

    def image(self, album_key: str, number: int) -> Image:
        """Image ``number`` of the whole account, counted from 0."""
        seed = self.seed * 1_000_003 + number
        is_video = bool(self.video_every) and number % self.video_every == self.video_every - 1
        size = self.video_size if is_video else self.size
        still, renditions = None, {}
        if is_video:
            renditions = video_renditions(seed, size)
            still = SeededBody(seed * 31 + 1, min(size, 4_000))
        # Sizes differ a little, so that a mix-up shows.
        body = SeededBody(seed, size + number % 97, MP4_HEAD if is_video else b"\xff\xd8\xff\xe0")
        has_md5 = size <= self.md5_up_to and not (
            self.no_md5_every and number % self.no_md5_every == self.no_md5_every - 1
        )
        updated = GENERATED_AT - (number * 977) % 5_000_000
        return Image(
            key=self.image_keys.key(number),
            id=13_500_000_000 + number,
            body=body,
            file_name=f"CLIP_{number:07d}.MOV" if is_video else f"DSC_{number:07d}.JPG",
            album_key=album_key,
            uploaded=updated - 3,
            updated=updated,
            caption=f"Picture {number}" if number % 3 else "",
            keywords="sea; light" if number % 2 else "",
            format="MP4" if is_video else "JPG",
            latitude=54.4861 if number % 5 == 0 else 0,
            longitude=-0.6133 if number % 5 == 0 else 0,
            has_md5=has_md5,
            still=still,
            renditions=renditions,
            duration=31 if is_video else 0,
        )


class PlannedImages:
    """`ImagesOf` an album of a plan."""

    __slots__ = ("_album_key", "_first", "_plan")
    newest = GENERATED_AT

    def __init__(self, plan: Plan, album_key: str, album_number: int) -> None:
        self._plan, self._album_key = plan, album_key
        self._first = album_number * plan.images

    def __len__(self) -> int:
        return self._plan.images

    def all(self) -> list[Image]:
        numbers = range(self._first, self._first + self._plan.images)
        return [self._plan.image(self._album_key, number) for number in numbers]

    def find(self, image_key: str) -> Image | None:
        number = self._plan.image_keys.number(image_key)
        if number is None or not self._first <= number < self._first + self._plan.images:
            return None
        return self._plan.image(self._album_key, number)


def generate_account(
    seed: int = 1,
    *,
    albums: int = 3,
    images: int = 4,
    size: int = 2_000,
    video_every: int = 0,
    video_size: int = 20_000,
    no_md5_every: int = 0,
    md5_up_to: int = 1 << 22,
    nickname: str | None = None,
) -> Account:
    """An account of ``albums`` albums with ``images`` images of about ``size`` bytes each.

    Every ``video_every``-th image is a video; every ``no_md5_every``-th has no MD5Sum, and so has
    none that is larger than ``md5_up_to``, because its bytes would have to be made for it.
    """
    plan = Plan(
        seed,
        albums=albums,
        images=images,
        size=size,
        video_every=video_every,
        video_size=video_size,
        no_md5_every=no_md5_every,
        md5_up_to=md5_up_to,
    )
    account = new_account(seed, nickname or f"larkfield{seed}")
    account.album_key_of = plan.album_key_of
    nodes = KeyMaker(seed + 1, 6)
    for number in range(albums):
        key = plan.album_keys.key(number)
        title = f"{_PLACES[number % len(_PLACES)]} {number}"
        created = GENERATED_AT - 6_000_000 + number
        account.albums[key] = Album(
            key=key,
            id=51_000_000 + number,
            title=title,
            url_name=url_name(title),
            node_id=nodes.key(number),
            created=created,
            updated=created + 60,
            images_updated=GENERATED_AT,
            folders=_FOLDERS[number % len(_FOLDERS)],
            lazy=PlannedImages(plan, key, number),
        )
    return account


def new_account(seed: int, nickname: str, name: str = "Ada Larkfield") -> Account:
    """An account without albums, its secrets made from the seed and the nickname."""
    salt = f"{seed} {nickname}"
    return Account(
        nickname=nickname,
        name=name,
        secrets=Secrets(
            api_key=secret_text(salt, "api key"),
            api_secret=secret_text(salt, "api secret"),
            access_token=secret_text(salt, "access token"),
            access_token_secret=secret_text(salt, "access token secret"),
            site_password=secret_text(salt, "site password"),
            session_id=secret_text(salt, "session"),
            upload_key=secret_text(salt, "upload key"),
            url_salt=secret_text(salt, "url"),
        ),
        node_id=KeyMaker(seed + 2, 5).key(0),
        seed=seed,
    )


def secret_text(*parts: object) -> str:
    """A random-looking text of 32 letters and digits."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return "".join(_LETTERS[byte % 62] for byte in digest)


def video_renditions(seed: int, size: int) -> dict[int, Body]:
    """Renditions of a video whose upload has ``size`` bytes; the largest is as large."""
    return {
        320: SeededBody(seed * 31 + 320, max(size // 8, 100), MP4_HEAD),
        640: SeededBody(seed * 31 + 640, max(size // 3, 200), MP4_HEAD),
        1280: SeededBody(seed * 31 + 1280, size, MP4_HEAD),
    }
