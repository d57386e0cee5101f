"""What a check of the newest state finds, and what it does not mistake for damage."""

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest
from smugmug_backup.model import StoredObject
from tests.unit.check.helpers import (
    StopsReading,
    checked,
    flip,
    keys,
    newest_manifest,
    next_check,
    original_of,
    problems,
    record_of,
    rewrite,
    without_reports,
)


def test_what_real_runs_left_is_sound(sample):
    result = checked(sample, "all")
    assert result.sound and result.status == "sound"
    assert result.findings == () and result.report.not_checked == ()
    assert result.counts.albums == 3
    assert result.counts.originals == len(keys(sample, "originals/"))
    assert result.counts.records == len(keys(sample, "records/"))
    assert result.counts.reports == result.counts.reports_read == 5
    assert (result.counts.originals_unused, result.counts.archived) == (1, 0)


def test_reading_all_reads_every_original_and_record_once(sample):
    sample.store.log.clear()
    result = checked(sample, "all")
    read = [key for call, key in sample.store.log if call == "get"]
    for prefix in ("originals/", "records/"):
        assert sorted(k for k in read if k.startswith(prefix)) == keys(sample, prefix)
    everything = keys(sample, "originals/") + keys(sample, "records/")
    assert result.counts.objects_read == len(everything) == result.plan.objects
    # Of a file of records all but its last line break.
    sizes = [len(sample.store.objects[key]) - key.startswith("records/") for key in everything]
    assert result.counts.bytes_read == sum(sizes)


def test_structure_alone_reads_no_bytes_and_asks_for_no_object_one_by_one(sample):
    sample.store.log.clear()
    checked(sample)
    assert not [call for call, _ in sample.store.log if call == "head"]
    read = [key for call, key in sample.store.log if call == "get"]
    assert {key.split("/")[0] for key in read} == {"README.txt", "manifests", "runs"}


def test_nothing_is_written_but_the_report_of_the_check(sample):
    before = dict(sample.store.objects)
    result = checked(sample, "all")
    after = dict(sample.store.objects)
    assert after.pop(result.report.key)
    assert after == before


def test_a_check_says_what_it_did_not_look_at(sample):
    left = " ".join(checked(sample).report.not_checked)
    assert "5 older versions of albums" in left
    assert "1 original that no newest version names" in left
    assert "--read-data" in left
    assert "older versions" not in " ".join(checked(sample, history=True).report.not_checked)


def test_a_missing_original_is_named_with_its_image(sample):
    key = original_of(sample)
    del sample.store.objects[key]
    result = checked(sample)
    assert result.status == "not_sound"
    (finding,) = result.findings
    assert (finding.key, finding.problem, finding.scope) == (key, "missing", "state")
    assert (finding.album_key, finding.image_key) == ("alps", key.split("/")[1])
    assert "DSC_" in finding.message


def test_an_original_of_another_size_is_found_by_the_listing(sample):
    key = original_of(sample)
    sample.store.objects[key] += b"x"
    assert problems(checked(sample)) == [(key, "damaged")]


def test_a_flipped_bit_is_found_only_by_reading(sample):
    key = original_of(sample)
    flip(sample, key)
    assert checked(sample).sound
    assert problems(checked(sample, "all")) == [(key, "damaged")]


def test_bytes_that_lie_whole_under_a_numbered_name_are_no_damage(sample):
    key, gone = original_of(sample), original_of(sample, "harbour")
    numbered = [name.replace(".jpg", ".2.jpg") for name in (key, gone)]
    sample.store.objects[numbered[0]] = flip(sample, key)
    sample.store.objects[numbered[1]] = sample.store.objects.pop(gone)
    assert checked(sample).sound
    assert checked(sample, "all").sound


def test_a_numbered_name_with_other_bytes_proves_nothing(sample):
    key = original_of(sample)
    sample.store.objects[key.replace(".jpg", ".2.jpg")] = b"something else"
    flip(sample, key)
    assert (key, "damaged") in problems(checked(sample, "all"))


def test_a_missing_records_file_a_short_one_and_a_changed_one_are_found(sample):
    key = record_of(sample)
    body = sample.store.objects.pop(key)
    (finding,) = checked(sample).findings
    assert (finding.key, finding.problem, finding.album_key) == (key, "missing", "alps")
    sample.store.objects[key] = body[:-100]
    assert problems(checked(sample)) == [(key, "damaged")]
    sample.store.objects[key] = body.replace(b"JPG", b"PNG")
    assert problems(checked(sample, "all")) == [(key, "damaged")]
    sample.store.objects[key] = body
    assert checked(sample, "all").sound


def test_a_records_file_under_a_numbered_name_counts(sample):
    key = record_of(sample)
    sample.store.objects[key.replace(".jsonl", ".2.jsonl")] = flip(sample, key)
    assert checked(sample, "all").sound


