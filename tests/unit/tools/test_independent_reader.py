"""The independent reader finds each fault in a store that was made by hand, and none in a good one.

The store is written here as `archive/FORMAT.md` tells it, without the product. A hook changes one
object before it is written, so that all hashes still agree; `spoil` changes bytes afterwards.
"""

import copy
import hashlib
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from smugmug_backup.archive import schemas
from smugmug_backup.archive.readme import README_TEXT
from tests.tools import independent_reader
from tests.tools.independent_reader import assert_sound, look

AT = "2026-11-24T03:00:09Z"
EARLIER = "2026-11-20T03:00:09Z"
RUNS = ("20261123T030004Z-9b1d22aa", "20261124T030004Z-5f0c2a91")
CHECK = "20261123T060001Z-77aa01c2"
HARBOUR, ALPS = "hT4mWq", "con"
HARBOUR_DIR, ALPS_DIR = "hT4mWq=12", "con=0"
DIRS = {"V2xgTbs": "V2xgTbs=11", "film": "film", "gone-1": "gone-1"}


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def md5(body):
    return hashlib.md5(body).hexdigest()


def line_of(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


PHOTO, FILM, WRONG, GONE = b"photo bytes", b"film bytes", b"mismatched bytes", b"gone bytes"
NOTHING = {
    "key": None,
    "bytes": None,
    "sha256": None,
    "md5": None,
    "source_md5": None,
    "verified": False,
    "reason": None,
    "reason_since": None,
    "pending_since": None,
    "previous": None,
}
WAITS = {"reason_since": EARLIER, "pending_since": EARLIER}


class Hand:
    """A store made by hand: two albums, three generations, two runs, a check, one of everything.

    ``hooks``: functions by what they change (``record``, ``header``, ``line``, ``manifest_lines``,
    ``report``, ``check``, ``drill``, ``forgotten``, ``plan``, ``outcome``); each gets the object
    and what it is of.
    """

    def __init__(self, **hooks):
        self.files = {}
        self.hooks = hooks
        self.readme = README_TEXT.encode()
        self.files["README.txt"] = self.readme
        self.originals()
        self.albums()
        self.reports()
        self.others()

    def hook(self, name, value, *of):
        if name in self.hooks:
            self.hooks[name](value, *of)
        return value

    def original(self, directory, name, ext, body):
        key = f"originals/{directory}/{name}.{ext}"
        self.files[key] = body
        return {"key": key, "bytes": len(body), "sha256": sha256(body), "md5": md5(body)}

    def originals(self):
        self.photo = self.original("V2xgTbs=11", md5(PHOTO), "jpg", PHOTO)
        self.film = self.original("film", f"rev-{'ab' * 8}", "mp4", FILM)
        self.mismatch = self.original("mm", f"rev-{'cd' * 8}", "png", WRONG)
        self.gone = self.original("gone-1", md5(GONE), "heic", GONE)

    def records(self, album, directory, images):
        """Write a records file; returns (record, record_at, fingerprint) by image key."""
        body = (
            b'{"format":"smugmug-backup/records","version":1,"album_key":"%s"}\n' % album.encode()
        )
        places = {}
        for image in images:
            record = {
                "image": {"Caption": "Der Kai – 山", "Key": image, "id": 7},
                "image_key": image,
                "source": "smugmug-1.3.0",
                "urls": ["OriginalURL", "ThumbURL"],
            }
            self.hook("record", record, image)
            line = canonical(record)
            places[image] = [len(body), len(line)], sha256(line)[:16]
            body += line + b"\n"
        body = self.hooks.get("records_body", lambda body: body)(body)
        key = f"records/{directory}/{sha256(body)[:32]}.jsonl"
        self.files[key] = body
        return {image: (key, *place) for image, place in places.items()}

    def image(self, image, place, original, *, position=1, **fields):
        record, record_at, fingerprint = place
        return {
            "image_key": image,
            "image_id": 7,
            "file_name": "quay – 1.jpg",
            "record": record,
            "record_at": record_at,
            "fingerprint": fingerprint,
            "last_updated": "2024-08-10 21:03:19",
            "position": position,
            "original": {"kind": "original", "status": "stored", **NOTHING, **original},
            "missing_since": None,
            "deleted_at": None,
            **fields,
        }

    def manifest(self, album, directory, generation, previous, run, lines):
        lines = copy.deepcopy(lines)
        for line in lines:
            self.hook("line", line, album, generation)
        self.hook("manifest_lines", lines, album, generation)
        live = [e for e in lines if e["missing_since"] is None and e["deleted_at"] is None]
        header = {
            "format": "smugmug-backup/manifest",
            "version": 1,
            "album_key": album,
            "generation": generation,
            "previous": previous,
            "run_id": run,
            "written_at": AT,
            "account": {"nickname": "larkfield", "access": "owner"},
            "source": "smugmug-1.3.0",
            "title": "Harbour – 2024",
            "path": ["Travel", "Coast"],
            "album": {"Category": {"Name": "Travel", "id": 41}, "Key": album, "Title": "Häfen"},
            "urls": ["URL"],
            "image_count": len(live),
            "line_count": len(lines),
            "cursor": 1_795_316_400 + generation,
            "full_listing_at": AT,
            "deleted_at": None,
        }
        self.hook("header", header, album, generation)
        body = b"".join(map(line_of, [header, *lines]))
        self.files[f"manifests/{directory}/{generation:08d}.jsonl"] = body
        return header, lines, body

    def albums(self):
        first = self.records(HARBOUR, HARBOUR_DIR, ["V2xgTbs", "gone-1"])
        second = self.records(HARBOUR, HARBOUR_DIR, ["film", "mm", "p1", "u1"])
        other = self.records(ALPS, ALPS_DIR, ["V2xgTbs"])
        photo = {**self.photo, "source_md5": md5(PHOTO), "verified": True}
        gone = {**self.gone, "source_md5": md5(GONE), "verified": True}
        shown = self.image("V2xgTbs", first["V2xgTbs"], photo)
        left = self.image("gone-1", first["gone-1"], gone)
        self.made = {}
        self.made[HARBOUR, 1] = self.manifest(HARBOUR, HARBOUR_DIR, 1, None, RUNS[0], [shown, left])
        lines = [
            shown,
            self.image("film", second["film"], {**self.film, "kind": "rendition"}),
            {**left, "missing_since": EARLIER, "deleted_at": AT},
            self.image(
                "mm",
                second["mm"],
                {**self.mismatch, **WAITS, "reason": "md5_mismatch", "source_md5": "e" * 32},
            ),
            self.image(
                "p1",
                second["p1"],
                {**WAITS, "status": "pending", "reason": "processing"},
                position=None,
            ),
            self.image(
                "u1",
                second["u1"],
                {
                    **WAITS,
                    "kind": "none",
                    "status": "unavailable",
                    "reason": "no_original_url",
                },
            ),
        ]
        before = {"generation": 1, "sha256": sha256(self.made[HARBOUR, 1][2])}
        self.made[HARBOUR, 2] = self.manifest(HARBOUR, HARBOUR_DIR, 2, before, RUNS[1], lines)
        self.made[ALPS, 1] = self.manifest(
            ALPS, ALPS_DIR, 1, None, RUNS[0], [self.image("V2xgTbs", other["V2xgTbs"], photo)]
        )

    def entry(self, album, made, **fields):
        header, lines, body = self.made[album, made]
        live = [e for e in lines if e["missing_since"] is None and e["deleted_at"] is None]
        stored = [e["original"] for e in live if e["original"]["status"] == "stored"]
        return {
            "title": header["title"],
            "path": header["path"],
            "generation": made,
            "manifest_sha256": sha256(body),
            "album_fingerprint": sha256(canonical(header["album"]))[:16],
            "cursor": header["cursor"],
            "full_listing_at": AT,
            "listed_at": AT,
            "tried_at": AT,
            "image_count": header["image_count"],
            "bytes": sum(each["bytes"] or 0 for each in stored),
            "count_difference": 0,
            "pending": sum(
                e["original"]["status"] == "pending" or e["original"]["reason"] == "md5_mismatch"
                for e in live
            ),
            "unavailable": sum(e["original"]["status"] == "unavailable" for e in live),
            "unverified": sum(not each["verified"] for each in stored),
            "next_full": None,
            "doubt": None,
            "missing_since": None,
            "deleted_at": None,
            **fields,
        }

    def report(self, run, previous, albums, **fields):
        totals = albums.values()
        harbour = self.made[HARBOUR, albums[HARBOUR]["generation"]][1]
        data = {
            "format": "smugmug-backup/run-report",
            "version": 1,
            "run_id": run,
            "previous": previous,
            "status": "complete",
            "trigger": None,
            "attempt_of": None,
            "started_at": AT,
            "ended_at": AT,
            "dated_at": AT,
            "clock_doubted": False,
            "part": False,
            "account": {"nickname": "larkfield", "access": "owner", "formerly": []},
            "source": "smugmug-1.3.0",
            "complete_as_of": {"run_id": RUNS[0], "at": AT},
            "counts": {
                **dict.fromkeys(
                    (
                        "albums_changed",
                        "new",
                        "changed",
                        "missing",
                        "deleted",
                        "repaired",
                        "originals_stored",
                        "bytes_stored",
                        "cursor_misses",
                        "late_arrivals",
                        "api_calls",
                        "s3_requests",
                    ),
                    1,
                ),
                "albums": len(albums),
                "images": sum(each["image_count"] for each in totals),
                "pending": sum(each["pending"] for each in totals),
                "unavailable": sum(each["unavailable"] for each in totals),
                "unverified": sum(each["unverified"] for each in totals),
                "seconds": 7.5,
            },
            "failures": [],
            "more_failures": 0,
            "unavailable": [
                {"album_key": HARBOUR, "image_key": e["image_key"], "reason": "no_original_url"}
                for e in harbour
                if e["original"]["status"] == "unavailable"
            ],
            "more_unavailable": 0,
            "pending": [
                {
                    "album_key": HARBOUR,
                    "image_key": e["image_key"],
                    "reason": e["original"]["reason"],
                    "since": EARLIER,
                }
                for e in harbour
                if e["original"]["reason"] in ("processing", "md5_mismatch")
            ],
            "more_pending": 0,
            "check": None,
            "readme_sha256": sha256(self.readme),
            "ignored_albums": [],
            "notes": [],
            "albums": albums,
            **fields,
        }
        self.hook("report", data, run)
        body = line_of(data)
        self.files[f"runs/{run[:4]}/{run[4:6]}/{run}.json"] = body
        return body

    def reports(self):
        albums = {ALPS: self.entry(ALPS, 1), HARBOUR: self.entry(HARBOUR, 1)}
        self.first = self.report(RUNS[0], [], albums)
        self.check = {
            "format": "smugmug-backup/check-report",
            "version": 1,
            "run_id": CHECK,
            "previous": [],
            "started_at": AT,
            "ended_at": AT,
            "trigger": None,
            "sound": True,
            "history": True,
            "of_run": RUNS[0],
            "objects": 9,
            "read_objects": 9,
            "read_bytes": 999,
            "not_checked": [],
            "findings": [],
            "more_findings": 0,
            "accepted": [],
            "heads": [],
        }
        self.hook("check", self.check)
        check = line_of(self.check)
        self.files[f"checks/2026/11/{CHECK}.json"] = check
        nothing = {
            "generation": 0,
            "manifest_sha256": None,
            "album_fingerprint": None,
            "cursor": 0,
            "image_count": 0,
            "bytes": 0,
            "pending": 0,
            "unavailable": 0,
            "unverified": 0,
        }
        albums = {
            "Zc9": self.entry(ALPS, 1, **nothing),
            ALPS: self.entry(ALPS, 1),
            HARBOUR: self.entry(HARBOUR, 2),
        }
        self.second = self.report(
            RUNS[1],
            [{"run_id": RUNS[0], "sha256": sha256(self.first)}],
            albums,
            status="incomplete",
            check={
                "run_id": CHECK,
                "sha256": sha256(check),
                "ended_at": AT,
                "sound": True,
                "open": 0,
            },
        )
        self.state = albums[HARBOUR]
        self.seal = sha256(self.second)

    def others(self):
        self.files[f"runs/2026/11/{RUNS[1]}.html"] = b"<p>All is well.</p>\n"
        drill = {
            "format": "smugmug-backup/drill-report",
            "version": 1,
            "run_id": "20261124T070000Z-1a2b3c4d",
            "started_at": AT,
            "ended_at": AT,
            "of_run": RUNS[1],
            "seal": self.seal,
            "sampled": 1,
            "same": 1,
            "read_bytes": len(PHOTO),
            "years": [2024, 2024],
            "images": [
                {
                    "album_key": HARBOUR,
                    "image_key": "V2xgTbs",
                    "key": self.photo["key"],
                    "outcome": "same",
                    "message": None,
                }
            ],
        }
        self.hook("drill", drill)
        self.files["drills/2026/11/20261124T070000Z-1a2b3c4d.json"] = line_of(drill)
        forgotten = {
            "format": "smugmug-backup/forgotten",
            "version": 1,
            "image_key": "Old",
            "forgotten_at": AT,
            "keys": [f"originals/Old=1/{'a' * 32}.jpg"],
        }
        self.hook("forgotten", forgotten)
        self.files["forgotten/Old=1.json"] = line_of(forgotten)
        plan = {
            "albums": [
                {
                    "album": {
                        "key": HARBOUR,
                        "id": 5,
                        "title": "Harbour",
                        "path": [],
                        "image_count": 5,
                        "data": {"Title": "Harbour"},
                        "urls": ["URL"],
                        "changed_at": None,
                    },
                    "state": self.state,
                }
            ],
            "account": {"nickname": "larkfield", "access": "owner"},
            "accept_shrink": [],
            "check": None,
            "open_elsewhere": 0,
        }
        self.hook("plan", plan)
        self.files[f"work/{RUNS[1]}/plan.jsonl"] = line_of(plan)
        outcome = {
            "state": self.state,
            "failures": [],
            "unavailable": [],
            "pending": [],
            "notes": [],
            "mended": [],
            "counts": json.loads(self.second)["counts"],
            "committed": True,
            "left_over": False,
            "clock_doubted": False,
        }
        self.hook("outcome", outcome)
        self.files[f"work/{RUNS[1]}/{HARBOUR_DIR}-001.json"] = line_of(outcome)


def numbered(key, number=2):
    stem, dot, ext = key.rpartition(".")
    return f"{stem}.{number}{dot}{ext}"


def flipped(body):
    """The body with one bit of a letter in its middle changed."""
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


GOOD = Hand()
FIRST_REPORT = f"runs/2026/11/{RUNS[0]}.json"
SECOND_REPORT = f"runs/2026/11/{RUNS[1]}.json"
CHECK_REPORT = f"checks/2026/11/{CHECK}.json"
OLD, NEW = (f"manifests/{HARBOUR_DIR}/0000000{n}.jsonl" for n in (1, 2))
RECORDS = sorted(key for key in GOOD.files if key.startswith("records/"))
ORIGINALS = sorted(key for key in GOOD.files if key.startswith("originals/"))
CHAINED = [
    "README.txt",
    FIRST_REPORT,
    CHECK_REPORT,
    OLD,
    NEW,
    f"manifests/{ALPS_DIR}/00000001.jsonl",
    *RECORDS,
    *ORIGINALS,
]


# -- a good store ----------------------------------------------------------------------------------


def test_nothing_is_wrong_with_a_store_made_by_hand():
    reading = look(GOOD.files)
    assert reading.wrong == []
    assert reading.told == []


def test_all_but_what_stands_outside_is_proved_from_the_seal():
    reading = assert_sound(GOOD.files, seal=GOOD.seal)
    assert reading.proved == {*CHAINED, SECOND_REPORT}
    assert reading.heads == [(RUNS[1], GOOD.seal)]
    assert reading.albums[HARBOUR]["generation"] == 2
    assert reading.newest[HARBOUR][1]["p1"]["original"]["status"] == "pending"


def test_a_folder_and_a_store_read_as_a_mapping_does(tmp_path):
    class Listed:
        def __init__(self, key):
            self.key = key

    class Store:
        def list(self, prefix):
            return map(Listed, GOOD.files)

        def read(self, key):
            return GOOD.files[key]

    for key, body in GOOD.files.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    assert assert_sound(tmp_path).proved == assert_sound(Store()).proved
    run = [sys.executable, "-I", independent_reader.__file__, str(tmp_path)]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert printed.endswith(f"objects are proved by the seal {GOOD.seal}\n")


def test_it_imports_nothing_of_the_product():
    text = Path(independent_reader.__file__).read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported <= {"hashlib", "json", "os", "re", "sys", "datetime", "pathlib"}


def test_the_schemas_hold_for_what_is_made_by_hand():
    found = {name: [] for name in schemas.NAMES}
    kinds = {"runs": "run-report", "checks": "check-report", "drills": "drill-report"}
    for key, body in GOOD.files.items():
        top = key.split("/")[0]
        values = [json.loads(line) for line in body.splitlines()] if "json" in key else []
        if top in ("records", "manifests"):
            one = {"records": ("records-header", "record-line")}
            names = one.get(top, ("manifest-header", "manifest-line"))
            found[names[0]].append(values[0])
            found[names[1]] += values[1:]
        elif top == "work":
            found["plan-line" if key.endswith("plan.jsonl") else "outcome"] += values
        elif values:
            found[kinds.get(top, "forgotten")] += values
    for name, values in found.items():
        assert values, name
        for value in values:
            assert schemas.checker(name, strict=True)(value) is None


def test_a_second_look_with_a_cache_says_the_same_and_sees_what_changed():
    files, cache = dict(GOOD.files), {}
    assert look(files, cache=cache).proved == look(files, cache=cache).proved
    files[NEW] = flipped(files[NEW])
    assert look(files, cache=cache).wrong == look(files).wrong != []


# -- bytes that changed, objects that went ---------------------------------------------------------


def spoil(changes):
    files = dict(GOOD.files)
    for key, body in changes.items():
        if body is None:
            del files[key]
        else:
            files[key] = body
    return files


@pytest.mark.parametrize("key", CHAINED)
def test_a_flipped_bit_is_found(key):
    body = GOOD.files[key]
    for at in (0, len(body) // 2, len(body) - 1):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        name = key.removesuffix(".txt")
        assert any(name in each for each in look(spoil({key: changed})).wrong), at


def test_a_flipped_bit_in_the_newest_report_is_found_by_its_seal():
    changed = GOOD.files[SECOND_REPORT].replace(b'"notes":[]', b'"notes":["x"]')
    files = spoil({SECOND_REPORT: changed})
    # A drill has noted the seal, too.
    (wrong,) = [each for each in look(files, seal=GOOD.seal).wrong if "drills" not in each]
    assert wrong == f"no report that a head proves has the seal {GOOD.seal}"


@pytest.mark.parametrize("key", CHAINED)
def test_an_object_that_is_gone_is_found(key):
    wrong = look(spoil({key: None})).wrong
    names = "README" if key == "README.txt" else key
    if key == CHECK_REPORT:
        assert look(spoil({key: None})).told_of("no_checks")
    else:
        assert any(names in each for each in wrong)


def test_a_file_cut_at_the_end_of_a_line_is_found():
    body = GOOD.files[NEW]
    cut = body[: body[:-1].rindex(b"\n") + 1]
    assert any("lines and has" in each for each in look(spoil({NEW: cut})).wrong)


@pytest.mark.parametrize("key", CHAINED)
def test_a_numbered_name_with_the_right_bytes_counts(key):
    body = GOOD.files[key]
    other = look(spoil({key: flipped(body), numbered(key, 3): body}))
    assert other.wrong == []
    assert numbered(key, 3) in other.proved
    assert key not in other.proved
    missing = look(spoil({key: None, numbered(key): body}))
    assert missing.wrong == []


def test_a_numbered_manifest_with_other_bytes_does_not_count():
    files = spoil({OLD: None, numbered(OLD): GOOD.files[OLD] + b"\n"})
    assert any(OLD in each for each in look(files).wrong)


def test_a_record_that_was_moved_is_found_by_its_fingerprint():
    (named,) = (k for k in RECORDS if b'"Key":"film"' in GOOD.files[k])
    body = GOOD.files[named]
    header, *lines = body.splitlines(keepends=True)
    moved = b"".join([header, lines[0], lines[2], lines[3]])
    other = b"".join([header, lines[1]])
    files = spoil({named: None})
    for each in (moved, other):
        files[f"records/{HARBOUR_DIR}/{sha256(each)[:32]}.jsonl"] = each
    reading = look(files)
    assert reading.wrong == []
    assert len(reading.told_of("moved")) == 4


# -- what one file says ----------------------------------------------------------------------------


def on(of, **fields):
    """A hook for the line of image ``of``: other values in the line, or in its original."""

    def change(line, *_):
        if line["image_key"] == of:
            for name, value in fields.items():
                where = line if name in line else line["original"]
                where[name] = value

    return {"line": change}


def fields(hook, of=None, **values):
    """A hook: other values in the object, or in the one of ``of``."""

    def change(value, *what):
        if of is None or of in what:
            value.update(values)

    return {hook: change}


def nested(hook, *path, **values):
    """A hook: other values at a place in the newest object."""

    def change(value, *what):
        for step in path:
            if isinstance(value, dict) and step not in value:
                return
            value = value[step]
        value.update(values)

    return {hook: change}


def entry(album, **values):
    def change(report, run):
        if run == RUNS[1]:
            report["albums"][album].update(values)

    return {"report": change}


def second(**values):
    return fields("report", RUNS[1], **values)


def count(**values):
    def change(report, run):
        if run == RUNS[1]:
            report["counts"].update(values)

    return {"report": change}


OTHER = f"originals/other/{'a' * 32}.jpg"
AGAIN = {"key": OTHER, "bytes": 1, "sha256": "0" * 64, "md5": "a" * 32}
FAULTS = {
    # records
    "a volatile field": (nested("record", "image", ThumbURL="x"), "volatile field ThumbURL"),
    "a deep one": (nested("record", "image", Deep=[{"Uris": {}}]), "volatile field Uris"),
    "a Url": (nested("record", "image", WebUrl=""), "volatile field WebUrl"),
    "a position": (nested("record", "image", Position=3), "volatile field Position"),
    "a secret": (nested("record", "image", PasswordHint=None), "secret field PasswordHint"),
    "a token": (nested("record", "image", UploadToken="x"), "secret field UploadToken"),
    "a secret's name": (fields("record", urls=["GuestUploadURL"]), "secret GuestUploadURL"),
    "urls out of order": (fields("record", urls=["ThumbURL", "AURL"]), "does not sort its urls"),
    "no url": (fields("record", urls=["Caption"]), "urls[0] cannot be"),
    "an unknown source": (fields("record", source="web"), "source cannot be"),
    "another field": (fields("record", more=1), "more is a field that version 1 does not have"),
    "blanks": (
        {"records_body": lambda body: body.replace(b'"Key":', b'"Key": ')},
        "canonical JSON",
    ),
    "an escape": (
        {"records_body": lambda body: body.replace("山".encode(), b"\\u5c71")},
        "escapes a character",
    ),
    "records out of order": (
        {
            "records_body": lambda body: b"".join(
                [*body.splitlines(True)[:1], *body.splitlines(True)[:0:-1]]
            )
        },
        "is not sorted by image",
    ),
    "a header with blanks": (
        {"records_body": lambda body: body.replace(b'"version":1', b'"version": 1')},
        "does not begin as a records file does",
    ),
    "a records file of another album": (
        {"records_body": lambda body: body.replace(b'"hT4mWq"', b'"hT4mWQ"')},
        "has another directory",
    ),
    "an empty records file": (
        {"records_body": lambda body: body.split(b"\n")[0] + b"\n"},
        "has 0 images",
    ),
    "no last line end": ({"records_body": lambda body: body[:-1]}, "does not end its last line"),
    "another line end": (
        {"records_body": lambda body: body.replace(b"\n", b"\r\n")},
        "a line end that is not",
    ),
    "a mark": ({"records_body": lambda body: b"\xef\xbb\xbf" + body}, "byte order mark"),
    "a field twice": (
        {"records_body": lambda body: body.replace(b'"id":7', b'"id":7,"id":7')},
        "names a field twice",
    ),
    # a manifest's header
    "an album's volatile field": (
        nested("header", "album", "Category", Highlight={}),
        "volatile field Highlight",
    ),
    "an album's count": (nested("header", "album", ImageCount=5), "volatile field ImageCount"),
    "an album's date": (nested("header", "album", LastUpdated=""), "volatile field LastUpdated"),
    "an album's secret": (nested("header", "album", UploadKey=""), "secret field UploadKey"),
    "a wrong live count": (fields("header", 2, image_count=3), "live lines and has"),
    "a wrong line count": (fields("header", 2, line_count=9), "counts 9 lines"),
    "another generation": (fields("header", 2, generation=3), "says that it is generation 3"),
    "another album": (fields("header", 2, album_key="ht4mwq"), "of album ht4mwq"),
    "itself before it": (
        fields("header", 2, previous={"generation": 2, "sha256": "0" * 64}),
        "not before it",
    ),
    "nothing before it": (fields("header", 2, previous=None), "passes over a sound generation"),
    "other bytes before it": (
        fields("header", 2, previous={"generation": 1, "sha256": "0" * 64}),
        "different SHA-256 stated",
    ),
    "a cursor that went back": (fields("header", 2, cursor=1), "the cursor went back"),
    "positions without a listing": (
        fields("header", full_listing_at=None, cursor=0),
        "has positions and was never listed",
    ),
    "a cursor without a listing": (
        fields("header", full_listing_at=None),
        "was never listed in full",
    ),
    "a fraction": (fields("header", cursor=1.5), "cursor cannot be"),
    "a local time": (fields("header", written_at="2026-11-24T03:00:09"), "written_at cannot be"),
    "a date that is none": (
        fields("header", written_at="2026-02-30T03:00:09Z"),
        "written_at cannot be",
    ),
    "a greater version": (fields("header", version=2), "is of version 2"),
    "another format": (fields("header", format="smugmug-backup/other"), "format cannot be"),
    # a manifest's lines
    "lines out of order": (
        {"manifest_lines": lambda lines, *_: lines.reverse()},
        "is not sorted by image",
    ),
    "a line twice": (
        {"manifest_lines": lambda lines, *_: lines.insert(0, lines[0])},
        "or has one twice",
    ),
    "a line that has gone": (
        {"manifest_lines": lambda lines, album, n: n == 2 and lines.pop(0)},
        "the line of image V2xgTbs has gone",
    ),
    "a record without its place": (on("V2xgTbs", record_at=None), "without its place"),
    "a wrong place": (on("V2xgTbs", record_at=[69, 3]), "its record is not at"),
    "another fingerprint": (on("V2xgTbs", fingerprint="0" * 16), "its record is not at"),
    "a record of nobody": (
        on("V2xgTbs", record=f"records/{HARBOUR_DIR}/{'0' * 32}.jsonl", fingerprint="0" * 16),
        "no other file has the record",
    ),
    "another album's record": (
        on("V2xgTbs", record=f"records/other/{'0' * 32}.jsonl"),
        "is another album's",
    ),
    "another image's original": (on("V2xgTbs", key=OTHER), "is another image's"),
    "a missing field": (
        {"line": lambda line, *_: line["original"].pop("reason_since")},
        "reason_since is missing",
    ),
    "a wrong length": (on("V2xgTbs", bytes=3), "another length or MD5"),
    "a wrong MD5": (on("film", md5="a" * 32), "another length or MD5"),
    "a wrong SHA-256": (on("film", sha256="0" * 64), "does not have the SHA-256"),
    "not under its MD5": (
        on("film", kind="original", source_md5=md5(FILM), verified=True),
        "does not lie under its MD5",
    ),
    "verified against another MD5": (on("V2xgTbs", source_md5="e" * 32), "states another MD5"),
    "verified and not said": (on("V2xgTbs", verified=False), "is not verified"),
    "a mismatch not said": (
        on("V2xgTbs", verified=False, source_md5="e" * 32),
        "no reason says so",
    ),
    "a mismatch that is none": (on("mm", source_md5=md5(WRONG)), "is called a mismatch"),
    "a mismatch without since when": (on("mm", pending_since=None), "a mismatch without"),
    "stored with a reason": (on("film", reason="processing"), "stored with reason processing"),
    "stored and waiting": (on("film", pending_since=AT), "nothing open, and since when"),
    "stored with earlier bytes": (on("film", previous=AGAIN), "names earlier bytes"),
    "stored nowhere": (on("film", key=None), "does not name its bytes"),
    "pending with bytes": (on("p1", md5="a" * 32), "is pending and names bytes"),
    "pending and verified": (on("p1", verified=True), "is pending and verified"),
    "pending without reason": (on("p1", reason=None), "without a reason"),
    "pending without since when": (on("p1", reason_since=None), "or since when"),
    "earlier bytes that are not there": (
        on("p1", previous={**AGAIN, "key": f"originals/p1/{'a' * 32}.jpg"}),
        "is missing",
    ),
    "unavailable, not tried": (on("u1", reason="not_yet", kind="original"), "because of not_yet"),
    "none, with a URL": (on("u1", reason="too_large"), "of kind none with reason too_large"),
    "an unknown reason": (on("p1", reason="lazy"), "reason cannot be"),
    # reports
    "an album too many": (count(albums=4), "counts albums 4, its albums say 3"),
    "an image too many": (count(images=9), "counts images 9"),
    "a pending one too few": (count(pending=0), "counts pending 0"),
    "an unavailable one too few": (count(unavailable=0), "counts unavailable 0"),
    "an unverified one too few": (count(unverified=0), "counts unverified 0"),
    "a missing count": (
        {"report": lambda report, run: report["counts"].pop("repaired")},
        "counts.repaired is missing",
    ),
    "bytes of an album": (entry(HARBOUR, bytes=1), "bytes is 1, its manifest says"),
    "an album's fingerprint": (
        entry(HARBOUR, album_fingerprint="0" * 16),
        "album_fingerprint is 0000",
    ),
    "an album's unverified": (entry(HARBOUR, unverified=0), "unverified is 0"),
    "an album's pending": (entry(HARBOUR, pending=7), "pending is 7"),
    "an album's cursor": (entry(HARBOUR, cursor=3), "the cursor is behind"),
    "an album's burial": (entry(HARBOUR, deleted_at=AT), "its manifest does not say so"),
    "an album without a hash": (entry(HARBOUR, manifest_sha256=None), "does not say the hashes"),
    "a generation that is not there": (entry(HARBOUR, generation=3), "00000003.jsonl"),
    "a lower generation": (entry(HARBOUR, generation=0), "has a lower generation"),
    "more than nothing": (entry("Zc9", cursor=1), "more than an album without a generation"),
    "an album that is lost": (
        {"report": lambda report, run: run == RUNS[1] and report["albums"].pop(ALPS)},
        f"has lost album {ALPS}",
    ),
    "complete with failures": (
        fields("report", RUNS[0], more_failures=1),
        "is complete with failures",
    ),
    "complete and pending": (
        second(status="complete"),
        f"is complete, and album {HARBOUR} has images pending",
    ),
    "complete without a date": (fields("report", RUNS[0], dated_at=None), "without a date"),
    "complete and not so": (fields("report", RUNS[0], complete_as_of=None), "does not say so"),
    "incomplete and so": (
        second(complete_as_of={"run_id": RUNS[1], "at": AT}),
        "calls itself the newest complete one",
    ),
    "no complete one": (second(complete_as_of=None), "knows no complete report"),
    "another date": (
        second(complete_as_of={"run_id": RUNS[0], "at": EARLIER}),
        "another date than it has",
    ),
    "more than a thousand": (second(more_pending=3), "there are 3 more"),
    "a pending one that waits": (
        second(pending=[{"album_key": "a", "image_key": "b", "reason": "not_yet", "since": AT}]),
        "reason cannot be",
    ),
    "another report before it": (
        second(previous=[{"run_id": RUNS[0], "sha256": "0" * 64}]),
        "does not have the SHA-256",
    ),
    "itself": (second(previous=[{"run_id": RUNS[1], "sha256": "0" * 64}]), "names itself"),
    "another README": (second(readme_sha256="0" * 64), "no README"),
    "another check": (
        {"report": lambda report, run: report["check"] and report["check"].update(sound=False)},
        "says of its check what that does not",
    ),
    "a check of other bytes": (
        {"report": lambda report, run: report["check"] and report["check"].update(sha256="0" * 64)},
        "checks/2026/11",
    ),
    "half an account": (
        {"report": lambda report, run: report["account"].update(access=None)},
        "half of its account",
    ),
    "an earlier name that is lost": (
        {"report": lambda report, run: run == RUNS[0] and report["account"].update(formerly=["q"])},
        "earlier names",
    ),
    "a README that is lost": (second(readme_sha256=None), "does not carry on the readme_sha256"),
    "an unavailable one that is not": (
        second(unavailable=[{"album_key": HARBOUR, "image_key": "p1", "reason": "too_large"}]),
        "names as unavailable",
    ),
    "an unavailable one that is not named": (second(unavailable=[]), "does not name unavailable"),
    "a pending one of another date": (
        second(
            pending=[{"album_key": HARBOUR, "image_key": "p1", "reason": "processing", "since": AT}]
        ),
        "names as pending",
    ),
    "a pending one that is not named": (second(pending=[]), "does not name pending"),
    "another run": (second(run_id="20261124T030004Z-00000000"), "which has another name"),
    "another status": (second(status="done"), "status cannot be"),
    # all others
    "sound with a finding": (
        fields(
            "check",
            findings=[
                {
                    "key": "x",
                    "album_key": None,
                    "image_key": None,
                    "problem": "missing",
                    "scope": "state",
                    "since": AT,
                    "message": "",
                }
            ],
        ),
        "says sound and has the finding",
    ),
    "more findings": (fields("check", more_findings=1), "10,000 findings"),
    "a check before": (
        fields("check", previous=[{"run_id": CHECK.replace("06", "05", 1), "sha256": "0" * 64}]),
        "is missing",
    ),
    "a head that is none": (
        fields("check", heads=[{"run_id": RUNS[0], "sha256": "0" * 64}]),
        "head runs/2026/11",
    ),
    "a drill's count": (fields("drill", same=0), "does not count its images"),
    "a drill's seal": (fields("drill", seal="0" * 64), "has its seal"),
    "another forgotten": (fields("forgotten", image_key="old"), "which has another name"),
    "another's key": (fields("forgotten", keys=[OTHER]), "another image's"),
    "a plan's secret": (
        nested("plan", "albums", 0, "album", "data", Password="x"),
        "secret field Password",
    ),
    "a plan's address": (
        nested("plan", "albums", 0, "album", "data", URL="x"),
        "volatile field URL",
    ),
    "a plan's account": (fields("plan", account={"nickname": "x"}), "account.access is missing"),
    "an outcome's clock": (fields("outcome", clock_doubted=None), "clock_doubted cannot be"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_file_says_wrongly_is_found(fault):
    hooks, said = FAULTS[fault]
    wrong = look(Hand(**hooks).files).wrong
    assert any(said in each for each in wrong), wrong


def test_unknown_fields_are_wrong_only_for_a_writer():
    files = Hand(**fields("record", zzz=1), **fields("header", zzz=1)).files
    assert look(files, strict=False).wrong == []
    assert look(files).wrong


def test_a_record_that_is_lost_is_no_fault_if_the_report_names_it():
    lost = {"album_key": HARBOUR, "image_key": "u1", "reason": "record_lost"}
    hooks = on("u1", record=None, record_at=None)
    (wrong,) = look(Hand(**hooks).files).wrong
    assert "record_lost" in wrong

    def change(report, run):
        if run == RUNS[1]:
            report["unavailable"].append(lost)

    assert look(Hand(**hooks, report=change).files).wrong == []


def test_a_name_by_revision_follows_from_the_record():
    facts = [3, None, "MP4", None]
    name = f"originals/film/rev-{sha256(canonical([*facts, 'ThumbURL']))[:16]}.mp4"
    film = {**nested("record", "image", Serial=3, Format="MP4"), **on("film", key=name)}

    def wrong(hooks):
        files = {**Hand(**hooks).files, name: FILM}
        return [e for e in look(files, revisions=True).wrong if "film" in e]

    assert wrong(film) == []
    (said,) = wrong({**film, **nested("record", "image", Serial=4, Format="MP4")})
    assert said.endswith(f"{name} does not follow from its record")


def test_an_image_that_was_forgotten_has_lost_its_record_by_its_owner_s_word():
    gone = {"record": None, "record_at": None, "kind": "original", "reason": "forgotten"}
    changed = {**on("u1", **gone)}

    def change(report, run):
        for each in report["unavailable"]:
            each["reason"] = "forgotten"

    assert look(Hand(**changed, report=change).files).wrong == []


def test_a_damaged_records_file_is_told_if_every_record_lies_elsewhere_too():
    (named,) = (k for k in RECORDS if b'"Key":"film"' in GOOD.files[k])
    body = GOOD.files[named]
    header, *lines = body.splitlines(keepends=True)
    files = spoil({named: body.replace(b"Caption", b"caption")})
    for each in lines:
        alone = header + each
        files[f"records/{HARBOUR_DIR}/{sha256(alone)[:32]}.jsonl"] = alone
    reading = look(files)
    assert reading.wrong == []
    assert len(reading.told_of("moved")) == 4
    assert reading.told_of("damaged")


def test_an_original_whose_md5_is_stated_later_keeps_its_name():
    first = {"kind": "original", "verified": False}
    film = GOOD.made[HARBOUR, 2][1][1]

    def lines(all_lines, album, generation):
        if (album, generation) == (HARBOUR, 1):
            early = copy.deepcopy(film)
            early["original"].update(first)
            all_lines.insert(1, early)
        elif (album, generation) == (HARBOUR, 2):
            all_lines[1]["original"].update(first, source_md5=md5(FILM), verified=True)

    assert look(Hand(manifest_lines=lines).files).wrong == []


def test_a_reader_knows_the_bytes_that_a_line_calls_damaged():
    before = {**GOOD.film, "key": f"originals/p1/rev-{'ab' * 8}.mp4"}
    reading = look(Hand(**on("p1", reason="damaged", previous=before)).files)
    assert not any("originals/p1" in each for each in reading.wrong)
    assert reading.told_of("damaged")


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "directory"),
    [
        ("a-b_9", "a-b_9"),
        ("hT4mWq", "hT4mWq=12"),
        ("AB", "AB=3"),
        ("con", "con=0"),
        ("Con", "Con=1"),
        ("LPT9", "LPT9=7"),
        ("com0", "com0=0"),
        ("com", "com"),
        ("V2xgTbs", "V2xgTbs=11"),
    ],
)
def test_a_directory_has_the_mask_of_its_capitals(key, directory):
    assert independent_reader.directory(key) == directory


NAMES = {
    f"originals/V2xgTbs/{'a' * 32}.jpg": "wrong mask",
    f"originals/v2xgtbs=11/{'a' * 32}.jpg": "wrong mask",
    f"originals/V2xgTbs=011/{'a' * 32}.jpg": "wrong mask",
    f"originals/con/{'a' * 32}.jpg": "Windows reserves",
    "manifests/hT4mWq/00000001.jsonl": "wrong mask",
    "forgotten/Old.json": "wrong mask",
    f"work/{RUNS[1]}/hT4mWq-001.json": "wrong mask",
    "notes/aux.txt": "Windows reserves",
    f"runs/2025/11/{RUNS[1]}.json": "has another name",
    "readme.txt": "differ in case alone",
}


@pytest.mark.parametrize("key", NAMES)
def test_a_name_that_not_every_disk_can_hold_is_found(key):
    like = {"r": README_TEXT.encode(), "o": b"x", "n": b"x"}
    body = like.get(key[0], b"{}\n") if not key.startswith("runs") else GOOD.second
    wrong = look(spoil({key: body})).wrong
    assert any(NAMES[key] in each for each in wrong), wrong


def test_what_is_not_of_the_format_is_told():
    found = look(spoil({"photos.zip": b"", "manifests/notes.txt": b"", "runs/x.json": b""}))
    assert found.wrong == []
    assert found.told_of("ignored") == ["photos.zip is not of this format"]
    assert len(found.told_of("foreign")) == 2
    with pytest.raises(AssertionError, match="photos"):
        assert_sound(spoil({"photos.zip": b""}))


def test_what_a_killed_run_left_is_told():
    left = f"originals/new/{md5(b'new')}.jpg"
    found = assert_sound(spoil({left: b"new"}))
    assert found.told_of("leftover") == [f"{left} is named by no line"]


def test_bytes_under_a_name_that_is_not_theirs_are_told_if_no_line_names_them():
    left = f"originals/new/{md5(b'new')}.jpg"
    assert look(spoil({left: b"other"})).told_of("misnamed")
    with pytest.raises(AssertionError, match="is not what its name says"):
        assert_sound(spoil({left: b"other"}))


def test_a_generation_without_a_report_is_told_and_not_proved():
    files = spoil({SECOND_REPORT: None, "drills/2026/11/20261124T070000Z-1a2b3c4d.json": None})
    found = look(files)
    assert [each for each in found.wrong if "page" not in each] == []
    assert len(found.told_of("uncommitted")) == 1
    assert NEW not in found.proved
    assert OLD in found.proved


def test_two_heads_are_two_seals_and_both_prove():
    again = "20261124T030005Z-00000001"
    made = Hand()
    data = json.loads(made.second)
    data["run_id"] = again
    made.files[f"runs/2026/11/{again}.json"] = line_of(data)
    found = look(made.files)
    assert found.wrong == []
    assert [run for run, _ in found.heads] == [RUNS[1], again]
    assert len(found.seal) == 2


def test_a_report_from_the_future_does_not_count():
    found = look(GOOD.files, now="2026-11-23T12:00:00Z")
    assert found.told_of("future") == [f"{SECOND_REPORT} lies in the future"]
    assert look(GOOD.files, now="2026-11-23T16:00:00Z").told_of("future") == []


def test_two_lines_that_state_different_bytes_of_one_key_are_found():
    def change(line, album, generation):
        if album == ALPS:
            line["original"]["sha256"] = "0" * 64

    wrong = look(Hand(line=change).files).wrong
    assert any("state different SHA-256" in each for each in wrong)


def test_what_was_forgotten_may_be_missing():
    key = GOOD.photo["key"]
    files = spoil({key: None})
    forgotten = json.loads(files["forgotten/Old=1.json"])
    forgotten.update(image_key="V2xgTbs", keys=[key])
    files["forgotten/V2xgTbs=11.json"] = line_of(forgotten)
    found = look(files)
    assert found.wrong == []
    assert found.told_of("forgotten")


def test_a_page_has_no_script_and_no_link_to_elsewhere():
    key = f"runs/2026/11/{RUNS[1]}.html"
    for body in (b"<script>x</script>\n", b'<a href="https://example.com">x</a>\n'):
        assert any("script" in each for each in look(spoil({key: body})).wrong)


def test_a_secret_that_is_known_is_found_in_any_object():
    key = GOOD.photo["key"]
    assert look(GOOD.files, secrets=[PHOTO]).wrong == [f"{key} holds a secret"]


def test_damage_that_is_accepted_is_told():
    key = GOOD.photo["key"]
    found = look(spoil({key: b"other"}), accepted=[key])
    assert found.wrong == []
    assert found.told_of("damaged")


VALUES = (
    None,
    True,
    -1,
    0,
    1.5,
    "",
    "x",
    "stored",
    AT,
    RUNS[0],
    [],
    {},
    [1],
    [1, 2],
    {"a": 1},
    "\ud83d",
)


@pytest.mark.parametrize("seed", range(150))
def test_nothing_that_a_file_may_hold_makes_the_reader_fall(seed):
    dice = random.Random(seed)
    key = dice.choice([each for each in sorted(GOOD.files) if "json" in each])
    lines = [json.loads(line) for line in GOOD.files[key].splitlines()]
    place, step = lines, dice.randrange(len(lines))
    while place[step] and isinstance(place[step], (dict, list)) and dice.random() < 0.8:
        place = place[step]
        step = dice.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
    place[step] = dice.choice(VALUES)
    body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    look(spoil({key: body}), strict=dice.random() < 0.5)


def test_what_the_readme_tells_to_do_by_hand_proves_a_photo(tmp_path):
    for key, body in GOOD.files.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(body)

    def shell(command):
        ran = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=True)
        return ran.stdout.decode()

    assert "sha256sum FILE" in README_TEXT
    assert "tail -c +OFFSET FILE | head -c LENGTH" in README_TEXT
    newest = shell("ls runs/2026/11/*.json | tail -n 1").strip()
    assert shell(f"sha256sum {newest}").startswith(GOOD.seal)
    album = json.loads(shell(f"cat {newest}"))["albums"][HARBOUR]
    manifest = shell(f"ls manifests/{HARBOUR_DIR}/* | tail -n 1").strip()
    assert shell(f"sha256sum {manifest}").startswith(album["manifest_sha256"])
    line = json.loads(shell(f"grep V2xgTbs {manifest}"))
    key, (offset, length) = line["original"]["key"], line["record_at"]
    assert shell(f"sha256sum {key}").startswith(line["original"]["sha256"])
    assert shell(f"md5sum {key}").startswith(Path(key).stem)
    assert shell(f"sha256sum {line['record']}").startswith(Path(line["record"]).stem)
    record = f"tail -c +{offset + 1} {line['record']} | head -c {length}"
    assert json.loads(shell(record))["image_key"] == "V2xgTbs"
    assert shell(f"{record} | sha256sum").startswith(line["fingerprint"])
