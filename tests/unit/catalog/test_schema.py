"""SCHEMA.md tells every column of every table, and its queries run."""

import re
from pathlib import Path

import duckdb
import pytest

from smugmug_backup.catalog import schema
from tests.tools.sample import sample_store

TEXT = (Path(schema.__file__).parent / "SCHEMA.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
OURS = [each for each in QUERIES if "read_ndjson" not in each]
DUCKDB = [each for each in QUERIES if "read_ndjson" in each]


def test_every_table_and_column_is_told(made):
    tables = [
        name
        for (name,) in made.ask("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        if not name.startswith(("image_words_", "sqlite_"))
    ]
    told = dict(re.findall(r"^\*\*(\w+)\*\*(.*?)(?=^\*\*|^## )", TEXT, re.MULTILINE | re.DOTALL))
    assert sorted(told) == sorted(tables)
    columns = {table: [row[1] for row in made.ask(f"PRAGMA table_info({table})")] for table in told}
    columns["images"] = ["album_name", "gone", "gone_since"]
    for table, names in columns.items():
        assert [each for each in names if f"`{each}`" not in told[table]] == [], table


def test_the_six_queries_find_what_there_is(made):
    # The sample's days are fixed, and may be long ago.
    asked = (each.replace("'-1 year'", "'-100 years'") for each in OURS)
    left, same, without, growth, videos, unsure = (made.ask(each) for each in asked)
    assert same == [] and videos == []
    assert len(without) == made.ask("SELECT count(*) FROM images WHERE NOT gone")[0][0]
    assert (
        sum(row[1] for row in growth)
        == made.ask("SELECT count(DISTINCT key) FROM image_versions WHERE key IS NOT NULL")[0][0]
    )
    assert {row[1] for row in unsure} == {"no_original.jpg", "no_md5.jpg", "late.jpg"}
    assert {row[1:] for row in left} == {
        ("Travel / Old things", "DSC_00013.JPG", "i000013"),
        ("Travel / Old things", "DSC_00014.JPG", "i000014"),
        ("Travel / Harbour & Quay 2024", "DSC_00005.JPG", "i000005"),
    }


@pytest.mark.parametrize("query", DUCKDB)
def test_duckdb_reads_the_store_itself(tmp_path, monkeypatch, query):
    sample = sample_store()
    for key, body in sample.store.objects.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(body)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect(config={"threads": 1}) as db:
        rows = db.execute(query).fetchall()
    assert {row[0] for row in rows} >= {i.key for i in sample.source.world["harbour"].images}


def test_what_is_not_ours_is_told_from_what_is(made, tmp_path):
    made.db.execute("VACUUM INTO ?", (str(tmp_path / "c"),))
    head = (tmp_path / "c").read_bytes()[:100]
    assert schema.is_ours(head) and schema.is_ours(b"")
    assert not schema.is_ours(head[:68] + b"\0\0\0\0" + head[72:])
    assert not schema.is_ours(b"\xff\xd8\xff\xe0 a photo")
