"""How Midjourney rewrites a prompt before it shows it (contracts: midjourney-bot, sections 4, 9).

Links become short ones, parameters move to the end in a spelled-out form with defaults added, em
dashes become `--`, white space collapses. What is impossible is refused as the bot refuses it.
"""

import hashlib
import re

from msgspec import Struct

_PARAMETER = re.compile(r"(?:(?<=\s)|^)--([a-zA-Z]+)")
_LINK = re.compile(r"<?(https?://[^\s<>]+)>?")
_SHORT = "https://s.mj.run/"
_LONG_NAMES = {"aspect": "ar", "c": "chaos", "s": "stylize", "w": "weird", "q": "quality"}
_SPEEDS = {"fast": "fast", "relax": "relaxed", "turbo": "turbo"}
_SWITCHES = {"raw", "tile", "draft", "video", "loop", *_SPEEDS, "stealth", "public"}
_RANGES = {
    "chaos": (0, 100),
    "stylize": (0, 1000),
    "weird": (0, 3000),
    "stop": (10, 100),
    "seed": (0, 4_294_967_295),
    "iw": (0, 3),
}
_BANNED = ("nsfw", "gore", "nude", "porn")


class Refused(Exception):
    """The bot answers with this embed instead of a job."""

    def __init__(self, title: str, description: str) -> None:
        super().__init__(title)
        self.title = title
        self.description = description


class Rewritten(Struct, frozen=True, kw_only=True):
    """A prompt as the bot shows it, and what it obeys of it."""

    shown: str
    text: str
    ratio: tuple[int, int] = (1, 1)
    version: str = "7.0"
    mode: str = "fast"
    stealth: bool = False


def rewrite(prompt: str) -> Rewritten:
    """Read a prompt as the bot does.

    Raises:
        Refused: it is empty, holds a banned word, or a parameter has an impossible value.
    """
    text, parameters = _split(re.sub(r"[—–](?=[a-zA-Z])", "--", prompt))
    if not text and not parameters:
        raise Refused("Empty prompt", "The prompt cannot be empty.")
    if word := next((w for w in _BANNED if re.search(rf"\b{w}\b", text.lower())), None):
        raise Refused("Banned prompt detected", f"The word `{word}` is not allowed here.")
    ratio = _ratio(parameters.get("ar", "1:1"))
    _check(parameters)
    version = _version(parameters)
    mode = next((said for name, said in _SPEEDS.items() if name in parameters), "fast")
    stealth = "stealth" in parameters
    return Rewritten(
        shown=_join(_LINK.sub(_shorten, text), parameters, version),
        text=text,
        ratio=ratio,
        version=version,
        mode=mode,
        stealth=stealth,
    )


def _split(prompt: str) -> tuple[str, dict[str, str]]:
    marks = list(_PARAMETER.finditer(prompt))
    starts = [mark.start() for mark in marks] + [len(prompt)]
    parameters: dict[str, str] = {}
    for mark, end in zip(marks, starts[1:], strict=True):
        name = mark.group(1).lower()
        parameters[_LONG_NAMES.get(name, name)] = " ".join(prompt[mark.end() : end].split())
    text = prompt[: starts[0]]
    for name in _SWITCHES & parameters.keys():
        # What follows a switch is text that stood behind it.
        text, parameters[name] = f"{text} {parameters[name]}", ""
    return " ".join(text.split()), parameters


def _ratio(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,4}):(\d{1,4})", text)
    if not found or not int(found[1]) or not int(found[2]):
        raise Refused("Invalid parameter", f"`{text}` is not a valid aspect ratio.")
    return int(found[1]), int(found[2])


def _check(parameters: dict[str, str]) -> None:
    for name, (low, high) in _RANGES.items():
        if name not in parameters:
            continue
        try:
            fine = low <= float(parameters[name]) <= high
        except ValueError:
            fine = False
        if not fine:
            raise Refused(
                "Invalid parameter",
                f"`{parameters[name]}` is not valid for --{name}: {low} to {high}.",
            )


def _version(parameters: dict[str, str]) -> str:
    given = parameters.get("v", "7")
    if not re.fullmatch(r"\d(?:\.\d)?", given):
        raise Refused("Invalid parameter", f"`{given}` is not a model version.")
    return given if "." in given else f"{given}.0"


def _shorten(link: re.Match[str]) -> str:
    url = link.group(1)
    if url.startswith(_SHORT):
        return f"<{url}>"
    return f"<{_SHORT}{hashlib.sha256(url.encode()).hexdigest()[:10]}>"


def _join(text: str, parameters: dict[str, str], version: str) -> str:
    hidden = {*_SPEEDS, "stealth", "public", "v", "style"}
    words = [text] if text else []
    words += [f"--{n} {v}".strip() for n, v in parameters.items() if n not in hidden]
    if parameters.get("style") == "raw":
        words.append("--raw")
    elif "style" in parameters:
        words.append(f"--style {parameters['style']}")
    return " ".join([*words, *([] if "niji" in parameters else [f"--v {version}"])])
