"""README.txt and FORMAT.md explain every field of every schema, and their examples hold."""

import json
import re
from importlib.resources import files

import pytest

from smugmug_backup import archive
from smugmug_backup.archive import schemas
from smugmug_backup.archive.readme import README_TEXT

FORMAT = (files(archive) / "FORMAT.md").read_text(encoding="utf-8")


def fields(schema):
    """The names of all fields that a schema names, at any depth."""
    if isinstance(schema, list):
        return {name for each in schema for name in fields(each)}
    if not isinstance(schema, dict):
        return set()
    own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    return own | {name for each in schema.values() for name in fields(each)}


def words(schema):
    """The values that enumerations allow, at any depth."""
    if isinstance(schema, list):
        return {word for each in schema for word in words(each)}
    if not isinstance(schema, dict):
        return set()
    own = schema.get("enum", [])
    return {w for w in own if isinstance(w, str)} | {
        word for each in schema.values() for word in words(each)
    }


SCHEMAS = {name: schemas.load(name) for name in schemas.NAMES}
EVERY_FIELD = sorted(set().union(*map(fields, SCHEMAS.values())))
EVERY_WORD = sorted(set().union(*map(words, SCHEMAS.values())))


@pytest.mark.parametrize("name", EVERY_FIELD)
def test_the_readme_explains_the_field_in_a_line(name):
    assert re.search(rf"^ +{name} +\S", README_TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", EVERY_FIELD)
def test_the_format_explains_the_field_in_a_table(name):
    rows = re.findall(r"^ *\|([^|]*)\|([^|]*)\|", FORMAT, re.MULTILINE)
    assert any(f"`{name}`" in first for first, _ in rows) or any(
        f"`{name}`" in second for _, second in rows
    )


@pytest.mark.parametrize("word", EVERY_WORD)
def test_both_name_each_value(word):
    assert re.search(rf"\b{re.escape(word)}\b", README_TEXT)
    assert f"`{word}`" in FORMAT


def test_the_readme_is_plain_and_narrow():
    assert README_TEXT.endswith("\n")
    assert max(map(len, README_TEXT.splitlines())) <= 100
    assert README_TEXT.isascii()
    assert "\t" not in README_TEXT


def examples():
    return dict(re.findall(r"<!-- ([a-z-]+) -->\n```json\n(.*?)```", FORMAT, re.DOTALL))


def test_the_format_has_an_example_of_every_file():
    assert sorted(examples()) == sorted(schemas.NAMES)


@pytest.mark.parametrize("name", schemas.NAMES)
def test_the_example_in_the_format_holds(name):
    assert schemas.checker(name, strict=True)(json.loads(examples()[name])) is None
