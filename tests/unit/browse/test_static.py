"""Pages as files: all of it is there, a second call writes nothing, nobody's files are touched."""

import re
import sys

import pytest

from smugmug_backup.browse.originals import Originals
from smugmug_backup.browse.static import StaticSite
from smugmug_backup.errors import BadRequest


@pytest.fixture
def write(served, tmp_path):
    def write(**more):
        pictures = served.site._pictures
        return StaticSite(served.views, pictures, tmp_path / "pages", **more).write()

    return write


def pages(tmp_path):
    found = (tmp_path / "pages").rglob("*.html")
    return {p.relative_to(tmp_path / "pages").as_posix(): p.read_text() for p in found}


def test_every_album_and_every_photo_has_its_place(served, write, tmp_path):
    write()
    found = pages(tmp_path)
    assert {"index.html", "gone.html", "search.html", "albums/harbour/1.html"} <= found.keys()
    for (key,) in served.db.execute("SELECT image_key FROM images"):
        assert any(f'id="{key}"' in html for html in found.values()), key
    assert "changed at SmugMug" in found["albums/harbour/1.html"]
    assert "SmugMug shows it here no more" in found["albums/harbour/1.html"]


def test_every_link_leads_to_a_file_and_none_elsewhere(write, tmp_path, served):
    write(originals=Originals(served.archive))
    for name, html in pages(tmp_path).items():
        for link in re.findall(r'(?:href|src)="([^"#]+)', html):
            assert "://" not in link and not link.startswith("/"), (name, link)
            assert ((tmp_path / "pages" / name).parent / link).resolve().exists(), (name, link)


def test_a_second_call_writes_nothing(write):
    first, second = write(), write()
    assert first.written > 5 and first.removed == 0
    assert (second.written, second.removed) == (0, 0)


def test_a_call_after_a_change_writes_what_changed_and_removes_what_is_gone(served, write):
    write()
    served.sample.source.touch(served.sample.source.world["harbour"].images[0], caption="Newer")
    served.sample.nights.next_night()
    served.update()
    done = write()
    # The album's page, the words of the search, and the footer's date on all of them.
    assert 2 <= done.written <= 8
    assert write().written == 0


def test_as_of_a_night_shows_what_was_there_then(served, write, tmp_path):
    write(at=served.views.nights()[0].at)
    assert "Old things" in pages(tmp_path)["index.html"]


def test_a_picture_that_another_library_makes_better_is_made_anew(served, write, monkeypatch):
    """Of a RAW that begins as a TIFF, its tiny picture, until there is rawpy."""
    served.db.execute("UPDATE image_versions SET key = key || '.tif'")
    served.db.execute("UPDATE image_versions SET md5 = 'ab' WHERE version_id = 1")
    made = []

    def jpeg(image, edge):
        made.append(image.md5)
        return b"a picture"

    monkeypatch.setattr(served.site._pictures, "jpeg", jpeg)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "rawpy", None)
        write()
        count = len(made)
        write()
        assert count and len(made) == count
    write()
    assert len(made) == 2 * count


def test_originals_are_copied_once_and_a_lost_one_is_named(served, write, tmp_path):
    lost = next(key for key in served.sample.store.objects if key.startswith("originals/"))
    del served.sample.store.objects[lost]
    done = write(originals=Originals(served.archive))
    assert len(done.failed) == 1 and lost in done.failed[0]
    copied = list((tmp_path / "pages" / "originals").rglob("*.jpg"))
    assert len(copied) > 3 and all(p.stat().st_size for p in copied)
    assert write(originals=Originals(served.archive)).written == 0


def test_an_original_that_is_damaged_is_named_and_not_copied(served, write, tmp_path):
    objects = served.sample.store.objects
    key = next(key for key in objects if key.startswith("originals/"))
    objects[key] = bytes(len(objects[key]))
    done = write(originals=Originals(served.archive))
    assert len(done.failed) == 1 and key in done.failed[0]
    assert not (tmp_path / "pages" / key).exists()
    assert not list((tmp_path / "pages").rglob("*.part"))


def test_a_folder_of_somebody_elses_is_left_alone(write, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "letter.txt").write_text("mine")
    with pytest.raises(BadRequest, match="not empty"):
        write()
    assert [each.name for each in (tmp_path / "pages").iterdir()] == ["letter.txt"]


def test_a_list_that_names_files_outside_removes_nothing_there(write, tmp_path):
    write()
    mine = tmp_path / "letter.txt"
    mine.write_text("mine")
    listed = tmp_path / "pages" / "files.json"
    listed.write_text(listed.read_text().replace('"index.html"', '"../letter.txt", "index.html"'))
    write()
    assert mine.exists()


def test_a_caption_may_hold_anything(served, write, tmp_path):
    image = served.sample.source.world["harbour"].images[0]
    served.sample.source.touch(image, caption="</script><script>alert(1)</script>")
    served.sample.nights.next_night()
    served.update()
    write()
    assert all("<script>alert" not in html for html in pages(tmp_path).values())
    assert "</script>" not in (tmp_path / "pages" / "search" / "1.js").read_text()
