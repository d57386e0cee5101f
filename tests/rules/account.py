"""One account, whoever serves it: from memory, or over HTTP through either API.

A rule of `tests/rules` knows no more of SmugMug than is said here. Albums and images go by their
keys. What goes wrong goes wrong at every try, until `heal`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from smugmug_backup.errors import (
    LoginLost,
    MalformedAnswer,
    PhotoError,
    PhotoRefused,
    SourceRetired,
    SourceUnavailable,
)
from smugmug_backup.ports import BackupStore, PhotoSource
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.wiring import build_source
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.tools.canaries import leaks
from tests.tools.clock import FakeClock
from tests.tools.fake_source import JPEG, SECRET, FakeImage, FakeSource

APIS = ("memory", "1.3.0", "v2")
ALBUMS, IMAGES = 2, 3
ALL = ALBUMS * IMAGES


class Account(ABC):
    """What its owner can do to an account, and what can go wrong at it."""

    clock: FakeClock

    @abstractmethod
    def source(self, *, public: bool = False) -> PhotoSource:
        """A source over the account as it is; ``public``: as everybody sees it."""

    @abstractmethod
    def downloads(self, image: str) -> int:
        """How often the bytes of an image were asked for."""

    @abstractmethod
    def leaks(self, texts: Iterable[tuple[str, bytes | str]]) -> list[str]:
        """Where a secret of the account stands in ``texts`` (name, content)."""

    # -- what a full listing shows -----------------------------------------------------------------

    @abstractmethod
    def albums(self) -> list[str]: ...

    @abstractmethod
    def images(self, album: str) -> list[str]: ...

    @abstractmethod
    def body(self, image: str) -> bytes | None:
        """The best bytes that are offered; None: none are."""

    # -- albums ------------------------------------------------------------------------------------

    @abstractmethod
    def new_album(self, title: str, images: int) -> str: ...

    @abstractmethod
    def entitle(self, album: str, title: str) -> None: ...

    @abstractmethod
    def reverse(self, album: str) -> None: ...

    @abstractmethod
    def drop(self, album: str) -> None: ...

    @abstractmethod
    def empty(self) -> None:
        """No album is left."""

    @abstractmethod
    def bring_back_albums(self) -> None:
        """All that were dropped, as they were."""

    @abstractmethod
    def rename(self, nickname: str) -> None:
        """The account itself; sources made before do not know."""

    # -- images ------------------------------------------------------------------------------------

    @abstractmethod
    def upload(
        self, album: str, *, md5: bool = True, url: bool = True, file_name: str = "IMG_1.JPG"
    ) -> str:
        """``md5``, ``url``: whether listings give them."""

    @abstractmethod
    def upload_video(self, album: str, *, ready: bool = True) -> str: ...

    @abstractmethod
    def finish(self, video: str) -> None:
        """It is ready now."""

    @abstractmethod
    def enlarge(self, video: str) -> None:
        """It gains a larger rendition."""

    @abstractmethod
    def edit(self, image: str, caption: str, *, dated: bool = True) -> None:
        """``dated``: LastUpdated tells of it."""

    @abstractmethod
    def show_md5(self, image: str) -> None: ...

    @abstractmethod
    def replace(self, image: str) -> None:
        """Other bytes."""

    @abstractmethod
    def remove(self, image: str) -> None: ...

    @abstractmethod
    def bring_back(self, album: str, image: str) -> None:
        """What was removed from the album."""

    @abstractmethod
    def move(self, image: str, album: str) -> None: ...

    @abstractmethod
    def collect(self, image: str, album: str) -> None:
        """Show it there, too."""

    @abstractmethod
    def hide(self, image: str) -> None:
        """It counts, and is not listed."""

    # -- what goes wrong ---------------------------------------------------------------------------

    @abstractmethod
    def fail_albums(self, how: str) -> None:
        """The list of albums is ``down``, ``nonsense``, ``retired`` or ``login_lost``."""

    @abstractmethod
    def fail_listing(self, album: str, how: str) -> None:
        """``down`` or ``nonsense``; ``twice``: its first image is listed twice."""

    @abstractmethod
    def fail_photo(self, image: str, how: str) -> None:
        """``down`` or ``refused``; ``wrong``: other bytes; ``html`` and ``empty`` instead of it."""

    @abstractmethod
    def undate(self) -> None:
        """No answer has a date."""

    @abstractmethod
    def heal(self) -> None:
        """All that went wrong is right again; what is hidden stays so."""


class InMemory(Account):
    """Served by `FakeSource`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.fake = FakeSource(clock)
        self._dropped: dict[str, Any] = {}
        self._removed: dict[str, FakeImage] = {}
        for number in range(ALBUMS):
            self.fake.album(f"album{number}", images=IMAGES)
        clock.advance(days=100)

    def source(self, *, public: bool = False) -> PhotoSource:
        self.fake.access = "public" if public else "owner"
        return self.fake

    def downloads(self, image: str) -> int:
        return self.fake.calls[f"photo:{image}"]

    def leaks(self, texts: Iterable[tuple[str, bytes | str]]) -> list[str]:
        return [name for name, text in texts if SECRET in str(text)]

    def albums(self) -> list[str]:
        return list(self.fake.world)

    def images(self, album: str) -> list[str]:
        return list(dict.fromkeys(image.key for image in self.fake.visible(album)))

    def body(self, image: str) -> bytes | None:
        found = self.fake.find(image)
        offered = found.has_url if found.video is None else found.video
        return found.body if offered else None

    def new_album(self, title: str, images: int) -> str:
        return self.fake.album(f"new{len(self.fake.world)}", title, images).key

    def entitle(self, album: str, title: str) -> None:
        self.fake.world[album].title = title

    def reverse(self, album: str) -> None:
        self.fake.world[album].images.reverse()

    def drop(self, album: str) -> None:
        self._dropped[album] = self.fake.world.pop(album)

    def empty(self) -> None:
        for album in self.albums():
            self.drop(album)

    def bring_back_albums(self) -> None:
        self.fake.world.update(self._dropped)

    def rename(self, nickname: str) -> None:
        self.fake.nickname = nickname

    def upload(
        self, album: str, *, md5: bool = True, url: bool = True, file_name: str = "IMG_1.JPG"
    ) -> str:
        return self.fake.upload(album, has_md5=md5, has_url=url, file_name=file_name).key

    def upload_video(self, album: str, *, ready: bool = True) -> str:
        return self.fake.upload(album, video="Video640URL" if ready else "").key

    def finish(self, video: str) -> None:
        self.fake.touch(self.fake.find(video), video="Video640URL")

    def enlarge(self, video: str) -> None:
        image = self.fake.find(video)
        self.fake.touch(image, video="Video1920URL", body=image.body + b", larger")

    def edit(self, image: str, caption: str, *, dated: bool = True) -> None:
        if dated:
            self.fake.touch(self.fake.find(image), caption=caption)
        else:
            self.fake.find(image).caption = caption

    def show_md5(self, image: str) -> None:
        self.fake.touch(self.fake.find(image), has_md5=True)

    def replace(self, image: str) -> None:
        self.fake.replace(self.fake.find(image))

    def remove(self, image: str) -> None:
        found = self._removed[image] = self.fake.find(image)
        for album in self.fake.world.values():
            if found in album.images:
                album.images.remove(found)

    def bring_back(self, album: str, image: str) -> None:
        self.fake.world[album].images.append(self._removed[image])

    def move(self, image: str, album: str) -> None:
        self.remove(image)
        self.bring_back(album, image)

    def collect(self, image: str, album: str) -> None:
        self.fake.world[album].images.append(self.fake.find(image))

    def hide(self, image: str) -> None:
        found = self.fake.find(image)
        for album in self.fake.world.values():
            album.own_count_off += found in album.images and not found.hidden
        self.fake.touch(found, hidden=True)

    def fail_albums(self, how: str) -> None:
        self.fake.errors["albums"] = {
            "down": SourceUnavailable("503"),
            "nonsense": MalformedAnswer("no JSON"),
            "retired": SourceRetired("410"),
            "login_lost": LoginLost("36"),
        }[how]

    def fail_listing(self, album: str, how: str) -> None:
        if how == "twice":
            images = self.fake.world[album].images
            images.append(images[0])
        else:
            errors = {"down": SourceUnavailable("503"), "nonsense": MalformedAnswer("HTML")}
            self.fake.errors[f"images:{album}"] = errors[how]

    def fail_photo(self, image: str, how: str) -> None:
        errors = {"down": PhotoError("500"), "refused": PhotoRefused("404")}
        size = len(self.fake.find(image).body)
        bodies = {
            "wrong": JPEG + bytes(size - len(JPEG)),
            "html": b"<html>sorry</html>",
            "empty": b"",
        }
        if how in errors:
            self.fake.errors[f"photo:{image}"] = errors[how]
        else:
            self.fake.bodies[image] = bodies[how]

    def undate(self) -> None:
        self.fake.date_header = lambda _: None

    def heal(self) -> None:
        self.fake.errors.clear()
        self.fake.bodies.clear()
        self.fake.date_header = lambda now: now
        for album in self.fake.world.values():
            album.images = list({image.key: image for image in album.images}.values())


