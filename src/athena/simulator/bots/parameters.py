"""The parameters of a prompt and their allowed values.

Source: contracts, midjourney-bot, section 9. The number of words of a parameter depends on its
rule: none for a switch, one for a number or a choice, all following words for a list.
"""

import re
from collections.abc import Iterable
from enum import Enum

from msgspec import Struct


class Refused(Exception):
    """The bot answers with this embed instead of a job."""

    def __init__(self, title: str, description: str) -> None:
        super().__init__(title)
        self.title = title
        self.description = description


class Plain(Enum):
    """Rules without bounds."""

    SWITCH = "no value"
    WORDS = "one or more words"
    CODE = "words or nothing"
    RATIO = "W:H"


class Whole(Struct, frozen=True):
    """A whole number, bounds included."""

    low: int
    high: int


class Decimal(Struct, frozen=True):
    """A number that may have a fraction, bounds included."""

    low: float
    high: float


class OneOf(Struct, frozen=True):
    choices: tuple[str, ...]


Rule = Plain | Whole | Decimal | OneOf

NOTICE_FLAG = "notice"
"""A parameter for the simulator itself: the notice to answer with, in quotes."""

FORMER_NOTICE_FLAG = "stand-in"

_VERSIONS = (
    *(f"{number}{part}" for number in range(1, 9) for part in ("", ".0")),
    *("5.1", "5.2", "6.1", "8.1"),
)

_RULES: dict[str, Rule] = {
    "ar": Plain.RATIO,
    "chaos": Whole(0, 100),
    "stylize": Whole(0, 1000),
    "weird": Whole(0, 3000),
    "quality": Decimal(0, 4),
    "stop": Whole(10, 100),
    "seed": Whole(0, 4_294_967_295),
    "iw": Decimal(0, 3),
    "cw": Whole(0, 100),
    "sw": Whole(0, 1000),
    "ow": Whole(1, 1000),
    "zoom": Decimal(1, 2),
    "repeat": Whole(1, 40),
    "bs": OneOf(("1", "2", "4")),
    "motion": OneOf(("low", "high")),
    "v": OneOf(_VERSIONS),
    "niji": OneOf(("4", "5", "6", "7")),
    "style": OneOf(("raw", "cute", "expressive", "original", "scenic")),
    "no": Plain.WORDS,
    "sref": Plain.WORDS,
    "cref": Plain.WORDS,
    "oref": Plain.WORDS,
    "end": Plain.WORDS,
    "profile": Plain.CODE,
    NOTICE_FLAG: Plain.WORDS,
    **dict.fromkeys(
        ("raw", "tile", "draft", "loop", "fast", "relax", "turbo", "stealth", "public"),
        Plain.SWITCH,
    ),
    "video": OneOf(("", "1")),
}  # fmt: skip
_LONG_NAMES = {
    "aspect": "ar", "c": "chaos", "s": "stylize", "w": "weird", "q": "quality",
    FORMER_NOTICE_FLAG: NOTICE_FLAG, "r": "repeat", "p": "profile", "version": "v",
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def read_all(given: Iterable[tuple[str, list[str]]]) -> tuple[list[str], dict[str, str]]:
    """Assign words to parameters; also returns the remaining words."""
    rest: list[str] = []
    values: dict[str, str] = {}
    for short, words in given:
        name = _LONG_NAMES.get(short.lower(), short.lower())
        taken = _taken(name, words)
        values[name] = " ".join(words[:taken])
        rest += words[taken:]
    return rest, values


def check(name: str, value: str) -> None:
    """Check a value against its rule.

    Raises:
        Refused: the parameter is unknown or its value is invalid.
    """
    rule = _RULES.get(name)
    if rule is None:
        raise Refused("Invalid parameter", f"Unrecognized parameter(s): `--{name}`")
    match rule:
        case Plain.SWITCH | Plain.CODE:
            fits, wanted = True, ""
        case Plain.WORDS:
            fits, wanted = bool(value), "a value"
        case Plain.RATIO:
            fits, wanted = bool(re.fullmatch(r"0*[1-9][0-9]{0,3}:0*[1-9][0-9]{0,3}", value)), "W:H"
        case Whole(low, high):
            fits, wanted = value.isdecimal() and _within(value, low, high), f"{low} to {high}"
        case Decimal(low, high):
            fits, wanted = _within(value, low, high), f"{low} to {high}"
        case OneOf(choices):
            fits, wanted = value in choices, ", ".join(choices)
    if not fits:
        text = f"`{value}` is not a valid value for `--{name}`: it takes {wanted}."
        raise Refused("Invalid parameter", text)


def _taken(name: str, words: list[str]) -> int:
    match _RULES.get(name):
        case Plain.SWITCH:
            return 0
        case Plain.WORDS | Plain.CODE | None:
            return len(words)
        case OneOf(("", *_)) as optional:
            return 1 if words and words[0] in optional.choices else 0
        case _:
            return 1


def _within(value: str, low: float, high: float) -> bool:
    return bool(_NUMBER.fullmatch(value)) and low <= float(value) <= high
