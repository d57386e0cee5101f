"""The JSON Schemas say what a file may hold, and our small validator agrees with a big one."""

import copy
import json
import re
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from smugmug_backup import archive
from smugmug_backup.archive import schemas

FORMAT = (files(archive) / "FORMAT.md").read_text(encoding="utf-8")
EXAMPLES = {
    name: json.loads(text)
    for name, text in re.findall(r"<!-- ([a-z-]+) -->\n```json\n(.*?)```", FORMAT, re.DOTALL)
}
"""One of each, from the format's own text."""

MD5 = "51f7e3a09bd24cc8816e0f42d7a9c350"
SHA = "0f" * 32
AT = "2026-11-24T03:00:09Z"
KEY = f"originals/V2xgTbs=11/{MD5}.jpg"
BYTES = {"key": KEY, "bytes": 9, "sha256": SHA, "md5": MD5}
NO_BYTES = {"key": None, "bytes": None, "sha256": None, "md5": None, "verified": False}
WAITS = {"reason_since": AT, "pending_since": AT}
PENDING = {**NO_BYTES, **WAITS, "status": "pending", "reason": "processing"}
UNAVAILABLE = {**NO_BYTES, **WAITS, "status": "unavailable", "reason": "refused_by_source"}
MISMATCH = {**WAITS, "status": "stored", "verified": False, "reason": "md5_mismatch"}
NONE_YET = {
    "generation": 0,
    "manifest_sha256": None,
    "album_fingerprint": None,
    "cursor": 0,
    "full_listing_at": None,
}


def changed(name, within="", /, **fields):
    """The example ``name`` with other values of some fields, of the object at a dotted path."""
    value = copy.deepcopy(EXAMPLES[name])
    place = value
    for step in within.split("."):
        if step:
            place = place[int(step) if step.isdigit() else step]
    place.update(fields)
    return value


def original(**fields):
    return "manifest-line", changed("manifest-line", "original", **fields)


def line(**fields):
    return "manifest-line", changed("manifest-line", **fields)


def header(**fields):
    return "manifest-header", changed("manifest-header", **fields)


def report(within="", /, **fields):
    return "run-report", changed("run-report", within, **fields)


def entry(**fields):
    return report("albums.hT4mWq", **fields)


ALLOWED = [
    original(verified=False, source_md5=None),
    original(kind="rendition", key=f"originals/V2xgTbs=11/rev-{SHA[:16]}.mp4", verified=False),
    original(key=f"originals/V2xgTbs=11/{MD5}.12.jpg"),
    original(key=f"originals/con=0/{MD5}.bin"),
    original(key=f"originals/a-b_9/{MD5}.heic"),
    original(**MISMATCH),
    original(**MISMATCH, previous=BYTES),
    original(**PENDING),
    original(**{**PENDING, "reason": "not_yet"}),
    original(**{**PENDING, "reason": "damaged"}, previous=BYTES),
    original(**UNAVAILABLE),
    original(**{**UNAVAILABLE, "reason": "forgotten"}),
    original(**{**UNAVAILABLE, "reason": "no_original_url"}, kind="none"),
    original(**UNAVAILABLE, source_md5=None),
    line(record=None, record_at=None),
    line(image_id=None, file_name=None, last_updated=None, position=None),
    line(missing_since=AT),
    line(missing_since=AT, deleted_at=AT),
    header(previous=None, generation=1),
    header(cursor=0, full_listing_at=None),
    header(deleted_at=AT, path=[]),
    report(previous=[], trigger=None, dated_at=None, complete_as_of=None, check=None),
    report(previous=EXAMPLES["run-report"]["previous"] * 2),
    report("account", nickname=None, access=None),
    report("account", formerly=["quayside"]),
    report("unavailable.0", reason="record_lost"),
    report("pending.0", reason="md5_mismatch"),
    report("failures.0", album_key=None),
    report(readme_sha256=None, attempt_of="20261123T030003Z-9b1d22aa"),
    entry(**NONE_YET),
    entry(doubt={"since": AT, "difference": -3, "keys": SHA[:16]}, count_difference=-3),
    entry(manifest_sha256=None, album_fingerprint=None, title=None),
    ("check-report", changed("check-report", of_run=None, findings=[], sound=True)),
    ("check-report", changed("check-report", heads=EXAMPLES["run-report"]["previous"])),
    ("check-report", changed("check-report", "findings.0", album_key=None, image_key=None)),
    ("drill-report", changed("drill-report", "images.0", outcome="differs", message="…")),
    ("drill-report", changed("drill-report", years=None)),
    report(changes=None),
    report("changes", albums={"hT4mWq": {"album_missing": 0}}, images=[]),
    report("changes.images.0", file_name=None, what="moved"),
    ("outcome", changed("outcome", unavailable=None, pending=None)),
    ("plan-line", changed("plan-line", check="20261123T030003Z-9b1d22aa")),
    ("record-line", changed("record-line", urls=["ArchivedUri", "ThumbUrl", "Uris"])),
]

