"""What cannot be read is named and ends nothing: all else is looked at all the same."""

import pytest

from smugmug_backup.errors import Archived, Concerns, StoreRefused, StoreUnavailable
from tests.tools.faulty_store import FaultyStore
from tests.unit.check.helpers import (
    checked,
    keys,
    newest_manifest,
    next_check,
    original_of,
    problems,
    record_of,
)


@pytest.fixture
def away(sample):
    """Errors by key: what is raised when it is read."""
    errors = {}
    read, opened = sample.store.read, sample.store.open

    def raising(call):
        def asked(key):
            if key in errors:
                raise errors[key]
            return call(key)

        return asked

    sample.store.read, sample.store.open = raising(read), raising(opened)
    return errors


def test_one_unreadable_manifest_is_one_finding_and_starves_nothing(sample, away):
    key, lost = newest_manifest(sample), original_of(sample)
    del sample.store.objects[lost]
    away[key] = StoreRefused("bad sector", concerns=Concerns.OBJECT)
    result = checked(sample, "all")
    assert sorted(problems(result)) == [(key, "unreadable"), (lost, "missing")]
    away.clear()
    assert problems(next_check(sample)) == [(lost, "missing")]


@pytest.mark.parametrize("error", [StoreRefused("denied"), StoreUnavailable("status 503")])
def test_objects_that_cannot_be_read_are_unreadable_and_past_when_they_can(sample, away, error):
    wanted = [original_of(sample), record_of(sample), keys(sample, "runs/")[1]]
    away.update(dict.fromkeys(wanted, error))
    result = checked(sample, "all")
    assert sorted(problems(result)) == sorted((key, "unreadable") for key in wanted)
    away.clear()
    assert next_check(sample).sound


def test_an_archived_object_is_not_checked_and_no_finding(sample, away):
    key = original_of(sample)
    away[key] = Archived("it must be thawed first")
    result = checked(sample, "all")
    assert result.sound and result.findings == ()
    assert result.report.not_checked


def test_an_archived_manifest_is_not_checked_and_not_sound(sample, away):
    away[newest_manifest(sample)] = Archived("it must be thawed first")
    result = checked(sample)
    assert result.status == "unfinished" and result.findings == ()


def test_a_store_that_is_away_ends_the_reading_and_is_no_damage_to_all(sample, away):
    for _ in range(30):
        sample.source.upload("alps")
    sample.nights.next_night()
    for key in keys(sample, "originals/") + keys(sample, "records/"):
        away[key] = StoreUnavailable("status 503")
    result = checked(sample, "all")
    assert not result.sound
    assert len(result.findings) <= 10
    assert any("503" in each for each in result.report.not_checked)


def test_hundreds_of_objects_with_their_own_trouble_do_not_end_the_reading(sample, away):
    for _ in range(30):
        sample.source.upload("alps")
    sample.nights.next_night()
    wanted = keys(sample, "originals/")[:30]
    for key in wanted:
        away[key] = StoreRefused("bad sector", concerns=Concerns.OBJECT)
    assert sorted(problems(checked(sample, "all"))) == [(key, "unreadable") for key in wanted]


@pytest.mark.parametrize(
    "folder", ["originals/i000004/", "records/alps/", "manifests/alps/", "runs/2026/", "checks/"]
)
def test_a_folder_that_cannot_be_looked_into_is_one_finding_and_not_a_lack(sample, folder):
    lost = original_of(sample, "harbour", number=2)
    checked(sample)
    del sample.store.objects[lost]
    store = FaultyStore(sample.store, barred=(folder,))
    found = problems(checked(sample, store=store))
    assert set(problems(checked(sample, "all", store=store))) == set(found)
    assert (folder, "unreadable") in found and (lost, "missing") in found
    assert not [key for key, problem in found if problem == "missing" and key != lost]
    assert (folder, "unreadable") not in problems(next_check(sample))


def test_a_listing_that_breaks_off_is_not_to_the_end(sample):
    listed = sample.store.list

    def broken(prefix, **more):
        yield from listed(prefix, **more)
        if prefix == "originals/":
            raise StoreUnavailable("a page did not come")

    sample.store.list = broken
    result = checked(sample)
    assert result.status == "unfinished" and result.findings == ()
    assert any("originals/ could not be listed" in each for each in result.report.not_checked)
    assert result.counts.albums == 3
