"""How Midjourney rewrites a prompt before it shows it (contracts: midjourney-bot, sections 4, 9).

Links become short ones, parameters move to the end in a spelled-out form with defaults added, em
dashes become `--`, white space collapses. What is impossible is refused as the bot refuses it.
A rewritten prompt, rewritten again, stays as it is.
"""

import hashlib
import re

from msgspec import Struct

from athena.simulator.bots.parameters import Refused, check, read_all

_PARAMETER = re.compile(r"(?:(?<=\s)|^)--([a-zA-Z]+)")
_LINK = re.compile(r"<?(https?://[^\s<>]+)>?")
_SHORT = "https://s.mj.run/"
_SPEEDS = {"fast": "fast", "relax": "relaxed", "turbo": "turbo"}
_OBEYED = {*_SPEEDS, "stealth", "public"}
"""Switches of the job that the shown prompt does not repeat."""

_BANNED = ("nsfw", "gore", "nude", "porn")


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
    text, parameters = _split(re.sub("[—–](?=[a-zA-Z])", "--", prompt).replace("—", "--"))
    if not text:
        raise Refused("Empty prompt", "The prompt cannot be empty.")
    if word := next((w for w in _BANNED if re.search(rf"\b{w}\b", text.lower())), None):
        raise Refused("Banned prompt detected", f"The word `{word}` is not allowed here.")
    for name, value in parameters.items():
        check(name, value)
    version = _spelled_out(parameters.get("v", "7"))
    wide, _, high = parameters.get("ar", "1:1").partition(":")
    return Rewritten(
        shown=_join(text, parameters, version),
        text=text,
        ratio=(int(wide), int(high)),
        version=version,
        mode=next((said for name, said in _SPEEDS.items() if name in parameters), "fast"),
        stealth="stealth" in parameters,
    )


def _split(prompt: str) -> tuple[str, dict[str, str]]:
    """The text, with whatever stood behind a parameter's value, and the parameters."""
    marks = list(_PARAMETER.finditer(prompt))
    starts = [mark.start() for mark in marks] + [len(prompt)]
    given = [
        (mark.group(1), prompt[mark.end() : end].split())
        for mark, end in zip(marks, starts[1:], strict=True)
    ]
    rest, parameters = read_all(given)
    return " ".join([*prompt[: starts[0]].split(), *rest]), parameters


def _spelled_out(version: str) -> str:
    return version if "." in version else f"{version}.0"


def _shorten(link: re.Match[str]) -> str:
    url = link.group(1)
    if url.startswith(_SHORT):
        return f"<{url}>"
    return f"<{_SHORT}{hashlib.sha256(url.encode()).hexdigest()[:10]}>"


def _join(text: str, parameters: dict[str, str], version: str) -> str:
    raw = {"raw": ""} if parameters.get("style") == "raw" else {}
    shown = {n: v for n, v in parameters.items() if not (n == "style" and raw)} | raw
    words = [f"--{n} {v}".strip() for n, v in shown.items() if n not in {*_OBEYED, "v"}]
    default = [] if "niji" in parameters else [f"--v {version}"]
    return _LINK.sub(_shorten, " ".join([text, *words, *default]))
