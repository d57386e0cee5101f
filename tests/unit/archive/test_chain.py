"""Which reports there are, which of them count, and which a run that ends names."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.archive import chain, keys
from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.archive.report import AlbumState, CompleteAsOf
from smugmug_backup.errors import (
    EarlierForm,
    FormatTooNew,
    ListingIncomplete,
    NotABackup,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.model import Account
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import HASH, OWNER, Store, day, report, run_id, state


@pytest.fixture
def made():
    return Store()


def names(reports):
    return [each.run_id for each in reports]


# -- the newest ------------------------------------------------------------------------------------


def test_an_empty_store_has_no_report(made):
    found = made.reports()
    assert (found.newest, found.trusted, found.beside, found.listed) == (None, None, (), ())
    assert found.account is found.complete_as_of is None
    assert found.albums == {}
    assert made.archive.heads(found, found, None) == ()


def test_the_newest_is_the_greatest_run_id(made):
    one = made.report(1)
    two = made.report(2, one)
    found = made.reports(3)
    assert found.newest == found.trusted == two
    assert found.beside == found.passed_over == ()
    assert list(found.listed) == [one.run_id, two.run_id]


@pytest.mark.parametrize("fields", [{"status": "refused"}, {"part": True}, {"clock_doubted": True}])
def test_what_does_not_tell_the_state_is_the_newest_and_is_not_trusted(made, fields):
    one = made.report(1)
    two = made.report(2, one, **fields)
    found = made.reports(3)
    assert (found.newest, found.trusted) == (two, one)
    assert names(found.counting) == [one.run_id]


def test_a_report_of_the_future_is_passed_over_and_named(made):
    one = made.report(1)
    ahead = made.report(400)
    found = made.reports(2)
    assert found.newest == found.trusted == one
    assert any(ahead.run_id in each and "ahead" in each for each in found.passed_over)


def test_a_damaged_report_is_passed_over_and_named(made):
    one = made.report(1)
    two = made.report(2, one)
    made.damage(two.key)
    found = made.reports(3)
    assert found.trusted == one
    assert found.passed_over == (f"{two.key} is damaged; it is passed over",)


def test_a_report_that_tells_of_another_run_is_damaged(made):
    one, two = made.report(1), made.report(2)
    made.damage(two.key, made.store.objects[one.key])
    assert made.reports(3).trusted == one
    with pytest.raises(NotABackup):
        made.archive.report(two.run_id)


def test_a_file_that_only_looks_like_a_report_stops_nothing(made):
    one = made.report(1)
    made.store.objects["runs/2026/13/20261301T030000Z-00000000.json"] = b"{}"
    made.store.objects[keys.numbered(one.key, 2)] = b"{}"
    assert made.reports(3).newest == one


def test_reports_are_looked_for_in_two_months_and_then_everywhere(made):
    old = made.report(-400)
    made.report(-30, part=True)
    found = made.reports(2)
    assert found.trusted == old
    assert len(found.listed) == 2


def test_a_long_history_costs_one_page_of_it(made):
    last = None
    for number in range(-200, 1):
        last = made.report(number, *([last] if last else []))
    read = made.reads(lambda: made.reports(1))
    assert read == [last.key]
    assert len(made.reports(1).listed) < 63


def changed(made, written, **fields):
    """The report with those fields, and without those that are None."""
    data = json.loads(made.store.objects[written.key]) | fields
    data = {name: value for name, value in data.items() if fields.get(name, 0) is not None}
    made.damage(written.key, json.dumps(data).encode())


def test_a_report_of_a_newer_form_is_refused(made):
    changed(made, made.report(1), version=2)
    with pytest.raises(FormatTooNew):
        made.reports(2)


def test_a_report_of_the_form_that_was_never_released_is_refused(made):
    changed(made, made.report(1), previous=None, dated_at=None, check=None)
    with pytest.raises(EarlierForm):
        made.reports(2)


@pytest.mark.parametrize("field", ["previous", "dated_at", "check", "format"])
def test_a_letter_of_one_fields_name_costs_that_report_alone(made, field):
    """A night that is refused for it would be the last one."""
    first = made.report(1)
    changed(made, made.report(2, first), **{field: None})
    found = made.reports(3)
    assert found.trusted.run_id == first.run_id
    assert len(found.passed_over) == 1


# -- what cannot be read tonight -------------------------------------------------------------------


def refused(made, monkeypatch, *runs, error=None):
    read = made.store.read

    def reads(key):
        if any(run in key for run in runs):
            raise error or StoreRefused("AccessDenied")
        return read(key)

    monkeypatch.setattr(made.store, "read", reads)


def test_one_report_that_cannot_be_read_is_passed_over_and_named(made, monkeypatch):
    one = made.report(1)
    two = made.report(2, one)
    refused(made, monkeypatch, two.run_id)
    found = made.reports(3)
    assert found.trusted == one
    assert found.passed_over == (f"{two.key} cannot be read (AccessDenied); it is passed over",)


def test_where_many_cannot_be_read_it_is_the_store(made, monkeypatch):
    found = [made.report(number) for number in range(1, 6)]
    three = [each.run_id for each in found[2:]]
    with monkeypatch.context() as patch:
        refused(made, patch, *three, error=StoreUnavailable("503"))
        assert made.reports(6).trusted == found[1]
        assert set(made.reports(6).unread) == set(three)
    refused(made, monkeypatch, found[1].run_id, *three, error=StoreUnavailable("503"))
    with pytest.raises(StoreUnavailable):
        made.reports(6)


def test_old_reports_that_can_never_be_read_do_not_keep_a_run_from_its_end(made, monkeypatch):
    one = made.report(1)
    lost = [made.report(2, one, token=token) for token in range(1, 9)]
    last = made.report(3, one)
    refused(made, monkeypatch, *(each.run_id for each in lost))
    begun = made.reports(4)
    ended = made.archive.reports_again(begun, now=day(4))
    assert ended.trusted == last
    assert made.archive.heads(begun, ended, None) == (last.link,)


def test_a_month_that_nobody_gets_into_is_passed_over_and_named(made):
    old, new = made.report(-30), made.report(1)
    barred = f"{keys.RUNS}2026/11/"
    found = chain.look(FaultyStore(made.store, barred=(barred,)), now=day(2))
    assert found.trusted == old
    assert any(barred in each for each in found.passed_over)
    assert new.run_id not in found.listed
    with pytest.raises(ListingIncomplete):
        chain.look(FaultyStore(made.store, barred=(keys.RUNS,)), now=day(2))


# -- two at once -----------------------------------------------------------------------------------


def two_at_once(made, **fields):
    """Two runs that both began after the first one and did not see each other."""
    one = made.report(1, albums={"a": AlbumState(generation=1), "b": AlbumState(generation=1)})
    left = made.report(
        2, one, token=1, albums={"a": AlbumState(generation=2), "b": AlbumState(generation=1)}
    )
    right = made.report(
        2,
        one,
        token=2,
        albums={"a": AlbumState(generation=1), "b": AlbumState(generation=2)},
        **fields,
    )
    return one, left, right


def test_two_runs_at_once_are_both_heard_album_by_album(made):
    _, left, right = two_at_once(made)
    found = made.reports(3)
    assert found.trusted == right
    assert found.beside == (left,)
    assert {key: state.generation for key, state in found.albums.items()} == {"a": 2, "b": 2}


def test_both_are_heads_until_the_next_run_names_them(made):
    _, left, right = two_at_once(made)
    found = made.reports(3)
    assert made.archive.heads(found, found, None) == (left.link, right.link)
    three = made.report(3, left, right)
    found = made.reports(4)
    assert found.beside == ()
    assert made.archive.heads(found, found, None) == (three.link,)


@pytest.mark.parametrize("fields", [{"status": "refused"}, {"part": True}, {"clock_doubted": True}])
def test_what_does_not_tell_the_state_is_a_head_and_not_beside(made, fields):
    one = made.report(1)
    odd = made.report(2, one, token=1, **fields)
    right = made.report(2, one, token=2)
    found = made.reports(3)
    assert (found.trusted, found.beside) == (right, ())
    assert made.archive.heads(found, found, None) == (odd.link, right.link)


def test_a_part_that_names_both_does_not_hide_the_one_beside(made):
    _, left, right = two_at_once(made)
    part = made.report(3, left, right, part=True)
    found = made.reports(4)
    assert (found.newest, found.trusted, found.beside) == (part, right, (left,))
    assert made.archive.heads(found, found, None) == (part.link,)


def test_one_that_a_refused_run_named_is_heard_by_the_run_after_it(made):
    _, left, right = two_at_once(made)
    odd = made.report(3, left, right, status="refused")
    four = made.report(4, odd)
    found = made.reports(5)
    assert (found.trusted, found.beside) == (four, ())


def test_of_two_names_of_the_account_that_of_the_newer_report_counts(made):
    one = made.report(1)
    made.report(2, one, token=1, account=Account("before", "owner"))
    made.report(2, one, token=2, account=Account("after", "owner"))
    assert made.reports(3).account == Account("after", "owner")


def test_the_widest_account_and_all_its_former_names_are_known(made):
    one = made.report(1)
    made.report(2, one, token=1, account=Account("larkfield", "owner"), formerly=("old",))
    made.report(2, one, token=2, account=Account("larkfield", "public"), formerly=("older",))
    found = made.reports(3)
    assert found.account == Account("larkfield", "owner")
    assert found.formerly == ("older", "old")


def test_the_newest_complete_run_is_known_by_whoever_knew_it(made):
    one = made.report(1)
    newer, older = CompleteAsOf(run_id(2), day(2)), CompleteAsOf(run_id(1), day(1))
    made.report(2, one, token=1, complete_as_of=newer)
    made.report(2, one, token=2, complete_as_of=older)
    assert made.reports(3).complete_as_of == newer


# -- heads -----------------------------------------------------------------------------------------


def test_usually_the_last_report_is_the_head(made):
    one = made.report(1)
    two = made.report(2, one)
    found = made.reports(3)
    assert made.archive.heads(found, found, None) == (two.link,)


def test_what_appeared_while_the_run_went_on_is_named_however_long_ago_it_began(made):
    early = made.report(1)
    last = early
    for number in range(3, 8):
        last = made.report(number, last)
    begun = made.reports(8)
    late = made.report(2, early)  # a run of several days that ended late
    ended = made.archive.reports_again(begun, now=day(8))
    assert made.archive.heads(begun, ended, None) == (late.link, last.link)


def test_an_old_head_that_nobody_saw_appear_waits_for_a_check_to_tell_it(made):
    early = made.report(1)
    last = early
    for number in range(3, 8):
        last = made.report(number, last)
    late = made.report(2, early)
    found = made.reports(8)
    assert made.archive.heads(found, found, None) == (last.link,)
    told = made.check(8, heads=(late.link,), of_run=last.run_id)
    assert made.archive.heads(found, found, told) == (late.link, last.link)


def test_what_a_check_tells_is_named_once_though_no_newer_check_comes(made):
    early = made.report(1)
    last = early
    for number in range(3, 8):
        last = made.report(number, last)
    late = made.report(2, early)
    told = made.check(8, heads=(late.link,), of_run=last.run_id)
    for number in range(9, 14):
        found = made.reports(number)
        named = made.archive.heads(found, found, told)
        assert (late.link in named) is (number == 9)
        last = made.archive.write_report(
            report(number, previous=named)  # as a run would
        )


def test_a_head_of_the_future_is_named_once_its_time_has_come(made):
    one = made.report(1)
    ahead = made.report(20, one)
    two = made.report(2, one)
    told = made.check(2, heads=(ahead.link,), of_run=two.run_id)
    found = made.reports(3)
    assert made.archive.heads(found, found, told) == (two.link,)
    nineteen = made.report(19, two)
    found = made.reports(21)
    assert made.archive.heads(found, found, told) == (nineteen.link, ahead.link)


def test_a_run_that_began_earlier_and_ended_later_has_named_the_one_that_went_past_it(made):
    one = made.report(1)
    long = made.report  # it begins in the second night and ends in the fifth
    three = made.report(3, one)
    named = long(2, three, ended_at=day(5))
    four = made.report(4, three, ended_at=day(6))
    found = made.reports(7)
    # Both name the third; and the fourth, which names no second, is beside it.
    assert made.archive.heads(found, found, None) == (four.link,)
    begun = replace(found, listed=tuple(each for each in found.listed if each != named.run_id))
    assert made.archive.heads(begun, found, None) == (named.link, four.link)


def test_a_damaged_head_cannot_be_named_and_the_one_before_it_is(made):
    one = made.report(1)
    two = made.report(2, one)
    made.damage(two.key)
    found = made.reports(3)
    assert made.archive.heads(found, found, None) == (one.link,)
    three = made.report(3, one)
    found = made.reports(4)
    assert made.archive.heads(found, found, None) == (three.link,)


def test_one_that_could_not_be_read_for_a_night_is_named_the_night_after(made, monkeypatch):
    one = made.report(1)
    two = made.report(2, one)
    with monkeypatch.context() as patch:
        refused(made, patch, two.run_id)
        found = made.reports(3)
        assert made.archive.heads(found, found, None) == (one.link,)
        three = made.report(3, one)
    found = made.reports(4)
    assert made.archive.heads(found, found, None) == (two.link, three.link)


def test_three_heads_are_sorted_by_run_id(made):
    one = made.report(1)
    found = [made.report(2, one, token=token) for token in (3, 1, 2)]
    links = sorted((each.link for each in found), key=lambda link: link.run_id)
    reports = made.reports(3)
    assert list(made.archive.heads(reports, reports, None)) == links


def test_without_predecessors_every_report_is_asked(made):
    one, two = made.report(1), made.report(2)
    found = made.reports(3)
    assert found.beside == (one,)
    assert made.archive.heads(found, found, None) == (one.link, two.link)


def test_at_its_end_a_run_reads_only_what_it_has_not_read(made):
    one = made.report(1)
    begun = made.reports(2)
    two = made.report(2, one)
    read = made.reads(lambda: made.archive.reports_again(begun, now=day(3)))
    assert read == [two.key]
    assert made.archive.runs() == [one.run_id, two.run_id]


def several_runs(made, spans):
    """Runs that begin and end at these hours, some beside each other, each as a run does it."""
    events = sorted(
        [(begins, 1, run) for run, (begins, _) in enumerate(spans)]
        + [(begins + lasts, 0, run) for run, (begins, lasts) in enumerate(spans)]
    )
    begun, ids, written = {}, {}, []
    for hour, begins, run in events:
        now = day(1, hour)
        if begins:
            begun[run] = made.archive.reports(now=now)
            ids[run] = made.archive.new_run_id(now, f"{run:08x}", begun[run])
        else:
            ended = made.archive.reports_again(begun[run], now=now)
            links = made.archive.heads(begun[run], ended, None)
            fields = {"started_at": day(1, spans[run][0]), "ended_at": now, "part": run % 3 == 0}
            made_now = report(1, run_id=ids[run], previous=links, **fields)
            written.append(made.archive.write_report(made_now))
    return written


def proved_by(made, seal):
    """The run ids that the seal leads to; each hash is that of the file."""
    found, ahead = set(), list(seal)
    while ahead:
        link = ahead.pop()
        if link.run_id not in found:
            found.add(link.run_id)
            each = made.archive.report(link.run_id)
            assert each.link == link
            ahead += each.previous
    return found


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=6)


@given(SPANS)
def test_however_runs_overlap_the_seal_proves_them_all_once_a_check_told_its_heads(spans):
    made = Store()
    written = several_runs(made, spans)
    named = {link.run_id for each in written for link in each.previous}
    heads = tuple(each.link for each in written if each.run_id not in named)
    last = max(written, key=lambda each: each.run_id)
    told = made.check(9, heads=heads, of_run=last.run_id)
    for number in (10, 11):
        found = made.reports(number)
        links = made.archive.heads(found, found, told)
        if number == 10:
            assert links == tuple(sorted(heads, key=lambda link: link.run_id))
        else:
            assert links == (last.link,)
        last = made.archive.write_report(report(number, previous=links))
    found = made.reports(12)
    seal = made.archive.heads(found, found, told)
    assert proved_by(made, seal) == set(found.listed)


@given(SPANS)
def test_run_ids_are_told_apart_and_sort_as_runs_that_follow_each_other_began(spans):
    made = Store()
    written = several_runs(made, spans)
    assert len({each.run_id for each in written}) == len(spans)
    later = made.archive.new_run_id(day(1, 60), "00000000", made.archive.reports(now=day(1, 60)))
    assert all(each.run_id < later for each in written)


# -- letters of the newest one that nothing else vouches for -------------------------------------


README = sha256(README_TEXT.encode())


@pytest.mark.parametrize(
    ("before", "fields", "damaged"),
    [
        ({}, {"readme_sha256": README}, True),
        ({"readme_sha256": HASH}, {"readme_sha256": HASH}, True),
        ({"readme_sha256": HASH}, {"readme_sha256": HASH[::-1]}, False),
        ({"readme_sha256": None}, {"readme_sha256": None}, False),
        # A field more, or one less, is a form that this program does not know.
        ({}, {"readme_sha256": README, "more": 1}, False),
        ({}, {"readme_sha256": README, "part": None}, False),
    ],
)
def test_a_greater_version_is_damage_only_if_all_else_is_this_programs(
    made, before, fields, damaged
):
    first = made.report(1, **before)
    second = made.report(2, first, readme_sha256=fields["readme_sha256"] or HASH)
    changed(made, second, version=5, **fields)
    if fields["readme_sha256"] is None:
        data = json.loads(made.store.objects[second.key])
        made.damage(second.key, json.dumps({**data, "readme_sha256": None}).encode())
    if not damaged:
        with pytest.raises(FormatTooNew):
            made.reports(3)
        return
    found = made.reports(3)
    assert found.trusted == first
    assert found.passed_over == (f"{second.key} is damaged; it is passed over",)
    assert made.archive.heads(found, found, None) == (first.link,)


def test_a_greater_version_before_a_report_of_this_form_is_damage(made):
    first = made.report(1)
    second = made.report(2, first)
    changed(made, first, version=5)
    found = made.reports(3)
    assert found.trusted == second
    assert made.archive.heads(found, found, None) == (second.link,)


def test_a_check_report_of_a_newer_form_is_passed_over(made):
    one = made.check(1)
    two = made.check(2, one)
    data = json.loads(made.store.objects[two.key])
    made.damage(two.key, json.dumps({**data, "version": 5}).encode())
    assert made.archive.check_heads(now=day(3)) == [one]


OTHER = replace(OWNER, nickname="larkfielx")


def proved(made, number=9):
    reports = made.reports(number)
    found = made.archive.proved_reports(reports, now=day(number))
    return reports, found


def test_a_report_that_names_nobody_is_contradicted_by_nothing(made):
    made.report(1, account=None)
    reports, found = proved(made)
    assert found.trusted is not None and found.trusted == reports.trusted


def test_a_name_that_the_report_before_it_contradicts_is_damaged(made):
    first = made.report(1)
    made.report(2, first, account=OTHER)
    reports, found = proved(made)
    assert (reports.account, found.account) == (OTHER, OWNER)
    assert found.trusted == first and len(found.passed_over) == 1
    again = made.archive.reports_again(found, now=day(9))
    assert made.archive.heads(found, again, None) == (first.link,)


def test_a_name_that_its_owner_accepted_is_not_contradicted(made):
    first = made.report(1)
    made.report(2, first, account=OTHER, formerly=("Larkfield",))
    reports, found = proved(made)
    assert found is reports


def test_a_report_before_it_that_is_damaged_itself_is_no_witness(made):
    first = made.report(1, account=OTHER)
    made.report(2, first)
    made.damage(first.key, made.store.objects[first.key].replace(b"larkfielx", b"larkfiely"))
    reports, found = proved(made)
    assert found is reports


@pytest.mark.parametrize("lost", [True, False])
def test_where_no_report_before_it_tells_the_manifests_do(made, lost):
    album = made.generations()
    first = made.report(1)
    made.report(2, *([first] if lost else []), account=OTHER, albums={"hT4mWq": state(album)})
    if lost:
        made.damage(first.key)
    else:
        del made.store.objects[first.key]
    reports, found = proved(made)
    assert reports.account == OTHER
    assert (found.account, found.trusted) == (None, None)


def test_a_name_that_nothing_contradicts_counts(made):
    made.report(1, account=OTHER)
    reports, found = proved(made)
    assert found is reports
    made.report(2, made.archive.report(run_id(1)), account=replace(OTHER, nickname="LARKFIELX"))
    reports, found = proved(made)
    assert found is reports


def test_each_report_that_counts_is_asked(made):
    first = made.report(1)
    made.report(2, first, account=OTHER)
    made.report(2, first, token=1, account=OTHER)
    _, found = proved(made)
    assert found.trusted == first
