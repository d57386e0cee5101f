"""A walk through the pages, as a person takes it; see `Watched` for what fails any of them."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.archive import HOSTILE


def open_album(page: Page, title: str = "Harbour 2024") -> None:
    page.get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)


def all_pictures_show(page: Page) -> bool:
    page.wait_for_load_state("networkidle")
    return bool(
        page.evaluate("[...document.images].every((i) => i.loading === 'lazy' || i.naturalWidth)")
    )


def test_the_address_loses_its_token(page: Page) -> None:
    assert "token" not in page.url


def test_from_the_albums_to_a_photo_and_on_by_the_keyboard_alone(page: Page) -> None:
    open_album(page)
    page.get_by_role("link", name="quay_001.jpg").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("quay_001.jpg")
    assert all_pictures_show(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text("quay_002.jpg")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text("quay_001.jpg")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Harbour 2024")


def test_the_slider_goes_back_to_the_first_night_and_to_now_again(page: Page) -> None:
    open_album(page)
    expect(page.locator(".grid .cell")).to_have_count(5)
    slider = page.get_by_role("slider")
    expect(slider).to_be_enabled()
    slider.focus()
    with page.expect_navigation():
        page.keyboard.press("Home")
    expect(page.locator(".grid .cell")).to_have_count(4)
    expect(page.locator("#night")).to_contain_text("24 Nov 2026")
    page.get_by_role("link", name="back to now").click()
    expect(page.locator(".grid .cell")).to_have_count(5)


def test_what_changed_is_marked_in_the_grid(page: Page) -> None:
    page.get_by_role("link", name="What changed").click()
    page.get_by_label("from").select_option(label="24 Nov 2026, 03:00 UTC")
    page.get_by_role("button", name="Show").click()
    open_album(page)
    expect(page.locator(".cell.came")).to_have_count(1)
    expect(page.locator(".cell.changed")).to_have_count(3)


def test_a_search_finds_whatever_accents_and_case(page: Page) -> None:
    page.get_by_role("searchbox").fill("MOWE uber")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 image")
    page.get_by_role("link", name="möwe über dem hafen.jpg").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("möwe über dem hafen.jpg")


def test_a_hostile_caption_is_text(page: Page) -> None:
    open_album(page)
    page.get_by_role("link", name="möwe über dem hafen.jpg").first.click()
    caption = page.locator("figcaption.caption")
    expect(caption).to_contain_text("<script>document.title = 'hit'</script><img src=x")
    expect(caption).to_contain_text("{{ 7 * 7 }}")
    assert page.title() != "hit" and len(caption.inner_text()) > len(HOSTILE) * 0.9
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide


def test_a_photo_that_left_is_there_and_says_so(page: Page) -> None:
    page.get_by_role("link", name="Gone from SmugMug").click()
    page.get_by_role("link", name="scan.jpg").click()
    expect(page.get_by_role("note")).to_contain_text("no more since")
    assert all_pictures_show(page)


def test_a_replaced_photo_shows_both_pictures(page: Page) -> None:
    open_album(page)
    page.get_by_role("link", name="quay_002.jpg").first.click()
    expect(page.locator(".both figure")).to_have_count(2)


def test_a_video_is_read_in_parts(page: Page, watched) -> None:
    open_album(page)
    statuses = []
    page.on("response", lambda r: statuses.append(r.status) if "/original/" in r.url else None)
    page.get_by_role("link", name="ferry.mov").first.click()
    expect(page.locator("video")).to_be_visible()
    body = page.evaluate(
        """async () => {
          const url = document.querySelector("video").src;
          const answer = await fetch(url, { headers: { Range: "bytes=4-7" } });
          return [answer.status, await answer.text()];
        }"""
    )
    assert body == [206, "ftyp"]
    # The demo's video is a box without pictures in it, which the player says in its own words.
    watched.told[:] = [each for each in watched.told if "/original/" not in each]


def test_every_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for name in ("Albums", "What changed", "Gone from SmugMug", "What needs you", "Runs"):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_everything_that_can_be_asked_has_a_name_for_a_screen_reader(page: Page) -> None:
    for name in ("Albums", "What changed", "Runs"):
        page.get_by_role("link", name=name, exact=True).click()
        nameless = page.evaluate(
            """[...document.querySelectorAll("a, button, input, select, img")].filter((each) => {
              const label = each.labels && each.labels.length;
              const text = each.textContent.trim() || each.getAttribute("aria-label");
              return !label && !text && each.getAttribute("alt") === null;
            }).map((each) => each.outerHTML)"""
        )
        assert nameless == []
        assert page.evaluate("document.querySelectorAll('h1').length") >= 1


# -- files ----------------------------------------------------------------------------------------


def test_pages_from_a_disk_open_search_and_show_history(watched, static: Path) -> None:
    page = watched.page
    page.goto((static / "index.html").as_uri())
    page.get_by_role("link", name="Harbour 2024").click()
    photo = page.locator(".photo", has_text="quay_001.jpg")
    photo.get_by_text("More").click()
    expect(photo).to_contain_text("came (“The old quay”)")
    page.get_by_role("link", name="Search").click()
    page.get_by_role("searchbox").fill("MOWE")
    expect(page.get_by_role("status")).to_have_text("1 found")
    page.get_by_role("link", name="möwe").click()
    expect(page.locator(".photo:target")).to_contain_text("<script>document.title = 'hit'</script>")
    assert all_pictures_show(page)
    page.get_by_role("link", name="Gone from SmugMug").click()
    expect(page.get_by_role("link", name="Drafts")).to_be_visible()
