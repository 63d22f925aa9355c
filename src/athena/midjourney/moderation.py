"""Words that Midjourney refuses: known before a minute is lost on them.

A word or phrase counts only whole, never inside a longer word, whatever its case.
"""

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from athena.midjourney import prompts


class BannedWords:
    """A set of words and phrases to look for in a prompt's text."""

    def __init__(self, words: Iterable[str]) -> None:
        wanted = sorted({word.strip().lower() for word in words if word.strip()}, key=len)
        alternatives = "|".join(re.escape(word) for word in reversed(wanted))
        self._pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)") if wanted else None

    @classmethod
    def load(cls, extra: Path | None = None) -> "BannedWords":
        """The built-in list, and a file of the operator's: one word or phrase a line, `#` notes."""
        built_in = files(__package__).joinpath("banned_words.txt").read_text("utf-8")
        own = extra.read_text("utf-8") if extra else ""
        lines = [*built_in.splitlines(), *own.splitlines()]
        return cls(line for line in lines if not line.startswith("#"))

    def found_in(self, prompt: str) -> str | None:
        """The first banned word of a prompt. Its links and `--no` are not searched."""
        if self._pattern is None:
            return None
        found = self._pattern.search(prompts.essence(prompt))
        return found.group() if found else None
