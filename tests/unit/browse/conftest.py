"""Pages on a catalog in memory, as somebody sees them who has the address."""

import sqlite3

import pytest
from werkzeug.test import Client

from smugmug_backup.archive.archive import Archive
from smugmug_backup.browse.fresh import Freshness
from smugmug_backup.browse.pictures import pictures_of
from smugmug_backup.browse.site import Site
from smugmug_backup.browse.views import Views
from smugmug_backup.catalog import schema
from smugmug_backup.catalog.update import update
from tests.tools.sample import sample_store

PORT = 8765
TOKEN = "a-token-of-these-tests"
EVERY_SECONDS = 30


class Served:
    """A site, its archive, and a browser that came by the address."""

    def __init__(self, sample, tmp_path):
        self.sample, self.archive = sample, Archive(sample.store)
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        schema.create(self.db)
        self.update()
        self.views = Views(self.db)
        pictures = pictures_of(self.archive, tmp_path / "pictures", on_disk=True)
        self.fresh = Freshness(
            self.archive, self.bring, clock=self.sample.clock, every=EVERY_SECONDS
        )
        self.site = Site(
            self.db,
            self.archive,
            pictures,
            location="~/photos",
            port=PORT,
            token=TOKEN,
            fresh=self.fresh,
        )
        self.client = self.stranger()
        assert self.get(f"/?token={TOKEN}").status_code == 303

    def update(self):
        self.bring(self.archive)

    def bring(self, archive):
        return update(self.db, archive, now=self.sample.clock.now(), map_=map).problems

    def stranger(self):
        return Client(self.site)

    def get(self, path, **more):
        more.setdefault("base_url", f"http://127.0.0.1:{PORT}")
        return self.client.get(path, **more)

    def html(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.text

    def version(self, file_name):
        (found,) = self.db.execute(
            "SELECT max(version_id) FROM image_versions WHERE file_name = ?", (file_name,)
        ).fetchone()
        return found


@pytest.fixture
def served(tmp_path):
    served = Served(sample_store(), tmp_path)
    yield served
    served.db.close()