REFUSED = [
    original(verified=True, status="pending"),
    original(key=None),
    original(sha256=None),
    original(bytes=None),
    original(md5=None),
    original(sha256="0F" * 32),
    original(sha256=SHA + "\n"),
    original(reason="not_yet"),
    original(reason="processing", **WAITS),
    original(pending_since=AT),
    original(previous=BYTES),
    original(kind="none"),
    original(**{**MISMATCH, "verified": True}),
    original(**{**MISMATCH, "pending_since": None}),
    original(**MISMATCH, source_md5=None),
    original(**{**PENDING, "key": KEY}),
    original(**{**PENDING, "verified": True}),
    original(**{**PENDING, "reason": None}),
    original(**{**PENDING, "reason_since": None}),
    original(**{**PENDING, "pending_since": None}),
    original(**{**PENDING, "reason": "lazy"}),
    original(**PENDING, kind="none"),
    original(**PENDING, previous=KEY),
    original(**PENDING, previous={**BYTES, "sha256": None}),
    original(**{**UNAVAILABLE, "reason": "not_yet"}),
    original(**{**UNAVAILABLE, "reason": "download_failed"}),
    original(**{**UNAVAILABLE, "reason": "record_lost"}),
    original(status="lost"),
    original(kind="copy"),
    original(key=f"originals/V2xgTbs=011/{MD5}.jpg"),
    original(key=f"originals/V2xgTbs=1F/{MD5}.jpg"),
    original(key=f"originals/V2xgTbs=11/{MD5}.1.jpg"),
    original(key=f"originals/V2xgTbs=11/{MD5}.02.jpg"),
    original(key=f"originals/V2xgTbs=11/{MD5}.jpeg"),
    original(key=f"originals/V2xgTbs=11/{MD5[:16]}.jpg"),
    line(record=None),
    line(record_at=None),
    line(record_at=[68]),
    line(record_at=[68, 1840, 1]),
    line(record_at=[0, 1840]),
    line(record=f"records/hT4mWq=12/V2xgTbs/{MD5}.jsonl"),
    line(record=f"records/hT4mWq=12/{MD5}.json"),
    line(fingerprint=None),
    line(fingerprint="1f2e"),
    line(image_key="a/b"),
    line(image_key="a" * 65),
    line(image_id="13544102391"),
    line(position=1.5),
    line(missing_since="2026-11-24 03:00:09"),
    line(missing_since="2026-11-24T03:00:09+00:00"),
    header(generation=0),
    header(version=2),
    header(format="smugmug-backup/manifests"),
    header(previous={"generation": 6}),
    header(previous=[]),
    header(cursor=7, full_listing_at=None),
    header(line_count=-1),
    header(title=None),
    header(urls=["Title"]),
    header(account={"nickname": "larkfield", "access": None}),
    header(source="smugmug-2"),
    report(status="partial"),
    report(previous=None),
    report(previous=[{"run_id": "20261123T030003Z-9b1d22aa", "sha256": None}]),
    report(run_id="20261123T030003Z-9B1D22AA"),
    report(part=None),
    report(trigger=7),
    report(clock_doubted=0),
    report("account", formerly=None),
    report("counts", repaired=-1),
    report("counts", new=1.5),
    report("check", open=None),
    report("complete_as_of", at=None),
    report("unavailable.0", reason="not_yet"),
    report("pending.0", reason="not_yet"),
    report("pending.0", since=None),
    report("failures.0", message=None),
    report(albums={"a/b": EXAMPLES["run-report"]["albums"]["hT4mWq"]}),
    entry(generation=0),
    entry(**{**NONE_YET, "cursor": 3}),
    entry(**{**NONE_YET, "manifest_sha256": SHA}),
    entry(doubt={"since": AT, "difference": 3}),
    entry(doubt=AT),
    entry(unverified=None),
    ("check-report", changed("check-report", "findings.0", problem="bad")),
    ("check-report", changed("check-report", "findings.0", scope="all")),
    ("check-report", changed("check-report", heads=["20261123T030003Z-9b1d22aa"])),
    ("drill-report", changed("drill-report", "images.0", outcome="lost")),
    ("drill-report", changed("drill-report", years=[2024])),
    report("changes", albums={"hT4mWq": {"new": -1}}),
    report("changes.images.0", what="album_left"),
    ("forgotten", changed("forgotten", keys=["records/a/b.jsonl"])),
    ("forgotten", changed("forgotten", image_key=None)),
    ("outcome", changed("outcome", clock_doubted=None)),
    ("plan-line", changed("plan-line", check="now")),
    ("record-line", changed("record-line", image=[])),
    ("records-header", changed("records-header", version=True)),
]


