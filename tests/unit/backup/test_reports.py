"""What a report says: by name whatever keeps a run from complete, and nothing that is not so."""

import json
from dataclasses import replace

import pytest

from smugmug_backup.archive import original
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.original import When
from smugmug_backup.backup.run import Options
from smugmug_backup.errors import (
    FormatTooNew,
    RunRefused,
    SourceUnavailable,
    StoreUnavailable,
)
from tests.tools.faults import Fault, Points
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


def no_report(operation):
    """A plan of faults: the run ends before its report is written."""
    written = operation.name == "create" and operation.key.startswith("runs/")
    return Fault.REQUEST_LOST if written else None


def test_a_run_over_an_ignored_album_is_judged_by_that_album(source):
    source.upload("B", video="")
    options = Options(concurrency=1, ignore_albums=frozenset("B"))
    nights = Nights(source, MemoryStore(), source.clock, options=options)
    assert nights.run().status == "complete"
    report = nights.run(albums=("B",))
    assert report.status == "incomplete"
    assert [each.reason for each in report.pending] == ["processing"]


def test_readme_txt_is_written_by_the_first_run_that_can(nights, source):
    source.errors["albums"] = SourceUnavailable("503")
    assert nights.run().status == "incomplete"
    assert "README.txt" not in nights.store.objects
    del source.errors["albums"]
    report = nights.next_night()
    assert "README.txt" in nights.store.objects
    assert report.readme_sha256 is not None


def test_an_only_album_that_was_replaced_by_another_goes_on_by_the_owners_word(source):
    del source.world["B"]
    nights = Nights(source, MemoryStore(), source.clock)
    nights.run()
    del source.world["A"]
    source.album("C", images=1)
    assert nights.next_night().status == "refused"
    assert nights.next_night(accept_shrink=("account",)).status == "complete"
    assert nights.next_night().status == "complete"
    assert nights.reports[-1].albums["A"].gone


def test_the_widest_view_binds_though_the_run_that_had_it_left_no_report(nights, source):
    whole = nights.store
    source.access = "public"
    nights.run()
    source.access = "owner"
    source.upload("A")
    nights.store = FaultyStore(whole, Points(no_report))
    with pytest.raises(StoreUnavailable):
        nights.next_night()
    nights.store = whole
    source.access = "public"
    with pytest.raises(RunRefused, match="public"):
        nights.next_night()


def test_an_emptied_album_that_the_account_contradicts_is_named_and_loses_nothing(source):
    source.album("C", images=60)
    nights = Nights(source, MemoryStore(), source.clock)
    nights.run()
    album = source.world["C"]
    shown, album.images, album.count_off = album.images, [], 60
    for _ in range(5):
        report = nights.next_night(full=True)
        assert [(f.album_key, f.code) for f in report.failures] == [("C", "listing_not_believed")]
        assert report.albums["C"].image_count == 60
        assert report.albums["C"].doubt.since == nights.reports[1].dated_at
    assert nights.next_night(full=True, accept_shrink=("C",)).status == "complete"
    album.images, album.count_off = shown, 0
    assert nights.next_night().status == "complete"
    assert nights.reports[-1].albums["C"].image_count == 60


def test_an_album_of_hidden_images_alone_that_answers_no_images_found_becomes_a_fact(
    nights, source
):
    for image in source.world["B"].images:
        image.hidden = True
    source.world["B"].own_count_off = 5
    assert nights.run().status == "incomplete"
    for _ in range(3):
        assert nights.next_night().status == "complete"


def test_a_field_that_changes_by_itself_is_named(nights, source):
    for _ in range(30):
        source.upload("A")
    nights.run()
    for image in source.world["A"].images:
        image.caption = "as it likes"
    report = nights.next_night(full=True)
    assert any("Caption" in note for note in report.notes)


def test_two_runs_at_once_leave_two_heads_and_the_next_run_joins_them(nights, source):
    nights.run()
    source.upload("A")
    other = Nights(source, nights.store, source.clock)
    begun = {}

    def meanwhile():
        if "done" not in begun:
            begun["done"] = True
            source.errors.pop("images:A")
            source.upload("B")
            other.run()

    source.errors["images:A"] = meanwhile
    last = nights.next_night()
    joined = nights.next_night()
    assert {link.run_id for link in joined.previous} >= {last.run_id}
    reports = Archive(nights.store).reports(now=source.clock.now())
    assert reports.trusted.run_id == joined.run_id
    assert joined.counts.images == 7


