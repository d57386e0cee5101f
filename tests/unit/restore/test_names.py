"""Names and plans, whatever a record says; nothing is written."""

import unicodedata
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smugmug_backup.archive.manifest import Entry, Header, Manifest, Original
from smugmug_backup.model import Account
from smugmug_backup.restore.choice import Choice, Gone
from smugmug_backup.restore.names import (
    FILE_BYTES,
    FOLDER_BYTES,
    Taken,
    file_name,
    identity,
    safe_name,
)
from smugmug_backup.restore.plan import folders, plan

NIGHT = datetime(2026, 11, 24, 3, tzinfo=UTC)
steady = settings(derandomize=True, deadline=None, max_examples=60)

STORED = ("jpg", "png", "mp4", "mov", "bin")

# fmt: off
HOSTILE_NAMES = [
    "..", ".", "/etc/passwd", "../../x.jpg", "..\\..\\x.jpg", "C:\\x.jpg", "\\\\server\\share",
    "CON", "con.jpg", "NUL.tar.jpg", "Com1", "LPT¹.jpg", "aux .jpg", "CONIN$", " CON",
    "x" * 300 + ".jpg",
    "ß" * 300, "😀" * 100 + ".jpg", "a.jpg ", "a.jpg.", "a.jpg...", " a.jpg",
    "A.JPG", "a.jpeg", "\u202egpj.exe", "a\x00.jpg", "a\n.jpg", "e\u0301.jpg", "\u00e9.jpg",
    "É.JPG", "\ud83d.jpg", "\uf022.jpg", "&#47;etc&#x2f;x", "&amp;lt;.jpg", ".hidden", ".jpg",
    "a.jpg.json", "a.xmp", "a.json", "", " ", "...", "~", "-rf", "ﬁ.jpg", "K.jpg", "k.jpg",
    "a (i1).jpg", "a (i2).jpg", ".smugmug-restore", "a\u200d.jpg", "ſ.jpg", "s.jpg",
    "\ufeffa.jpg",
    "👨‍👩‍👧.jpg", "שלום.jpg", "photo.exe", "a:b.jpg", "a.jpg:stream", "\u0345.jpg",
    "ı.jpg", "I.jpg",
]
# fmt: on
HOSTILE = st.sampled_from(HOSTILE_NAMES)
TEXTS = st.one_of(HOSTILE, st.text(max_size=12), st.text("aA.é/ \\", max_size=4))


def is_safe(name: str, limit: int) -> bool:
    stem = name.split(".")[0].rstrip().upper()
    return (
        0 < len(name.encode()) <= limit
        and not set('<>:"/\\|?*') & set(name)
        and not any(unicodedata.category(c) in ("Cc", "Cs", "Co") for c in name)
        and not name.startswith((".", " "))
        and not name.endswith((".", " "))
        and stem not in ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$")
        and not (stem[:3] in ("COM", "LPT") and stem[3:] in set("0123456789¹²³"))
        and PurePosixPath(name).name == PureWindowsPath(name).name == name
        and unicodedata.is_normalized("NFC", name)
    )


@steady
@given(TEXTS)
def test_any_text_becomes_the_name_of_one_file_on_any_system(text: str) -> None:
    name = safe_name(text, limit=FOLDER_BYTES, fallback="hT4mWq")
    assert is_safe(name, FOLDER_BYTES)
    assert safe_name(name, limit=FOLDER_BYTES, fallback="x") == name or "&" in name


@steady
@given(TEXTS, st.sampled_from(STORED))
def test_any_file_name_becomes_a_safe_one_with_an_extension(text: str, stored: str) -> None:
    stem, extension = file_name(text, stored=stored, fallback="pW7dQkN")
    assert is_safe(stem + extension, FILE_BYTES)
    assert extension.startswith(".")


@steady
@given(st.text(max_size=8))
def test_identity_ignores_case_and_composition(text: str) -> None:
    for other in (text.upper(), text.casefold(), unicodedata.normalize("NFD", text)):
        assert identity(other) == identity(text) or text.upper().casefold() != text.casefold()
    assert identity(unicodedata.normalize("NFC", text)) == identity(text)


@pytest.mark.parametrize("unseen", ["\u200c", "\u200d", "\u2060", "\ufe0f"])
def test_names_that_differ_in_what_nobody_sees_are_one_file(unseen: str) -> None:
    assert identity(f"a{unseen}b") == identity("ab")


def test_a_photo_that_is_already_called_as_another_would_be_gets_a_number() -> None:
    taken = Taken(["x.jpg", "x (K).jpg", "x (K 2).jpg"])
    assert taken.take("x", ".jpg", key="K", limit=FILE_BYTES) == "x (K 3).jpg"