def test_a_line_whose_record_is_another_image_s_is_found_by_reading(sample):
    def swap(lines):
        one, other = lines[1], lines[2]
        for name in ("record_at", "fingerprint"):
            one[name], other[name] = other[name], one[name]

    without_reports(sample)
    rewrite(sample, newest_manifest(sample, "alps"), swap)
    assert checked(sample).sound
    (finding,) = checked(sample, "all").findings
    assert finding.key == record_of(sample) and "does not hold the record" in finding.message


def test_a_newest_generation_that_a_report_knows_and_nobody_sees_is_found(sample):
    key = newest_manifest(sample)
    del sample.store.objects[key]
    assert problems(checked(sample)) == [(key, "missing")]
    for each in keys(sample, "manifests/gone/"):
        del sample.store.objects[each]
    assert ("manifests/gone/00000002.jsonl", "missing") in problems(checked(sample))


def test_a_newest_generation_without_the_sha256_of_the_report_is_damaged(sample):
    key = newest_manifest(sample)
    rewrite(sample, key, lambda lines: lines[0].update(title="Other"))
    (finding,) = checked(sample).findings
    assert (finding.key, finding.problem, finding.scope) == (key, "damaged", "state")
    assert "SHA-256" in finding.message


def test_where_the_newest_generation_is_damaged_the_one_before_is_looked_at(sample):
    key = newest_manifest(sample)
    flip(sample, key)
    lost = original_of(sample, "harbour")
    del sample.store.objects[lost]
    assert problems(checked(sample)) == [(key, "damaged"), (lost, "missing")]


def test_a_gap_in_the_generations_is_of_the_history(sample):
    del sample.store.objects["manifests/harbour/00000001.jsonl"]
    (finding,) = checked(sample).findings
    assert (finding.key, finding.problem) == ("manifests/harbour/00000001.jsonl", "missing")
    assert finding.scope == "history"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[0].update(image_count=99), "says 99 images"),
        (lambda lines: lines[0].update(line_count=99), "in 99 lines"),
        (lambda lines: lines[0].update(album_key="other"), "album other"),
        (lambda lines: lines[0].update(cursor="1"), "cursor must be"),
        (lambda lines: lines[0].update(previous=None) or lines[0].pop("urls"), "urls is missing"),
        (lambda lines: lines[1].pop("fingerprint"), "fingerprint is missing"),
        (lambda lines: lines[1].update(position="1"), "position must be"),
        (lambda lines: lines[1].update(record_at=None), "with its record"),
        (lambda lines: lines[1].update(record="records/x/" + "0" * 32 + ".jsonl"), "this album"),
        (lambda lines: lines[1]["original"].update(source_md5="0" * 32), "verified"),
        (lambda lines: lines[1]["original"].update(md5="0" * 32), "not named by its md5"),
        (lambda lines: lines.reverse() or lines.insert(0, lines.pop()), "not in its order"),
        (lambda lines: lines[1].update(deleted_at="2026-02-30T00:00:00Z"), "not readable"),
    ],
)
def test_a_manifest_that_is_not_what_the_format_says_is_one_finding(sample, change, says):
    without_reports(sample)
    key = newest_manifest(sample)
    rewrite(sample, key, change)
    (finding,) = checked(sample).findings
    assert (finding.key, finding.problem) == (key, "damaged")
    assert says in finding.message


def test_a_manifest_that_was_cut_off_is_named(sample):
    without_reports(sample)
    key = newest_manifest(sample)
    sample.store.objects[key] = sample.store.objects[key][:-20]
    (finding,) = checked(sample).findings
    assert "cut off" in finding.message


def test_a_field_that_nobody_knows_yet_is_no_damage(sample):
    without_reports(sample)
    rewrite(sample, newest_manifest(sample), lambda lines: lines[0].update(more=1))
    assert checked(sample).sound


def test_a_run_report_that_cannot_be_read_is_named(sample):
    key = max(keys(sample, "runs/"))
    sample.store.objects[key] = b"{}"
    assert problems(checked(sample)) == [(key, "damaged")]


def test_a_readme_that_is_not_the_reported_one_is_named(sample):
    body = flip(sample, "README.txt")
    assert problems(checked(sample)) == [("README.txt", "damaged")]
    sample.store.objects["README.2.txt"] = body
    assert checked(sample).sound
    del sample.store.objects["README.txt"], sample.store.objects["README.2.txt"]
    assert problems(checked(sample)) == [("README.txt", "missing")]


def test_two_lines_that_name_one_key_with_different_sha256_are_a_finding_of_both(sample):
    image = sample.source.world["alps"].images[0]
    sample.source.world["harbour"].images.append(image)
    sample.source.touch(image, caption="in two albums")
    sample.nights.next_night(full=True)
    without_reports(sample)
    assert checked(sample, "all").sound

    def other(lines):
        (line,) = [each for each in lines[1:] if each["image_key"] == image.key]
        line["original"]["sha256"] = "ab" * 32

    rewrite(sample, newest_manifest(sample, "harbour"), other)
    found = checked(sample).findings
    assert [(f.album_key, f.image_key) for f in found] == [
        ("alps", image.key),
        ("harbour", image.key),
    ]
    assert {f.problem for f in found} == {"damaged"}


