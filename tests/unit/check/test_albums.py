"""A check of the history: every generation, and all that only older ones name."""

import pytest

from tests.unit.check.helpers import (
    checked,
    flip,
    keys,
    newest_manifest,
    next_check,
    problems,
    without_reports,
)

MOV = b"\0\0\0\x18ftypmp42"


def older_video(sample):
    """Bytes that only older generations name, under a name that says nothing of them."""
    video = sample.source.upload(
        "alps", video="Video1280URL", file_name="a.mov", body=MOV + b"one" * 50
    )
    sample.nights.next_night()
    key = sample.nights.line("alps", video.key).original.key
    sample.source.touch(video, body=MOV + b"two" * 50, serial=9)
    sample.nights.next_night(full=True)
    assert sample.nights.line("alps", video.key).original.key != key
    assert "/rev-" in key
    return key


def test_bit_rot_in_bytes_that_only_older_generations_name_is_found(sample):
    key = older_video(sample)
    flip(sample, key)
    assert checked(sample, history=True).sound
    (finding,) = checked(sample, "all").findings
    assert (finding.key, finding.problem, finding.scope) == (key, "damaged", "history")
    assert finding.album_key == "alps"


def test_a_newest_manifest_whose_version_rotted_is_found_though_no_report_names_it(sample):
    album = "alps"
    without_reports(sample)
    key = newest_manifest(sample, album)
    sample.store.objects[key] = sample.store.objects[key].replace(b'"version":1', b'"version":9', 1)
    found = [each for each in checked(sample).findings if each.key == key]
    assert [(each.problem, each.album_key) for each in found] == [("damaged", album)]


def test_bit_rot_in_an_older_version_is_found_when_its_turn_comes(sample):
    image = sample.source.world["harbour"].images[1]
    (key,) = {
        each
        for each in keys(sample, f"originals/{image.key}/")
        if each != sample.nights.line("harbour", image.key).original.key
    }
    whole = flip(sample, key)
    foreign = key.replace(image.key, "zzz")
    sample.store.objects[foreign] = b"foreign"
    found = {}
    for _ in range(4):
        found.update(
            (f.key, (f.problem, f.scope, f.album_key)) for f in next_check(sample, "25%").findings
        )
    assert found == {
        key: ("damaged", "history", "harbour"),
        foreign: ("misnamed", "history", None),
    }
    sample.store.objects[key] = whole
    assert next_check(sample).sound


def test_bytes_of_older_generations_that_are_missing_or_short_are_found_by_the_listing(sample):
    key = older_video(sample)
    body = sample.store.objects.pop(key)
    assert checked(sample).sound
    assert problems(checked(sample, history=True)) == [(key, "missing")]
    sample.store.objects[key] = body[:-1]
    assert problems(next_check(sample, history=True)) == [(key, "damaged")]
    sample.store.objects[key.replace(".mp4", ".2.mp4")] = body
    assert next_check(sample).sound


def test_a_numbered_generation_that_nothing_states_is_none(sample):
    sample.store.objects["manifests/alps/00000002.2.jsonl"] = b"foreign"
    sample.store.objects["manifests/zzz/00000001.2.jsonl"] = b"foreign"
    assert checked(sample).sound
    assert checked(sample, "all").sound


def test_a_newest_generation_that_lies_whole_under_a_numbered_name_counts(sample):
    key = newest_manifest(sample)
    other = key.replace(".jsonl", ".2.jsonl")
    sample.store.objects[other] = sample.store.objects.pop(key)
    assert checked(sample).sound and checked(sample, "all").sound
    sample.store.objects[other] += b" "
    assert problems(checked(sample)) == [(key, "damaged")]


def test_a_record_of_an_older_generation_is_missed(sample):
    (key,) = set(keys(sample, "records/harbour/")) - {
        entry.record for entry in sample.nights.manifest("harbour").entries.values()
    } or {None}
    if key is None:
        first = sample.source.world["harbour"].images[0]
        key = sample.nights.line("harbour", first.key).record
        sample.source.touch(first, caption="again")
        sample.nights.next_night()
    del sample.store.objects[key]
    found = checked(sample, history=True).findings
    assert key in {finding.key for finding in found}


def test_an_older_generation_that_is_not_what_the_next_one_names_is_damaged(sample):
    without_reports(sample)
    key = "manifests/harbour/00000002.jsonl"
    body = sample.store.objects[key]
    sample.store.objects[key] = body.replace(b"DSC_00006", b"DSC_00066")
    assert checked(sample).sound
    (finding,) = checked(sample, history=True).findings
    assert (finding.key, finding.problem, finding.scope) == (key, "damaged", "history")
    sample.store.objects[key.replace(".jsonl", ".2.jsonl")] = body
    assert next_check(sample).sound


def test_no_file_can_be_cut_short_without_being_found(sample):
    """Every file of every kind and age."""
    sample.nights.next_night()
    for key in keys(sample, ""):
        whole = sample.store.objects[key]
        sample.store.objects[key] = whole[:-1] if not key.startswith("runs/") else whole[:-2]
        assert checked_alone(sample, "all").status == "not_sound", key
        sample.store.objects[key] = whole
    assert checked_alone(sample, "all").sound


def test_no_file_can_be_changed_without_being_found(sample):
    """The last report apart: nothing states what it is."""
    for key in keys(sample, ""):
        if key == max(keys(sample, "runs/")):
            continue
        for at in (-2, len(sample.store.objects[key]) // 2):
            whole = flip(sample, key, at)
            assert checked_alone(sample, "all").status == "not_sound", (key, at)
            sample.store.objects[key] = whole


def test_no_file_can_be_lost_without_being_found(sample):
    """The last report is no loss, where no check saw it."""
    for key in keys(sample, ""):
        if key == max(keys(sample, "runs/")):
            continue
        body = sample.store.objects.pop(key)
        assert checked_alone(sample, "all").status == "not_sound", key
        sample.store.objects[key] = body
    assert checked_alone(sample, "all").sound


def checked_alone(sample, read_data):
    """A check that knows of none before it, and leaves nothing."""
    result = checked(sample, read_data)
    del sample.store.objects[result.report.key]
    return result


@pytest.mark.parametrize("lost", [True, False])
def test_an_album_that_left_and_has_no_sound_manifest_is_open_until_it_is_accepted(sample, lost):
    sample.source.errors.clear()
    both = keys(sample, "manifests/gone/")
    for key in both:
        if lost:
            del sample.store.objects[key]
        else:
            flip(sample, key, at=0)
    found = {key for key, _ in problems(next_check(sample))}
    for _ in range(3):
        sample.nights.next_night()
        result = next_check(sample)
        found |= {key for key, _ in problems(result)}
        assert (result.sound, sample.nights.reports[-1].status) != (True, "complete")
    assert sample.nights.reports[-1].status == "complete"
    assert found <= set(both)
    next_check(sample, accept=[key for key, _ in problems(result)])
    for _ in range(3):
        report = sample.nights.next_night()
        assert (report.status, report.check.open) == ("complete", 0)
        assert next_check(sample).sound
