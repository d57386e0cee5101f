"""The readers' rule, and what is kept where a name is taken."""

import hashlib

import pytest

from smugmug_backup.archive import keys, reading
from smugmug_backup.archive.original import StoredBytes
from smugmug_backup.errors import Archived, NotABackup, NotStored, StoreRefused, StoreUnavailable
from tests.tools.memory_store import MemoryStore

RIGHT, WRONG = b"right", b"wrong"
SHA = hashlib.sha256(RIGHT).hexdigest()
KEYS = [
    "originals/a/0123456789abcdef0123456789abcdef.jpg",
    "records/a/0123456789abcdef0123456789abcdef.jsonl",
    "manifests/a/00000007.jsonl",
    "runs/2026/11/20261124T030004Z-5f0c2a91.json",
    "README.txt",
]


class Store(MemoryStore):
    """Some keys answer with an error."""

    def __init__(self, objects, errors=None):
        super().__init__()
        self.objects.update(objects)
        self.errors = errors or {}

    def read(self, key):
        if key in self.errors:
            raise self.errors[key]
        return super().read(key)


def second(key):
    return keys.numbered(key, 2)


def third(key):
    return keys.numbered(key, 3)


# Which bytes lie under the plain name, .2 and .3; None: nothing.
FOUND = [
    ((RIGHT, None, None), 1),
    ((RIGHT, WRONG, None), 1),
    ((WRONG, RIGHT, None), 2),
    ((None, RIGHT, None), 2),
    ((WRONG, WRONG, RIGHT), 3),
    ((None, None, RIGHT), 3),
    ((b"", RIGHT, RIGHT), 2),
]
LACKING = [
    ((None, None, None), NotStored),
    ((WRONG, None, None), NotABackup),
    ((WRONG, WRONG, None), NotABackup),
    ((None, WRONG, None), NotABackup),
]


def laid(key, bodies):
    names = (key, second(key), third(key))
    return Store({n: body for n, body in zip(names, bodies, strict=True) if body is not None})


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("bodies", "number"), FOUND)
def test_the_name_that_has_the_sha256_counts(key, bodies, number):
    store = laid(key, bodies)
    assert reading.read_stated(store, key, SHA) == RIGHT
    content = StoredBytes(key, 5, SHA, "")
    assert reading.sound_name(store, content) == keys.numbered(key, number)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("bodies", "error"), LACKING)
def test_where_no_name_has_it_it_is_missing_or_damaged(key, bodies, error):
    store = laid(key, bodies)
    with pytest.raises(error):
        reading.read_stated(store, key, SHA)
    assert reading.sound_name(store, StoredBytes(key, 5, SHA, "")) is None


@pytest.mark.parametrize("key", KEYS)
def test_where_nothing_is_stated_only_the_plain_name_counts(key):
    assert reading.read_stated(laid(key, (WRONG, RIGHT, None)), key, None) == WRONG
    with pytest.raises(NotStored):
        reading.read_stated(laid(key, (None, RIGHT, None)), key, None)


def test_a_line_that_names_a_numbered_name_finds_the_plain_one_and_the_others():
    for bodies, number in FOUND:
        store, content = laid(KEYS[0], bodies), StoredBytes(second(KEYS[0]), 5, SHA, "")
        found = reading.sound_name(store, content)
        assert store.objects[found] == RIGHT
        assert found == (second(KEYS[0]) if bodies[1] == RIGHT else keys.numbered(KEYS[0], number))
        assert reading.read_stated(store, second(KEYS[0]), SHA) == RIGHT


ERRORS = [StoreRefused("denied"), StoreUnavailable("503"), Archived("in Glacier")]


@pytest.mark.parametrize("error", ERRORS)
def test_what_cannot_be_read_is_not_known_to_be_damaged(error):
    store = Store({KEYS[0]: RIGHT, second(KEYS[0]): WRONG}, {KEYS[0]: error})
    with pytest.raises(type(error)):
        reading.read_stated(store, KEYS[0], SHA)
    with pytest.raises(type(error)):
        reading.sound_name(store, StoredBytes(KEYS[0], 5, SHA, ""))


