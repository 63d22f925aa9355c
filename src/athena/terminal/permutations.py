"""Prompts with choices: `{red, blue} car` is two prompts. Pure.

Choices may hold choices; `\\{`, `\\}` and `\\,` stand for themselves. Every choice is combined with
every other, as Midjourney itself does it for plans that allow that.
"""

from collections.abc import Iterator
from itertools import product
from math import prod

_MARKS = "{},\\"


class BadChoices(ValueError):
    """The braces do not fit together; the text says where."""


def expand(prompt: str) -> list[str]:
    """Every prompt that is meant, in the order of the choices; one without choices is itself.

    Raises:
        BadChoices: a brace is missing.
    """
    parts, at = _sequence(prompt, 0, inside=False)
    if at < len(prompt):
        raise BadChoices(f"there is a }} too many after {prompt[:at]!r}")
    return ["".join(chosen) for chosen in product(*parts)]


def count(prompts: list[str]) -> int:
    """How many prompts these are together."""
    return sum(prod(len(part) for part in _sequence(each, 0, inside=False)[0]) for each in prompts)


def _sequence(text: str, at: int, *, inside: bool) -> tuple[list[list[str]], int]:
    """Parts that follow each other, each with its choices, and where they end."""
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
    """What stands between braces, and where it ends."""
    choices: list[str] = []
    at = begin
    while at < len(text) and (at == begin or text[at] == ","):
        parts, at = _sequence(text, at + 1, inside=True)
        choices += [choice.strip() for choice in _joined(parts)]
    if at >= len(text):
        raise BadChoices(f"there is no }} for the {{ after {text[:begin]!r}")
    return choices, at + 1


def _joined(parts: list[list[str]]) -> Iterator[str]:
    return ("".join(chosen) for chosen in product(*parts))
