"""The README's tables that follow from other files; `python -m tests.tools.readme` renews them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


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
    """What stands between the README's marks of ``name``."""
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert match is not None, f"the README has no marks for {name}"
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
    whole = README.read_text(encoding="utf-8")
    README.write_text(renewed(whole, "parameters", parameters()), encoding="utf-8")
