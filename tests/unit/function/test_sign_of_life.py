"""The weekly mail: as of when the backup is complete, and what needs its owner."""

from datetime import timedelta

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong
from smugmug_backup.archive.drill_report import Drilled, DrillReport, Outcome
from smugmug_backup.archive.standing import standing_of
from smugmug_backup.errors import AccessRefused
from smugmug_backup.function.sign_of_life import mail, send_sign_of_life, subject
from smugmug_backup.words import Location
from tests.tools.memory_store import MemoryStore
from tests.tools.sample import sample_store


class Topic:
    """Takes what is published."""

    def __init__(self):
        self.mails = []

    def publish(self, **mail):
        self.mails.append(mail)


@pytest.fixture
def sample():
    return sample_store()


def said(sample, **later):
    """Subject and text of a mail that is sent now, or so much later."""
    now = sample.clock.now() + timedelta(**later)
    standing = standing_of(Archive(sample.store), now=now, runs=7, since=now - timedelta(days=7))
    return subject(standing, now=now), mail(standing, now=now)


def test_the_mail_goes_to_the_topic(sample):
    topic = Topic()
    told = send_sign_of_life(sample.store, "arn:aws:sns:x", now=sample.clock.now(), client=topic)
    (sent,) = topic.mails
    assert sent["TopicArn"] == "arn:aws:sns:x"
    assert sent["Subject"] == told["subject"]
    assert sent["Subject"].isascii() and len(sent["Subject"]) <= 100
    assert told["complete_as_of"] == "2026-11-27"


def test_the_mail_says_for_a_week_that_another_api_is_used(sample):
    assert "is read through" not in said(sample)[1]
    sample.source.name = "smugmug-v2"
    sample.nights.next_night()
    day = f"{sample.clock.now():%Y-%m-%d}"
    told = f"Since {day} SmugMug is read through its API v2, no longer\nthrough its API 1.3.0."
    assert told in said(sample)[1]
    for _ in range(7):
        sample.nights.next_night()
    assert "is read through" not in said(sample)[1]


def test_the_mail_says_as_of_when_and_what_needs_the_owner(sample):
    sample.source.errors["images:alps"] = AccessRefused("the album's password is wrong")
    sample.source.album("later", images=1)
    sample.source.touch(sample.source.world["alps"].images[0], caption="x")
    sample.nights.next_night(full=True)
    del sample.source.world["later"]
    sample.nights.next_night(full=True)
    title, text = said(sample)
    assert "complete as of 2026-11-27 03:00 UTC (3 days ago)" in text
    assert "WHAT NEEDS YOU" in text
    assert "album alps: the album's password is wrong (access_refused)" in text
    assert "1 album no longer shown by SmugMug: later" in text
    assert "no_original_url" in text
    assert "larkfield" in text
    assert all(len(line) <= 120 for line in text.splitlines())
    assert title == "SmugMug Backup: incomplete, last complete 2026-11-27"


def test_what_waits_is_named_with_its_reason_and_needs_nobody(sample):
    _, text = said(sample)
    waits, needs = text.split("WHAT NEEDS YOU")
    assert "1 image without its bytes so far (refused_by_source):\n    harbour/" in waits
    assert "refused_by_source" not in needs


def all_well(sample):
    sample.source.errors.clear()
    sample.source.world["alps"].images = sample.source.world["alps"].images[:3]
    for _ in range(3):
        sample.nights.next_night(full=True)


def test_when_all_is_well_it_says_so(sample):
    all_well(sample)
    title, text = said(sample)
    assert title == "SmugMug Backup: complete"
    assert "Nothing needs you." in text


def test_a_change_stands_in_one_mail_and_not_in_that_of_the_week_after(sample):
    all_well(sample)
    sample.source.world["harbour"].images.pop()
    at, topic = sample.nights.next_night(full=True).ended_at, Topic()
    for hours in (7 * 24 - 1, 7 * 24 + 1):
        now = at + timedelta(hours=hours)
        send_sign_of_life(sample.store, "arn:aws:sns:x", now=now, client=topic)
    told = ["1 photo taken out of 1 album" in each["Message"] for each in topic.mails]
    assert told == [True, False]


def test_a_schedule_that_is_off_is_the_subject_and_the_first_thing_that_needs_the_owner(sample):
    all_well(sample)
    assert said(sample, hours=49)[0] == "SmugMug Backup: complete"
    title, text = said(sample, days=60)
    assert title == "SmugMug Backup: NO RUN for 60 days"
    assert text.split("WHAT NEEDS YOU\n")[1].startswith("  - NO RUN has ended for 60 days.")


def test_runs_over_chosen_albums_do_not_hide_that_the_nightly_one_is_silent(sample):
    all_well(sample)
    sample.clock.advance(days=9)
    sample.nights.run(albums=("alps",))
    assert said(sample)[0] == "SmugMug Backup: NO RUN for 9 days"


def test_runs_over_chosen_albums_change_nothing_of_what_the_whole_account_is(sample):
    all_well(sample)
    for _ in range(8):
        sample.clock.advance(hours=1)
        sample.nights.run(albums=("alps",))
    assert said(sample)[0] == "SmugMug Backup: complete"


