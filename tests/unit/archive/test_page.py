"""A run's report as a page: it says all that matters, it is whole, and it runs nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.changes import News, Told, What
from smugmug_backup.archive.manifest import Pending, Unavailable
from smugmug_backup.archive.original import Reason
from smugmug_backup.archive.page import REASONS, ROWS, headline, page_of, size
from smugmug_backup.archive.report import (
    AlbumState,
    Checked,
    CompleteAsOf,
    Counts,
    Failure,
    RunReport,
    worth_a_page,
)
from smugmug_backup.errors import StoreRefused
from smugmug_backup.model import Account
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.unit.archive.build import HASH, day, run_id

STATE = AlbumState("Harbour &amp; Quay", ("Travel", "Coast"), 7, image_count=3, bytes=7_901_222)


def report(**fields):
    """A complete report of a quiet night, but for ``fields``."""
    quiet = RunReport(
        run_id=run_id(2),
        status="complete",
        trigger=None,
        attempt_of=None,
        started_at=day(2),
        ended_at=day(2),
        dated_at=day(2),
        part=False,
        account=Account("larkfield", "owner"),
        source="smugmug-1.3.0",
        counts=Counts(albums=1, images=3),
        complete_as_of=CompleteAsOf(run_id(1), day(1)),
        albums={"hT4mWq": STATE},
        sha256=HASH,
    )
    return replace(quiet, **fields)


FAILURE = Failure("hT4mWq", None, "access_refused", "the album's password is wrong")
CAME = News({"hT4mWq": {What.NEW: 1}}, [Told("hT4mWq", "i1", "quay.jpg", "new")])


@pytest.mark.parametrize(
    ("fields", "worth"),
    [
        ({}, False),
        ({"counts": Counts(albums_changed=1)}, True),
        ({"changes": CAME}, True),
        ({"failures": (FAILURE,)}, True),
        ({"status": "incomplete"}, True),
        ({"status": "refused"}, True),
        ({"status": "continuing"}, True),
        ({"counts": Counts(unavailable=3)}, False),
    ],
)
def test_a_night_has_a_page_if_it_changed_or_missed_something(fields, worth):
    assert worth_a_page(report(**fields)) is worth


class Seen(HTMLParser):
    """What a browser would read: texts, elements, and whether each was closed."""

    EMPTY = ("meta",)

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text = [], set(), [], []
        self.feed(page.decode("utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def __contains__(self, words):
        return words in " ".join("".join(self.text).replace("\N{NO-BREAK SPACE}", " ").split())


def seen(**fields):
    return Seen(page_of(report(**fields)))


def test_the_page_of_a_complete_night_says_so():
    page = seen(changes=CAME)
    assert "The backup is complete" in page
    assert "25 November 2026" in page and "larkfield" in page
    assert "quay.jpg" in page and "1 photo new" in page
    assert "Harbour & Quay" in page and "7.9 MB" in page
    assert HASH in page
    assert "Missing" not in page and "Left SmugMug" not in page


def test_what_is_missing_is_named_by_title_and_file():
    page = seen(
        status="incomplete",
        failures=(FAILURE, Failure("hT4mWq", "i2", "refused_by_source", "404")),
        pending=(Pending("hT4mWq", "i2", "refused_by_source", day(1), "late.jpg"),),
        unavailable=(Unavailable("hT4mWq", "i3", "no_original_url", None),),
        counts=Counts(pending=1, unavailable=1),
        ignored_albums=("Zc9RkD", "hT4mWq"),
    )
    assert "The backup is not complete: 1 thing failed and 1 photo is still awaited." in page
    assert "It was last complete on 24 November 2026." in page
    assert "Harbour & Quay Travel / Coast: the album's password is wrong" in page
    assert "SmugMug refuses to deliver it late.jpg" in page
    assert "SmugMug offers no file of it i3" in page
    assert "Zc9RkD, Travel / Coast / Harbour & Quay" in page


def test_what_failed_for_no_single_album_is_told_without_a_name():
    page = seen(status="incomplete", failures=(FAILURE._replace(album_key=None),))
    assert "What failed that night the album's password is wrong" in page


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (What.MISSING, "2 photos not shown any more"),
        (What.LEFT, "2 photos left; confirmed by a second look"),
        (What.MOVED, "2 photos moved to another album"),
        (What.ALBUM_MISSING, "2 photos the whole album is not shown any more"),
        (What.ALBUM_LEFT, "2 photos the whole album has left; confirmed by a second look"),
        (What.REPLACED, "2 photos replaced by other bytes"),
        (What.CAPTION_LOST, "2 photos lost title or caption"),
        (What.KEYWORDS_LOST, "2 photos lost all keywords"),
        (What.MADE_PUBLIC, "2 photos in an album that everybody can see now"),
        (What.MADE_PRIVATE, "2 photos in an album that not everybody can see any more"),
        (What.CHANGED, "2 photos changed"),
        (What.NEW, "2 photos new"),
        (What.BACK, "2 photos back"),
        (What.ALBUM_NEW, "2 photos in a new album"),
        (What.ALBUM_BACK, "2 photos in an album that is back"),
    ],
)
def test_each_kind_of_change_is_told(what, said):
    assert said in seen(changes=News({"hT4mWq": {what: 2}}))


def test_of_a_new_album_the_same_number_is_not_told_twice():
    page = seen(changes=News({"hT4mWq": {What.ALBUM_NEW: 3, What.NEW: 3}}))
    assert "3 photos in a new album" in page and "3 photos new" not in page


def test_names_that_have_no_room_are_counted():
    images = [Told("hT4mWq", f"i{n}", f"{n}.jpg", "missing") for n in range(70)]
    page = seen(changes=News({"hT4mWq": {What.MISSING: 90}}, images, 20))
    assert "0.jpg" in page and "59.jpg and 30 more" in page


@pytest.mark.parametrize(
    ("status", "fields", "said"),
    [
        ("complete", {}, "The backup is complete: all that SmugMug showed"),
        ("complete", {"part": True}, "The albums that were asked for are backed up whole."),
        ("continuing", {}, "The backup goes on by itself"),
        ("refused", {}, "SmugMug's answer could not be believed, so nothing was changed"),
        ("incomplete", {}, "The backup is not complete: some of it was not reached."),
        ("incomplete", {"complete_as_of": None}, "It was never complete yet."),
        ("incomplete", {"more_failures": 2}, "2 things failed"),
    ],
)
def test_the_status_is_one_sentence(status, fields, said):
    assert said in headline(report(status=status, **fields))


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (None, "It was not checked so far."),
        (Checked(run_id(1), HASH, day(1), True, 0), "24 November 2026, 03:00 UTC: nothing is"),
        (Checked(run_id(1), HASH, day(1), False, 1), "1 finding is not mended yet"),
    ],
)
def test_the_last_check_is_told(check, said):
    assert said in seen(check=check)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"deleted_at": day(1), "missing_since": day(1)}, "has left SmugMug (24 November 2026)"),
        ({"missing_since": day(1)}, "not shown by SmugMug since 24 November 2026; kept here"),
        ({"generation": 0}, "nothing stored yet"),
        ({"pending": 2, "unavailable": 1}, "2 awaited, 1 not to be had"),
    ],
)
def test_the_table_says_what_is_odd_about_an_album(fields, said):
    assert said in seen(albums={"hT4mWq": replace(STATE, **fields)})


def test_a_refused_run_that_never_knew_the_account_has_a_page():
    page = seen(status="refused", account=None, albums={}, dated_at=None, previous=())
    assert "Not believed" in page


def test_more_albums_than_a_page_holds_are_counted():
    albums = {f"a{number}": STATE for number in range(ROWS + 7)}
    assert "and 7 albums more" in seen(albums=albums)


def test_every_reason_has_words():
    assert {each for each in Reason if each != "not_yet"} | {"record_lost"} == REASONS.keys()


def test_the_page_runs_nothing_and_loads_nothing():
    page = seen(changes=CAME, failures=(FAILURE,), status="incomplete")
    assert not page.tags & {"script", "link", "img", "a", "iframe", "object", "form", "base"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "onload", "style"}
    text = page_of(report(changes=CAME)).decode()
    assert "default-src 'none'" in text
    assert "url(" not in text and "@import" not in text and "http:" not in text
    assert re.search(r'<meta name="viewport"', text) and "prefers-color-scheme:dark" in text


EVIL = st.text(alphabet=st.characters(), max_size=30) | st.sampled_from(
    ["<script>x</script>", '"><img src=x onerror=y>', "&lt;b&gt;", "\ud800", "\u202egpj", "]]>"]
)


@given(EVIL, EVIL, EVIL)
def test_no_text_of_smugmug_becomes_markup(title, name, message):
    tags = Seen(page_of(report(changes=CAME, failures=(FAILURE,), status="incomplete"))).tags
    state = replace(STATE, title=title or "x", path=(name,))
    page = seen(
        albums={"hT4mWq": state},
        account=Account(title, "owner"),
        status="incomplete",
        changes=News({"hT4mWq": {What.NEW: 1}}, [Told("hT4mWq", "i1", name, "new")]),
        failures=(FAILURE._replace(message=message),),
        pending=(Pending("hT4mWq", "i1", message, day(1), name),),
    )
    assert page.tags <= tags | {"small", "span", "dd", "dt", "dl", "h3", "bdi"}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        *[(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 KB"), (15_802_444, "15.8 MB")],
        *[(412_000_000_000, "412 GB"), (999_600_000, "1.0 GB")],
    ],
)
def test_sizes_are_for_people(number, said):
    assert size(number).replace("\N{NO-BREAK SPACE}", " ") == said


# -- where it lies -------------------------------------------------------------------------------


@pytest.fixture
def nights():
    source = FakeSource(FakeClock())
    source.album("alps", images=2)
    nights = Nights(source, MemoryStore(), source.clock)
    nights.run()
    return nights


def test_it_lies_beside_its_report_and_quiet_nights_have_none(nights):
    first = nights.reports[-1]
    quiet = nights.next_night()
    there = [key for key in nights.store.objects if key.endswith(".html")]
    assert there == [first.key.replace(".json", ".html")] == [keys.page(first.run_id)]
    archive = Archive(nights.store)
    assert archive.page_of(first) == there[0]
    assert archive.page_of(quiet) is None
    assert nights.store.objects[there[0]] == page_of(first)


def test_a_page_that_cannot_be_written_spoils_no_run(nights):
    create = nights.store.create

    def refusing(key, body, *, file_name=None):
        if key.endswith(".html"):
            raise StoreRefused("no pages here")
        create(key, body, file_name=file_name)

    nights.store.create = refusing
    nights.source.upload("alps")
    report = nights.next_night()
    assert report.status == "complete"
    assert Archive(nights.store).page_of(report) is None
    assert nights.next_night().status == "complete"


def test_a_defect_of_the_page_spoils_no_run_either(nights, monkeypatch):
    def broken(_):
        raise ZeroDivisionError

    monkeypatch.setattr("smugmug_backup.archive.page.page_of", broken)
    nights.source.upload("alps")
    assert nights.next_night().status == "complete"
