"""Indexes the words of ended tasks, in the background and in small batches.

A submit never pays for it, nor does the end of a task: it is noted as waiting to be indexed, and a
search reads the few that wait. A batch is one write among others. It is made when enough
tasks have ended, and at the start until none wait.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
from msgspec import Struct

from athena.clock import Clock
from athena.errors import StoreError
from athena.store import words
from athena.store.sqlite.reading import Lane, Unreadable
from athena.store.sqlite.writer import Execute, Statement

log = structlog.get_logger(__name__)

_BATCH = 50
"""Tasks per write: some ten milliseconds for the next writer in the queue."""

_ENOUGH = 100
"""Ended tasks that are let gather."""

_PAUSE = 0.02
"""Seconds between two batches when many wait, for everybody else's writes."""

_WAITING = """
SELECT t.number, t.id, t.revision, t.body FROM unindexed u JOIN tasks t ON t.number = u.number
WHERE u.unreadable = 0 ORDER BY u.number LIMIT :most
"""

_BATCH_SQL = """
WITH n (number, revision, text) AS (
    SELECT json_extract(value, '$.number'), json_extract(value, '$.revision'),
        json_extract(value, '$.text')
    FROM json_each(:tasks)
)
"""
_STEPS = tuple(
    _BATCH_SQL + step
    for step in (
        # What a task that was indexed before is no longer found by.
        "INSERT INTO task_terms (task_terms, rowid, terms)"
        " SELECT 'delete', number, terms_of(text) FROM task_texts"
        " WHERE number IN (SELECT number FROM n) ORDER BY number",
        "DELETE FROM task_texts WHERE number IN (SELECT number FROM n)",
        # A task that was changed since it was read is not indexed, so it keeps waiting.
        "INSERT INTO task_texts (number, text) SELECT number, n.text FROM n"
        " JOIN tasks USING (number, revision) WHERE n.text IS NOT NULL",
        "INSERT INTO task_terms (rowid, terms) SELECT number, terms_of(text) FROM task_texts"
        " WHERE number IN (SELECT number FROM n) ORDER BY number",
        "DELETE FROM unindexed WHERE number IN (SELECT number FROM n)"
        " AND number IN (SELECT number FROM task_texts)",
        "UPDATE unindexed SET unreadable = 1"
        " WHERE number IN (SELECT number FROM n WHERE text IS NULL)",
    )
)

TRY_AGAIN = "UPDATE unindexed SET unreadable = 0 WHERE unreadable = 1"
"""At the start: this version may read what an older one could not."""


class _Waiting(Struct, frozen=True):
    number: int
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
            values = {"tasks": msgspec.json.encode(waiting).decode()}
            await self._write([Execute(sql, values) for sql in _STEPS])
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
        return _Waiting(number, revision, words.of(task) if task else None)
