"""A catalog in memory of a small archive that real runs made."""

import sqlite3

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.catalog import schema
from smugmug_backup.catalog.update import update
from tests.tools.sample import Sample, sample_store


class Made:
    """An archive, and a catalog that is brought up to it when told to."""

    def __init__(self, sample: Sample) -> None:
        self.sample, self.nights, self.source = sample, sample.nights, sample.source
        self.archive = Archive(sample.store)
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        schema.create(self.db)

    def update(self):
        return update(self.db, self.archive, now=self.sample.clock.now(), map_=map)

    def ask(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def everything(self):
        """All rows of all tables but when they were made, in no order and without row numbers."""
        found = {}
        for (table,) in self.ask("SELECT name FROM sqlite_master WHERE type = 'table'"):
            if table.startswith(("image_words", "facts", "sqlite_")):
                continue
            rows = [
                row[1:] if table == "image_versions" else row
                for row in self.ask(f"SELECT * FROM {table}")
            ]
            found[table] = sorted(rows, key=repr)
        return found


@pytest.fixture
def made():
    made = Made(sample_store())
    made.update()
    yield made
    made.db.close()


@pytest.fixture
def make():
    """Another catalog of the same archive, from nothing."""
    opened = []

    def make(sample):
        opened.append(Made(sample))
        opened[-1].update()
        return opened[-1]

    yield make
    for each in opened:
        each.db.close()