def test_a_run_that_ends_later_keeps_what_another_did_meanwhile(nights, source):
    nights.run()
    nights.clock.advance(days=1)
    album = next(iter(source.world))
    meanwhile = []

    def fails_after_another_run():
        if meanwhile:
            return None
        meanwhile.append(None)
        nights.clock.advance(seconds=300)
        meanwhile[0] = Nights(source, nights.store, nights.clock).run()
        return SourceUnavailable("503")

    source.errors[f"images:{album}"] = fails_after_another_run
    report = nights.run()
    assert [each.album_key for each in report.failures] == [album]
    assert report.albums[album].listed_at == meanwhile[0].albums[album].listed_at


def test_what_a_report_names_is_capped_and_counted(nights, source, monkeypatch):
    monkeypatch.setattr("smugmug_backup.backup.tally.NAMED", 2)
    for _ in range(5):
        source.upload("A", has_url=False)
    report = nights.run()
    assert len(report.unavailable) == 2
    assert (report.counts.unavailable, report.more_unavailable) == (5, 3)
    report = nights.next_night()
    assert (report.counts.unavailable, report.more_unavailable) == (5, 3)
    # In a night that neither lists the album nor has the time to read of it.
    monkeypatch.setattr("smugmug_backup.backup.tally._ASKED", 0)
    source.errors["images:A"] = SourceUnavailable("503")
    report = nights.next_night()
    assert (report.counts.unavailable, report.more_unavailable) == (5, 3)


def test_the_first_puts_of_an_account_are_counted_exactly(nights, source):
    nights.run()
    images = sum(len(album.images) for album in source.world.values())
    puts = [key for operation, key in nights.store.log if operation == "put"]
    # README, report, and the report as a page.
    assert len(puts) == images + 2 * len(source.world) + 3


def test_what_its_owner_forgot_is_neither_fetched_nor_recorded_again(nights, source):
    nights.run()
    image = source.world["A"].images[0]
    archive = Archive(nights.store)
    known = archive.newest("A").manifest
    when = When(source.clock.now())
    lines = dict(known.entries)
    lines[image.key] = replace(
        lines[image.key],
        record=None,
        record_at=None,
        original=original.forgotten(lines[image.key].original, when),
    )
    header = replace(known.header, generation=2, previous=known.named)
    archive.commit(Manifest(header, lines))
    source.touch(image, caption="it comes again")
    calls = source.calls[f"photo:{image.key}"]
    for _ in range(3):
        report = nights.next_night(full=True)
        assert report.status == "complete"
        assert [each.reason for each in report.unavailable] == ["forgotten"]
    assert nights.manifest("A").header.generation == 2
    assert source.calls[f"photo:{image.key}"] == calls


def test_the_requests_of_a_run_are_counted_to_its_last_put(nights, source):
    for _ in range(3):
        before = len(nights.store.log)
        report = nights.next_night()
        assert report.counts.s3_requests == len(nights.store.log) - before
        source.upload("A")


def test_a_run_that_ends_after_a_complete_one_does_not_unsay_it(nights, source):
    nights.run()
    other = Nights(source, nights.store, source.clock)
    done = []

    def meanwhile():
        if not done:
            source.errors.pop("images:A")
            done.append(other.run())
            source.errors["images:A"] = SourceUnavailable("503")
        return SourceUnavailable("503")

    source.errors["images:A"] = meanwhile
    last = nights.next_night()
    assert last.status == "incomplete"
    assert last.complete_as_of == done[0].complete_as_of


def test_a_run_that_began_under_the_old_name_keeps_the_new_one_that_was_accepted(nights, source):
    nights.run()
    other = Nights(source, nights.store, source.clock)
    done = []

    def meanwhile():
        if not done:
            source.nickname = "newname"
            done.append(None)
            assert other.run(accept_rename=True).status == "complete"

    source.errors["images:A"] = meanwhile
    report = nights.next_night()
    assert (report.account.nickname, report.formerly) == ("newname", ("larkfield",))
    assert nights.next_night().status == "complete"


def test_a_clock_that_goes_back_during_a_run_does_not_let_it_end_before_it_began(nights, source):
    source.errors["images:A"] = lambda: source.clock.jump(hours=-3)
    report = nights.run()
    assert report.ended_at == report.started_at


