"""The page of costs says what prices and counted requests make; `rules/test_requests.py` counts."""

from tests.tools import costs
from tests.tools.readme import DOCS

PAGE = (DOCS / "costs.md").read_text(encoding="utf-8")


def test_every_figure_of_the_table_is_computed():
    shown = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert shown == list(costs.table())


def test_the_figures_in_words_are_those_of_the_table():
    small, large = (costs.Account(size).rows() for size in (costs.SIZES[0], costs.SIZES[-1]))
    assert f"About {costs.told(small['a month, Standard'])} a month for 10,000" in PAGE
    assert f"{costs.told(small['the same where they lie in Glacier, more'])} a month more" in PAGE
    assert f"{costs.told(large['once, the first backup'])} for a million" in PAGE


def test_glacier_pays_from_the_size_on_that_the_page_names():
    assert "pays from about 50,000 images on" in PAGE
    for images, pays in ((45_000, False), (50_000, True)):
        rows = costs.Account(images).rows()
        assert (rows["a month, Glacier"] < rows["a month, Standard"]) is pays


def test_the_readme_names_the_same_month():
    month = costs.Account(10_000).rows()["a month, Standard"]
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    (named,) = {line for line in readme.splitlines() if "a month for 10,000" in line}
    told = float(named.split("$")[1].split()[0])
    assert abs(told - month) < 0.1
