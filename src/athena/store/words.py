"""Searching for words: what counts as a task's text, and how it is cut into terms for an index.

Text is normalized: lower case, runs of anything but letters and digits made one underscore. A word
is found when its normalized form is a part of the text's. To find a part without reading every
text, an index holds every three neighbouring characters of it (trigrams). Text that contains a word
contains all of the word's trigrams; the reverse is checked on the text itself. A word of one or two
characters is the beginning of a trigram; the text is padded, so its last characters begin one too.
So Chinese, which has no spaces and many words of two characters, is served as English is.
"""

import re

from athena.tasks.model import Task

_GAP = re.compile(r"[\W_]+")
_PAD = "__"
_MOST = 20_000
"""Characters of a text that are indexed; a prompt has at most some thousand."""


def normalized(text: str) -> str:
    """Lower case, with one underscore for each run of anything but letters and digits."""
    return _GAP.sub("_", text.casefold())


def of(task: Task) -> str:
    """The normalized text of a task. Parts that another part contains are left out, since the
    description and the final prompt mostly repeat the prompt."""
    parts = (task.prompt, task.prompt_english, task.final_prompt, task.description)
    texts = sorted({normalized(part) for part in parts if part}, key=len, reverse=True)
    kept = [task.id]
    for text in texts:
        if not any(text.strip("_") in other for other in kept):
            kept.append(text)
    # Two underscores never occur in one text, so no word is found across two.
    return "__".join(kept)[:_MOST]


def contains(text: str, words: str) -> bool:
    """Whether a normalized text contains words. Words without a letter or digit are in none."""
    wanted = normalized(words).strip("_")
    return bool(wanted) and wanted in text


def terms(text: str) -> list[str]:
    """The distinct trigrams of a normalized text."""
    padded = text + _PAD
    return sorted({padded[at : at + 3] for at in range(len(padded) - 2)})
