"""Words that Midjourney rejects, so that such prompts are rejected before they are sent.

A word or phrase matches only as a whole, regardless of case. The operator's file adds words to the
built-in list, removes some of them (`-word`), or replaces the list; it is read again when it
changes. `shared_words` finds words in prompts that the list allowed and the bot rejected.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

from athena.midjourney import prompts

_LOOK = 1.0
"""Seconds between two checks of the operator's file."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_COMMON = frozenset((
    "the", "and", "with", "for", "from", "this", "that", "into", "over", "under", "very", "are",
    "was", "one", "two", "her", "his", "their", "its", "style", "photo", "image", "image",
    "portrait", "painting", "illustration", "drawing", "light", "dark",
))  # fmt: skip


class BannedWords:
    """A set of words and phrases to look for in a prompt's text."""

    def __init__(self, words: Iterable[str]) -> None:
        wanted = sorted({word.strip().lower() for word in words if word.strip()}, key=len)
        alternatives = "|".join(re.escape(word) for word in reversed(wanted))
        self._pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)") if wanted else None

    def found_in(self, prompt: str) -> str | None:
        """The first banned word of a prompt. Its links and `--no` are not searched."""
        if self._pattern is None:
            return None
        found = self._pattern.search(prompts.normalized(prompt))
        return found.group() if found else None


class WordList:
    """The effective words: the built-in ones and those of a file that may change at any time.

    `now` returns seconds. The file is checked at most once a second, because a check at every
    submit would cost more than the rest of the submit.
    """

    def __init__(
        self,
        own: Path | None = None,
        *,
        built_in: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._looked = now()
        self._own = own
        self._built_in = built_in
        self._seen = self._stamp()
        self._words = self._read()

    def found_in(self, prompt: str) -> str | None:
        """The first word of a prompt that is banned now."""
        now = self._now()
        if now - self._looked >= _LOOK:
            self._looked = now
            self._look()
        return self._words.found_in(prompt)

    def own(self) -> str:
        """The text of the operator's file; empty if there is none."""
        try:
            return self._own.read_text(encoding="utf-8") if self._own else ""
        except FileNotFoundError:
            return ""

    def replace_own(self, text: str) -> None:
        """Replace the text of that file; takes effect immediately.

        Raises:
            OSError: it cannot be written.
        """
        if self._own is None:
            return
        self._own.parent.mkdir(parents=True, exist_ok=True)
        self._own.write_text(text, encoding="utf-8")
        self._look()

    def _look(self) -> None:
        seen = self._stamp()
        if seen != self._seen:
            self._seen = seen
            self._words = self._read()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._own.stat() if self._own else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size) if found else None

    def _read(self) -> BannedWords:
        listed = set(built_in_words()) if self._built_in else set()
        for line in _lines(self._own):
            if line.startswith("-"):
                listed.discard(line[1:].strip())
            else:
                listed.add(line)
        return BannedWords(listed)


@cache
def built_in_words() -> frozenset[str]:
    """The built-in list."""
    text = files(__package__).joinpath("banned_words.txt").read_text("utf-8")
    return frozenset(_words(text))


def add_word(file: Path, word: str) -> None:
    """Add a word or phrase to the operator's file, and undo its removal.

    Raises:
        ValueError: there is no word in it.
        OSError: the file cannot be written.
    """
    word = " ".join(word.split()).lower()
    if not word or word.startswith(("#", "-")):
        raise ValueError("a word or phrase is needed")
    text = file.read_text("utf-8") if file.exists() else ""
    kept = [line for line in text.splitlines() if line.strip().lower() not in (word, f"-{word}")]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*kept, word]) + "\n", "utf-8")


def shared_words(refused: Iterable[str], known: WordList) -> list[tuple[str, int]]:
    """Words that several rejected prompts share and that are not listed, the most frequent first,
    each with the number of its prompts."""
    counts = Counter(word for prompt in set(refused) for word in _said(prompt))
    return [
        (word, count)
        for word, count in counts.most_common()
        if count > 1 and known.found_in(word) is None
    ]


def _said(prompt: str) -> set[str]:
    return set(_WORD.findall(prompts.normalized(prompt))) - _COMMON


def _lines(file: Path | None) -> list[str]:
    try:
        return _words(file.read_text("utf-8")) if file else []
    except (OSError, UnicodeDecodeError):
        return []


def _words(text: str) -> list[str]:
    lines = (line.strip().lower() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
