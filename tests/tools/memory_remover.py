"""What deletes in a `MemoryStore`; held against the contract of `Remover`."""

from smugmug_backup.errors import StoreRefused
from smugmug_backup.storage.keys import checked
from tests.tools.memory_store import MemoryStore


class MemoryRemover:
    """`Remover` of a `MemoryStore`; ``refused``: what it may not delete."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.refused: set[str] = set()

    def remove(self, key: str) -> None:
        """See `Remover.remove`."""
        checked(key)
        if key in self.refused:
            raise StoreRefused(f"Object Lock forbids to delete {key}")
        self.store.log.append(("remove", key))
        self.store.objects.pop(key, None)
