"""What HTTP alone can do wrong, or leave open: the others are saved, and the end is the same."""

import threading

import pytest

from smugmug_backup.backup.run import Options
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights

# -- beside the rules ----------------------------------------------------------------------------


def test_a_night_without_changes_writes_only_its_report(service):
    service.run()
    service.next_night()
    service.smugmug.calls.reset()
    assert service.written_by(service.next_night) == set()
    report = service.reports[-1]
    assert report.counts.api_calls == service.smugmug.calls.api
    assert service.smugmug.calls.photos == 0


def test_a_collected_image_without_url_gets_its_bytes_by_its_home(service):
    one, two, _ = service.albums
    image = service.first_image(one)
    service.world.collect(image.key, two, with_original=False, shown_as="Smart")
    report = service.run()
    assert report.status == "complete"
    assert service.everything_is_there()


# -- failures: the others are saved, the run is not complete, the next healthy run has every byte -


# Which fault is which error, the contract of the sources says of each kind; here is what a night
# makes of one that is asked again and of one that cannot be read.
@pytest.mark.parametrize("times", [1, None], ids=["once", "for ever"])
@pytest.mark.parametrize(
    ("kind", "options"), [("status", {"status": 503, "retry_after": 1}), ("malformed_key", {})]
)
def test_one_bad_album_costs_only_itself_and_only_for_a_while(service, kind, options, times):
    bad, *others = service.albums
    service.smugmug.faults.add(kind, method="images", album=bad, times=times, **options)
    report = service.run()
    if times is None:
        assert report.status == "incomplete"
        assert {failure.album_key for failure in report.failures} == {bad}
    for album in others:
        assert len(service.manifest(album).entries) == 4
    assert service.healthy().status == "complete"
    assert service.everything_is_there()
    assert not any(
        line.missing_since
        for album in service.albums
        for line in service.manifest(album).entries.values()
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("corrupt", {}),
        ("status", {"status": 500}),
        ("placeholder", {}),
        ("redirect", {"location": "http://169.254.169.254/latest/meta-data/"}),
    ],
    ids=["corrupt", "status", "placeholder", "redirect"],
)
def test_one_bad_photo_is_pending_until_it_is_whole(service, kind, options):
    album = service.albums[0]
    image = service.first_image(album)
    service.smugmug.faults.add(kind, on="photo", image=image.key, times=None, **options)
    report = service.run()
    assert (report.status, report.counts.pending) == ("incomplete", 1)
    assert report.counts.originals_stored >= 11
    original = service.line(album, image.key).original
    assert not original.verified
    if kind in ("corrupt", "shorter", "placeholder"):
        # Whole, and a picture: kept, for the MD5 may be what is wrong.
        assert (original.status, original.reason) == ("stored", "md5_mismatch")
    else:
        assert original.status == "pending"
    assert service.healthy().status == "complete"
    assert service.everything_is_there()
    assert service.line(album, image.key).original.verified


def test_bytes_that_are_wrong_twice_and_then_right_end_at_their_md5(service):
    album = service.albums[0]
    image = service.first_image(album)
    service.smugmug.faults.add("corrupt", image=image.key, times=2)
    service.run()
    assert service.line(album, image.key).original.reason == "md5_mismatch"
    assert service.next_night().status == "complete"
    assert service.line(album, image.key).original.key.endswith(f"{image.body.md5}.jpg")


def test_bytes_that_are_wrong_once_are_simply_fetched_again(service):
    image = service.first_image(service.albums[0])
    service.smugmug.faults.add("corrupt", image=image.key, times=1)
    assert service.run().status == "complete"
    assert service.line(service.albums[0], image.key).original.verified


# -- an account that cannot be believed -----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options"), [("html", {}), ("status", {"status": 410})], ids=["html", "status"]
)
def test_an_unbelievable_account_refuses_the_run_and_moves_nothing(service, kind, options):
    service.run()
    before = service.reports[-1].albums
    service.smugmug.faults.add(kind, method="albums", times=None, **options)
    report = service.next_night()
    assert report.status == "refused"
    assert report.albums == before
    assert service.healthy().status == "complete"
    assert service.written_by(service.next_night) == set()


def test_the_public_view_backs_up_what_is_public(service):
    private = service.albums[0]
    service.world.edit_album(private, privacy="Private")
    public = Nights(service.reader(signed=False), MemoryStore(), service.clock)
    report = public.run()
    assert report.status == "complete"
    assert report.account.access == "public"
    assert set(report.albums) == set(service.albums[1:])
    service.source = service.reader(signed=False)


# API v2 takes no album passwords; the owner's token opens the album.
@pytest.mark.parametrize("api", ["1.3.0"], indirect=True)
def test_an_album_with_a_password_is_opened_by_it_and_else_named(service):
    locked = service.albums[0]
    without = service.reader(signed=False)
    service.world.edit_album(locked, password="open sesame")
    report = Nights(without, MemoryStore(), service.clock).run()
    assert report.status == "incomplete"
    assert [(f.album_key, f.code) for f in report.failures] == [(locked, "access_refused")]
    opened = Nights(service.reader(signed=False), MemoryStore(), service.clock)
    opened.run()
    assert len(opened.manifest(locked).entries) == 4
    assert service.run().status == "complete"


