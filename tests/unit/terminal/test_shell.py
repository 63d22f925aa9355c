"""What the shell proposes, and how it reads what is typed."""

import pytest

from athena.terminal.shell import suggestions


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a cat --a", "--ar"),
        ("a cat --st", "--stop"),
        ("a cat --ar 16", "16:9"),
        ("a cat --ar ", "1:1"),
        ("a c", "a cat"),
        ("", "a cat"),
    ],
)
def test_what_may_come(text: str, first: str) -> None:
    assert suggestions(text, ["a cat", "a dog"])[0] == first


@pytest.mark.parametrize("text", ["a cat --raw x", "nothing like it", "a cat --zz"])
def test_what_nothing_is_known_of(text: str) -> None:
    assert suggestions(text, ["a cat"]) == []
