"""Which images come: a test for each row of the table."""

import pytest

from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.restore.choice import Choice, Gone
from tests.unit.restore.test_names import NIGHT, entry, header

LIVE, LEFT = entry("live", "a.jpg"), entry("left", "b.jpg", deleted_at=NIGHT)
MISSING = entry("missing", "c.jpg", missing_since=NIGHT)
PLAIN, TOO, ONLY = Choice(), Choice(Gone.TOO), Choice(Gone.ONLY)


@pytest.mark.parametrize(
    ("line", "album_left", "plain", "too", "only"),
    [
        (LIVE, False, True, True, False),
        (LIVE, True, True, True, True),
        (LEFT, False, None, True, True),
        (MISSING, False, None, True, True),
        (LEFT, True, None, True, True),
    ],
)
def test_a_line_comes_as_the_table_says(line, album_left, plain, too, only):
    for choice, expected in ((PLAIN, plain), (TOO, too), (ONLY, only)):
        gone = frozenset({"a"} if album_left else ())
        asked = Choice(choice.gone, gone_albums=gone)
        assert asked.takes("a", line) is expected


def named(*keys, gone=Gone.LEFT_OUT, albums=None):
    albums = albums or [Manifest(header("a", "A"), {e.image_key: e for e in (LIVE, LEFT)})]
    return Choice.among(albums, gone=gone, images=keys)


def test_only_what_is_named_comes_and_even_if_it_has_left():
    choice = named("left")
    assert choice.takes("a", LEFT) is True
    assert choice.takes("a", LIVE) is False
    assert choice.takes("a", MISSING) is False


def test_an_image_that_moved_to_another_album_comes_from_where_it_is():
    here = Manifest(header("here", "H"), {"x": entry("x", "x.jpg")})
    was = Manifest(header("was", "W"), {"x": entry("x", "x.jpg", deleted_at=NIGHT)})
    choice = named("x", albums=[here, was])
    assert choice.takes("here", here.entries["x"]) is True
    assert choice.takes("was", was.entries["x"]) is False
    both = named("x", albums=[here, was], gone=Gone.TOO)
    assert both.takes("was", was.entries["x"]) is True


def test_beside_gone_a_line_must_be_both_named_and_gone():
    choice = named("left", "live", gone=Gone.ONLY)
    assert choice.takes("a", LEFT) is True
    assert choice.takes("a", LIVE) is False
