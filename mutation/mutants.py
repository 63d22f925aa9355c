"""Mutants: a module's source with one edit, and how it differs."""

import ast
import difflib
import types
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from mutation import operators
from mutation.operators import Edit


class Mutant(Struct, frozen=True):
    """One edit of one module."""

    module: str
    path: str
    line: int
    function: str | None
    """Qualified name of the outermost function around the edit; None: outside of functions."""
    place: str
    """The same for people, or the class or constant that the code makes."""
    lines: tuple[int, int]
    """The lines of the statement that is changed."""
    label: str
    source: str

    @property
    def name(self) -> str:
        """What identifies it however its line number moves."""
        return f"{self.place}: {self.label}"

    def diff(self, original: str) -> str:
        """The change as a unified diff without context."""
        before, after = original.splitlines(), self.source.splitlines()
        lines = list(difflib.unified_diff(before, after, lineterm="", n=0))
        return "\n".join(lines[3:])

    def code(self) -> types.CodeType:
        """The compiled source."""
        return compile(self.source, self.path, "exec", dont_inherit=True)


def of_module(module: str, path: Path) -> list[Mutant]:
    """All mutants of a module that differ from it and compile."""
    source = path.read_text(encoding="utf-8")
    seen: set[str] = {source}
    made = []
    for edit in operators.edits(ast.parse(source)):
        changed = _applied(source, edit)
        if changed not in seen and _compiles(changed):
            made.append(_mutant(module, path, edit, changed))
        seen.add(changed)
    return made


def functions(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code objects of a module's functions and methods, those inside of functions left out."""
    for inner in code.co_consts:
        if not isinstance(inner, types.CodeType):
            continue
        if inner.co_flags & 0x02:  # CO_NEWLOCALS: a function; a class body has none
            yield inner
        else:
            yield from functions(inner)


def _mutant(module: str, path: Path, edit: Edit, source: str) -> Mutant:
    scope = edit.scope
    return Mutant(
        module=module,
        path=str(path),
        line=edit.start[0],
        function=scope.function,
        place=scope.place,
        lines=scope.lines,
        label=edit.label,
        source=source,
    )


def _applied(source: str, edit: Edit) -> str:
    lines = source.encode().splitlines(keepends=True)
    (first, begin), (last, end) = edit.start, edit.end
    before = b"".join(lines[: first - 1]) + lines[first - 1][:begin]
    after = lines[last - 1][end:] + b"".join(lines[last:])
    return (before + edit.text.encode() + after).decode()


def _compiles(source: str) -> bool:
    try:
        ast.parse(source)
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
