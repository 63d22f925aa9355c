"""How Midjourney rewrites a prompt for display (contracts: midjourney-bot, sections 4, 9).

Links become short ones, parameters move to the end in a spelled-out form with defaults added, em
dashes become `--`, white space collapses. Invalid prompts are refused as the bot refuses them.
Rewriting is idempotent.
"""

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from athena.simulator.bots.parameters import NOTICE_FLAG, Refused, check, read_all

_PARAMETER = re.compile(r"(?:(?<=\s)|^)--([a-zA-Z][a-zA-Z-]*)")
_LINK = re.compile(r"<?(https?://[^\s<>]+)>?")
_SHORT = "https://s.mj.run/"
_SPEEDS = {"fast": "fast", "relax": "relaxed", "turbo": "turbo"}
_OBEYED = {*_SPEEDS, "stealth", "public", NOTICE_FLAG}
"""Parameters that are applied but not shown in the prompt."""

_BANNED = ("nsfw", "gore", "nude", "porn")

_NONE: Mapping[str, str] = MappingProxyType({})


class Rewritten(Struct, frozen=True, kw_only=True):
    """A prompt as the bot shows it, and its parameters."""

    shown: str
    text: str
    parameters: Mapping[str, str] = _NONE
    """All given parameters, by their short names; without the defaults."""
    links: tuple[str, ...] = ()
    """As given, in order."""
    version: str = "7.0"

    @property
    def ratio(self) -> tuple[int, int]:
        wide, _, high = self.parameters.get("ar", "1:1").partition(":")
        return int(wide), int(high)

    @property
    def mode(self) -> str | None:
        """The speed that the prompt sets."""
        return next((said for name, said in _SPEEDS.items() if name in self.parameters), None)

    @property
    def model(self) -> str:
        """The version, or `niji 6`."""
        niji = self.parameters.get("niji")
        return self.version if niji is None else f"niji {niji}"

    @property
    def stealth(self) -> bool:
        return "stealth" in self.parameters

    @property
    def words(self) -> str:
        """The text without its links."""
        return " ".join(_LINK.sub(" ", self.text).split())


def rewrite(
    prompt: str, defaults: Mapping[str, str] = _NONE, *, wordless: bool = False
) -> Rewritten:
    """Read a prompt as the bot does; `defaults` apply unless the prompt sets them.

    Raises:
        Refused: it is empty, contains a banned word, or a parameter has an invalid value.
    """
    text, given = _split(re.sub("[—–](?=[a-zA-Z])", "--", prompt).replace("—", "--"))
    if not text and not wordless:
        raise Refused("Empty prompt", "The prompt cannot be empty.")
    if word := next((w for w in _BANNED if re.search(rf"\b{w}\b", text.lower())), None):
        raise Refused("Banned prompt detected", f"The word `{word}` is not allowed here.")
    for name, value in given.items():
        check(name, value)
    parameters = _with(defaults, given)
    version = _spelled_out(parameters.get("v", "7"))
    return Rewritten(
        shown=_join(text, parameters, version),
        text=text,
        parameters=parameters,
        links=tuple(_LINK.findall(text)),
        version=version,
    )


def _with(defaults: Mapping[str, str], given: dict[str, str]) -> dict[str, str]:
    """Merge parameters; a given model of either kind replaces the default model."""
    models = {"v", "niji"}
    kept = {n: v for n, v in defaults.items() if not (n in models and models & given.keys())}
    return {**kept, **given}


def _split(prompt: str) -> tuple[str, dict[str, str]]:
    """The text, including words after a parameter's value, and the parameters."""
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


def shortened(url: str) -> str:
    """The short link by which the bot shows an image."""
    return (
        url
        if url.startswith(_SHORT)
        else (f"{_SHORT}{hashlib.sha256(url.encode()).hexdigest()[:10]}")
    )


def _join(text: str, parameters: Mapping[str, str], version: str) -> str:
    raw = {"raw": ""} if parameters.get("style") == "raw" else {}
    shown = {n: v for n, v in parameters.items() if not (n == "style" and raw)} | raw
    is_video = "video" in parameters
    names = {"ar": "aspect"} if is_video else {}
    words = [
        f"--{names.get(n, n)} {v}".strip() for n, v in shown.items() if n not in {*_OBEYED, "v"}
    ]
    default = [] if is_video or "niji" in parameters else [f"--v {version}"]
    whole = " ".join([text, *words, *default]).strip()
    return _LINK.sub(lambda link: f"<{shortened(link.group(1))}>", whole)
