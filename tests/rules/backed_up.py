"""An account and its backup, night by night."""

from collections.abc import Callable

from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.run import Options
from tests.local_smugmug import Image
from tests.rules.account import Account, OverHttp
from tests.tools.independent_reader import assert_sound
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


class BackedUp(Nights):
    """`Nights` of an `Account`, whoever serves it."""

    store: MemoryStore

    def __init__(self, account: Account) -> None:
        options = Options(concurrency=4)
        super().__init__(account.source(), MemoryStore(), account.clock, options=options)
        self.account = account

    def bytes_of(self, line: Entry) -> bytes:
        """What the store holds for a line."""
        assert line.original.key is not None
        return self.store.objects[line.original.key]

    def everything_is_there(self) -> bool:
        """Whether each live image that the source shows has its very bytes in the store, and no
        manifest shows anything else as live."""
        for album in self.account.albums():
            lines = self.manifest(album).entries
            if {key for key, line in lines.items() if line.live} != set(self.account.images(album)):
                return False
            for image in self.account.images(album):
                body = self.account.body(image)
                if body is None:
                    continue
                line = lines[image]
                if not line.original.stored or self.bytes_of(line) != body:
                    return False
        return True

    def healthy(self) -> RunReport:
        """One more night, with nothing wrong."""
        self.account.heal()
        return self.next_night()

    def written_by(self, act: Callable[[], object]) -> set[str]:
        """Keys that ``act`` adds to the store, run reports aside."""
        before = set(self.store.objects)
        act()
        return {key for key in set(self.store.objects) - before if not key.startswith("runs/")}

    def judge(self) -> None:
        """Whatever was done: the store is sound, nothing was overwritten, no secret is in it."""
        assert_sound(self.store)
        assert self.store.overwrites == []
        assert self.account.leaks(self.store.objects.items()) == []


class Service(BackedUp):
    """The same over HTTP alone, for what only HTTP has."""

    account: OverHttp

    def __init__(self, account: OverHttp) -> None:
        super().__init__(account)
        self.smugmug, self.world, self.reader = account.smugmug, account.world, account.reader

    @property
    def albums(self) -> list[str]:
        """Keys of the account's albums."""
        return self.account.albums()

    def images(self, album: str) -> list[Image]:
        """What a full listing of the album shows now."""
        return self.world.listed(self.world.album(album))

    def first_image(self, album: str) -> Image:
        return self.images(album)[0]
