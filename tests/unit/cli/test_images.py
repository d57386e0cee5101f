"""`smugmug-backup images`."""

from smugmug_backup.errors import AccessRefused


def test_images_stand_in_the_order_of_the_album_and_what_left_stands_last(shell, sample, folder):
    ran = shell("images", folder, "harbour")
    head, *rows = [line.split("\t") for line in ran.out.splitlines()]
    assert head == ["File", "Updated", "Size", "State", "Key"]
    assert [row[0] for row in rows] == [
        "DSC_00003.JPG",
        "DSC_00004.JPG",
        "DSC_00006.JPG",
        "DSC_00007.JPG",
        "late.jpg",
        "DSC_00005.JPG",
    ]
    assert rows[-1][3] == "gone 2026-11-27"
    assert rows[-2][2:4] == ["-", "pending: refused_by_source"]


def test_what_is_not_simply_there_says_why(shell, sample, folder):
    out = shell("images", folder, "Alps \u2014 \u5c71").out
    assert "no_original.jpg\t2026-11-24 03:00:00\t-\tunavailable: no_original_url\t" in out
    assert "unverified: SmugMug states no MD5" in out


def test_json_has_the_manifests_own_lines(shell, sample, folder):
    said = shell("images", folder, "alps", "--json").json
    assert said["title"] == "Alps \u2014 \u5c71"
    lines = [entry.as_json() for entry in sample.nights.manifest("alps").entries.values()]
    assert sorted(said["images"], key=lambda each: each["image_key"]) == lines


def test_a_hostile_file_name_cannot_drive_the_terminal(shell, sample, folder):
    sample.source.upload("alps", file_name="\x1b]0;gone\x07\n[bold]&lt;x&gt;.jpg")
    sample.nights.next_night()
    out = shell("images", folder, "alps").out
    assert "\x1b" not in out and "[bold]<x>.jpg" in out


def test_a_damaged_album_is_told_by_the_version_before_and_hides_no_other(shell, sample, folder):
    newest = max((folder / "manifests" / "harbour").iterdir())
    newest.write_bytes(newest.read_bytes()[:-9])
    ran = shell("images", folder, "Alps \u2014 \u5c71")
    assert (ran.status, ran.err) == (0, "")
    ran = shell("images", folder, "harbour")
    assert ran.status == 1
    assert ran.err.startswith(f"problem: manifests/harbour/{newest.name} ")
    assert "what follows is version" in ran.err
    assert "DSC_00003.JPG" in ran.out and "late.jpg" not in ran.out


def test_an_album_of_which_nothing_is_left_says_so(shell, sample, folder):
    for manifest in (folder / "manifests" / "alps").iterdir():
        manifest.write_bytes(b"{")
    ran = shell("images", folder, "alps")
    assert ran.status == 2 and "manifests/alps/" in ran.err


def test_an_album_that_could_never_be_fetched_says_so(shell, sample, folder):
    sample.source.album("closed", "Closed", images=1)
    sample.source.errors["images:closed"] = AccessRefused("wrong password")
    sample.nights.next_night()
    ran = shell("images", folder, "Closed")
    assert ran.status == 2 and "nothing of Travel / Closed is stored yet" in ran.err
    assert "nothing yet\tclosed" in shell("albums", folder).out


def test_a_title_that_two_albums_have_names_both(shell, sample, folder):
    sample.source.album("other", "Harbour &amp; Quay 2024", images=1)
    sample.nights.next_night()
    ran = shell("images", folder, "Harbour & Quay 2024")
    assert ran.status == 2 and "harbour (" in ran.err and "other (" in ran.err


def test_the_example_of_the_help_runs(shell, sample, folder):
    sample.source.album("hT4mWq", "Harbour 2024", images=1)
    sample.nights.next_night()
    line = shell("images", "--help").out.strip().splitlines()[-1]
    assert shell.line(line.replace("~", str(folder.parent)).strip()).status == 0
