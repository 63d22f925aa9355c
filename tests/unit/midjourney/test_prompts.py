"""Prompts: normalized, parameters, banned words."""

import contextlib
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.midjourney import prompts
from athena.midjourney.moderation import BannedWords, WordList, add_word, shared_words


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("A  Cat\nasleep --ar 3:2", "a cat asleep --ar 3:2 --v 7.0"),
        ("https://x.com/a.png a cat", "<https://s.mj.run/abc> a cat --v 7.0"),
        ("a cat —ar 3:2 --style raw", "a cat --raw --ar 3:2"),
        ("a cat --v 7", "a cat --v 7.0"),
    ],
)
def test_the_essence_survives_midjourney_s_rewriting(sent: str, shown: str) -> None:
    assert prompts.normalized(sent) == prompts.normalized(shown)


@pytest.mark.parametrize(
    ("prompt", "parameter"),
    [
        ("", ""),
        ("   ", ""),
        ("a cat --ar 0:1", "ar"),
        ("a cat --ar square", "ar"),
        ("a cat --chaos 101", "chaos"),
        ("a cat --s much", "s"),
        ("a cat --seed -1", "seed"),
        ("a cat --stop 5", "stop"),
        ("a cat --iw", "iw"),
    ],
)
def test_plainly_bad_prompts_are_refused_with_the_parameter_s_name(
    prompt: str, parameter: str
) -> None:
    with pytest.raises(prompts.BadPrompt) as refused:
        prompts.check(prompt)
    assert refused.value.parameter == parameter


@pytest.mark.parametrize(
    "prompt", ["a cat", "--ar 3:2", "a cat --unheard of", "a --no dogs, cats --w 3000", "x --c 0"]
)
def test_others_pass(prompt: str) -> None:
    prompts.check(prompt)


@given(st.text(max_size=200))
def test_nothing_raises_but_bad_prompt(prompt: str) -> None:
    prompts.normalized(prompt)
    with contextlib.suppress(prompts.BadPrompt):
        prompts.check(prompt)


def test_banned_words_are_found_whole_and_only_in_the_text() -> None:
    banned = BannedWords(["gore", "severed head"])
    assert banned.found_in("GORE and more") == "gore"
    assert banned.found_in("a  severed\nhead") == "severed head"
    assert banned.found_in("gorengan, a category") is None
    assert banned.found_in("a forest --no gore") is None
    assert BannedWords([]).found_in("gore") is None


def test_the_built_in_list_can_be_extended_thinned_and_replaced(tmp_path: Path) -> None:
    own = tmp_path / "words.txt"
    words = WordList(own, now=itertools.count().__next__)
    assert words.found_in("a nude") == "nude"
    assert words.found_in("a teapot") is None
    own.write_text("# ours\nTeapot\n-nude\n")
    assert words.found_in("a teapot") == "teapot"
    assert words.found_in("a nude") is None
    assert words.found_in("# ours") is None
    own.unlink()
    assert words.found_in("a teapot") is None
    assert WordList(own, built_in=False).found_in("a nude") is None


def test_adding_a_word_takes_back_its_removal(tmp_path: Path) -> None:
    own = tmp_path / "more" / "words.txt"
    add_word(own, "  Severed   Head ")
    own.write_text(own.read_text() + "-nude\n")
    add_word(own, "nude")
    add_word(own, "nude")
    assert own.read_text().splitlines() == ["severed head", "nude"]
    with pytest.raises(ValueError, match="word"):
        add_word(own, "  ")


def test_the_words_that_refused_prompts_share(tmp_path: Path) -> None:
    refused = ["a gloomy teapot --ar 3:2", "the teapot in a gloomy hall", "a nude teapot", "x"]
    assert shared_words([*refused, *refused], WordList()) == [("teapot", 3), ("gloomy", 2)]


@given(st.text(alphabet="a猫 -—\nnocvr:3.<>htps/", max_size=60) | st.text(max_size=80))
def test_the_pieces_are_the_prompt(prompt: str) -> None:
    assert "".join(piece.text for piece in prompts.pieces(prompt)) == prompt


def test_only_words_may_be_translated() -> None:
    prompt = "https://x.com/猫.png 一只猫 --ar 3:2 在海边 --no 狗, 鸟 --sref 风格 --tile 红色"
    assert [piece.text.strip() for piece in prompts.pieces(prompt) if piece.is_foreign] == [
        "一只猫", "在海边", "狗, 鸟", "红色",
    ]  # fmt: skip