@pytest.mark.parametrize(
    ("had", "stored", "gets"),
    [
        ("quay_001.jpg", "jpg", "quay_001.jpg"),
        ("DSC_1.JPG", "jpg", "DSC_1.JPG"),
        ("a.jpeg", "jpg", "a.jpeg"),
        ("ferry.mov", "mp4", "ferry.mp4"),
        ("ferry.m4v", "mp4", "ferry.m4v"),
        ("DSC_1.NEF", "jpg", "DSC_1.jpg"),
        ("DSC_1.NEF", "bin", "DSC_1.NEF"),
        ("x.jpg", "bin", "x.bin"),
        ("IMG.2024", "jpg", "IMG.2024.jpg"),
        ("photo.exe", "jpg", "photo.exe.jpg"),
        ("photo.exe", "bin", "photo.exe.bin"),
        ("Tom &amp; Jerry.jpg", "jpg", "Tom & Jerry.jpg"),
        ("a &amp;lt; b.jpg", "jpg", "a &lt; b.jpg"),
        (None, "jpg", "pW7dQkN.jpg"),
        ("../../etc/passwd", "jpg", "__.._etc_passwd.jpg"),
        ("CON.jpg", "jpg", "_CON.jpg"),
        ("a/b.jpg", "jpg", "a_b.jpg"),
        ("👨‍👩‍👧.jpg", "jpg", "👨‍👩‍👧.jpg"),
        ("e\u0301te\u0301.jpg", "jpg", "été.jpg"),
        ("\u202egpj.exe", "jpg", "gpj.exe.jpg"),
        (["list"], "jpg", "pW7dQkN.jpg"),
    ],
)
def test_a_file_keeps_its_name_as_far_as_that_is_safe_and_true(
    had: object, stored: str, gets: str
) -> None:
    assert "".join(file_name(had, stored=stored, fallback="pW7dQkN")) == gets


@steady
@given(st.lists(TEXTS, max_size=8))
def test_a_folder_never_gives_a_name_twice(texts: list[str]) -> None:
    taken, given_names = Taken(), []
    for number, text in enumerate(texts):
        stem, extension = file_name(text, stored="jpg", fallback="x")
        given_names.append(taken.take(stem, extension, key=f"i{number}", limit=FILE_BYTES))
    assert len({identity(name) for name in given_names}) == len(given_names)
    assert all(is_safe(name, FILE_BYTES) for name in given_names)


# -- plans -------------------------------------------------------------------------------------


def header(
    key: str, title: str = "Harbour", path: tuple[str, ...] = (), **fields: object
) -> Header:
    values: dict[str, object] = {
        "generation": 1,
        "run_id": "20261124T030000Z-00000001",
        "written_at": NIGHT,
        "account": Account("larkfield", "owner"),
        "source": "smugmug-1.3.0",
        "previous": None,
        "album": {"Key": key},
        "urls": (),
        "image_count": 0,
        "line_count": 0,
        "cursor": 0,
        "full_listing_at": None,
        "deleted_at": None,
        **fields,
    }
    return Header(album_key=key, title=title, path=path, **values)  # type: ignore[arg-type]


def entry(
    key: str, name: str | None, *, number: int = 1, stored: str = "jpg", **fields: object
) -> Entry:
    original = Original(
        kind="original",
        status="stored",
        key=f"originals/{key}/{number:032x}.{stored}",
        bytes=3,
        sha256="a" * 64,
        md5=f"{number:032x}",
    )
    values: dict[str, object] = {"original": original, "last_updated": None, **fields}
    return Entry(
        image_key=key,
        image_id=number,
        file_name=name,
        record=f"records/a/{number:032x}.jsonl",
        record_at=(68, 100),
        fingerprint="0123456789abcdef",
        position=1,
        **values,  # type: ignore[arg-type]
    )


def chosen(*entries: Entry, key: str = "a", title: str = "A") -> Manifest:
    return Manifest(header(key, title), {each.image_key: each for each in entries})


TOO = Choice(Gone.TOO)


def names(*entries: Entry, deleted: bool = False) -> dict[str, str]:
    made = plan([chosen(*entries)], {"a": "A"}, choice=TOO if deleted else None)
    return {target.image_key: target.path.removeprefix("A/") for target in made.targets}


def test_of_several_images_with_one_name_the_one_uploaded_first_has_it() -> None:
    one, two = entry("zz", "DSC_1.JPG", number=1), entry("aa", "dsc_1.jpg", number=2)
    assert names(two, one) == {"zz": "DSC_1.JPG", "aa": "dsc_1 (aa).jpg"}


def test_names_are_the_same_with_and_without_what_has_gone() -> None:
    gone = entry("old", "x.jpg", number=1, deleted_at=NIGHT)
    live = entry("new", "x.jpg", number=2)
    assert names(gone, live) == {"new": "x.jpg"}
    assert names(gone, live, deleted=True) == {"new": "x.jpg", "old": "x (old).jpg"}


