"""The night on which SmugMug switches API 1.3.0 off, and those after it, with ``SMUGMUG_API=auto``.

The local SmugMug answers as a retired API does; every night has a source of its own, made as the
function and the owner's tool make it.
"""

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import LoginLost, SourceRetired


@pytest.fixture
def api():
    """These tests leave the choice to the backup."""
    return "1.3.0"


def night(service, **settings):
    service.source = service.reader("auto", store=service.store, **settings)
    return service.next_night()


@pytest.mark.parametrize("how", ["404", "410", "17"])
def test_a_retired_130_is_followed_to_v2_once_it_was_gone_for_three_nights(service, how):
    assert (night(service).status, night(service).source) == ("complete", "smugmug-1.3.0")
    held = set(service.store.objects)
    service.smugmug.switches.set(retired=how)
    for _ in range(3):
        report = night(service)
        assert (report.status, report.source) == ("refused", "smugmug-1.3.0")
        assert report.failures[0].code == "source_retired"
    service.smugmug.calls.reset()
    report = night(service)
    assert (report.status, report.source) == ("complete", "smugmug-v2")
    assert [note for note in report.notes if "API v2 from this run on" in note]
    assert "that 1.3.0 is gone" in report.notes[0]
    assert service.smugmug.calls.photos == 0
    assert held <= set(service.store.objects)
    # Never back by itself, though 1.3.0 is there again; nor is it told a second time.
    service.smugmug.switches.set(retired="")
    for _ in range(3):
        report = night(service)
        assert (report.status, report.source, report.notes) == ("complete", "smugmug-v2", ())


def test_130_that_is_back_after_three_nights_is_used_on(service):
    night(service)
    service.smugmug.switches.set(retired="404")
    for _ in range(3):
        night(service)
    service.smugmug.switches.set(retired="")
    report = night(service)
    assert (report.status, report.source) == ("complete", "smugmug-1.3.0")


def test_while_smugmug_is_down_nobody_goes_over(service):
    night(service)
    service.smugmug.faults.add("status", on="api", status=503, times=None)
    for _ in range(5):
        report = night(service)
        assert (report.status, report.source) == ("incomplete", "smugmug-1.3.0")
    service.smugmug.faults.clear()
    assert night(service).source == "smugmug-1.3.0"


def test_v2_that_shows_another_account_is_not_followed(service):
    night(service)
    service.smugmug.switches.set(retired="404")
    for _ in range(3):
        night(service)
    service.account.rename("somebodyelse")
    report = night(service)
    assert (report.status, report.source) == ("refused", "smugmug-1.3.0")
    assert "API v2 shows another account, somebodyelse" in report.failures[0].message


def test_a_new_backup_begins_with_the_api_that_takes_the_login(service):
    service.smugmug.switches.set(retired="404")
    report = night(service)
    assert (report.status, report.source) == ("complete", "smugmug-v2")


def test_where_neither_api_takes_the_login_both_say_why(service):
    service.smugmug.switches.set(retired="404")
    service.smugmug.faults.add("oauth_problem", on="api", problem="token_revoked", times=None)
    source = service.reader("auto", store=service.store)
    with pytest.raises((SourceRetired, LoginLost), match="API v2 does not help either"):
        source.account(deadline=Deadline.none(service.clock))
    assert source.api_calls == service.smugmug.calls.api == 2
