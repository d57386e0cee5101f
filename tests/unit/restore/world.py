"""An account, a backup of it in memory, and a folder to restore into."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from smugmug_backup.archive.archive import Archive
from smugmug_backup.restore.choice import Choice, Gone
from smugmug_backup.restore.embed import Embedder
from smugmug_backup.restore.folder import longest_name
from smugmug_backup.restore.names import Limits
from smugmug_backup.restore.perform import Restorer, Result
from smugmug_backup.restore.plan import Plan, Problem, Target, folders, plan
from smugmug_backup.restore.select import select
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


class Store(MemoryStore):
    """Remembers what was read, whole, in part or as a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def read(self, key: str) -> bytes:
        self.reads.append(key)
        return super().read(key)


class World:
    """See the module. ``restore`` is what the command does; it is an Observer, too."""

    def __init__(self, target: Path) -> None:
        self.clock = FakeClock()
        self.source = FakeSource(self.clock)
        self.store = Store()
        self.seen: Any = self.store
        """The store as a restore sees it; a test may put a faulty one there."""
        self.nights = Nights(self.source, self.store, self.clock)
        self.target = target
        self.heard = 0
        self.restorers = 0
        self.lock = threading.Lock()

    def received(self, size: int) -> None:
        with self.lock:
            self.heard += size

    def file_done(self, target: Target, problem: Problem | None) -> None:
        pass

    def plan(
        self,
        *albums: str,
        as_of: str | None = None,
        deleted: bool = False,
        sidecar: str = "json",
        embed: bool = False,
        **choice: Any,
    ) -> Plan:
        with ThreadPoolExecutor(2) as executor:
            found = select(
                Archive(self.seen), executor.map, albums=albums, as_of=as_of, deleted=deleted
            )
        limits = Limits.of(longest_name(self.target))
        homes = folders(found.known, limits)
        choice = {"gone": Gone.TOO if deleted else Gone.LEFT_OUT, **choice}
        made = plan(
            found.manifests,
            homes,
            sidecars=() if sidecar == "none" else sidecar.split("+"),
            embed=embed,
            choice=Choice.among(found.manifests, gone_albums=found.gone, **choice),
            limits=limits,
        )
        made.problems += found.problems
        return made

    def restorer(self, **options: Any) -> Restorer:
        """One that no other process is."""
        options = {"threads": 3, "observer": self, **options}
        self.restorers += 1
        return Restorer(Archive(self.seen), self.target, token=f"{self.restorers:08x}", **options)

    def restore(self, *albums: str, threads: int = 3, **options: Any) -> Result:
        made = self.plan(*albums, **options)
        restorer = self.restorer(
            threads=threads, embedder=Embedder() if options.get("embed") else None
        )
        with restorer.workshop():
            found = restorer.survey(made)
            restorer.look_up(found)
            result = restorer.restore(found)
        result.problems += made.problems
        return result

    def files(self) -> dict[str, bytes]:
        """All files of the target but sidecars, by relative path."""
        return {
            str(path.relative_to(self.target)): path.read_bytes()
            for path in self.target.rglob("*")
            if path.is_file() and path.suffix not in (".json", ".xmp")
        }


def codes(result: Result) -> list[str]:
    return sorted(problem.code for problem in result.problems)
