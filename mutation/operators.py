"""What is changed: edits of a module's source, found on its syntax tree.

Left alone, because no test should hold them: docstrings and other bare strings, annotations, type
aliases, decorators, bases and options of classes, imports, log calls, assertions, the texts of
raised errors, `__repr__` and `__str__`, and what stands inside f-strings.
"""

import ast
from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

_LOGGERS = frozenset({"log", "_log", "logger"})
_UNTESTED = frozenset({"__repr__", "__str__"})
_TYPES = frozenset({"TypeVar", "NewType", "ParamSpec", "cast"})

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Scope(Struct, frozen=True):
    """Where the walk is."""

    function: str | None = None
    """Qualified name of the outermost function; None: the code runs when the module is imported."""
    place: str = "<module>"
    """The function, class or name that the code makes, for people."""
    classes: tuple[str, ...] = ()
    is_boolean: bool = False
    """The innermost function returns a bool."""
    lines: tuple[int, int] = (0, 0)
    """First and last line of the innermost statement, of a compound one without its body."""


class Edit(Struct, frozen=True):
    """One change: from `start` to `end` (line from 1, offset in bytes) stands `text` instead."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str
    label: str
    """The change in words, by which an accepted survivor is named."""
    scope: Scope


def edits(tree: ast.Module) -> Iterator[Edit]:
    """Every edit of a module, in the order of its source."""
    yield from _statements(tree.body, Scope())


def _statement(node: ast.stmt, scope: Scope) -> Iterator[Edit]:
    scope = _at(node, scope)
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _function(node, scope)
        case ast.ClassDef(name=name, body=body):
            classes = (*scope.classes, name)
            yield from _statements(body, _inside(scope, classes=classes, place=".".join(classes)))
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Pass() | ast.Global():
            return
        case ast.Expr(value=value) if _is_left_alone(value):
            return
        case ast.AnnAssign():
            yield from _annotated(node, scope)
        case ast.If() | ast.While():
            yield from _branching(node, scope)
        case ast.Match():
            yield from _matching(node, scope)
        case ast.Try():
            yield from _trying(node, scope)
        case ast.Return():
            yield from _returning(node, scope)
        case ast.Raise():
            yield _swap(node, "pass", scope)
        case _:
            yield from _simple(node, scope)


def _at(node: ast.stmt, scope: Scope) -> Scope:
    last = node.end_lineno or node.lineno
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if body:
        first = body[0].pattern if isinstance(body[0], ast.match_case) else body[0]
        last = max(node.lineno, first.lineno - 1)
    return _inside(scope, lines=(node.lineno, last), place=_place(node, scope))


def _place(node: ast.stmt, scope: Scope) -> str:
    target = getattr(node, "target", None) or next(iter(getattr(node, "targets", ())), None)
    if scope.function or not isinstance(target, ast.Name):
        return scope.place
    return ".".join((*scope.classes, target.id))


def _inside(scope: Scope, **changes: object) -> Scope:
    known = {name: getattr(scope, name) for name in scope.__struct_fields__}
    return Scope(**{**known, **changes})


def _statements(body: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    for statement in body:
        yield from _statement(statement, scope)


def _function(node: Function, scope: Scope) -> Iterator[Edit]:
    if node.name in _UNTESTED:
        return
    for default in (*node.args.defaults, *node.args.kw_defaults):
        if default is not None:
            yield from _expression(default, scope)
    returns = node.returns
    name = scope.function or ".".join((*scope.classes, node.name))
    inner = _inside(
        scope,
        function=name,
        place=name,
        is_boolean=isinstance(returns, ast.Name) and returns.id == "bool",
    )
    yield from _statements(node.body, inner)


def _annotated(node: ast.AnnAssign, scope: Scope) -> Iterator[Edit]:
    is_alias = isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"
    if node.value is not None and not is_alias:
        if scope.function and not isinstance(node.target, ast.Name):
            yield _swap(node, "pass", scope)
        yield from _expression(node.value, scope)


def _branching(node: ast.If | ast.While, scope: Scope) -> Iterator[Edit]:
    if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    yield from _condition(node.test, scope, with_true=isinstance(node, ast.If))
    yield from _statements(node.body, scope)
    yield from _statements(node.orelse, scope)


def _condition(test: ast.expr, scope: Scope, *, with_true: bool = True) -> Iterator[Edit]:
    if not isinstance(test, ast.Constant):
        yield _swap(test, "False", scope, f"if {_cut(ast.unparse(test))} -> never")
        if with_true:
            yield _swap(test, "True", scope, f"if {_cut(ast.unparse(test))} -> always")
    yield from _expression(test, scope)


def _matching(node: ast.Match, scope: Scope) -> Iterator[Edit]:
    yield from _expression(node.subject, scope)
    for case in node.cases:
        pattern = case.pattern
        here = _inside(scope, lines=(pattern.lineno, pattern.end_lineno or pattern.lineno))
        if case.guard is not None:
            yield from _condition(case.guard, here)
        elif len(node.cases) > 1 and not _is_wildcard(pattern):
            end = (pattern.end_lineno or 0, pattern.end_col_offset or 0)
            yield Edit(end, end, " if False", f"case {ast.unparse(pattern)} -> never", here)
        yield from _statements(case.body, scope)


def _is_wildcard(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _trying(node: ast.Try, scope: Scope) -> Iterator[Edit]:
    yield from _statements(node.body, scope)
    for handler in node.handlers:
        first, last = handler.body[0], handler.body[-1]
        name = ast.unparse(handler.type) if handler.type else ""
        if not isinstance(first, ast.Raise):
            end = (last.end_lineno or 0, last.end_col_offset or 0)
            start = (first.lineno, first.col_offset)
            yield Edit(start, end, "raise", f"except {name} -> raised", _at(first, scope))
        yield from _statements(handler.body, scope)
    yield from _statements(node.orelse, scope)
    yield from _statements(node.finalbody, scope)


def _returning(node: ast.Return, scope: Scope) -> Iterator[Edit]:
    if node.value is None:
        yield _swap(node, "pass", scope)
        return
    if not isinstance(node.value, ast.Constant):
        for value in ("True", "False") if scope.is_boolean else ("None",):
            yield _swap(node, f"return {value}", scope)
    yield from _expression(node.value, scope)


def _simple(node: ast.stmt, scope: Scope) -> Iterator[Edit]:
    match node:
        case ast.Break():
            yield _swap(node, "continue", scope)
        case ast.Continue():
            yield _swap(node, "break", scope)
        case ast.Expr() | ast.AugAssign() | ast.Delete():
            yield _swap(node, "pass", scope)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield _swap(node, "pass", scope)
    if isinstance(node, ast.AugAssign) and (other := _ARITHMETIC.get(type(node.op))):
        changed = ast.AugAssign(node.target, other(), node.value)
        yield _swap(node, ast.unparse(changed), scope)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield from _statement(child, scope)
        elif isinstance(child, ast.expr):
            yield from _expression(child, scope)
        elif isinstance(child, ast.withitem):
            yield from _expression(child.context_expr, scope)


def _expression(node: ast.expr, scope: Scope) -> Iterator[Edit]:
    if _is_left_alone(node, is_statement=False):
        return
    yield from _changed(node, scope)
    if isinstance(node, ast.IfExp):
        yield from _condition(node.test, scope)
        yield from _expression(node.body, scope)
        yield from _expression(node.orelse, scope)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _expression(child, scope)
        elif isinstance(child, ast.keyword):
            yield from _expression(child.value, scope)
        elif isinstance(child, ast.comprehension):
            yield from _expression(child.iter, scope)
            for test in child.ifs:
                yield from _condition(test, scope)


def _changed(node: ast.expr, scope: Scope) -> Iterator[Edit]:
    match node:
        case ast.Compare():
            yield from _compared(node, scope)
        case ast.BoolOp():
            yield from _joined(node, scope)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield _swap(node, f"({ast.unparse(operand)})", scope)
        case ast.BinOp(left=left, op=op, right=right) if other := _ARITHMETIC.get(type(op)):
            yield _swap(node, f"({ast.unparse(ast.BinOp(left, other(), right))})", scope)
        case ast.Constant():
            yield from _constant(node, scope)
        case ast.Call():
            yield from _called(node, scope)


def _compared(node: ast.Compare, scope: Scope) -> Iterator[Edit]:
    for at, op in enumerate(node.ops):
        for other in _COMPARISONS[type(op)]:
            ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
            changed = ast.Compare(node.left, ops, node.comparators)
            yield _swap(node, f"({ast.unparse(changed)})", scope)


def _joined(node: ast.BoolOp, scope: Scope) -> Iterator[Edit]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    word = "or" if isinstance(node.op, ast.And) else "and"
    swapped = f"({ast.unparse(ast.BoolOp(other, node.values))})"
    whole = _cut(ast.unparse(node))
    yield _swap(node, swapped, scope, f"{word} in {whole}")
    for at, value in enumerate(node.values):
        left = [*node.values[:at], *node.values[at + 1 :]]
        rest = left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
        label = f"without {ast.unparse(value)} in {whole}"
        yield _swap(node, f"({ast.unparse(rest)})", scope, label)


def _constant(node: ast.Constant, scope: Scope) -> Iterator[Edit]:
    match node.value:
        case bool():
            yield _swap(node, repr(not node.value), scope)
        case int() | float():
            yield _swap(node, f"({node.value + 1!r})", scope)
            if node.value:
                yield _swap(node, f"({node.value - 1!r})", scope)
        case str():
            yield _swap(node, '""' if node.value else '"mutated"', scope)
        case bytes():
            yield _swap(node, 'b""' if node.value else 'b"mutated"', scope)


def _called(node: ast.Call, scope: Scope) -> Iterator[Edit]:
    for at, keyword in enumerate(node.keywords):
        if keyword.arg is None:
            continue
        rest = [*node.keywords[:at], *node.keywords[at + 1 :]]
        changed = ast.Call(node.func, node.args, rest)
        label = f"without {_cut(ast.unparse(keyword))} in {ast.unparse(node.func)}()"
        yield _swap(node, ast.unparse(changed), scope, label)


def _is_left_alone(node: ast.expr, *, is_statement: bool = True) -> bool:
    match node:
        case ast.Constant(value=str()):
            return is_statement
        case ast.JoinedStr():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name in _LOGGERS:
            return True
        case ast.Call(func=ast.Name(id=name)) if name in _TYPES:
            return True
    return False


def _swap(node: ast.expr | ast.stmt, text: str, scope: Scope, label: str | None = None) -> Edit:
    start = (node.lineno, node.col_offset)
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return Edit(start, end, text, label or f"{_cut(ast.unparse(node))} -> {_cut(text)}", scope)


def _cut(text: str, most: int = 70) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