class OverHttp(Account):
    """Served by the local SmugMug (``smugmug``; ``world`` is what it shows), read through an API.

    Tests of what only HTTP has use these two, and `reader`."""

    def __init__(self, smugmug: LocalSmugMug, clock: FakeClock, api: str) -> None:
        self.smugmug, self.world = smugmug, smugmug.world
        self.clock, self.api = clock, api
        self._dropped: dict[str, Any] = {}
        self._removed: dict[str, Any] = {}

    def reader(
        self,
        api: str | None = None,
        *,
        signed: bool = True,
        store: BackupStore | None = None,
        **settings: Any,
    ) -> PhotoSource:
        """A source over the account as it is; unsigned: the public view."""
        account = self.world.account
        secrets = account.secrets
        return build_source(
            SourceSettings(
                secret=SecretName("ssm", "unused"),
                api=api or self.api,
                nickname=account.nickname,
                api_url=self.smugmug.url,
                photo_hosts=("127.0.0.1",),
                **{"max_concurrency": 4, **settings},
            ),
            Credentials(
                api_key=secrets.api_key,
                api_secret=secrets.api_secret if signed else None,
                access_token=secrets.access_token if signed else None,
                access_token_secret=secrets.access_token_secret if signed else None,
                site_password=secrets.site_password,
                album_passwords=account.album_passwords,
            ),
            self.clock,
            store=store,
        )

    def source(self, *, public: bool = False) -> PhotoSource:
        return self.reader(signed=not public)

    def downloads(self, image: str) -> int:
        return self.smugmug.calls.downloads[image]

    def leaks(self, texts: Iterable[tuple[str, bytes | str]]) -> list[str]:
        return leaks(self.world.account, texts)

    def albums(self) -> list[str]:
        return list(self.world.account.albums)

    def images(self, album: str) -> list[str]:
        return [image.key for image in self.world.listed(self.world.album(album))]

    def body(self, image: str) -> bytes | None:
        best = self.world.image(image).best
        return None if best is None else best.read()

    def new_album(self, title: str, images: int) -> str:
        return self.world.new_album(title, images=images).key

    def entitle(self, album: str, title: str) -> None:
        self.world.rename_album(album, title)

    def reverse(self, album: str) -> None:
        self.world.reorder(album)

    def drop(self, album: str) -> None:
        account, found = self.world.account, self.world.album(album)
        self._dropped[album] = found, list(account.touch(found))
        self.world.drop_album(album)

    def empty(self) -> None:
        for album in self.albums():
            self.drop(album)

    def bring_back_albums(self) -> None:
        account = self.world.account
        for key, (album, images) in self._dropped.items():
            account.albums[key], album.held = album, images
            account.held.update((image.key, image) for image in images)

    def rename(self, nickname: str) -> None:
        account = self.world.account
        account.nickname = nickname
        self.world.accounts = {nickname.lower(): account}

    def upload(
        self, album: str, *, md5: bool = True, url: bool = True, file_name: str = "IMG_1.JPG"
    ) -> str:
        return self.world.upload(album, has_md5=md5, has_original=url, file_name=file_name).key

    def upload_video(self, album: str, *, ready: bool = True) -> str:
        return self.world.upload_video(album, processing=not ready).key

    def finish(self, video: str) -> None:
        self.world.finish_processing(video)

    def enlarge(self, video: str) -> None:
        self.world.add_rendition(video, 1920)

    def edit(self, image: str, caption: str, *, dated: bool = True) -> None:
        if dated:
            self.world.edit(image, caption=caption)
        else:
            account = self.world.account
            account.touch(self.world.album(self.world.image(image).album_key))
            self.world.image(image).caption = caption

    def show_md5(self, image: str) -> None:
        self.world.edit(image, has_md5=True)

    def replace(self, image: str) -> None:
        self.world.replace(image)

    def remove(self, image: str) -> None:
        self._removed[image] = replace(self.world.image(image))
        self.world.delete(image)

    def bring_back(self, album: str, image: str) -> None:
        old = self._removed[image]
        self.world.upload(album, old.body, key=image, id=old.id, file_name=old.file_name)

    def move(self, image: str, album: str) -> None:
        self.world.move(image, album)

    def collect(self, image: str, album: str) -> None:
        self.world.collect(image, album)

    def hide(self, image: str) -> None:
        self.smugmug.switches.set(hidden_images="counted")
        self.world.hide(image)

    def fail_albums(self, how: str) -> None:
        self._fail(
            {
                "down": {"kind": "status", "status": 503},
                "nonsense": {"kind": "not_json"},
                "retired": {"kind": "html"},
                "login_lost": {"kind": "oauth_problem", "problem": "token_revoked"},
            }[how],
            method="albums",
        )

    def fail_listing(self, album: str, how: str) -> None:
        self._fail(
            {
                "down": {"kind": "status", "status": 503},
                "nonsense": {"kind": "html"},
                "twice": {"kind": "duplicate"},
            }[how],
            method="images",
            album=album,
        )

    def fail_photo(self, image: str, how: str) -> None:
        self._fail(
            {
                "down": {"kind": "status", "status": 500},
                "refused": {"kind": "status", "status": 404},
                "wrong": {"kind": "corrupt"},
                "html": {"kind": "html"},
                "empty": {"kind": "empty"},
            }[how],
            on="photo",
            image=image,
        )

    def undate(self) -> None:
        self._fail({"kind": "date", "value": None})

    def heal(self) -> None:
        self.smugmug.faults.clear()

    def _fail(self, fault: dict[str, Any], **where: Any) -> None:
        self.smugmug.faults.add(times=None, **{**where, **fault})


@contextmanager
def served(
    api: str, clock: FakeClock, *, albums: int = ALBUMS, images: int = IMAGES
) -> Iterator[Account]:
    """The account of ``albums`` albums with ``images`` photos each, while it is served."""
    if api == "memory":
        yield InMemory(clock)
        return
    world = World(generate_account(seed=7, albums=albums, images=images), clock=clock.now)
    with LocalSmugMug(world) as smugmug:
        yield OverHttp(smugmug, clock, api)
