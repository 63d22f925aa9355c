"""Prompts with choices: `{red, blue} car` is two prompts. Pure.

Choices can be nested; `\\{`, `\\}` and `\\,` are literal characters. All choices are combined with
each other, as Midjourney does for plans that allow it.
"""

from collections.abc import Iterator
from itertools import product
from math import prod

_MARKS = "{},\\"


class BadChoices(ValueError):
    """The braces are unbalanced; the message says where."""


def expand(prompt: str) -> list[str]:
    """All prompts, in the order of the choices; a prompt without choices is returned unchanged.

    Raises:
        BadChoices: the braces are unbalanced.
    """
    parts, at = _sequence(prompt, 0, inside=False)
    if at < len(prompt):
        raise BadChoices(f"unexpected }} after {prompt[:at]!r}")
    return ["".join(chosen) for chosen in product(*parts)]


def count(prompts: list[str]) -> int:
    """The number of prompts after expansion."""
    return sum(prod(len(part) for part in _sequence(each, 0, inside=False)[0]) for each in prompts)


def _sequence(text: str, at: int, *, inside: bool) -> tuple[list[list[str]], int]:
    """A sequence of parts, each with its choices, and the position after it."""
    parts: list[list[str]] = []
    words = ""
    while at < len(text):
        sign = text[at]
        if sign == "\\" and text[at + 1 : at + 2] in _MARKS and at + 1 < len(text):
            words += text[at + 1]
            at += 2
        elif sign == "{":
            choices, at = _choices(text, at)
            parts += [[words], choices]
            words = ""
        elif sign == "}" or (inside and sign == ","):
            break
        else:
            words += sign
            at += 1
    return [*parts, [words]], at


def _choices(text: str, begin: int) -> tuple[list[str], int]:
    """The choices between braces, and the position after them."""
    choices: list[str] = []
    at = begin
    while at < len(text) and (at == begin or text[at] == ","):
        parts, at = _sequence(text, at + 1, inside=True)
        choices += [choice.strip() for choice in _joined(parts)]
    if at >= len(text):
        raise BadChoices(f"missing }} for the {{ after {text[:begin]!r}")
    return choices, at + 1


def _joined(parts: list[list[str]]) -> Iterator[str]:
    return ("".join(chosen) for chosen in product(*parts))
