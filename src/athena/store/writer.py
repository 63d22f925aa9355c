"""Group commit: one thread writes, and commits together whatever waits together.

A commit that must reach the disk (`synchronous=FULL`) costs the same for one row as for a hundred.
So callers hand their statements to one thread; it takes all that have gathered while the last
commit ran, writes them in one transaction, and only then tells every caller. Statements of one
caller stay together and keep their order. When the common commit fails, each is tried on its own,
so that one bad statement harms nobody else.

New rows of one table that follow each other become a single INSERT: every statement is a moment in
which this thread and the event loop's contend for the interpreter, and those moments cost more
than the writing.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeAlias

from msgspec import Struct


class Insert(Struct, frozen=True):
    """A new row. `head` is the statement up to its values: `INSERT INTO t (a, b)`."""

    head: str
    row: tuple[object, ...]


class Change(Struct, frozen=True):
    """Any other statement, with its named values."""

    sql: str
    values: Mapping[str, object]


Statement: TypeAlias = Insert | Change
Told: TypeAlias = Callable[[sqlite3.Error | None], None]

_MOST_ROWS = 500


class StoreBroken(Exception):
    """The database could not take a write; nothing of that write was kept."""


class _Write(Struct, frozen=True):
    statements: tuple[Statement, ...]
    loop: asyncio.AbstractEventLoop
    told: Told


class Writer:
    """The only one who writes to a SQLite connection. Close it to flush and end its thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, statements: Iterable[Statement], told: Told) -> None:
        """Take statements, behind those taken before. `told` is called on this event loop with
        None once they are on disk, or with the error when they are not and never will be."""
        self._waiting.put(_Write(tuple(statements), asyncio.get_running_loop(), told))

    async def close(self) -> None:
        """Write what still waits, then stop."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = self._gather(first)
            self._commit(batch)
            if last:
                return

    def _gather(self, first: _Write) -> tuple[list[_Write], bool]:
        batch = [first]
        while not self._waiting.empty():
            write = self._waiting.get()
            if write is None:
                return batch, True
            batch.append(write)
        return batch, False

    def _commit(self, batch: list[_Write]) -> None:
        error = self._try(batch)
        if error is None or len(batch) == 1:
            _tell(batch, error)
            return
        for write in batch:
            _tell([write], self._try([write]))

    def _try(self, batch: list[_Write]) -> sqlite3.Error | None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values in _combined(batch):
                connection.execute(sql, values)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.rollback()
            return error
        return None


def _combined(batch: list[_Write]) -> Iterator[tuple[str, Mapping[str, object] | list[object]]]:
    """The batch's statements in their order, neighbouring rows of one table in one."""
    every = (statement for write in batch for statement in write.statements)
    for head, group in groupby(every, lambda each: each.head if isinstance(each, Insert) else None):
        if head is None:
            yield from ((each.sql, each.values) for each in group if isinstance(each, Change))
            continue
        rows = [each.row for each in group if isinstance(each, Insert)]
        for start in range(0, len(rows), _MOST_ROWS):
            yield _insert(head, rows[start : start + _MOST_ROWS])


def _insert(head: str, rows: list[tuple[object, ...]]) -> tuple[str, list[object]]:
    marks = f"({', '.join('?' * len(rows[0]))})"
    values = ", ".join([marks] * len(rows))
    return f"{head} VALUES {values}", [value for row in rows for value in row]


def _tell(batch: list[_Write], error: sqlite3.Error | None) -> None:
    """Wake the callers, with one call into each event loop."""
    for loop in {write.loop for write in batch}:
        told = [write.told for write in batch if write.loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, told, error)


def _settle(every: list[Told], error: sqlite3.Error | None) -> None:
    for told in every:
        told(error)
