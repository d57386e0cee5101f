"""The pages for people, and what of them follows from other files.

`python -m tests.tools.readme` renews the table of the stack's parameters.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PARAMETERS = DOCS / "parameters.md"
METRICS = DOCS / "metrics-and-alarms.md"

_CODE = re.compile(r"```.*?```", re.DOTALL)


class _Loader(yaml.SafeLoader):
    """Reads a template; what the tags mean is no matter here."""


_Loader.add_multi_constructor(
    "!", lambda loader, suffix, node: f"!{suffix} {getattr(node, 'value', '')}"
)


def template() -> dict[str, Any]:
    """The template as plain data."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=_Loader)
    return loaded


def owners_pages() -> list[Path]:
    """The pages for who wants a backup."""
    return [README, *sorted(DOCS.glob("*.md"))]


def all_pages() -> list[Path]:
    """Every page of the project."""
    folders = (ROOT, ROOT / ".github", DOCS)
    found = [page for folder in folders for page in folder.glob("*.md")]
    found += [page for folder in ("src", "tests") for page in (ROOT / folder).rglob("*.md")]
    return sorted(found)


def text_of(*pages: Path) -> str:
    """The pages' texts, one after the other."""
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    found: set[str] = set()
    seen: Counter[str] = Counter()
    for heading in re.findall(r"^#+ +(.*?) *$", _CODE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def links(text: str) -> list[str]:
    """Where the links of a page lead."""
    return re.findall(r"\]\(([^)\s]+)\)", _CODE.sub("", text))


def parameters() -> str:
    """The table of the template's parameters, in the order of its groups."""
    data = template()
    groups = data["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    lines = ["| Parameter | Default | What it is |", "|---|---|---|"]
    for group in groups:
        lines.append(f"| **{group['Label']['default']}** | | |")
        for name in group["Parameters"]:
            about = data["Parameters"][name]
            default = str(about["Default"])
            text = " ".join(about["Description"].split()).replace("|", "\\|")
            lines.append(f"| `{name}` | {f'`{default}`' if default else 'empty'} | {text} |")
    return "\n".join(lines)


def section(text: str, name: str) -> str:
    """What stands between a page's marks of ``name``."""
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert match is not None, f"the page has no marks for {name}"
    return match[1].strip()


def renewed(text: str, name: str, body: str) -> str:
    """``text`` with ``body`` between the marks of ``name``."""
    return re.sub(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
        lambda match: f"{match[1]}\n{body}\n\n{match[2]}",
        text,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    whole = PARAMETERS.read_text(encoding="utf-8")
    PARAMETERS.write_text(renewed(whole, "parameters", parameters()), encoding="utf-8")