def test_damage_that_no_run_has_mended_is_the_subject(sample):
    all_well(sample)
    now = sample.clock.now()
    finding = Finding(
        "originals/x/y.jpg", "alps", "i1", Wrong.DAMAGED, Scope.STATE, now, "other bytes"
    )
    Archive(sample.store).write_check(
        CheckReport(
            run_id=f"{now:%Y%m%dT%H%M%SZ}-00000001",
            previous=(),
            started_at=now,
            ended_at=now,
            trigger=None,
            sound=False,
            history=False,
            of_run=None,
            objects=1,
            read_objects=1,
            read_bytes=1,
            findings=(finding,),
        )
    )
    title, text = said(sample)
    assert title == "SmugMug Backup: DAMAGED, 1 open finding of the check"
    assert "damage that no run has mended" in text and "1 open finding." in text


def test_a_report_that_is_passed_over_is_told(sample):
    all_well(sample)
    key = sample.nights.reports[-1].key
    sample.store.objects[key] = b"{"
    assert f"{key} is damaged; it is passed over" in said(sample)[1]


def test_before_the_first_run_it_says_so(sample):
    sample.store = MemoryStore()
    title, text = said(sample)
    assert title == "SmugMug Backup: no run has ended yet"
    assert "No run has ended yet" in text


def quiet_week(sample):
    all_well(sample)
    for _ in range(8):
        sample.nights.next_night()


def test_what_changed_at_smugmug_in_the_week_is_told_with_the_largest_albums(sample):
    quiet_week(sample)
    source = sample.source
    for number in range(40):
        source.album(f"more{number:02d}", f"More {number}", images=9)
    sample.nights.next_night()
    for number in range(6):
        source.world[f"more{number:02d}"].images = []
    source.replace(source.world["harbour"].images[0])
    source.touch(source.world["harbour"].images[1], caption="")
    del source.world["more20"]
    sample.nights.next_night()
    sample.nights.next_night()
    text = said(sample)[1]
    told = text.split("CHANGED AT SMUGMUG IN THE LAST SEVEN DAYS\n")[1].split("\n\n")[0]
    told = " ".join(told.split())
    assert "- 54 photos taken out of 6 albums: Travel / More 0 (9)," in told
    assert "and 1 album more. All of it stays in the backup." in told
    assert "- 1 album not shown any more, with 9 photos: Travel / More 20 (9)." in told
    assert "- 1 photo with other bytes than before, in 1 album: Travel / Harbour" in told
    assert "smugmug-backup diff LOCATION " in told
    assert all(len(line) <= 120 for line in text.splitlines())
    # Told once: the mail of the next week is silent about it.
    for _ in range(8):
        sample.nights.next_night()
    assert "CHANGED AT SMUGMUG" not in said(sample)[1]


def test_more_runs_than_one_a_night_hide_nothing_of_the_week(sample):
    quiet_week(sample)
    sample.source.world["alps"].images.pop()
    sample.nights.next_night()
    for _ in range(12):
        sample.clock.advance(hours=2)
        sample.nights.run()
    assert "1 photo taken out of 1 album" in said(sample)[1]


def test_a_week_in_which_photos_only_came_tells_no_change(sample):
    all_well(sample)
    sample.clock.advance(days=8)
    sample.source.upload("alps")
    sample.nights.run()
    assert "CHANGED AT SMUGMUG" not in said(sample)[1]


def test_the_mail_carries_the_seal(sample):
    _, text = said(sample)
    assert f"  {sample.nights.reports[-1].sha256}\n" in text
    assert "Keep this mail. The seal of the backup" in text


def test_the_mail_names_the_newest_page(sample):
    topic = Topic()
    now = sample.clock.now()
    bucket = Location("", bucket="photos", prefix="smugmug")
    send_sign_of_life(sample.store, "arn:aws:sns:x", now=now, client=topic, bucket=bucket)
    (sent,) = topic.mails
    page = max(key for key in sample.store.objects if key.endswith(".html"))
    assert f"bucket\nphotos and there smugmug/{page}\n" in sent["Message"]
    for key in [key for key in sample.store.objects if key.endswith(".html")]:
        del sample.store.objects[key]
    send_sign_of_life(sample.store, "arn:aws:sns:x", now=now, client=topic, bucket=bucket)
    assert "as a page" not in topic.mails[1]["Message"]


def test_the_newest_drill_is_told_in_a_sentence(sample):
    def drilled(hours, outcome):
        now = sample.clock.now() + timedelta(hours=hours)
        image = Drilled("alps", "i1", "originals/i1/0123456789abcdef0123456789abcdef.jpg", outcome)
        Archive(sample.store).write_drill(
            DrillReport(
                f"{now:%Y%m%dT%H%M%SZ}-00000001", now, now, None, None, 1, (2009, 2026), (image,)
            )
        )

    assert "fire drill" not in said(sample)[1]
    drilled(1, Outcome.SAME)
    last = "was restored and compared with SmugMug: the same."
    assert (
        f"The last fire drill, {sample.clock.now():%Y-%m-%d}: 1 photo of 2009 to 2026 {last}"
        in (" ".join(said(sample)[1].split()))
    )
    drilled(2, Outcome.DAMAGED)
    text = " ".join(said(sample)[1].split())
    assert "0 the same, 1 DAMAGED in the backup." in text
    assert "nothing is open any more" in text
