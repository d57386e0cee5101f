"""docs/performance.md and its plots, made from the figures of a benchmark.

``python -m tests.bench.page [BENCH.JSON]`` (``make plots``) takes the figures over into
docs/performance/ and writes the page's tables and plots anew; without a name it writes what the
figures there say.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.bench.figures import number

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"
FOLDER = ROOT / "docs" / "performance"
FIGURES = FOLDER / "bench.json"

Bars = Sequence[tuple[str, Sequence[tuple[str, float]]]]
"""Groups of bars: a group's name, and of each side its name and value."""

_BEGIN, _END = "<!-- figures -->", "<!-- /figures -->"
_COLOURS = {"ours": "ours", "rclone": "rclone", "the Go peer": "go"}
_STYLE = """
.ground { fill: #ffffff } text { fill: #1f2328; font: 13px sans-serif }
.title { font-weight: bold; font-size: 15px } .value { font-size: 12px }
.ours { fill: #1a7f37 } .rclone { fill: #6e7781 } .go { fill: #0969da } .other { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 }
.ours { fill: #3fb950 } .rclone { fill: #8b949e } .go { fill: #58a6ff } .other { fill: #d29922 }
}
"""
_PLOTS = {
    "s3": (
        "First backup into S3: seconds, less is better",
        "seconds",
        "s",
        {
            "4 KB": "s3-4k",
            "200 KB": "s3-200k",
            "1 MB": "s3-1m",
            "1 MB, https": "s3-https",
            "1 MB, 16 transfers each": "s3-16",
            "4 MB": "s3-4m",
        },
    ),
    "folder": (
        "First backup into a folder: seconds, less is better",
        "seconds",
        "s",
        {
            "4 KB": "folder-4k",
            "1 MB": "folder-1m",
            "4 MB": "folder-4m",
            "1 MB, API v2": "gallery",
        },
    ),
    "cpu": (
        "CPU an image, of the process alone: milliseconds, less is better",
        "CPU ms an image",
        "ms",
        {
            "S3, 4 KB": "s3-4k",
            "S3, 1 MB": "s3-1m",
            "S3, 1 MB, as many puts": "cpu-s3",
            "S3, 4 MB": "s3-4m",
            "folder, 4 KB": "folder-4k",
            "folder, 1 MB": "folder-1m",
            "folder, 4 MB": "folder-4m",
        },
    ),
    "memory": (
        "Memory of the backup at its highest: MiB, less is better",
        "MiB",
        "MiB",
        {
            "S3, 4 KB": "s3-4k",
            "S3, 1 MB": "s3-1m",
            "S3, 4 MB": "s3-4m",
            "folder, 1 MB": "folder-1m",
            "folder, 4 MB": "folder-4m",
        },
    ),
}


def main() -> None:
    """See the module."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES
    result = json.loads(source.read_text(encoding="utf-8"))
    FOLDER.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for path, text in made_of(result).items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


def made_of(result: dict[str, Any]) -> dict[Path, str]:
    """The files and their texts: the page, and a plot for each kind that was measured."""
    plots = {}
    for name, (title, figure, unit, rows) in _PLOTS.items():
        found = [(what, sides_of(result, row, figure)) for what, row in rows.items()]
        if bars := [(what, sides) for what, sides in found if sides]:
            plots[name] = plot(title, unit, bars)
    old = PAGE.read_text(encoding="utf-8")
    before, after = old[: old.index(_BEGIN)], old[old.index(_END) :]
    pictures = "".join(f"![{_PLOTS[name][0]}](performance/{name}.svg)\n\n" for name in plots)
    text = f"{before}{_BEGIN}\n\n{_about(result)}\n\n{pictures}{_table(result)}\n{after}"
    return {PAGE: text, **{FOLDER / f"{name}.svg": drawn for name, drawn in plots.items()}}


def sides_of(result: dict[str, Any], row: str, figure: str) -> list[tuple[str, float]]:
    """Each side of a row and its figure, ours first."""
    parts = next((each["parts"] for each in result["measures"] if each["row"] == row), {})
    found = [
        (name.removesuffix(f": {figure}"), value)
        for name, value in parts.items()
        if name.endswith(f": {figure}") and value
    ]
    return sorted(found, key=lambda side: side[0] != "ours")


def plot(title: str, unit: str, bars: Bars) -> str:
    """An SVG of horizontal bars, which stands by itself on a light and on a dark page."""
    bar, gap, left, wide = 18, 14, 190, 760
    longest = max(value for _, sides in bars for _, value in sides)
    scale = (wide - left - 200) / longest
    drawn, y = [], 48
    for what, sides in bars:
        middle = y + bar * len(sides) / 2 + 5
        drawn.append(
            f'<text x="{left - 10}" y="{middle:g}" text-anchor="end">{escape(what)}</text>'
        )
        for name, value in sides:
            width = max(1.0, value * scale)
            kind = _COLOURS.get(name, "other")
            drawn.append(
                f'<rect class="{kind}" x="{left}" y="{y}" width="{width:.1f}" '
                f'height="{bar - 3}" rx="2"/>'
                f'<text class="value" x="{left + width + 6:.1f}" y="{y + 12}">'
                f"{escape(_rounded(value))} {unit} · {escape(name)}</text>"
            )
            y += bar
        y += gap
    told = "; ".join(
        f"{what}: " + ", ".join(f"{name} {_rounded(value)} {unit}" for name, value in sides)
        for what, sides in bars
    )
    body = "\n".join(drawn)
    label = quoteattr(f"{title}: {told}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {y}" width="{wide}" '
        f'height="{y}" role="img" aria-label={label}>\n<style>{_STYLE}</style>\n'
        f'<rect class="ground" width="{wide}" height="{y}" rx="6"/>\n'
        f'<text class="title" x="16" y="28">{escape(title)}</text>\n{body}\n</svg>\n'
    )


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _about(result: dict[str, Any]) -> str:
    machine, sizes = result["machine"], result["sizes"]
    told = (
        f"Measured {result['when']}: Python {machine['python']}, {machine['system']}, "
        f"{machine['cores']} cores; photo host and S3 in {machine['servers']}; the least of "
        f"{sizes['runs']} runs of each side, in turns."
    )
    if result["quick"]:
        told += (
            "\n\n**A short run (`--quick`), made on a machine that did other things as well: it "
            "shows that the rows work, and no figure of it is one to judge by.**"
        )
    if result["broken"]:
        told += f"\n\nRows that broke down: {', '.join(result['broken'])}."
    return told


def _table(result: dict[str, Any]) -> str:
    lines = ["| row | what | measured | goal | | |", "|---|---|--:|--:|---|---|"]
    last = ""
    for each in result["measures"]:
        value, goal = each["value"], each["goal"]
        shown = "" if value is None else f"{number(round(value, 3))} {each['unit']}".strip()
        sign = "=" if each["exact"] else "≤"
        target = "" if goal is None else f"{sign} {number(round(goal, 3))}"
        row = "" if each["row"] == last else f"`{each['row']}`"
        cells = [row, each["what"], shown, target, each["verdict"], each["note"]]
        lines.append("| " + " | ".join(_cell(cells)) + " |")
        last = each["row"]
    return "\n".join(lines) + "\n"


def _cell(cells: Iterable[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in cells]


if __name__ == "__main__":
    main()