# -- what the documentation leaves open: the same end state ---------------------------------------


_OF_130 = [
    {"booleans_as_strings": True},
    {"numbers_as_strings": True},
    {"last_updated_inclusive": True},
    {"filtered_image_count": "filtered"},
    {"empty_images": "absent"},
    {"empty_images": "null"},
    {"zone_hours": -8.0, "filter_zone_hours": -8.0},
    {"zone_hours": 8.0, "filter_zone_hours": 8.0},
    {"strict_15": False},
    {"method_in_answers": False},
]
_OF_V2 = [
    {"v2_max_count": 2},
    {"v2_order_changes": True, "v2_max_count": 2},
    {"v2_next_page_keeps_parameters": True},
    {"v2_edit_moves_images_last_updated": False},
    {"v2_coordinates_as_numbers": True},
]
_OF_BOTH = [
    {"album_last_updated": "images"},
    {"album_count_off": 1},
    {"late_visibility": 40 * 3600.0},
    {"late_visibility": 40 * 3600.0, "late_images_counted": True},
    {"move_keeps_last_updated": True},
    {"gzip": False},
    {"url_rotation_each_call": True},
    {"hidden_images": "listed"},
    {"hidden_images": "absent"},
    {"processing_images": "counted"},
]


def _named(value):
    if isinstance(value, str):
        return value
    return ",".join(f"{name}={setting}" for name, setting in value.items())


@pytest.mark.parametrize(
    ("api", "switches"),
    [
        *(("1.3.0", each) for each in (*_OF_130, *_OF_BOTH)),
        *(("v2", each) for each in (*_OF_V2, *_OF_BOTH)),
    ],
    indirect=["api"],
    ids=_named,
)
def test_whatever_the_service_means_the_end_state_is_the_same(service, switches):
    service.smugmug.switches.set(**switches)
    # A week, so that a full listing comes soon.
    service.options = Options(concurrency=4, full_listing_days=7)
    service.run()
    one, two, three = service.albums
    for night in range(6):
        service.clock.advance(hours=2)
        service.world.upload(one)
        service.world.edit(service.first_image(one).key, caption=f"night {night}")
        if night == 1:
            service.world.replace(service.images(two)[0].key)
        if night == 2:
            service.world.delete(service.images(two)[1].key)
        if night == 3:
            service.world.move(service.images(two)[1].key, three)
        if night == 4:
            service.world.hide(service.images(three)[0].key)
        service.clock.advance(hours=22)
        service.run()
    # Late answers arrive, and the last listing is one of all there is.
    for _ in range(3):
        service.next_night()
    service.next_night(full=True)
    report = service.next_night(full=True)
    if "v2_order_changes" in switches:
        # A listing that shows too few is not believed, and asked for again night by night.
        report = service.nights_until(lambda report: report.status == "complete")
    assert (report.status, report.failures) == ("complete", ())
    assert service.everything_is_there()
    assert report.counts.cursor_misses == 0


def test_two_runs_at_once_leave_one_winner_per_generation_and_everything_there(service):
    rival = Nights(service.reader(), service.store, service.clock, options=Options(concurrency=4))
    errors = []

    def run(nights):
        try:
            nights.run()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(nights,)) for nights in (service, rival)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert service.everything_is_there()
    assert {service.reports[-1].status, rival.reports[-1].status} == {"complete"}
    assert service.written_by(service.next_night) == set()
    # A loser offered a generation that was taken, and began anew from it.
    service.store.overwrites.clear()


def test_a_login_that_opens_no_album_is_told_once(service):
    service.run()
    before = service.reports[-1].albums
    service.smugmug.faults.add("status", method="images", status=401, times=None)
    report = service.next_night(full=True)
    (failure,) = report.failures
    assert (report.status, failure.code, failure.album_key) == (
        "incomplete",
        "access_refused",
        None,
    )
    assert failure.message.startswith("none of the 3 albums could be read: ")
    assert {key: each.generation for key, each in report.albums.items()} == {
        key: each.generation for key, each in before.items()
    }
    assert service.healthy().status == "complete"


def test_albums_that_are_refused_beside_others_are_named_one_by_one(service):
    service.run()
    for album in service.albums[:2]:
        service.smugmug.faults.add("status", method="images", album=album, status=401, times=None)
    report = service.next_night(full=True)
    assert {failure.album_key for failure in report.failures} == set(service.albums[:2])


def test_a_token_of_the_public_view_ends_in_a_report(service):
    service.run()
    service.smugmug.switches.set(token_access="Public")
    report = service.next_night()
    assert (report.status, report.failures[0].code) == ("refused", "access_refused")
    assert "Access=Full" in report.failures[0].message
    service.smugmug.switches.set(token_access="Full")
    assert service.healthy().status == "complete"