def both(name, value, strict):
    """What both validators say; they must agree."""
    ours = schemas.checker(name, strict=strict)(value)
    theirs = Draft202012Validator(schemas.load(name, strict=strict)).is_valid(value)
    assert (ours is None) == theirs, ours
    return ours


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", schemas.NAMES)
def test_a_schema_is_one(name, strict):
    Draft202012Validator.check_schema(schemas.load(name, strict=strict))


@pytest.mark.parametrize(("name", "value"), ALLOWED)
def test_what_the_format_allows_holds(name, value):
    assert both(name, value, strict=False) is None
    assert both(name, value, strict=True) is None


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_the_format_excludes_is_refused(name, value):
    # Of a line end at the very end `jsonschema` thinks as Python's `$` does.
    if json.dumps(value).count("\\n") == 0:
        both(name, value, strict=False)
    assert schemas.checker(name)(value) is not None


def places(value, path=()):
    """All objects in a value whose names are fields of ours, by their place."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from places(each, (*path, index))
    elif isinstance(value, dict):
        free = path and path[-1] in ("image", "data", "album") and "Key" in value
        if not free and path[-1:] != ("albums",):
            yield path
        for name, each in () if free else value.items():
            yield from places(each, (*path, name))


EVERYWHERE = [(name, path) for name in schemas.NAMES for path in places(EXAMPLES[name])]


def at(value, path):
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize(("name", "path"), EVERYWHERE)
def test_a_reader_ignores_a_field_that_it_does_not_know_and_a_writer_writes_none(name, path):
    value = copy.deepcopy(EXAMPLES[name])
    at(value, path)["surplus"] = 1
    assert both(name, value, strict=False) is None
    assert both(name, value, strict=True).endswith("surplus is not a field of this format")


OPTIONAL = {
    ("plan-line", "formerly"),
    # What early files lack.
    *((name, field) for name in ("run-report", "outcome") for field in ("changes", "file_name")),
}


@pytest.mark.parametrize(("name", "path"), EVERYWHERE)
def test_each_field_is_required(name, path):
    for field in at(EXAMPLES[name], path):
        value = copy.deepcopy(EXAMPLES[name])
        del at(value, path)[field]
        # Of the kinds of change an album has those that it needs.
        kind = "changes" in path and path[-2:-1] == ("albums",)
        if (name, field) not in OPTIONAL and not kind:
            assert both(name, value, strict=False).endswith(f"{field} is missing")


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.floats(-2, 2).map(lambda x: round(x, 1)),
    st.sampled_from(["", "stored", "pending", AT, "a" * 32, "x/y", "no_original_url", "none"]),
    st.just([]),
    st.just({}),
    st.just([1]),
    st.just([1, 2]),
)


@given(st.data())
@settings(
    deadline=None,
    derandomize=True,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_our_validator_says_what_jsonschema_says(data):
    """Change one place of a right file; both must judge alike."""
    name, right = data.draw(st.sampled_from([*EXAMPLES.items(), *ALLOWED]))
    value = copy.deepcopy(right)
    at, place = value, None
    while isinstance(at, (dict, list)) and at:
        names = sorted(at) if isinstance(at, dict) else list(range(len(at)))
        parent, place = at, data.draw(st.sampled_from(names))
        at = at[place]
        if data.draw(st.booleans()):
            break
    parent[place] = data.draw(_VALUES)
    both(name, value, strict=data.draw(st.booleans()))
