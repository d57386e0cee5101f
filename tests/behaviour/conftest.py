"""One account at the local SmugMug, read through either API, backed up night by night."""

from collections.abc import Iterator

import pytest

from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.run import Options
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.wiring import build_source
from tests.local_smugmug import Account, Image, LocalSmugMug, World, generate_account
from tests.tools.canaries import leaks
from tests.tools.clock import FakeClock
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


class Service(Nights):
    """`Nights` over the local SmugMug.

    The tests know it through the source's port and the local SmugMug's controls (``world``,
    ``smugmug``); which API lies between is not their business.
    """

    def __init__(self, smugmug: LocalSmugMug, clock: FakeClock, api: str) -> None:
        self.smugmug = smugmug
        self.world = smugmug.world
        self.api = api
        self.clock = clock
        super().__init__(self.reader(), MemoryStore(), clock, options=Options(concurrency=4))

    def reader(self, api: str | None = None, *, signed: bool = True, **settings: object):
        """A source over the account as it is; unsigned: the public view."""
        account = self.world.account
        return build_source(
            SourceSettings(
                secret=SecretName("ssm", "unused"),
                api=api or self.api,
                nickname=account.nickname,
                api_url=self.smugmug.url,
                photo_hosts=("127.0.0.1",),
                **{"max_concurrency": 4, **settings},  # type: ignore[arg-type]
            ),
            credentials_of(account, signed=signed),
            self.clock,
        )

    @property
    def albums(self) -> list[str]:
        """Keys of the account's albums."""
        return list(self.world.account.albums)

    def images(self, album: str) -> list[Image]:
        """What a full listing of the album shows now."""
        return self.world.listed(self.world.album(album))

    def first_image(self, album: str) -> Image:
        return self.images(album)[0]

    def bytes_of(self, line: Entry) -> bytes:
        """What the store holds for a line."""
        assert line.original.key is not None
        return self.store.objects[line.original.key]  # type: ignore[attr-defined]

    def everything_is_there(self) -> bool:
        """Whether each live image that the source shows has its very bytes in the store, and no
        manifest shows anything else as live."""
        for key in self.albums:
            manifest = self.manifest(key)
            live = {line.image_key: line for line in manifest.entries.values() if line.live}
            shown = {image.key: image for image in self.images(key)}
            if live.keys() != shown.keys():
                return False
            for image_key, image in shown.items():
                line = live[image_key]
                if image.best is None:
                    continue
                if not line.original.stored or self.bytes_of(line) != image.best.read():
                    return False
        return True

    def healthy(self) -> RunReport:
        """One more night without faults."""
        self.smugmug.faults.clear()
        return self.next_night()

    def written_by(self, act) -> set[str]:
        """Keys that ``act`` adds to the store, run reports aside."""
        before = set(self.store.objects)  # type: ignore[attr-defined]
        act()
        now = set(self.store.objects)  # type: ignore[attr-defined]
        return {key for key in now - before if not key.startswith("runs/")}


def credentials_of(account: Account, *, signed: bool = True) -> Credentials:
    secrets = account.secrets
    return Credentials(
        api_key=secrets.api_key,
        api_secret=secrets.api_secret if signed else None,
        access_token=secrets.access_token if signed else None,
        access_token_secret=secrets.access_token_secret if signed else None,
        site_password=secrets.site_password,
        album_passwords=account.album_passwords,
    )


@pytest.fixture(params=["1.3.0", "v2"])
def api(request) -> str:
    """Every test of this folder runs over both sources."""
    return request.param


@pytest.fixture
def service(api, caplog) -> Iterator[Service]:
    clock = FakeClock()
    world = World(generate_account(seed=7, albums=3, images=4), clock=clock.now)
    with LocalSmugMug(world) as smugmug:
        service = Service(smugmug, clock, api)
        yield service
        assert leaks(world.account, service.store.objects.items()) == []  # type: ignore[attr-defined]
        assert leaks(world.account, (("log", text) for text in caplog.messages)) == []
