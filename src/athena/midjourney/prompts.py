"""Prompts: their text, their links and their parameters.

A prompt is `[links] text [--parameter values]…`, and a parameter may stand anywhere in the text:
the number of its words depends on it (none for a switch, one for a number, all following words for
`--no`), and the words after them are text again. Midjourney rewrites prompts (contracts:
midjourney-bot, section 4), so two prompts are compared in normalized form: the text alone. Invalid
values are rejected here, before a user waits for the bot's rejection (section 9); unknown
parameters are passed on to Midjourney unchanged.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from athena.errors import AthenaError
from athena.tasks.model import Speed

_DASHES = re.compile(r"[—–](?=[a-zA-Z])")
_PARAMETER = re.compile(r"(?:(?<=\s)|^)--([a-zA-Z][a-zA-Z-]*)")
_LINK = re.compile(r"<?https?://[^\s<>]+>?")
_LEADING_LINKS = re.compile(r"(?:<?https?://[^\s<>]+>?\s+)+")
_SPACE = re.compile(r"\s+")
_FOREIGN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")


_SPEEDS = {Speed.FAST: "fast", Speed.RELAX: "relax", Speed.TURBO: "turbo"}


_MARK = re.compile(r"<#(\d{10})#>")
"""The correlation tag in a prompt (contracts: athena-dialect, section 1)."""


class BadPrompt(AthenaError, ValueError):
    """The prompt is invalid. `parameter` names the invalid parameter, or is empty."""

    def __init__(self, message: str, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter


class Parameter(Struct, frozen=True):
    """`--name value`, in the order written; `value` is empty for a switch."""

    name: str
    value: str


class Parts(Struct, frozen=True):
    """A split prompt; joined by single spaces it means the same."""

    text: str
    parameters: tuple[Parameter, ...]


class Piece(Struct, frozen=True):
    """A part of a prompt as it was written; `words` may be translated."""

    text: str
    words: bool

    @property
    def is_foreign(self) -> bool:
        """Whether it is words in Chinese or its neighbours' scripts."""
        return self.words and _FOREIGN.search(self.text) is not None


@lru_cache(maxsize=1024)
def split(prompt: str) -> Parts:
    """The text, and the parameters with their values."""
    prompt = _DASHES.sub("--", prompt)
    marks = list(_PARAMETER.finditer(prompt))
    starts = [mark.start() for mark in marks] + [len(prompt)]
    texts = [prompt[: starts[0]].strip()]
    parameters = []
    for mark, end in zip(marks, starts[1:], strict=True):
        name = mark.group(1).lower()
        value, rest = _own(name, prompt[mark.end() : end])
        parameters.append(Parameter(name, value.strip()))
        texts.append(rest.strip())
    return Parts(" ".join(text for text in texts if text), tuple(parameters))


def has(prompt: str, parameter: str) -> bool:
    """Whether the prompt names a parameter, given without its dashes."""
    return any(known.name == parameter for known in split(prompt).parameters)


@lru_cache(maxsize=1024)
def normalized(prompt: str) -> str:
    """The prompt without what Midjourney rewrites: no links, no parameters, lower case, single
    spaces."""
    text = _LINK.sub(" ", unmarked(split(prompt).text))
    return _SPACE.sub(" ", text).strip().lower()


def marked(prompt: str, trigger: str) -> str:
    """The prompt with a correlation tag, which follows image links."""
    links = _LEADING_LINKS.match(prompt)
    end = links.end() if links else 0
    return f"{prompt[:end]}<#{trigger}#>{prompt[end:]}"


def mark_in(prompt: str) -> str | None:
    """The correlation tag in a prompt."""
    found = _MARK.search(prompt)
    return found[1] if found else None


def unmarked(text: str) -> str:
    """The text without the correlation tag."""
    return _MARK.sub("", text, count=1)


