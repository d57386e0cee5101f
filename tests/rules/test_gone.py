"""What leaves SmugMug stays in the backup, marked as gone."""


def test_an_image_that_leaves_is_missing_first_and_deleted_after_a_second_look(
    account, nights, album, image
):
    nights.run()
    body = account.body(image)
    account.remove(image)
    account.clock.advance(days=1)
    assert nights.run().counts.missing == 1
    assert nights.line(album, image).missing_since is not None
    account.clock.advance(hours=19)
    nights.run()
    assert nights.line(album, image).deleted_at is None
    account.clock.advance(hours=1)
    assert nights.run().counts.deleted == 1
    line = nights.line(album, image)
    assert line.deleted_at is not None
    assert nights.bytes_of(line) == body
    assert nights.written_by(nights.next_night) == set()


def test_an_image_that_comes_back_is_live_again_without_a_download(account, nights, album, image):
    nights.run()
    account.remove(image)
    nights.next_night()
    nights.next_night()
    account.bring_back(album, image)
    nights.next_night()
    assert nights.line(album, image).live
    assert nights.everything_is_there()
    assert account.downloads(image) == 1


def test_an_album_that_leaves_gets_a_last_generation_and_keeps_its_lines(account, nights, other):
    nights.run()
    lines = nights.manifest(other).entries
    account.drop(other)
    report = nights.next_night()
    assert (report.status, report.albums[other].missing_since is not None) == ("complete", True)
    nights.next_night()
    manifest = nights.manifest(other)
    assert manifest.header.deleted_at is not None
    assert manifest.entries == lines
    assert nights.written_by(nights.next_night) == set()


def test_an_album_that_comes_back_is_listed_in_full_and_live(account, nights, other):
    nights.run()
    account.drop(other)
    nights.next_night()
    nights.next_night()
    account.bring_back_albums()
    assert nights.next_night().status == "complete"
    assert nights.manifest(other).header.deleted_at is None
    assert nights.everything_is_there()


def test_a_new_album_arrives_the_same_night(account, nights):
    nights.run()
    new = account.new_album("Fresh", images=2)
    assert nights.next_night().status == "complete"
    assert len(nights.manifest(new).entries) == 2
    assert nights.everything_is_there()
