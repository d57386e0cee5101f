"""What is read again: of every album that needs it, though it is read once."""

from tests.unit.check.helpers import flip, next_check, original_of


def test_a_damaged_original_is_a_finding_of_each_album_that_has_the_image(sample):
    nights, world = sample.nights, sample.source.world
    key = original_of(sample, "alps")
    image = next(i for i in world["alps"].images if i.key == key.split("/")[1])
    world["harbour"].images.append(image)
    nights.next_night()
    flip(sample, key)
    result = next_check(sample, "all")
    assert {f.album_key for f in result.findings if f.key == key} == {"alps", "harbour"}


def test_an_image_is_made_whole_in_the_album_that_is_there_though_another_has_left(sample):
    nights, world = sample.nights, sample.source.world
    key = original_of(sample, "alps")
    image = next(i for i in world["alps"].images if i.key == key.split("/")[1])
    world["harbour"].images.append(image)
    nights.next_night()
    del world["alps"]
    nights.next_night(accept_shrink=("account",))
    nights.next_night()
    flip(sample, key)
    next_check(sample, "all")
    nights.next_night()
    line = nights.line("harbour", image.key).original
    assert line.stored
    assert sample.store.objects[line.key] == image.body
