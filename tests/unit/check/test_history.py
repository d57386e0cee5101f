"""A check of the history: every generation, and the chain from the seal to the first report."""

import json

from tests.unit.check.helpers import (
    checked,
    flip,
    keys,
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


def test_bytes_of_older_generations_that_are_missing_or_short_are_found_by_the_listing(sample):
    key = older_video(sample)
    body = sample.store.objects.pop(key)
    assert checked(sample).sound
    assert problems(checked(sample, history=True)) == [(key, "missing")]
    sample.store.objects[key] = body[:-1]
    assert problems(next_check(sample, history=True)) == [(key, "damaged")]
    sample.store.objects[key.replace(".mp4", ".2.mp4")] = body
    assert next_check(sample).sound


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


def test_a_run_report_that_was_changed_breaks_the_chain(sample):
    key = keys(sample, "runs/")[1]
    body = sample.store.objects[key]
    sample.store.objects[key] = body.replace(b'"ignored_albums":[]', b'"ignored_albums":["x"]')
    assert problems(checked(sample)) == [(key, "broken_chain")]
    sample.store.objects[key] = body
    assert next_check(sample).sound


def test_a_lost_report_in_the_midst_of_the_chain_is_missing(sample):
    key = keys(sample, "runs/")[2]
    body = sample.store.objects.pop(key)
    assert problems(checked(sample)) == [(key, "missing")]
    sample.store.objects[key.replace(".json", ".2.json")] = body
    assert next_check(sample).sound


def test_older_reports_are_read_only_by_a_check_of_the_history(sample):
    for _ in range(45):
        sample.nights.next_night()
    assert checked(sample).counts.reports_read == 41
    key = keys(sample, "runs/")[1]
    sample.store.objects[key] = sample.store.objects[key].replace(b'"part":false', b'"part":true')
    result = checked(sample, history=True)
    assert result.counts.reports_read == 50
    assert problems(result) == [(key, "broken_chain")]


def test_heads_beside_the_newest_report_are_told_until_a_run_names_them(sample):
    first, *_ = keys(sample, "runs/")
    late = json.loads(sample.store.objects[first])
    late.update(run_id="20261125T010000Z-0000beef", previous=[], part=True)
    key = "runs/2026/11/20261125T010000Z-0000beef.json"
    sample.store.objects[key] = json.dumps(late).encode()
    result = checked(sample)
    assert result.sound
    assert [link.run_id for link in result.report.heads] == [late["run_id"]]
    sample.nights.next_night()
    assert next_check(sample).report.heads == ()


def test_a_check_report_that_a_run_names_is_missed_but_not_in_a_copy(sample):
    first = checked(sample).report
    sample.nights.next_night()
    assert sample.nights.reports[-1].check.run_id == first.run_id
    body = sample.store.objects.pop(first.key)
    copy = checked(sample, history=True)
    assert copy.sound and any("check reports" in each for each in copy.report.not_checked)
    assert (first.key, "missing") in problems(checked(sample, history=True))
    sample.store.objects[first.key] = body
    assert next_check(sample).sound


def test_no_file_can_be_cut_short_without_being_found(sample):
    """Every file of every kind and age."""
    sample.nights.next_night()
    for key in sorted(sample.store.objects):
        whole = sample.store.objects[key]
        sample.store.objects[key] = whole[:-1] if not key.startswith("runs/") else whole[:-2]
        assert checked_alone(sample, "all").status == "not_sound", key
        sample.store.objects[key] = whole
    assert checked_alone(sample, "all").sound


def test_no_file_can_be_changed_without_being_found(sample):
    """The last report apart: nothing states what it is."""
    for key in sorted(sample.store.objects):
        if key == max(keys(sample, "runs/")):
            continue
        for at in (-2, len(sample.store.objects[key]) // 2):
            whole = flip(sample, key, at)
            assert checked_alone(sample, "all").status == "not_sound", (key, at)
            sample.store.objects[key] = whole


def test_no_file_can_be_lost_without_being_found(sample):
    """The last report is no loss, where no check saw it."""
    for key in sorted(sample.store.objects):
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
