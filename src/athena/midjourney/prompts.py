"""Prompts: their text, their links and their parameters.

A prompt is `[links] text [--parameter values]…`. Midjourney rewrites it on the way (contracts:
midjourney-bot, section 4), so two prompts are compared by their essence: the text alone. Plainly
bad values are refused here, before anyone waits a minute for the bot's own refusal (section 9);
parameters that we do not know are Midjourney's to judge.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

_DASHES = re.compile(r"[—–](?=[a-zA-Z])")
_PARAMETER = re.compile(r"(?:(?<=\s)|^)--([a-zA-Z]+)")
_LINK = re.compile(r"<?https?://[^\s<>]+>?")
_SPACE = re.compile(r"\s+")


class BadPrompt(ValueError):
    """The prompt cannot work. `parameter` names the culprit, or is empty."""

    def __init__(self, message: str, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter


class Parameter(Struct, frozen=True):
    """`--name value`, in the order written; `value` is empty for a switch."""

    name: str
    value: str


class Parts(Struct, frozen=True):
    """A prompt taken apart; joined again by single spaces it means the same."""

    text: str
    parameters: tuple[Parameter, ...]


@lru_cache(maxsize=1024)
def split(prompt: str) -> Parts:
    """The text before the first parameter, and the parameters with their values."""
    prompt = _DASHES.sub("--", prompt)
    marks = list(_PARAMETER.finditer(prompt))
    starts = [mark.start() for mark in marks] + [len(prompt)]
    parameters = tuple(
        Parameter(mark.group(1).lower(), prompt[mark.end() : end].strip())
        for mark, end in zip(marks, starts[1:], strict=True)
    )
    return Parts(prompt[: starts[0]].strip(), parameters)


def has(prompt: str, parameter: str) -> bool:
    """Whether the prompt names a parameter, given without its dashes."""
    return any(known.name == parameter for known in split(prompt).parameters)


def essence(prompt: str) -> str:
    """What survives Midjourney's rewriting: no links, no parameters, lower case, single spaces."""
    return _SPACE.sub(" ", _LINK.sub(" ", split(prompt).text)).strip().lower()


def check(prompt: str) -> None:
    """Refuse what Midjourney is sure to refuse.

    Raises:
        BadPrompt: it is empty, or a known parameter has an impossible value.
    """
    parts = split(prompt)
    if not parts.text and not parts.parameters:
        raise BadPrompt("the prompt is empty")
    for parameter in parts.parameters:
        if (rule := _RULES.get(parameter.name)) and (fault := rule(parameter.value)):
            raise BadPrompt(f"--{parameter.name} {fault}", parameter.name)


_Rule = Callable[[str], str | None]


def _between(low: float, high: float) -> _Rule:
    def rule(value: str) -> str | None:
        try:
            fine = low <= float(value) <= high
        except ValueError:
            fine = False
        return None if fine else f"must be a number from {low:g} to {high:g}, not {value!r}"

    return rule


def _ratio(value: str) -> str | None:
    sides = re.fullmatch(r"(\d{1,6}):(\d{1,6})", value)
    if sides and int(sides[1]) and int(sides[2]):
        return None
    return f"must be two positive whole numbers such as 16:9, not {value!r}"


def _one_of(*choices: str) -> _Rule:
    def rule(value: str) -> str | None:
        return None if value in choices else f"must be one of {', '.join(choices)}, not {value!r}"

    return rule


def _many(low: float, high: float) -> _Rule:
    one = _between(low, high)

    def rule(value: str) -> str | None:
        return next((fault for part in value.split() or [""] if (fault := one(part))), None)

    return rule


_RULES: dict[str, _Rule] = {
    "ar": _ratio,
    "aspect": _ratio,
    "bs": _one_of("1", "2", "4"),
    "c": _between(0, 100),
    "chaos": _between(0, 100),
    "cw": _between(0, 100),
    "iw": _between(0, 3),
    "motion": _one_of("low", "high"),
    "ow": _between(1, 1000),
    "s": _between(0, 1000),
    "seed": _between(0, 4_294_967_295),
    "stop": _between(10, 100),
    "stylize": _between(0, 1000),
    "sw": _many(0, 1000),
    "w": _between(0, 3000),
    "weird": _between(0, 3000),
    "zoom": _between(1, 2),
}
