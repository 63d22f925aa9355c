"""Indexes the words of ended tasks, in the background and in small batches.

A submit never pays for it, nor does the end of a task: its row says that it waits to be indexed,
and a search reads the few that wait. A batch is one write among others. It is made when enough
tasks have ended, and at the start until none wait.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import Struct

from athena.clock import Clock
from athena.errors import StoreError
from athena.store import words
from athena.store.sqlite.reading import Lane, Unreadable
from athena.store.sqlite.writer import Execute, Statement

log = structlog.get_logger(__name__)

_BATCH = 50
"""Tasks a write: some ten milliseconds for whoever waits behind it."""

_ENOUGH = 100
"""Ended tasks that are let gather."""

_PAUSE = 0.02
"""Seconds between two batches when many wait, for everybody else's writes."""

_WAITING = """
SELECT number, id, revision, body FROM tasks INDEXED BY tasks_unindexed
WHERE indexed = 0 AND ended = 1 ORDER BY number LIMIT :most
"""
_FORGET = """
INSERT INTO task_terms (task_terms, rowid, terms)
SELECT 'delete', number, terms_of(text) FROM task_texts WHERE number = :number
"""
_FORGET_TEXT = "DELETE FROM task_texts WHERE number = :number"
_KEEP_TEXT = """
INSERT INTO task_texts (number, text)
SELECT number, :text FROM tasks WHERE number = :number AND revision = :revision
"""
_KEEP = """
INSERT INTO task_terms (rowid, terms)
SELECT number, terms_of(text) FROM task_texts WHERE number = :number
"""
_DONE = """
UPDATE tasks SET indexed = 1
WHERE number = :number AND EXISTS (SELECT 1 FROM task_texts WHERE number = :number)
"""
_UNREADABLE = "UPDATE tasks SET indexed = 2 WHERE number = :number AND id = :id"

TRY_AGAIN = "UPDATE tasks SET indexed = 0 WHERE indexed = 2"
"""At the start: this version may read what an older one could not."""


class _Waiting(Struct, frozen=True):
    number: int
    id: str
    revision: int
    text: str | None
    """None: it is not readable."""


class Indexer:
    """Runs in the background of a repository.

    Args:
        write: puts statements on disk; raises StoreError.
    """

    def __init__(
        self,
        lane: Lane,
        write: Callable[[Sequence[Statement]], Awaitable[None]],
        unreadable: Unreadable,
        clock: Clock,
    ) -> None:
        self._lane = lane
        self._write = write
        self._unreadable = unreadable
        self._clock = clock
        self._ended = 0
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._running = asyncio.create_task(self._run(), name="store-indexer")

    def task_ended(self) -> None:
        """One more waits."""
        self._ended += 1
        if self._ended >= _ENOUGH:
            self._wanted.set()

    async def step(self, most: int = _BATCH) -> int:
        """Index the next tasks; returns how many that were.

        Raises:
            StoreError: the disk does not take it, or the database cannot be read.
        """
        waiting = await self._lane.run(lambda connection: self._next(connection, most))
        if waiting:
            await self._write([each for task in waiting for each in _statements(task)])
        return len(waiting)

    async def close(self) -> None:
        """Stop between two batches."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._ended = 0
            try:
                await self._all()
            except StoreError as error:
                log.warning("search.not_indexed", error=str(error))
            except Exception:
                log.exception("search.not_indexed")

    async def _all(self) -> None:
        while await self.step() == _BATCH:
            await self._clock.sleep(_PAUSE)

    def _next(self, connection: sqlite3.Connection, most: int) -> list[_Waiting]:
        return [self._look(*row) for row in connection.execute(_WAITING, {"most": most})]

    def _look(self, number: int, task_id: str, revision: int, body: bytes) -> _Waiting:
        task = self._unreadable.decode(task_id, body)
        return _Waiting(number, task_id, revision, words.of(task) if task else None)


def _statements(task: _Waiting) -> list[Statement]:
    if task.text is None:
        return [Execute(_UNREADABLE, {"number": task.number, "id": task.id})]
    values = {"number": task.number}
    text = {"number": task.number, "text": task.text, "revision": task.revision}
    return [
        Execute(_FORGET, values),
        Execute(_FORGET_TEXT, values),
        Execute(_KEEP_TEXT, text),
        Execute(_KEEP, values),
        Execute(_DONE, values),
    ]
