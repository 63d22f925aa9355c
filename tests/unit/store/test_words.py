"""Words: normalized text and its terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.store import words
from athena.store.sqlite.searching import matching
from tests.contract.store.making import make_task


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("A Cat, on -- it", "a_cat_on_it"), ("--ar 16:9", "_ar_16_9"), ("夜晚的猫。", "夜晚的猫_"),
        ("straße", "strasse"), ("a__b", "a_b"), ("", ""), ("?!", "_"),
    ],
)  # fmt: skip
def test_normalized(text: str, normal: str) -> None:
    assert words.normalized(text) == normal


def test_a_text_holds_each_part_once() -> None:
    task = make_task(
        1, prompt="A cat", final_prompt="a cat --v 6", description="/imagine a cat --v 6"
    )
    assert words.of(task) == f"{task.id}___imagine_a_cat_v_6"


def test_a_part_that_another_holds_is_left_out_whatever_stands_around_it() -> None:
    task = make_task(1, prompt="(cat)", description="that cat")
    assert words.of(task) == f"{task.id}__that_cat"


def test_a_text_is_indexed_to_a_bound() -> None:
    assert len(words.of(make_task(1, prompt="x" * 30_000))) == 20_000


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [("a cat", "Cat!", True), ("cat", "!cat!", True), ("a cat", "?!", False), ("a", "", False)],
)
def test_words_are_looked_for_without_the_signs_around_them(
    text: str, wanted: str, found: bool
) -> None:
    assert words.contains(words.normalized(text), wanted) is found


def test_the_last_characters_begin_terms_too() -> None:
    assert words.terms("cat") == ["at_", "cat", "t__"]
    assert words.terms("") == []


def test_nothing_is_found_across_two_parts() -> None:
    task = make_task(1, prompt="one", prompt_english="two", description="")
    assert words.contains(words.of(task), "one")
    assert not words.contains(words.of(task), "one two")
    assert not words.contains(words.of(task), "two one")


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_a_text_that_contains_words_contains_their_terms(text: str, start: int, end: int) -> None:
    normal = words.normalized(text)
    part = normal[start:end].strip("_")
    terms = set(words.terms(normal))
    if not part:
        return
    if len(part) < 3:
        assert any(term.startswith(part) for term in terms)
    else:
        wanted = {term.strip('"') for term in matching(part).split(" AND ")}
        assert wanted <= terms


@given(st.text())
def test_terms_are_plain_words_to_the_index(text: str) -> None:
    """Letters, digits and underscores, three each: nothing that the query language reads."""
    for term in words.terms(words.normalized(text)):
        assert len(term) == 3
        assert '"' not in term
        assert " " not in term
