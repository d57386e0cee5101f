"""The page `docs/json.md`, from the schema that stands beside the tool: ``python -m
tests.tools.json_page`` writes it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "json.md"
SCHEMA = ROOT / "src/smugmug_backup/cli/output.schema.json"

_HEAD = """\
# What `--json` prints

One document on standard output for each command, whatever happens; what is for people goes to
standard error. An error is a document of its own, beside exit status 2 (or 130), unless the command
has already printed one that tells it.

This page is made from the schema that is installed with the tool (JSON Schema, draft 2020-12):
`output.schema.json` in the folder of `smugmug_backup.cli`; under its `$defs` and the name of each
command stands what that prints.

Every field named here is always there, unless it is called optional. A later version may add
fields; none changes its meaning. Times are UTC, `2026-11-24T03:00:09Z`; sizes are bytes.
"""


def page(schema: dict[str, Any]) -> str:
    """All of it."""
    defs = schema["$defs"]
    parts = [_HEAD]
    names = ["error", *(name for name in defs if name != "error")]
    shared = {name for name in names if f'"#/$defs/{name}"' in json.dumps(schema)}
    for name in [*(n for n in names if n not in shared), *(n for n in names if n in shared)]:
        kind = f"`{name}`" if name not in shared else f"{name}, in the tables above"
        parts.append(f"## {kind}\n\n{_text(defs[name].get('description', ''))}\n")
        rows = list(_rows(defs[name], "", defs))
        if rows:
            parts.append("| Field | Type | |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _rows(schema: dict[str, Any], at: str, defs: dict[str, Any]) -> Iterator[str]:
    for each in (schema, *schema.get("anyOf", ()), *schema.get("allOf", ())):
        if each.get("type") == "array" and isinstance(each.get("items"), dict):
            yield from _rows(each["items"], f"{at}[]", defs)
        for name, field in each.get("properties", {}).items():
            optional = "" if name in each.get("required", ()) else ", optional"
            path = f"{at}.{name}".lstrip(".")
            told = _text(field.get("description", ""))
            yield f"| `{path}` | {_type(field)}{optional} | {told} |"
            yield from _rows(field, path, defs)


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return field["$ref"].rpartition("/")[2].removesuffix(".schema.json")
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"])
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    items = field.get("items", {})
    of = f" of {_type(items)}" if "array" in kinds and items else ""
    return " or ".join(kind + (of if kind == "array" else "") for kind in kinds)


def _text(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(SCHEMA.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
