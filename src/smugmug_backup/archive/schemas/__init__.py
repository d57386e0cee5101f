"""The JSON Schemas (draft 2020-12) of all files of a store, and a small validator for them.

The validator knows just the keywords that these schemas use, so that the shipped function can hold
files to them with the standard library alone; the tests compare it with `jsonschema`.

A schema says what a reader needs: every field is required, and one that it does not know is
ignored. What we write is held to the strict form, which refuses unknown fields too.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

NAMES = (
    "records-header",
    "record-line",
    "manifest-header",
    "manifest-line",
    "run-report",
    "check-report",
    "drill-report",
    "forgotten",
    "plan-line",
    "outcome",
)

Check = Callable[[Any], str | None]
"""Says what is wrong with a value, by its place, or None."""


def load(name: str, *, strict: bool = False) -> dict[str, Any]:
    """The schema called ``name``; ``strict``: it refuses fields that it does not know."""
    text = (files(__name__) / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return _closed(schema) if strict else schema


@cache
def checker(name: str, *, strict: bool = False) -> Check:
    """A function that says what is wrong with a value by the schema ``name``, None if nothing."""
    schema = load(name, strict=strict)
    return _compile(schema, schema)


def _closed(schema: Any) -> Any:
    """``schema`` with each object whose fields it names closed to others.

    The branches of an ``anyOf`` name some fields of an object that is described around them, and
    no type; they stay open.
    """
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    if "type" in schema and isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


_LATER = {"items", "required", "additionalProperties", "anyOf"}
_IGNORED = {"$schema", "$defs", "title", "description"} | _LATER


def _compile(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    checks: list[Check] = []
    for keyword, value in schema.items():
        if keyword in _IGNORED:
            continue
        checks.append(_KEYWORDS[keyword](value, root))
    if "items" in schema:
        checks.append(_items(_compile(schema["items"], root)))
    if {"required", "additionalProperties"} & schema.keys():
        checks.append(_names(schema, root))
    if "anyOf" in schema:
        # The last, so that a field that is missing is called so.
        checks.append(_any_of(schema["anyOf"], root))

    def check(value: Any) -> str | None:
        for each in checks:
            wrong = each(value)
            if wrong is not None:
                return wrong
        return None

    return check


def _ref(value: str, root: Mapping[str, Any]) -> Check:
    return _compile(root["$defs"][value.removeprefix("#/$defs/")], root)


def _type(value: str | list[str], root: Mapping[str, Any]) -> Check:
    names = frozenset([value] if isinstance(value, str) else value)
    said = f"must be {' or '.join(sorted(names))}"
    types = frozenset(each for each, called in _TYPES.items() if called & names)

    def check(v: Any) -> str | None:
        if type(v) in types:
            return None
        whole = isinstance(v, float) and v.is_integer() and "integer" in names
        return None if whole else said

    return check


_TYPES: Mapping[type, frozenset[str]] = {
    type(None): frozenset(("null",)),
    bool: frozenset(("boolean",)),
    int: frozenset(("integer", "number")),
    float: frozenset(("number",)),
    str: frozenset(("string",)),
    list: frozenset(("array",)),
    dict: frozenset(("object",)),
}


def _enum(value: list[Any], root: Mapping[str, Any]) -> Check:
    said = f"must be one of {', '.join(json.dumps(each) for each in value)}"
    return lambda v: None if any(_same(v, each) for each in value) else said


def _const(value: Any, root: Mapping[str, Any]) -> Check:
    return lambda v: None if _same(v, value) else f"must be {json.dumps(value)}"


def _same(one: Any, other: Any) -> bool:
    # In JSON true is not 1, in Python it is.
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _pattern(value: str, root: Mapping[str, Any]) -> Check:
    # A schema's `$` is the very end; Python's would let a line end follow.
    search = re.compile(re.sub(r"\$$", r"\\Z", value)).search
    return lambda v: None if not isinstance(v, str) or search(v) else f"must match {value}"


def _minimum(value: float, root: Mapping[str, Any]) -> Check:
    def check(v: Any) -> str | None:
        number = isinstance(v, (int, float)) and not isinstance(v, bool)
        return f"must be at least {value}" if number and v < value else None

    return check


def _min_items(value: int, root: Mapping[str, Any]) -> Check:
    said = f"must have at least {value} items"
    return lambda v: said if isinstance(v, list) and len(v) < value else None


def _max_items(value: int, root: Mapping[str, Any]) -> Check:
    said = f"must have at most {value} items"
    return lambda v: said if isinstance(v, list) and len(v) > value else None


def _any_of(value: list[Mapping[str, Any]], root: Mapping[str, Any]) -> Check:
    branches = [_compile(each, root) for each in value]
    said = "must be one of: " + "; ".join(str(each.get("title", "?")) for each in value)
    return lambda v: None if any(branch(v) is None for branch in branches) else said


def _properties(value: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    compiled = [(name, _compile(each, root)) for name, each in value.items()]

    def check(v: Any) -> str | None:
        if isinstance(v, dict):
            for name, each in compiled:
                if name in v:
                    wrong = each(v[name])
                    if wrong is not None:
                        return _at(name, wrong)
        return None

    return check


def _names(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    required: Iterable[str] = schema.get("required", ())
    known = frozenset(schema.get("properties", ()))
    others = schema.get("additionalProperties", True)
    other = _compile(others, root) if isinstance(others, dict) else None

    def check(v: Any) -> str | None:
        if not isinstance(v, dict):
            return None
        for name in required:
            if name not in v:
                return f"{name} is missing"
        for name in v.keys() - known:
            if others is False:
                return f"{name} is not a field of this format"
            wrong = other(v[name]) if other else None
            if wrong is not None:
                return _at(name, wrong)
        return None

    return check


def _property_names(value: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    check_name = _compile(value, root)

    def check(v: Any) -> str | None:
        names = v if isinstance(v, dict) else ()
        return next((f"{name} {wrong}" for name in names if (wrong := check_name(name))), None)

    return check


def _items(check_item: Check) -> Check:
    def check(v: Any) -> str | None:
        for index, item in enumerate(v if isinstance(v, list) else ()):
            wrong = check_item(item)
            if wrong is not None:
                return _at(str(index), wrong)
        return None

    return check


def _at(name: str, wrong: str) -> str:
    return f"{name} {wrong}" if wrong.startswith("must ") else f"{name}.{wrong}"


_KEYWORDS: Mapping[str, Callable[[Any, Mapping[str, Any]], Check]] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _minimum,
    "minItems": _min_items,
    "maxItems": _max_items,
    "properties": _properties,
    "propertyNames": _property_names,
}
