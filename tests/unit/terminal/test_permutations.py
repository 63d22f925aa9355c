"""Choices in braces: every one with every other, and nothing else changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.terminal.permutations import BadChoices, count, expand


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("a cat", ["a cat"]),
        ("a {red, blue} car", ["a red car", "a blue car"]),
        ("{a, b} {x, y}", ["a x", "a y", "b x", "b y"]),
        ("a {red, {light, dark} blue} car", ["a red car", "a light blue car", "a dark blue car"]),
        ("a cat --ar {1:1, 3:2}", ["a cat --ar 1:1", "a cat --ar 3:2"]),
        (r"a \{plain\} one, and {a\, b, c}", ["a {plain} one, and a, b", "a {plain} one, and c"]),
        ("{only}", ["only"]),
        ("{, quite} fine", [" fine", "quite fine"]),
    ],
)
def test_what_is_meant(prompt: str, meant: list[str]) -> None:
    assert expand(prompt) == meant
    assert count([prompt]) == len(meant)


@pytest.mark.parametrize("prompt", ["a {red", "a {b, {c}", "a } b", "{a}}"])
def test_braces_that_do_not_fit(prompt: str) -> None:
    with pytest.raises(BadChoices):
        expand(prompt)


@given(st.text(alphabet=st.characters(exclude_characters="{}\\")))
def test_a_prompt_without_braces_is_itself(prompt: str) -> None:
    assert expand(prompt) == [prompt]
