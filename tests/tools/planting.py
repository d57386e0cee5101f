"""Small changes of a module, each of which its tests should notice.

=====================  ===========================================================================
kind                   what is planted
=====================  ===========================================================================
comparison             ``<`` for ``<=``, ``==`` for ``!=``, ``in`` for ``not in``, …
condition              ``and`` for ``or``, one operand dropped, a ``not`` dropped
branch                 always, or never
value                  a number + 1, True for False, ``+`` for ``-``
choice                 ``then`` for ``else``, ``min`` for ``max``, ``any`` for ``all``
answer                 None is returned
statement              a call, an assignment or a raise is dropped; ``break`` for ``continue``
error                  an ``except`` narrowed by one type
call                   two arguments exchanged, ``sorted`` dropped
=====================  ===========================================================================

Texts, annotations and what only a message says stay as they are. A change is one of text, and
leaves every line where it is.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_INSTEAD = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
_SKIPPED = (ast.JoinedStr, ast.Import, ast.ImportFrom)


@dataclass(frozen=True, slots=True)
class Change:
    """Put ``after`` in the place of the bytes from ``start`` to ``end``; ``before``: these."""

    line: int
    kind: str
    start: int
    end: int
    before: str
    after: str

    def applied(self, source: str) -> str:
        """The module with the defect in it."""
        body = source.encode()
        return (body[: self.start] + self.after.encode() + body[self.end :]).decode()

    def __str__(self) -> str:
        return f"{self.kind}: {_short(self.before)}  ->  {_short(self.after)}"


def changes(source: str) -> list[Change]:
    """All changes that can be planted into a module, in the order of its lines."""
    lines = [0]
    for line in source.encode().splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    found = []
    for node, kind, new in _planted(ast.parse(source), inside=False):
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = lines[node.lineno - 1] + node.col_offset
        end = lines[node.end_lineno - 1] + node.end_col_offset
        before = source.encode()[start:end].decode()
        if isinstance(node, ast.expr):
            rows = before.count("\n") - new.count("\n")
            new = f"({new}{chr(10) * rows})"
        found.append(Change(node.lineno, kind, start, end, before, new))
    return sorted(found, key=lambda each: (each.start, each.end, each.after))


_Planted = tuple[ast.expr | ast.stmt, str, str]


def _planted(node: ast.AST, *, inside: bool) -> Iterator[_Planted]:
    """(what to replace, the kind, by what); ``inside``: of a function."""
    if isinstance(node, _SKIPPED):
        return
    if isinstance(node, ast.expr):
        yield from _of_expression(node)
    elif isinstance(node, ast.stmt):
        yield from _of_statement(node, inside=inside)
    elif isinstance(node, ast.ExceptHandler) and node.type is not None:
        yield from _of_handler(node.type)
    inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield from _planted(each, inside=inside)


def _of_expression(node: ast.expr) -> Iterator[_Planted]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _OPPOSITE:
            yield _with(node, "comparison", ops=[_OPPOSITE[type(operator)]()])
        case ast.BoolOp(op=operator, values=values):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield _with(node, "condition", op=other)
            for n in range(len(values)):
                left = values[:n] + values[n + 1 :]
                kept = ast.BoolOp(operator, left) if len(left) > 1 else left[0]
                yield node, "condition", ast.unparse(kept)
        case ast.UnaryOp(op=ast.Not()):
            yield node, "condition", ast.unparse(node.operand)
        case ast.Constant(value=bool()):
            yield node, "value", str(not node.value)
        case ast.Constant(value=int() | float()):
            yield node, "value", repr(node.value + 1)  # type: ignore[operator]
        case ast.BinOp(op=operator) if type(operator) in _ARITHMETIC:
            yield _with(node, "value", op=_ARITHMETIC[type(operator)]())
        case ast.IfExp():
            yield _with(node, "choice", body=node.orelse, orelse=node.body)
        case ast.Call(func=ast.Name(id=name)) if name in _INSTEAD:
            kind = "call" if name == "sorted" else "choice"
            func = ast.Name(_INSTEAD[name], ast.Load())
            keywords = [] if name == "sorted" else node.keywords
            yield _with(node, kind, func=func, keywords=keywords)
        case ast.Call(args=[first, second, *more]) if ast.dump(first) != ast.dump(second):
            if not any(isinstance(each, ast.Starred) for each in (first, second)):
                yield _with(node, "call", args=[second, first, *more])


def _of_statement(node: ast.stmt, *, inside: bool) -> Iterator[_Planted]:
    match node:
        case ast.If():
            yield node.test, "branch", "True"
            yield node.test, "branch", "False"
        case ast.While() if not isinstance(node.test, ast.Constant):
            yield node.test, "branch", "False"
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield value, "answer", "None"
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield node, "statement", _dropped(node)
        case ast.Assign() | ast.AugAssign() if inside:
            yield node, "statement", _dropped(node)
        case ast.Break():
            yield node, "statement", "continue"
        case ast.Continue():
            yield node, "statement", "break"


def _of_handler(type_: ast.expr) -> Iterator[_Planted]:
    if not isinstance(type_, ast.Tuple):
        yield type_, "error", ""
        return
    for n in range(len(type_.elts)):
        left = [ast.unparse(each) for each in type_.elts[:n] + type_.elts[n + 1 :]]
        yield type_, "error", "".join(f"{each}, " for each in left).strip()


def _with(node: ast.expr, kind: str, **fields: object) -> _Planted:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return node, kind, ast.unparse(changed)


def _dropped(node: ast.stmt) -> str:
    assert node.end_lineno is not None
    rows = node.end_lineno - node.lineno
    return f"[{chr(10) * rows}]" if rows else "pass"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else f"{words[:57]}..."