def pieces(prompt: str) -> list[Piece]:
    """A prompt in pieces that can be joined again: words, and parts that must not change (links,
    parameters and their values, except those of `--no`)."""
    marks = list(_PARAMETER.finditer(prompt))
    starts = [mark.start() for mark in marks] + [len(prompt)]
    found = _between_links(prompt[: starts[0]])
    for mark, end in zip(marks, starts[1:], strict=True):
        own, rest = _own(mark.group(1).lower(), prompt[mark.end() : end])
        found += [Piece(mark.group(), False), Piece(own, mark.group(1).lower() == "no")]
        found += _between_links(rest)
    return [piece for piece in found if piece.text]


def _between_links(text: str) -> list[Piece]:
    found, at = [], 0
    for link in _LINK.finditer(text):
        found += [Piece(text[at : link.start()], True), Piece(link.group(), False)]
        at = link.end()
    return [*found, Piece(text[at:], True)]


def _own(name: str, words: str) -> tuple[str, str]:
    """The words of a parameter, including white space, and the text after them."""
    if name in _SWITCHES:
        return "", words
    if name not in _SINGLE:
        return words, ""
    value = re.match(r"\s*\S*", words)
    end = value.end() if value else 0
    return words[:end], words[end:]


def check(prompt: str) -> None:
    """Reject a prompt that Midjourney would reject.

    Raises:
        BadPrompt: it is empty, or a known parameter has an invalid value.
    """
    parts = split(prompt)
    if not parts.text and not parts.parameters:
        raise BadPrompt("the prompt is empty")
    check_parameters(prompt)


def check_parameters(prompt: str) -> None:
    """The same for a prompt that may be empty.

    Raises:
        BadPrompt: a known parameter has an invalid value.
    """
    for parameter in split(prompt).parameters:
        if (rule := _RULES.get(parameter.name)) and (fault := rule(parameter.value)):
            raise BadPrompt(f"--{parameter.name} {fault}", parameter.name)


def with_speed(prompt: str, speed: Speed | None) -> str:
    """The prompt with the parameter of a speed, unless it already has one."""
    named = any(has(prompt, name) for name in _SPEEDS.values())
    return prompt if speed is None or named else f"{prompt} --{_SPEEDS[speed]}"


def value_of(prompt: str, parameter: str) -> str | None:
    """The value of a parameter, the last one if it occurs twice; None if it does not occur."""
    values = [each.value for each in split(prompt).parameters if each.name == parameter]
    return values[-1] if values else None


_Rule = Callable[[str], str | None]
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,12})?|\.\d{1,12}")


def _between(low: float, high: float) -> _Rule:
    def rule(value: str) -> str | None:
        if _NUMBER.fullmatch(value) and low <= float(value) <= high:
            return None
        return f"must be a number from {low:g} to {high:g}, not {value!r}"

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


def _words(value: str) -> str | None:
    return None if value else "needs at least one word"


_RULES: dict[str, _Rule] = {
    "ar": _ratio,
    "aspect": _ratio,
    "bs": _one_of("1", "2", "4"),
    "c": _between(0, 100),
    "chaos": _between(0, 100),
    "cref": _words,
    "cw": _between(0, 100),
    "end": _words,
    "iw": _between(0, 3),
    "motion": _one_of("low", "high"),
    "no": _words,
    "oref": _words,
    "ow": _between(1, 1000),
    "q": _between(0, 4),
    "quality": _between(0, 4),
    "r": _between(1, 40),
    "repeat": _between(1, 40),
    "s": _between(0, 1000),
    "seed": _between(0, 4_294_967_295),
    "sref": _words,
    "stop": _between(10, 100),
    "stylize": _between(0, 1000),
    "sw": _many(0, 1000),
    "w": _between(0, 3000),
    "weird": _between(0, 3000),
    "zoom": _between(1, 2),
}

_LISTS = frozenset({"no", "sref", "cref", "oref", "sw", "p", "profile"})
_SINGLE = (frozenset(_RULES) | {"style", "v", "version", "iw"}) - _LISTS
"""Parameters with exactly one word. Unknown parameters take all following words."""

_SWITCHES = frozenset(
    {"tile", "raw", "draft", "loop", "fast", "relax", "turbo", "stealth", "public"}
)
