"""The archive's own acts: run ids, commits, reports, the README and the reports of checks."""

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.original import StoredBytes
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.errors import CommitConflict, NotStored, StoreRefused
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import Store, day, entry, finding, manifest, run_id


@pytest.fixture
def made():
    return Store()


# -- run ids ---------------------------------------------------------------------------------------


def new_run_id(made, number, seconds=0.0, token="ffffffff"):
    start = day(number, seconds / 3600)
    return made.archive.new_run_id(start, token, made.archive.reports(now=start))


@pytest.mark.parametrize(
    ("seconds", "second"),
    [
        (-3600, "20261124T030001Z"),  # this clock is an hour behind
        (-1, "20261124T030001Z"),
        (0, "20261124T030001Z"),  # two in one second
        (0.9, "20261124T030001Z"),
        (1, "20261124T030001Z"),
        (2, "20261124T030002Z"),
    ],
)
def test_run_ids_sort_as_the_runs_began(made, seconds, second):
    made.report(1)
    assert new_run_id(made, 1, seconds, token="00000000") == f"{second}-00000000"


def test_runs_that_follow_each_other_within_a_second_sort_one_after_the_other(made):
    found = []
    for _ in range(5):
        found.append(new_run_id(made, 1, token="00000000"))
        made.report(1, run_id=found[-1])
    assert found == sorted(set(found))
    assert found[-1].startswith("20261124T030004Z")


def test_a_run_of_the_future_does_not_count(made):
    made.report(400)
    assert new_run_id(made, 1) == "20261124T030000Z-ffffffff"


def test_a_damaged_report_has_had_its_second_too(made):
    made.damage(made.report(1).key)
    assert new_run_id(made, 1) == "20261124T030001Z-ffffffff"


def test_the_first_run_has_its_own_second(made):
    assert new_run_id(made, 1) == "20261124T030000Z-ffffffff"


# -- writing ---------------------------------------------------------------------------------------


def test_a_commit_is_one_put_of_what_was_counted(made):
    written = made.archive.commit(manifest("a", 1, entry("x"), entry("y")))
    assert made.store.log == [("put", keys.manifest("a", 1))]
    assert (written.header.image_count, written.header.line_count) == (2, 2)
    assert made.archive.manifest("a", 1, written.sha256) == written


def test_a_taken_generation_is_a_conflict_and_never_numbered(made):
    made.archive.commit(manifest("a", 1, entry("x")))
    with pytest.raises(CommitConflict):
        made.archive.commit(manifest("a", 1, entry("y")))
    assert list(made.store.objects) == [keys.manifest("a", 1)]


def test_a_commit_that_meets_itself_is_done(made):
    one = made.archive.commit(manifest("a", 1, entry("x")))
    assert made.archive.commit(manifest("a", 1, entry("x"))) == one


def test_a_report_lies_where_its_run_id_says_and_knows_its_hash(made):
    written = made.report(1)
    assert written.key == f"runs/2026/11/{run_id(1)}.json"
    assert written.sha256 == sha256(made.store.objects[written.key])
    assert made.archive.report(written.run_id) == written
    with pytest.raises(NotStored):
        made.archive.report(run_id(2))


def test_the_readme_is_written_once(made):
    known = made.archive.write_readme(None)
    assert made.store.objects == {"README.txt": README_TEXT.encode()}
    made.store.log.clear()
    assert made.archive.write_readme(known) == known
    assert made.store.log == []


def test_the_text_of_another_version_stays_and_ours_is_beside_it(made):
    made.store.objects["README.txt"] = b"an earlier text\n"
    known = made.archive.write_readme(sha256(b"an earlier text\n"))
    assert known == sha256(README_TEXT.encode())
    assert made.store.objects["README.2.txt"] == README_TEXT.encode()
    made.archive.write_readme(None)
    assert set(made.store.objects) == {"README.txt", "README.2.txt"}


def test_a_probe_changes_nothing_and_fails_with_the_store(made):
    made.archive.write_readme(None)
    before = dict(made.store.objects)
    made.archive.probe()
    assert made.store.objects == before
    for begins in ("runs/", "README"):
        refusing = FaultyStore(made.store, Points(always(Fault.REFUSED, begins)))
        with pytest.raises(StoreRefused):
            Archive(refusing).probe()


def test_whether_there_are_originals_is_one_question(made):
    assert not made.archive.has_originals()
    made.store.objects["originals/a/x.jpg"] = b"x"
    assert made.archive.has_originals()
    assert [each.key for each in made.archive.originals()] == ["originals/a/x.jpg"]


def test_an_original_is_found_by_the_readers_rule(made):
    made.store.objects["originals/a/x.2.jpg"] = b"x"
    content = StoredBytes("originals/a/x.jpg", 1, sha256(b"x"), "")
    assert made.archive.sound_name(content) == "originals/a/x.2.jpg"


# -- check reports ---------------------------------------------------------------------------------


def checks(made, number=100):
    return made.archive.check_heads(now=day(number))


def test_a_store_that_was_never_checked_has_no_check(made):
    assert made.archive.newest_check(now=day(1)) is None
    assert checks(made) == []


def test_the_newest_check_names_those_before_it(made):
    one = made.check(1, findings=(finding(),))
    two = made.check(2, one)
    assert made.archive.newest_check(now=day(3)) == two
    assert checks(made) == [two]


def test_two_checks_at_once_are_both_open(made):
    one = made.check(1)
    left, right = made.check(2, one), made.check(3, one)
    assert checks(made) == [right, left]
    assert checks(made)[0] == made.archive.newest_check(now=day(4))


def test_a_check_of_the_future_and_a_damaged_one_are_passed_over(made):
    one = made.check(1)
    made.check(400, one)
    made.damage(made.check(2, one).key)
    assert checks(made, 3) == [one]
    assert made.archive.newest_check(now=day(3)) == one
    assert made.archive.check_report(one.run_id) == one


def test_a_check_that_tells_of_another_run_is_none(made):
    one, two = made.check(1), made.check(2)
    made.damage(two.key, made.store.objects[one.key])
    assert made.archive.check_report(two.run_id) is None
    assert made.archive.check_report(run_id(9)) is None


def test_a_check_that_cannot_be_read_tonight_stops_nothing(made):
    one = made.check(1)
    two = made.check(2, one)
    refusing = FaultyStore(made.store, Points(always(Fault.REFUSED, two.key)))
    assert Archive(refusing).newest_check(now=day(3)) == one
    barred = FaultyStore(made.store, barred=("checks/2026/11/",))
    assert Archive(barred).newest_check(now=day(3)) is None


def test_checks_since_one_are_those_that_came_later(made):
    runs = [made.check(number).run_id for number in (1, 2, 40)]
    assert made.archive.check_runs() == runs
    assert [made.archive.check_runs(after=each) for each in runs] == [runs[1:], runs[2:], []]


def test_a_long_history_of_checks_costs_one_read(made):
    last = None
    for number in range(1, 60):
        last = made.check(number, *([last] if last else []))
    assert made.reads(lambda: made.archive.newest_check(now=day(60))) == [last.key]
    assert len(made.reads(lambda: checks(made))) <= 2
