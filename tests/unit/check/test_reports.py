"""The chain of run reports and check reports, the heads, and what a copy of a store lacks."""

import json

from tests.unit.check.helpers import checked, keys, next_check, problems


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


def test_a_report_with_a_digit_of_its_version_damaged_is_damaged(sample):
    newest = max(keys(sample, "runs/"))
    body = sample.store.objects[newest]
    sample.store.objects[newest] = body.replace(b'"version":1', b'"version":9', 1)
    result = checked(sample)
    assert problems(result) == [(newest, "damaged")]
    next_check(sample, accept=[newest])
    assert next_check(sample).sound
