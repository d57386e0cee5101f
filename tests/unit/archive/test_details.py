"""What a record says of its image, the same from either API."""

import pytest

from smugmug_backup.archive.details import Details, Place, place_of

V130 = {
    "source": "smugmug-1.3.0",
    "urls": ["OriginalURL"],
    "image": {
        "Caption": "The old quay &amp; more",
        "Date": "2024-08-10 20:58:40",
        "Format": "JPG",
        "Height": 4000,
        "Hidden": False,
        "Keywords": "harbour; dusk",
        "Latitude": 54.4861,
        "Longitude": -0.6133,
        "Altitude": 4,
        "Title": "Quay",
        "Width": "6000",
    },
}


def test_a_record_of_api_130():
    assert Details.of(V130) == Details(
        title="Quay",
        caption="The old quay & more",
        keywords=("harbour", "dusk"),
        uploaded_at="2024-08-10T20:58:40",
        place=Place(54.4861, -0.6133, 4.0),
        format="JPG",
        width=6000,
        height=4000,
    )


def test_a_record_of_api_v2():
    image = {
        "DateTimeOriginal": "2012-01-15T18:03:38+00:00",
        "DateTimeUploaded": "2024-08-11T03:58:40+00:00",
        "Date": "2024-08-11T04:00:00+00:00",
        "IsVideo": True,
        "Hidden": True,
        "KeywordArray": ["a", "b"],
        "OriginalWidth": 1920,
        "OriginalHeight": 1080,
        "Latitude": "54.4861",
        "Longitude": "-0.6133",
    }
    details = Details.of({"source": "smugmug-v2", "urls": [], "image": image})
    assert (details.taken_at, details.uploaded_at) == (
        "2012-01-15T18:03:38+00:00",
        "2024-08-11T03:58:40+00:00",
    )
    assert (details.is_video, details.hidden, details.width) == (True, True, 1920)
    assert details.place == Place(54.4861, -0.6133)


@pytest.mark.parametrize(
    ("urls", "more"), [(["Video640URL"], {}), ([], {"Duration": 31})], ids=["URL", "duration"]
)
def test_a_video_of_api_130_shows_by_its_urls_or_its_duration(urls, more):
    record = {**V130, "urls": urls, "image": V130["image"] | more}
    assert Details.of(record).is_video
    assert not Details.of(V130).is_video


@pytest.mark.parametrize(
    "image",
    [{}, {"Latitude": 0, "Longitude": 0}, {"Latitude": 91, "Longitude": 0}, {"Latitude": "NaN"}],
)
def test_what_has_no_place_has_none(image):
    assert place_of(image) is None


@pytest.mark.parametrize("value", ["", None, "0000-00-00 00:00:00", "1825-12-31", 7, [], "x" * 99])
def test_a_time_that_is_none_is_unknown(value):
    record = {**V130, "image": {"Date": value, "DateTimeOriginal": value}}
    assert (Details.of(record).taken_at, Details.of(record).uploaded_at) == (None, None)


def test_any_values_at_all_are_read():
    names = [*V130["image"], "DateTimeOriginal", "Duration", "IsVideo", "KeywordArray"]
    for value in (None, [], {}, 5, -1.5, True, "\ud800", "\x00", 10**400, {"a": [1]}):
        for source in ("smugmug-1.3.0", "smugmug-v2"):
            Details.of({"source": source, "urls": [], "image": dict.fromkeys(names, value)})
