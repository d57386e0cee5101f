"""The weekly mail: as of when the backup is complete, and what needs its owner."""

import pytest
from smugmug_backup.archive.summary import summarise

from smugmug_backup.errors import AccessRefused
from smugmug_backup.function.sign_of_life import mail, send_sign_of_life, subject
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


def test_the_mail_goes_to_the_topic(sample):
    topic = Topic()
    told = send_sign_of_life(sample.store, "arn:aws:sns:x", now=sample.clock.now(), client=topic)
    (sent,) = topic.mails
    assert sent["TopicArn"] == "arn:aws:sns:x"
    assert sent["Subject"] == told["subject"]
    assert sent["Subject"].isascii() and len(sent["Subject"]) <= 100
    assert told["complete_as_of"] == "2026-11-27"


def test_the_mail_says_as_of_when_and_what_needs_the_owner(sample):
    sample.source.errors["images:alps"] = AccessRefused("the album's password is wrong")
    sample.source.album("later", images=1)
    sample.source.touch(sample.source.world["alps"].images[0], caption="x")
    sample.nights.next_night(full=True)
    del sample.source.world["later"]
    sample.nights.next_night(full=True)
    summary = summarise(sample.store)
    text = mail(summary, now=sample.clock.now())
    assert "complete as of 2026-11-27 03:00 UTC (3 days ago)" in text
    assert "WHAT NEEDS YOU" in text
    assert "album alps: the album's password is wrong (access_refused)" in text
    assert "1 album no longer shown by SmugMug: later" in text
    assert "no_original_url" in text
    assert "larkfield" in text
    assert all(len(line) <= 120 for line in text.splitlines())
    assert subject(summary) == "SmugMug Backup: incomplete, last complete 2026-11-27"


def test_when_all_is_well_it_says_so(sample):
    sample.source.errors.clear()
    sample.source.world["alps"].images = sample.source.world["alps"].images[:3]
    for _ in range(3):
        sample.nights.next_night(full=True)
    summary = summarise(sample.store)
    assert subject(summary) == "SmugMug Backup: complete"
    assert "Nothing needs you." in mail(summary, now=sample.clock.now())


def test_before_the_first_run_it_says_so(sample):
    summary = summarise(MemoryStore())
    assert subject(summary) == "SmugMug Backup: no run has ended yet"
    assert "No run has ended yet" in mail(summary, now=sample.clock.now())