@pytest.mark.parametrize("sidecars", [("json",), ("adobe",), ("xmp", "json"), ()])
@steady
@given(
    st.lists(st.tuples(TEXTS, st.sampled_from(STORED), st.booleans(), st.booleans()), max_size=7)
)
def test_no_two_files_of_an_album_collide_and_no_option_changes_a_name(
    sidecars: tuple[str, ...], images: list[tuple[str, str, bool, bool]]
) -> None:
    entries = [
        entry(f"i{n}", name, number=n, stored=stored, deleted_at=NIGHT if gone else None)
        for n, (name, stored, gone, _) in enumerate(images)
    ]
    made = plan([chosen(*entries)], {"a": "A"}, sidecars=sidecars, choice=TOO)
    files = [t.path for t in made.targets] + [s for t in made.targets for s in t.sidecars]
    assert len(files) == len(made.targets) * (1 + len(sidecars))
    assert len({identity(path) for path in files}) == len(files)
    for path in files:
        folder, name = path.split("/")
        assert folder == "A"
        assert is_safe(name, 255)
    paths = {target.image_key: target.path for target in made.targets}
    part = plan([chosen(*reversed(entries))], {"a": "A"}, sidecars=())
    assert all(paths[target.image_key] == target.path for target in part.targets)


def test_an_image_that_waits_for_its_bytes_keeps_its_name_for_them() -> None:
    waiting = entry("w", "x.jpg", number=1, original=Original("original", "pending"))
    made = plan([chosen(waiting, entry("v", "x.jpg", number=2))], {"a": "A"})
    assert [target.path for target in made.targets] == ["A/x (v).jpg"]
    assert [(p.path, p.code) for p in made.problems] == [("A/x.jpg", "not_in_backup")]


def test_adobe_gets_its_sidecar_name_where_it_is_unambiguous() -> None:
    entries = (
        entry("a", "one.jpg", number=1),
        entry("b", "two.jpg", number=2),
        entry("c", "two.mov", number=3, stored="mov"),
    )
    made = plan([chosen(*entries)], {"a": "A"}, sidecars=("adobe",))
    expected = ["A/one.xmp", "A/two.jpg.xmp", "A/two.mov.xmp"]
    assert [s for t in made.targets for s in t.sidecars] == expected


@pytest.mark.parametrize(
    "harm",
    [
        {"key": "originals/../../etc/passwd.jpg"},
        {"key": "/etc/passwd"},
        {"sha256": None},
        {"sha256": "../x"},
        {"bytes": "3"},
        {"bytes": None},
    ],
)
def test_a_line_that_makes_no_sense_is_named_and_not_followed(harm: dict[str, object]) -> None:
    values = {"key": f"originals/x/{1:032x}.jpg", "bytes": 3, "sha256": "a" * 64, "md5": "b" * 32}
    values |= harm
    bad = entry("x", "x.jpg", original=Original("original", "stored", **values))  # type: ignore[arg-type]
    made = plan([chosen(bad)], {"a": "A"})
    assert [problem.code for problem in made.problems] == ["damaged"]
    assert not made.targets


def test_albums_lie_in_the_folders_of_their_path() -> None:
    found = folders(
        [
            header("hT4mWq", "Harbour &amp; Quay", ("Travel", "Coast")),
            header("Zc9RkD", "Scans", ()),
            header("x", "", ("Travel",)),
        ]
    )
    assert found == {"hT4mWq": "Travel/Coast/Harbour & Quay", "Zc9RkD": "Scans", "x": "Travel/x"}


def test_albums_of_one_name_all_bear_their_keys() -> None:
    found = folders([header("k1", "Misc", ("T",)), header("k2", "MISC", ("t",))])
    assert found == {"k1": "T/Misc (k1)", "k2": "T/MISC (k2)"}


def test_an_album_that_has_gone_gives_way() -> None:
    found = folders([header("a", "Misc", deleted_at=NIGHT), header("b", "Misc")])
    assert found == {"a": "Misc (a)", "b": "Misc"}


def test_an_album_never_shares_a_folder_with_a_folder_of_albums() -> None:
    found = folders([header("k1", "Coast", ("Travel",)), header("k2", "Bay", ("Travel", "coast"))])
    assert found == {"k1": "Travel/Coast (k1)", "k2": "Travel/coast/Bay"}


@steady
@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, max_size=3), st.booleans()), max_size=7))
def test_no_album_lies_in_another_or_outside(albums: list[tuple[str, list[str], bool]]) -> None:
    headers = [
        header(f"k{n}", title, tuple(path), deleted_at=NIGHT if gone else None)
        for n, (title, path, gone) in enumerate(albums)
    ]
    found = folders(headers)
    assert found == folders(reversed(headers))
    homes = [identity(path) for path in found.values()]
    assert len(set(homes)) == len(homes) == len(albums)
    for one in homes:
        assert not any(other.startswith(f"{one}/") for other in homes)
    for path in found.values():
        assert all(is_safe(part, FOLDER_BYTES + 80) for part in path.split("/"))


@pytest.mark.parametrize("text", [".", "..", "...", " . ", "", None])
def test_a_name_of_nothing_but_dots_gives_way_to_the_key(text: object) -> None:
    assert safe_name(text, limit=FOLDER_BYTES, fallback="hT4mWq") == "hT4mWq"
