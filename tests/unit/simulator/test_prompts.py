"""How the simulator's Midjourney reads and rewrites prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.simulator.bots.parameters import Refused
from athena.simulator.bots.prompts import rewrite


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a cat --ar 3:2 on a sofa", "a cat on a sofa --ar 3:2 --v 7.0"),
        ("Paris — night", "Paris -- night --v 7.0"),
        ("a cat --c 5 --s 250 --version 6.1", "a cat --chaos 5 --stylize 250 --v 6.1"),
        ("a cat --style raw --ar 3:2", "a cat --ar 3:2 --raw --v 7.0"),
        ("a cat --no dog, bird --tile", "a cat --no dog, bird --tile --v 7.0"),
        ("a cat --turbo --stealth --public", "a cat --v 7.0"),
    ],
)
def test_parameters_end_up_behind_the_text(sent: str, shown: str) -> None:
    assert rewrite(sent).shown == shown


def test_every_link_becomes_a_short_one_that_stays() -> None:
    shown = rewrite("https://a.example/1.png a cat --sref https://b.example/2.png").shown
    first, *_, second, _, _ = shown.split()
    assert {first[:18], second[:18]} == {"<https://s.mj.run/"}
    assert first != second
    assert "example" not in shown
    assert rewrite(shown).shown == shown


def test_switches_are_obeyed() -> None:
    read = rewrite("a cat --relax --stealth --ar 9:16 --v 6.1")
    assert (read.mode, read.stealth, read.ratio, read.version) == (
        "relaxed", True, (9, 16), "6.1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "title"),
    [
        ("", "Empty prompt"),
        (" \n ", "Empty prompt"),
        ("--ar 3:2", "Empty prompt"),
        ("a gore cat", "Banned prompt detected"),
        ("a cat --ar 0:1", "Invalid parameter"),
        ("a cat --ar wide", "Invalid parameter"),
        ("a cat --chaos 101", "Invalid parameter"),
        ("a cat --chaos 1_0", "Invalid parameter"),
        ("a cat --chaos 1.5", "Invalid parameter"),
        ("a cat --chaos", "Invalid parameter"),
        ("a cat --stop 9", "Invalid parameter"),
        ("a cat --iw nan", "Invalid parameter"),
        ("a cat --v 99", "Invalid parameter"),
        ("a cat --sref", "Invalid parameter"),
        ("a cat --motion wild", "Invalid parameter"),
        ("a cat --wings 2", "Invalid parameter"),
    ],
)
def test_what_is_refused(sent: str, title: str) -> None:
    with pytest.raises(Refused) as caught:
        rewrite(sent)
    assert caught.value.title == title
    assert caught.value.description


WORDS = st.sampled_from(
    ["cat", "—", "--ar", "3:2", "--v", "7", "6.1", "--raw", "--style", "raw", "--no", "--fast",
     "https://x.example/a.png", "<https://s.mj.run/abc>", "--p", "--video", "1", "--chaos", "**",
     "–tile", "--niji", "6", "--sref", "\n", "猫", "--q", "2"],
)  # fmt: skip


@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=80))
def test_a_rewritten_prompt_stays_as_it_is(prompt: str) -> None:
    try:
        shown = rewrite(prompt).shown
    except Refused:
        return
    assert rewrite(shown).shown == shown
