"""What the store can tell another process while the server works: read-only, beside its writer."""

import sqlite3
from pathlib import Path

from msgspec import Struct

from athena.store import tables
from athena.store.writer import StoreBroken


class RefusedPrompt(Struct, frozen=True, kw_only=True):
    """A prompt that our own list let pass and the bot's moderation refused."""

    task_id: str
    at: int
    """Unix milliseconds."""
    prompt: str
    said: str
    """The bot's words."""


def refused_prompts(folder: Path) -> list[RefusedPrompt]:
    """All of a data folder, oldest first; none when there is no store yet.

    Raises:
        StoreBroken: the file is no database of ours.
    """
    path = folder / "athena.db"
    if not path.exists():
        return []
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
            rows = connection.execute(tables.REFUSED_PROMPTS).fetchall()
        connection.close()
    except sqlite3.Error as error:
        raise StoreBroken(f"{path}: {error}") from error
    return [RefusedPrompt(task_id=i, at=at, prompt=p, said=s) for i, at, p, s in rows]
