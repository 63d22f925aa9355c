"""Group commit: one thread writes, and commits together whatever waits together.

A commit that must reach the disk (`synchronous=FULL`) costs the same for one row as for a hundred.
So callers hand their statements to one thread; it takes all that have gathered while the last
commit ran, writes them in one transaction, and only then tells every caller. Statements of one
caller stay together and keep their order. When the common commit fails, each is tried on its own,
so that one bad statement harms nobody else.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

Statement: TypeAlias = tuple[str, Mapping[str, object]]


class StoreBroken(Exception):
    """The database could not take a write; nothing of that write was kept."""


class _Write(Struct, frozen=True):
    statements: tuple[Statement, ...]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[None]"


class Writer:
    """The only one who writes to a SQLite connection. Close it to flush and end its thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, statements: Iterable[Statement]) -> "asyncio.Future[None]":
        """Take the statements, behind those taken before; done once they are on disk.

        The future fails with `StoreBroken` when they are not there and never will be.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.put(_Write(tuple(statements), loop, done))
        return done

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
            for write in batch:
                for sql, values in write.statements:
                    connection.execute(sql, values)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.rollback()
            return error
        return None


def _tell(batch: list[_Write], error: sqlite3.Error | None) -> None:
    """Wake the callers, with one call into each event loop."""
    for loop in {write.loop for write in batch}:
        waiting = [write.done for write in batch if write.loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, waiting, error)


def _settle(waiting: list["asyncio.Future[None]"], error: sqlite3.Error | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(StoreBroken(f"the store could not write: {error}"))
