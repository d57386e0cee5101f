"""What `check` finds, and what it does not mistake for damage."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from smugmug_backup.check.check import check
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest, FormatTooNew
from smugmug_backup.model import StoredObject
from tests.tools.sample import sample_store


@pytest.fixture
def sample():
    return sample_store()


def checked(sample, read_data=None, **more):
    with ThreadPoolExecutor(2) as executor:
        return check(
            sample.store,
            now=sample.clock.now(),
            deadline=more.pop("deadline", Deadline.none(sample.clock)),
            executor=executor,
            read_data=read_data,
            **more,
        )


def codes(result):
    return {problem.code for problem in result.problems}


def keys(sample, prefix):
    return [key for key in sample.store.objects if key.startswith(prefix)]


def newest_manifest(sample, album="harbour"):
    return max(keys(sample, f"manifests/{album}/"))


def rewrite(sample, key, change):
    """Parse every line of a manifest, change the list, put it back."""
    lines = [json.loads(line) for line in sample.store.objects[key].splitlines()]
    change(lines)
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    sample.store.objects[key] = body


def test_what_real_runs_left_is_sound(sample):
    result = checked(sample, "all")
    assert result.sound and result.status == "sound"
    assert result.problems == []
    assert result.counts.albums == 3
    assert result.counts.originals == len(keys(sample, "originals/"))
    assert result.counts.reports == result.counts.reports_read == 5
    assert result.counts.originals_unused == 1


def test_reading_all_reads_every_original_and_record_once(sample):
    sample.store.log.clear()
    result = checked(sample, "all")
    read = [key for call, key in sample.store.log if call == "get"]
    for prefix in ("originals/", "records/", "albums/"):
        assert sorted(k for k in read if k.startswith(prefix)) == sorted(keys(sample, prefix))
    everything = keys(sample, "originals/") + keys(sample, "records/") + keys(sample, "albums/")
    assert result.counts.objects_read == len(everything) == result.plan.objects
    assert result.counts.bytes_read == sum(len(sample.store.objects[k]) for k in everything)
    assert result.plan.bytes == result.counts.bytes_read


def test_structure_alone_reads_no_bytes_and_asks_for_no_object_one_by_one(sample):
    sample.store.log.clear()
    checked(sample)
    assert not [call for call, _ in sample.store.log if call == "head"]
    read = [key for call, key in sample.store.log if call == "get"]
    assert {key.split("/")[0] for key in read} == {"manifests", "runs"}


def test_a_missing_original_is_named_with_its_image(sample):
    key = next(e.original.key for e in sample.nights.manifest("alps").entries.values())
    del sample.store.objects[key]
    result = checked(sample)
    assert result.status == "not_sound"
    (problem,) = result.problems
    assert problem.code == "original_missing" and problem.key == key
    assert "DSC_" in problem.message


def test_an_original_of_another_size_is_found_by_the_listing(sample):
    key = next(e.original.key for e in sample.nights.manifest("alps").entries.values())
    sample.store.objects[key] += b"x"
    assert codes(checked(sample)) == {"original_size"}


def test_a_flipped_bit_is_found_only_by_reading(sample):
    key = next(e.original.key for e in sample.nights.manifest("alps").entries.values())
    body = bytearray(sample.store.objects[key])
    body[-1] ^= 1
    sample.store.objects[key] = bytes(body)
    assert checked(sample).sound
    result = checked(sample, "all")
    assert codes(result) == {"original_damaged"}
    assert result.problems[0].key == key


def test_a_flipped_bit_in_a_version_that_was_replaced_is_found_by_its_name(sample):
    used = {
        entry.original.key
        for album in ("harbour", "alps", "gone")
        for entry in sample.nights.manifest(album).entries.values()
    }
    (key,) = set(keys(sample, "originals/")) - used
    sample.store.objects[key] = sample.store.objects[key][:-1] + b"?"
    assert codes(checked(sample, "all")) == {"original_damaged"}


def test_a_missing_record_and_a_changed_one_are_found(sample):
    entry = next(iter(sample.nights.manifest("harbour").entries.values()))
    body = sample.store.objects.pop(entry.record)
    assert codes(checked(sample)) == {"record_missing"}
    sample.store.objects[entry.record] = body.replace(b"JPG", b"PNG")
    assert codes(checked(sample, "all")) == {"record_damaged"}


def test_a_missing_album_record_is_found(sample):
    del sample.store.objects[sample.nights.manifest("alps").header.record]
    assert codes(checked(sample)) == {"album_record_missing"}


def test_a_gap_in_the_generations_is_found(sample):
    del sample.store.objects["manifests/harbour/00000001.jsonl"]
    (problem,) = checked(sample).problems
    assert problem.code == "generation_missing"
    assert problem.key == "manifests/harbour/00000001.jsonl"


def test_a_newest_generation_that_a_report_knows_and_nobody_sees_is_found(sample):
    key = newest_manifest(sample)
    del sample.store.objects[key]
    assert "manifest_lost" in codes(checked(sample))
    for each in keys(sample, "manifests/gone/"):
        del sample.store.objects[each]
    assert [p.code for p in checked(sample).problems].count("manifest_lost") == 2


def test_a_cursor_that_went_back_is_found(sample):
    rewrite(sample, newest_manifest(sample), lambda lines: lines[0].update(cursor=0))
    assert codes(checked(sample)) == {"cursor_back"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[0].update(image_count=99), "says 99 images"),
        (lambda lines: lines[0].update(extra=1), "extra is not a field"),
        (lambda lines: lines[0].update(album_key="other"), "album other"),
        (lambda lines: lines[1].pop("fingerprint"), "fingerprint is missing"),
        (lambda lines: lines[1].update(position="1"), "position must be"),
        (lambda lines: lines[1]["original"].update(status="pending"), "bytes are not there"),
        (lambda lines: lines[1]["original"].update(source_md5="0" * 32), "verified"),
        (lambda lines: lines.reverse() or lines.insert(0, lines.pop()), "not in its order"),
        (lambda lines: lines[1].update(deleted_at="2026-02-30T00:00:00Z"), "not readable"),
    ],
)
def test_a_manifest_that_is_not_what_the_format_says_is_named(sample, change, says):
    rewrite(sample, newest_manifest(sample), change)
    result = checked(sample)
    assert "manifest_damaged" in codes(result)
    assert any(says in problem.message for problem in result.problems)


def test_a_manifest_that_was_cut_off_is_named(sample):
    key = newest_manifest(sample)
    sample.store.objects[key] = sample.store.objects[key][:-20]
    result = checked(sample)
    assert any("cut off" in problem.message for problem in result.problems)


def test_a_run_report_that_cannot_be_read_is_named(sample):
    key = max(keys(sample, "runs/"))
    sample.store.objects[key] = b"{}"
    (problem,) = checked(sample).problems
    assert (problem.code, problem.key) == ("report_damaged", key)


def test_a_newer_format_is_not_called_damage(sample):
    rewrite(sample, newest_manifest(sample), lambda lines: lines[0].update(version=2))
    with pytest.raises(FormatTooNew):
        checked(sample)


def test_what_a_run_stores_while_the_check_lists_is_no_damage(sample):
    listed = sample.store.list

    def list_and_run(prefix, **more):
        yield from list(listed(prefix, **more))
        if prefix == "originals/":
            sample.source.upload("alps")
            sample.nights.next_night()

    sample.store.list = list_and_run
    assert checked(sample, "all").sound


def test_archived_objects_are_counted_and_not_read(sample):
    listed = sample.store.list

    def archive(prefix, **more):
        for each in listed(prefix, **more):
            yield StoredObject(each.key, each.bytes, archived=prefix == "originals/")

    sample.store.list = archive
    sample.store.log.clear()
    result = checked(sample, "all")
    assert result.sound
    assert result.counts.archived == len(keys(sample, "originals/"))
    assert not [k for call, k in sample.store.log if call == "get" and k.startswith("originals")]
    assert any("thawed" in each for each in result.not_checked)


def test_an_end_of_time_in_the_structure_is_neither_sound_nor_not(sample):
    deadline = Deadline.none(sample.clock)
    deadline.stop()
    result = checked(sample, "all", deadline=deadline)
    assert result.status == "unfinished" and not result.sound
    assert result.not_checked


def test_an_end_of_time_while_reading_leaves_the_rest_and_says_so(sample):
    deadline = Deadline.none(sample.clock)

    class Stop:
        def listed(self, what, objects): ...
        def album(self, album_key, albums): ...
        def read(self, size): ...
        def reading(self, plan):
            deadline.stop()

    result = checked(sample, "all", deadline=deadline, observer=Stop())
    assert result.sound and result.counts.objects_read == 0
    assert any("time ended" in each for each in result.not_checked)


def test_no_file_can_be_cut_short_without_being_found(sample):
    """Every file of every kind and age, the README apart."""
    for key in sorted(sample.store.objects):
        if key == "README.txt":
            continue
        whole = sample.store.objects[key]
        sample.store.objects[key] = whole[:-1] if not key.startswith("runs/") else whole[:-2]
        assert checked(sample, "all").status == "not_sound", key
        sample.store.objects[key] = whole
    assert checked(sample, "all").sound


def test_no_file_can_be_lost_without_being_found(sample):
    """By a thorough check; the daily one sees to the newest state. The last report is no loss."""
    for key in sorted(sample.store.objects):
        if key.startswith(("README", "runs/")):
            continue
        body = sample.store.objects.pop(key)
        assert checked(sample, "all").status == "not_sound", key
        sample.store.objects[key] = body
    assert checked(sample, "all").sound


def test_albums_whose_keys_begin_alike_are_told_apart(sample):
    for album in ("a", "a-b", "aB", "a_b", "ab"):
        sample.source.album(album, images=1)
    sample.nights.next_night()
    assert checked(sample, "all").sound


@pytest.mark.parametrize("amount", ["", "5", "0%", "0GB", "101%", "-1GB", "all of it"])
def test_an_amount_that_is_none_is_refused(sample, amount):
    with pytest.raises(BadRequest):
        checked(sample, amount)
