"""One store, two APIs: switching copies no byte again and forgets nothing."""

import pytest


@pytest.fixture
def api():
    """These tests choose their APIs themselves."""
    return "1.3.0"


def generations(service):
    return {album: service.manifest(album).header.generation for album in service.albums}


def read_through(service, api):
    service.source = service.reader(api)


@pytest.fixture
def account(service):
    """An account with some of everything."""
    one, two, _ = service.albums
    service.world.upload_video(one)
    service.world.forget_md5(service.images(one)[1].key)
    service.world.collect(service.images(one)[0].key, two)
    service.clock.advance(days=3)
    return service


@pytest.mark.parametrize(("first", "second"), [("1.3.0", "v2"), ("v2", "1.3.0")])
def test_a_switch_is_one_generation_and_none_after_it_and_no_download(account, first, second):
    service = account
    read_through(service, first)
    service.run()
    service.next_night()
    before = generations(service)
    originals = {
        (album, key): line.original.key
        for album in service.albums
        for key, line in service.manifest(album).entries.items()
    }
    for turn, api in enumerate((second, first, second), 1):
        read_through(service, api)
        service.smugmug.calls.reset()
        report = service.next_night(full=True)
        assert (report.status, report.failures) == ("complete", ())
        assert service.smugmug.calls.photos == 0
        assert generations(service) == {album: n + turn for album, n in before.items()}
        for _ in range(2):
            service.next_night(full=True)
        assert generations(service) == {album: n + turn for album, n in before.items()}
    assert originals == {
        (album, key): line.original.key
        for album in service.albums
        for key, line in service.manifest(album).entries.items()
    }


def test_what_the_other_api_does_not_deliver_is_kept_on_the_line(account):
    service = account
    service.run()
    album = service.albums[0]
    before = service.manifest(album).entries
    read_through(service, "v2")
    service.next_night(full=True)
    after = service.manifest(album).entries
    assert {key: line.image_id for key, line in after.items()} == {
        key: line.image_id for key, line in before.items()
    }
    assert {key: line.position for key, line in after.items()} == {
        key: line.position for key, line in before.items()
    }


def test_a_replacement_during_the_switch_is_seen(account):
    service = account
    service.run()
    album = service.albums[0]
    photo, unsummed = service.images(album)[:2]
    service.world.replace(photo.key)
    service.world.replace(unsummed.key)
    read_through(service, "v2")
    report = service.next_night(full=True)
    assert report.counts.originals_stored == 2
    assert service.everything_is_there()


def test_a_switch_is_picked_up_within_the_days_of_full_listings_without_being_asked(account):
    service = account
    service.run()
    read_through(service, "v2")
    for _ in range(31):
        service.next_night()
    assert all(service.manifest(album).header.source == "smugmug-v2" for album in service.albums)
    assert service.reports[-1].status == "complete"


def test_a_video_that_is_replaced_is_fetched_through_either_api(account):
    service = account
    service.run()
    album = service.albums[0]
    video = next(image for image in service.images(album) if image.is_video)
    read_through(service, "v2")
    service.next_night(full=True)
    service.clock.advance(hours=3)
    service.world.replace(video.key)
    assert service.next_night().counts.originals_stored == 1
    assert service.everything_is_there()
    line = service.line(album, video.key)
    assert line.original.verified


def test_a_caption_of_a_video_costs_one_question_and_no_download_through_v2(account):
    service = account
    read_through(service, "v2")
    service.run()
    album = service.albums[0]
    video = next(image for image in service.images(album) if image.is_video)
    for _ in range(3):
        service.next_night()
    service.world.edit(video.key, caption="The ferry")
    service.smugmug.calls.reset()
    service.next_night()
    asked = service.smugmug.calls.by_method
    assert asked["v2:image!largestvideo"] == 1, asked
    assert service.smugmug.calls.photos == 0


def test_a_raw_file_that_no_api_gives_out_is_named_in_the_report_of_v2(account):
    service = account
    album = service.albums[0]
    image = service.images(album)[0]
    service.world.edit(image.key, components=("CR2",))
    read_through(service, "v2")
    report = service.run()
    assert report.status == "complete"
    assert any(image.key in note and "CR2" in note for note in report.notes)
