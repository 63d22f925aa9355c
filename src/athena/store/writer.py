"""Group commit: one thread writes, and commits together whatever waits together.

A commit that must reach the disk (`synchronous=FULL`) costs the same for one row as for a hundred.
So callers hand their statements to one thread; it takes all that have gathered while the last
commit ran, writes them in one transaction, and only then tells every caller. Statements of one
caller stay together and keep their order. When the common commit fails, each is tried on its own,
so that one bad statement harms nobody else.

A disk that is full, locked or broken is another matter: that passes, and what has happened must not
be forgotten meanwhile. So a write says whether it is *lasting*. New requests are not: they are
refused at once, with the reason. What became of tasks that were accepted before is: such writes
wait here, in their order, and are tried again every second until the disk takes them. While any
wait, nothing else is written, so that nothing older ever overwrites what is newer. After trouble
the disk is tried every second even when nothing waits, so that we know when it is over.

New rows of one table that follow each other become a single INSERT: every statement is a moment in
which this thread and the event loop's contend for the translation, and those moments cost more
than the writing.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Protocol, TypeAlias

import structlog
from msgspec import Struct

from athena.store import tables

log = structlog.get_logger(__name__)


class Insert(Struct, frozen=True):
    """A new row. `head` is the statement up to its values: `INSERT INTO t (a, b)`."""

    head: str
    row: tuple[object, ...]


class Change(Struct, frozen=True):
    """Any other statement, with its named values."""

    sql: str
    values: Mapping[str, object]


_TROUBLES = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip

Statement: TypeAlias = Insert | Change
Told: TypeAlias = Callable[[sqlite3.Error | None], None]

_MOST_ROWS = 500
_AGAIN = 1.0
"""Seconds between two tries of a disk that failed."""


class StoreBroken(Exception):
    """The database could not take a write; nothing of that write was kept."""


class Write(Struct, frozen=True):
    """Statements that are committed together, and whoever is to be told."""

    statements: tuple[Statement, ...]
    loop: asyncio.AbstractEventLoop
    told: Told
    lasting: bool = False


class Writes(Protocol):
    """The way to the disk."""

    @property
    def trouble(self) -> str:
        """Why nothing can be written now; empty when it can."""
        ...

    def write(self, statements: Iterable[Statement], told: Told, *, lasting: bool = False) -> None:
        """Take statements, behind those taken before. `told` is called on this event loop with
        None once they are on disk, or with the error when they are not and never will be."""

    async def close(self) -> None:
        """Write what still waits, then stop."""


class Committer:
    """Writes batches to a SQLite connection, and keeps what must last until it can."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kept: list[Write] = []
        self.trouble = ""

    def commit(self, batch: list[Write]) -> None:
        """Write a batch behind what was kept of former ones; with neither, try the disk."""
        every = [*self._kept, *batch]
        if not every:
            self._probe()
            return
        self._kept = []
        error = self._try(every)
        if error is None:
            self._recovered()
            _tell(every, None)
        elif len(every) == 1:
            self._failed(every[0], error)
        else:
            self._one_by_one(every)

    def close(self) -> None:
        """Try what was kept a last time, and let the connection go."""
        if self._kept:
            self.commit([])
        _tell(self._kept, sqlite3.OperationalError(self.trouble))
        self._connection.close()

    def _one_by_one(self, every: list[Write]) -> None:
        """After trouble nothing more is tried, so that the order stays."""
        trouble: sqlite3.Error | None = None
        for write in every:
            error = trouble or self._try([write])
            if error is None:
                _tell([write], None)
                continue
            self._failed(write, error)
            trouble = error if _passes(error) else None
        if trouble is None:
            self._recovered()

    def _failed(self, write: Write, error: sqlite3.Error) -> None:
        if _passes(error):
            self._note(str(error))
        if write.lasting and _passes(error):
            self._kept.append(write)
        else:
            _tell([write], error)

    def _probe(self) -> None:
        try:
            self._connection.execute(tables.TOUCH)
        except sqlite3.Error as error:
            self._note(str(error))
        else:
            self._recovered()

    def _note(self, trouble: str) -> None:
        if not self.trouble:
            log.error("store.trouble", error=trouble)
        self.trouble = trouble

    def _recovered(self) -> None:
        if self.trouble:
            log.info("store.recovered")
        self.trouble = ""

    def _try(self, batch: list[Write]) -> sqlite3.Error | None:
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


class Writer:
    """The only one who writes to a SQLite connection: a thread. Close it to flush and end it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._committer = Committer(connection)
        self._waiting: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        return self._committer.trouble

    def write(self, statements: Iterable[Statement], told: Told, *, lasting: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self._waiting.put(Write(tuple(statements), loop, told, lasting))

    async def close(self) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._gather()
            self._committer.commit(batch)
        self._committer.close()

    def _gather(self) -> tuple[list[Write], bool]:
        """What waits, as soon as something does or what was kept is to be tried again."""
        try:
            write = self._waiting.get(timeout=_AGAIN if self.trouble else None)
        except queue.Empty:
            return [], False
        batch: list[Write] = []
        while write is not None:
            batch.append(write)
            if self._waiting.empty():
                return batch, False
            write = self._waiting.get()
        return batch, True


def _passes(error: sqlite3.Error) -> bool:
    """Whether it is the disk's trouble, not the statement's."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _TROUBLES


def _combined(batch: list[Write]) -> Iterator[tuple[str, Mapping[str, object] | list[object]]]:
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


def _tell(batch: list[Write], error: sqlite3.Error | None) -> None:
    """Wake the callers, with one call into each event loop."""
    for loop in dict.fromkeys(write.loop for write in batch):
        told = [write.told for write in batch if write.loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, told, error)


def _settle(every: list[Told], error: sqlite3.Error | None) -> None:
    for told in every:
        told(error)