def test_a_newer_format_is_not_called_damage_and_not_sound(sample):
    without_reports(sample)
    rewrite(sample, newest_manifest(sample), lambda lines: lines[0].update(version=2))
    later = sample.store.objects["README.txt"].replace(
        b"this description, 1", b"this description, 2"
    )
    sample.store.objects["README.2.txt"] = later
    result = checked(sample)
    assert result.findings == () and result.status == "unfinished"
    assert any("version 2" in each for each in result.report.not_checked)


def test_what_a_run_stores_while_the_check_lists_is_no_damage(sample):
    listed = sample.store.list

    def list_and_run(prefix, **more):
        yield from list(listed(prefix, **more))
        if prefix == "originals/":
            sample.store.list = listed
            sample.source.upload("alps")
            sample.nights.next_night()

    sample.store.list = list_and_run
    assert checked(sample, "all").sound


def test_an_album_that_a_listing_lacks_and_that_is_there_is_not_lost(sample):
    listed = sample.store.list

    def late(prefix, **more):
        return (each for each in listed(prefix, **more) if "manifests/gone/" not in each.key)

    sample.store.list = late
    assert checked(sample).sound
    for key in keys(sample, "manifests/gone/"):
        del sample.store.objects[key]
    ((key, problem),) = problems(checked(sample))
    assert (key.startswith("manifests/gone/"), problem) == (True, "missing")


def test_what_is_larger_than_the_amount_that_was_asked_for_has_its_turn_all_the_same(sample):
    objects = sample.store.objects
    sample.store.log.clear()
    largest = max(keys(sample, "records/"), key=lambda key: len(objects[key]))
    for _ in range(40):  # There are 32 turns.
        next_check(sample, f"{len(objects[largest]) - 2}B")
        if ("get", largest) in sample.store.log:
            break
    assert ("get", largest) in sample.store.log


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
    assert any("thawed" in each for each in result.report.not_checked)


def told_forgotten(sample, key):
    """The owner had it deleted, by what is told; it is not there."""
    del sample.store.objects[key]
    Archive(sample.store).tell_forgotten(key.split("/")[1], [key], at=sample.clock.now())


def test_what_the_owner_had_deleted_for_good_is_no_damage(sample):
    image = sample.source.world["harbour"].images[1]
    now = sample.nights.line("harbour", image.key).original.key
    (key,) = {each for each in keys(sample, f"originals/{image.key}/") if each != now}
    told_forgotten(sample, key)
    assert checked(sample, "all").sound
    sample.store.objects["forgotten/zzz.json"] = b"?"
    assert problems(checked(sample)) == [("forgotten/zzz.json", "damaged")]
    del sample.store.objects["forgotten/zzz.json"]
    assert checked(sample).sound


def test_a_newest_line_that_says_stored_is_missing_though_its_bytes_are_told_forgotten(sample):
    key = original_of(sample)
    told_forgotten(sample, key)
    for _ in range(2):
        assert problems(next_check(sample)) == [(key, "missing")]
    sample.nights.next_night()
    assert sample.nights.line("alps", key.split("/")[1]).original.reason == "forgotten"
    assert next_check(sample, "all").sound


def test_behind_a_damaged_newest_manifest_what_is_forgotten_is_not_missing(sample):
    newest = newest_manifest(sample, "alps")
    key = original_of(sample)
    sample.source.touch(sample.source.world["alps"].images[-1], caption="newer")
    sample.nights.next_night()
    damaged = newest_manifest(sample, "alps")
    assert damaged != newest
    flip(sample, damaged, at=0)
    told_forgotten(sample, key)
    assert problems(next_check(sample)) == [(damaged, "damaged")]


def test_an_end_of_time_in_the_structure_is_neither_sound_nor_not(sample):
    deadline = Deadline.none(sample.clock)
    deadline.stop()
    result = checked(sample, "all", deadline=deadline)
    assert result.status == "unfinished" and not result.sound
    assert any("time ended" in each for each in result.report.not_checked)
    assert result.not_written is None


def test_an_end_of_time_while_reading_leaves_the_rest_and_is_not_sound(sample):
    deadline = Deadline.none(sample.clock)
    result = checked(sample, "all", deadline=deadline, observer=StopsReading(deadline))
    assert result.status == "unfinished" and result.counts.objects_read == 0
    assert any("time ended" in each for each in result.report.not_checked)


def test_albums_whose_keys_begin_alike_are_told_apart(sample):
    for album in ("a", "a-b", "aB", "a_b", "ab", "AB", "con"):
        sample.source.album(album, images=1)
    sample.nights.next_night()
    assert checked(sample, "all").sound


@pytest.mark.parametrize("amount", ["", "5", "0%", "0GB", "101%", "-1GB", "all of it"])
def test_an_amount_that_is_none_is_refused(sample, amount):
    with pytest.raises(BadRequest):
        checked(sample, amount)
