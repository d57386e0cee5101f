"""The letter to whoever has to find the photos: what stands on it, and what may take its place."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from smugmug_backup.keeping.letter import InBucket, Letter, OnDisk, may_be_replaced, page_of

DISK = OnDisk(folder="/media/anna/PHOTOS/backup", machine="study", label="PHOTOS", inside="/backup")
BUCKET = InBucket(
    bucket="larkfield-photos", prefix="smugmug", region="eu-central-1", account="123456789012"
)
LETTER = Letter(
    made_at=datetime(2026, 11, 28, 3, tzinfo=UTC),
    version="0.1.0",
    account="larkfield",
    place=DISK,
    albums=412,
    photos=48_211,
    videos=1,
    gone=27,
    bytes=312_400_000_000,
    taken=("1998-06-02", "2026-11-21", 48_100),
    is_complete=True,
    complete_as_of=datetime(2026, 11, 27, 3, tzinfo=UTC),
    heads=[("runs/2026/11/20261127T030000Z-00000001.json", "ab" * 32)],
    page="runs/2026/11/20261127T030000Z-00000001.html",
)


class Text(HTMLParser):
    """What a person reads; the elements that it is made of."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.parts = [], []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        if self.elements[-1:] != ["style"]:
            self.parts.append(data)

    def handle_endtag(self, tag):
        if tag in ("dt", "dd", "li", "h1", "h2", "p"):
            self.parts.append(" ")

    @property
    def words(self):
        return " ".join("".join(self.parts).split())


def told(**changes):
    return Text(page_of(replace(LETTER, **changes))).words


def test_it_says_what_there_is_from_when_to_when_and_how_much_room_it_needs():
    text = told()
    assert "48,211 photos and 1 video in 412 albums, 312 GB in all" in text
    assert "taken from 2 June 1998 to 21 November 2026 (known of 48,100)" in text
    assert "27 more that SmugMug does not show any more are kept, too" in text
    assert "Made on 28 November 2026 by smugmug-backup 0.1.0" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "yes: all that SmugMug showed on 27 November 2026 is in it"),
        ({"is_complete": False}, "not when this was printed. It was on 27 November 2026"),
        ({"is_complete": False, "complete_as_of": None}, "no, it never was when this was printed"),
    ],
)
def test_it_calls_complete_only_what_is(changes, says):
    text = told(**changes)
    assert says in text
    assert ("a complete copy" in text) is (not changes)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (DISK, ["a disk that is called PHOTOS, folder /backup", "on the computer study"]),
        (
            OnDisk(folder="/mnt/nas/b", machine="study", share="nas:/photos", inside="/b"),
            ["network share nas:/photos, folder /b", "Seen folder /mnt/nas/b"],
        ),
        (OnDisk(folder="/home/anna/b"), ["Where folder /home/anna/b", "restore FOLDER photos"]),
        (
            BUCKET,
            [
                "bucket larkfield-photos, in it the folder smugmug",
                "AWS account 123456789012, region eu-central-1",
                "aws s3 sync s3://larkfield-photos/smugmug photos-backup",
                "smugmug-backup restore s3://larkfield-photos/smugmug photos",
                "90 days later AWS deletes",
            ],
        ),
        (
            InBucket(bucket="photos", prefix="", host="s3.example.org"),
            [
                "S3 at s3.example.org, bucket photos",
                "sync s3://photos photos-backup --endpoint-url https://s3.example.org",
                "restore s3://photos photos --endpoint-url https://s3.example.org",
            ],
        ),
    ],
)
def test_it_says_where_it_lies_and_how_to_get_everything_out(place, says):
    text = told(place=place)
    for each in says:
        assert each in text, each
    assert "README.txt" in text and "smugmug-backup restore" in text


def test_whoever_finds_it_is_not_sent_to_a_package_index_for_a_name_that_may_be_anothers():
    text = told()
    assert "pip install" not in text and "and the program" in text


def test_an_account_number_that_is_not_known_is_a_line_to_fill_in():
    page = page_of(replace(LETTER, place=replace(BUCKET, account=None))).decode()
    assert 'AWS account <span class="blank"></span>, region' in page


def test_the_seal_is_the_file_and_its_hash():
    text = told()
    assert "runs/2026/11/20261127T030000Z-00000001.json" in text and "ab" * 32 in text
    assert "no seal yet" in told(heads=[])
    both = [*LETTER.heads, ("runs/2026/11/20261127T030001Z-00000002.json", "cd" * 32)]
    assert "cd" * 32 in told(heads=both) and "these SHA-256" in told(heads=both)


def test_there_are_lines_to_fill_in_by_hand_and_they_ask_for_no_secret():
    page = page_of(LETTER).decode()
    assert page.count("<p><span>") == 6
    for word in ("Who can help", "Where the password of the disk lies", "Where another copy lies"):
        assert word in page


def test_photos_of_one_day_were_taken_on_it():
    assert "taken on 10 August 2024 (known of 8)" in told(taken=("2024-08-10", "2024-08-10", 8))


def test_a_day_that_no_calendar_has_is_shown_as_the_camera_wrote_it():
    assert "taken from 2024-00-00 to 21 November 2026" in told(
        taken=("2024-00-00", "2026-11-21", 48_212)
    )


HOSTILE = "</title></style><script>x</script><img src=x onerror=y>'\"&\u202e\x1b[31m"


def test_whatever_it_is_told_is_text():
    plain = Text(page_of(LETTER)).elements
    page = page_of(
        replace(
            LETTER,
            account=HOSTILE,
            place=OnDisk(folder=HOSTILE, machine=HOSTILE, label=HOSTILE, inside=HOSTILE),
            page=HOSTILE,
            taken=(HOSTILE, f"{HOSTILE}!", 1),
        )
    )
    assert Text(page).elements == plain
    assert "\u202e".encode() not in page and b"\x1b" not in page
    bucket = replace(BUCKET, prefix=HOSTILE, region=HOSTILE, host=HOSTILE)
    elements = Text(page_of(replace(LETTER, place=bucket))).elements
    assert "script" not in elements and "img" not in elements


def test_it_loads_nothing_and_leads_nowhere():
    page = page_of(LETTER).decode()
    assert "default-src 'none'" in page
    for each in ("href", "src=", "url(", "@import", "<script"):
        assert each not in page


@pytest.mark.parametrize(
    ("found", "may"),
    [
        (page_of(LETTER), True),
        (page_of(replace(LETTER, made_at=datetime(2020, 1, 1, tzinfo=UTC))), True),
        (page_of(LETTER).replace(b"Where another copy lies", b"At my sister's"), False),
        (page_of(LETTER) + b"\n", False),
        (page_of(LETTER)[:-40], False),
        (b"", False),
        (b"my diary", False),
    ],
    ids=["same", "earlier", "written into", "longer", "cut", "empty", "another file"],
)
def test_only_a_letter_into_which_nobody_wrote_may_be_replaced(found, may):
    assert may_be_replaced(found) is may