def test_awaited_images_that_no_list_has_room_for_are_counted_though_their_album_fails(
    nights, source, monkeypatch
):
    monkeypatch.setattr("smugmug_backup.backup.tally.NAMED", 2)
    for _ in range(5):
        source.upload("A", video="")
    assert nights.run().more_pending == 3
    source.errors["images:A"] = SourceUnavailable("503")
    report = nights.next_night()
    assert (report.counts.pending, len(report.pending), report.more_pending) == (5, 2, 3)


def test_unavailable_images_that_no_report_had_room_for_are_named_once_there_is(
    nights, source, monkeypatch
):
    monkeypatch.setattr("smugmug_backup.backup.tally.NAMED", 3)
    waiting = [source.upload("A", has_url=False) for _ in range(3)]
    kept = [source.upload("B", has_url=False) for _ in range(2)]
    report = nights.run()
    assert (len(report.unavailable), report.more_unavailable) == (3, 2)
    for image in waiting:
        source.touch(image, has_url=True)
    source.errors["images:B"] = SourceUnavailable("503")
    report = nights.next_night()
    assert {each.image_key for each in report.unavailable} == {each.key for each in kept}
    assert (report.counts.unavailable, report.more_unavailable) == (2, 0)


def test_an_album_that_cannot_be_read_keeps_no_other_from_being_named(nights, source, monkeypatch):
    monkeypatch.setattr("smugmug_backup.backup.tally.NAMED", 0)
    monkeypatch.setattr("smugmug_backup.backup.tally._ASKED", 1)
    source.upload("A", has_url=False)
    image = source.upload("B", has_url=False)
    assert nights.run().more_unavailable == 2
    monkeypatch.setattr("smugmug_backup.backup.tally.NAMED", 3)
    source.errors["images:A"] = SourceUnavailable("503")
    nights.store = FaultyStore(nights.store, barred=("manifests/A=1/00000001",))
    report = nights.run(albums=("A",))
    assert [each.album_key for each in report.failures] == ["A"]
    assert [each.image_key for each in report.unavailable] == [image.key]


def test_a_night_reads_no_manifest_for_names_that_it_knows(nights, source):
    source.upload("B", has_url=False)
    nights.run()
    source.errors["images:B"] = SourceUnavailable("503")
    nights.store.log.clear()
    report = nights.next_night()
    assert len(report.unavailable) == 1
    assert not [key for what, key in nights.store.log if what == "get" and "/B=1/" in key]


def rotten(nights, old, new):
    """A letter of the newest report turns."""
    key = nights.reports[-1].key
    body = nights.store.objects[key]
    assert old in body
    nights.store.objects[key] = body.replace(old, new, 1)
    return key


@pytest.mark.parametrize("nights_before", [1, 2])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"nickname":"larkfield"', b'"nickname":"larkfielx"'),
        (b'"access":"owner"', b'"access":"ownes"'),
        (b'"version":1', b'"version":9'),
    ],
)
def test_a_letter_of_the_newest_report_costs_that_report_and_no_night(
    nights, nights_before, old, new
):
    for _ in range(nights_before):
        nights.next_night()
    key = rotten(nights, old, new)
    report = nights.next_night()
    assert report.status == "complete"
    assert f"{key} is damaged; it is passed over" in report.notes
    assert (report.account.nickname, report.formerly) == ("larkfield", ())
    assert nights.next_night().notes == ()
    assert_sound(nights.store, accepted={key})


def test_another_account_is_refused_though_its_name_is_not_the_reports(nights, source):
    nights.run()
    nights.next_night()
    source.nickname = "stranger"
    before = set(nights.store.objects)
    with pytest.raises(RunRefused):
        nights.next_night()
    assert set(nights.store.objects) == before


def test_a_store_of_a_newer_program_is_refused_and_nothing_is_written(nights):
    nights.run()
    data = json.loads(nights.store.objects[nights.reports[-1].key])
    newer = {**data, "version": 2, "readme_sha256": "0" * 64}
    nights.store.objects[nights.reports[-1].key] = json.dumps(newer).encode()
    before = set(nights.store.objects)
    with pytest.raises(FormatTooNew):
        nights.next_night()
    assert set(nights.store.objects) == before