@pytest.mark.parametrize("error", ERRORS)
def test_a_name_that_cannot_be_read_does_not_hide_one_that_is_sound(error):
    store = Store({KEYS[0]: WRONG, second(KEYS[0]): RIGHT}, {KEYS[0]: error})
    assert reading.read_stated(store, KEYS[0], SHA) == RIGHT
    assert reading.sound_name(store, StoredBytes(KEYS[0], 5, SHA, "")) == second(KEYS[0])


def test_numbered_names_are_those_of_this_name_by_their_numbers():
    key = "originals/a/rev-0.jpg"
    names = [keys.numbered(key, number) for number in (10, 2, 1000, 1)]
    others = ["originals/a/rev-0.png", "originals/a/rev-0.2.png", "originals/a/rev-00.2.jpg"]
    store = Store(dict.fromkeys(names + others, b""))
    expected = [keys.numbered(key, number) for number in (2, 10, 1000)]
    assert reading.numbered_names(store, key) == expected


def test_what_is_read_back_has_its_length_and_hashes():
    found = reading.read_back(Store({"a.bin": RIGHT}), "a.bin")
    assert found == StoredBytes("a.bin", 5, SHA, hashlib.md5(RIGHT).hexdigest())


# -- keep ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bodies", "number"),
    [
        ((None, None, None), 1),
        ((RIGHT, None, None), 1),
        ((WRONG, None, None), 2),
        ((WRONG, RIGHT, None), 2),
        ((WRONG, b"other", None), 3),
        ((None, RIGHT, None), 1),
    ],
)
def test_bytes_are_kept_under_the_first_name_that_is_free_or_has_them(bodies, number):
    store = laid(KEYS[0], bodies)
    before = dict(store.objects)
    name = reading.keep(store, KEYS[0], RIGHT)
    assert name == keys.numbered(KEYS[0], number)
    assert store.objects == {**before, name: RIGHT}


def test_after_a_thousand_taken_names_the_next_is_taken_and_found():
    taken = {keys.numbered(KEYS[0], number): b"%d" % number for number in range(1, 1001)}
    store = Store(taken)
    name = reading.keep(store, KEYS[0], RIGHT)
    assert name == keys.numbered(KEYS[0], 1001)
    assert reading.keep(store, KEYS[0], RIGHT) == name
    assert reading.sound_name(store, StoredBytes(KEYS[0], 5, SHA, "")) == name
    assert reading.read_stated(store, KEYS[0], SHA) == RIGHT


class Racing(Store):
    """Another writer takes each name just before ours is written."""

    def __init__(self, bodies):
        super().__init__({})
        self.bodies = list(bodies)

    def create(self, key, body, **more):
        if self.bodies:
            super().create(key, self.bodies.pop(0))
        super().create(key, body, **more)


def test_two_writers_of_the_same_bytes_agree_on_the_name():
    store = Racing([RIGHT])
    assert reading.keep(store, KEYS[0], RIGHT) == KEYS[0]
    assert store.objects == {KEYS[0]: RIGHT}


def test_a_writer_that_comes_second_takes_the_next_name():
    store = Racing([WRONG, b"others"])
    assert reading.keep(store, KEYS[0], RIGHT) == third(KEYS[0])
    assert set(store.objects.values()) == {WRONG, b"others", RIGHT}


def test_what_vanishes_between_the_listing_and_the_reading_is_passed_over():
    class Vanishing(Store):
        def read(self, key):
            if key == second(KEYS[0]):
                raise NotStored("gone")
            return super().read(key)

    store = Vanishing({KEYS[0]: WRONG, second(KEYS[0]): RIGHT, third(KEYS[0]): RIGHT})
    assert reading.read_stated(store, KEYS[0], SHA) == RIGHT
