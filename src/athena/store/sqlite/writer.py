"""Group commit: one thread writes, and commits together what waits together.

A commit that must reach the disk (`synchronous=FULL`) costs the same for one row as for a hundred.
So callers hand their statements to one thread; it takes all that have gathered while the last
commit ran, writes them in one transaction, and only then notifies every caller. Statements of one
caller stay together and keep their order. When the common commit fails, each write is tried on its
own, so that one bad statement, or one save that lost a race, harms no other.

A disk that is full, locked or broken is different: that may pass, and nothing must be lost until it
does. So a write says whether it is *retried*. New requests are not: they are refused at once, with
the reason. Changes of accepted tasks are: such writes wait here, in order, and are tried again
every second until the disk works. While any wait, nothing else is written, so nothing older
overwrites what is newer. After a failure the disk is tried every second even when nothing waits, to
notice when it works again.

Consecutive new rows of one table become a single INSERT: with every statement this thread and the
event loop's contend for the interpreter, and that costs more than the writing.

No exception ends the thread: it fails the write that caused it. If the thread ends nevertheless,
`write_error` says so and every write is refused at once.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol, TypeAlias

import structlog
from msgspec import Struct

from athena.errors import Conflict, StoreError, StoreUnavailable

log = structlog.get_logger(__name__)


class Insert(Struct, frozen=True):
    """A new row. `head` is the statement up to its values, `INSERT INTO t (a, b)`, and `tail` what
    follows them. Rows of different heads may be written in another order than they were given."""

    head: str
    row: tuple[object, ...]
    tail: str = ""


class Execute(Struct, frozen=True):
    """Any other statement, with its named values."""

    sql: str
    values: Mapping[str, object]
    conflict: str = ""
    """When it changes no row, the whole write fails with `Conflict` and this message."""


Statement: TypeAlias = Insert | Execute
OnDone: TypeAlias = Callable[[StoreError | None], None]

_PASSING = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip

_MOST_ROWS = 500
_AGAIN = 1.0
"""Seconds between two tries of a disk that failed."""


class DiskFailure(StoreUnavailable):
    """A failure of the disk, not of the statement: it may pass."""


class Write(Struct, frozen=True):
    """Statements that are committed together. `on_done` is called on the loop: with None once they
    are on disk, or with the error when they never will be."""

    statements: tuple[Statement, ...]
    loop: asyncio.AbstractEventLoop
    on_done: OnDone
    retried: bool = False


class StoreWriter(Protocol):
    """Takes writes and puts them on disk."""

    @property
    def write_error(self) -> str:
        """Why nothing can be written now; empty when it can."""
        ...

    def write(self, write: Write) -> None:
        """Accept a write, after those accepted before.

        Raises:
            StoreUnavailable: the writer is closed, or its thread has ended.
        """
        ...

    async def close(self) -> None:
        """Write what still waits, then stop and close the connection."""
        ...


class Committer:
    """Writes batches to a connection, and keeps what must be retried until it succeeds. For one
    thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kept: list[Write] = []
        self.write_error = ""

    def commit(self, batch: Sequence[Write], *, fault: str = "") -> None:
        """Write a batch after what was kept of earlier ones; without either, test the disk.

        Args:
            fault: for tests: behave as if the disk failed for this reason.
        """
        every = [*self._kept, *batch]
        if not every:
            self._probe(fault)
            return
        self._kept = []
        error = self._try(every, fault)
        if error is None:
            self._recovered()
            _notify(every, None)
        elif len(every) == 1:
            self._failed(every[0], error)
        else:
            self._one_by_one(every, fault)

    def close(self) -> None:
        """Try what was kept a last time, and close the connection."""
        if self._kept:
            self.commit([])
        _notify(self._kept, StoreUnavailable(f"the store was closed: {self.write_error}"))
        self._connection.close()

    def abandon(self, writes: Sequence[Write], reason: str) -> None:
        """Write nothing more, and fail all that wait."""
        self.write_error = reason
        kept, self._kept = self._kept, []
        _notify([*kept, *writes], StoreUnavailable(reason))

    def _one_by_one(self, every: Sequence[Write], fault: str) -> None:
        """After a disk failure nothing more is tried, so that the order stays."""
        failure: StoreError | None = None
        for write in every:
            error = failure or self._try([write], fault)
            if error is None:
                _notify([write], None)
                continue
            self._failed(write, error)
            failure = error if isinstance(error, DiskFailure) else None
        if failure is None:
            self._recovered()

    def _failed(self, write: Write, error: StoreError) -> None:
        passes = isinstance(error, DiskFailure)
        if passes:
            self._note(str(error))
        if write.retried and passes:
            self._kept.append(write)
        else:
            _notify([write], error)

    def _probe(self, fault: str) -> None:
        """Writes the current version again: a write that changes nothing."""
        try:
            _raise(fault)
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            self._connection.execute(f"PRAGMA user_version={version}")
        except (sqlite3.Error, DiskFailure) as error:
            self._note(str(error))
        else:
            self._recovered()

    def _note(self, error: str) -> None:
        if not self.write_error:
            log.error("store.write_failing", error=error)
        self.write_error = error

    def _recovered(self) -> None:
        if self.write_error:
            log.info("store.write_recovered")
        self.write_error = ""

    def _try(self, batch: Sequence[Write], fault: str) -> StoreError | None:
        try:
            _raise(fault)
            self._transact(batch)
        except Exception as error:
            return self._undone(error)
        return None

    def _transact(self, batch: Sequence[Write]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for sql, values, conflict in _combined(batch):
            cursor = connection.execute(sql, values)
            if sql.startswith("PRAGMA"):
                cursor.fetchall()  # some work step by step
            if conflict and cursor.rowcount == 0:
                raise Conflict(conflict)
        connection.execute("COMMIT")

    def _undone(self, error: Exception) -> StoreError:
        """The error for the caller; the transaction is rolled back."""
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
        except sqlite3.Error as second:
            return DiskFailure(f"the store could not write: {error}; {second}")
        return _as_store_error(error)


class Writer:
    """The only writer of a connection: a thread. Close it to flush and end it."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._waiting: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._refusal = ""
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def write_error(self) -> str:
        return self._committer.write_error

    def write(self, write: Write) -> None:
        with self._lock:
            if self._refusal:
                raise StoreUnavailable(self._refusal)
            self._waiting.put(write)

    async def close(self) -> None:
        self._refuse("the store is closed")
        self._waiting.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _refuse(self, reason: str) -> None:
        with self._lock:
            self._refusal = self._refusal or reason

    def _run(self) -> None:
        batch: list[Write] = []
        try:
            last = False
            while not last:
                batch = []
                last = self._gather(batch)
                self._committer.commit(batch)
            self._committer.close()
        except BaseException as error:
            self._died(batch, error)

    def _died(self, batch: list[Write], error: BaseException) -> None:
        log.critical("store.writer_died", error=repr(error))
        reason = f"the store's writer has ended: {type(error).__name__}"
        self._refuse(reason)
        while not self._waiting.empty():
            if write := self._waiting.get():
                batch.append(write)
        self._committer.abandon(batch, reason)

    def _gather(self, batch: list[Write]) -> bool:
        """Waits until there is something to write, or what was kept is to be tried again. Returns
        whether it is the last."""
        try:
            write = self._waiting.get(timeout=_AGAIN if self.write_error else None)
        except queue.Empty:
            return False
        while write is not None:
            batch.append(write)
            if self._waiting.empty():
                return False
            write = self._waiting.get()
        return True


WriterFactory: TypeAlias = Callable[[Committer], StoreWriter]
"""Makes the writer of a store. Tests and the chaos run give one of their own, which decides when
`Committer.commit` is called and with which fault."""


def _raise(fault: str) -> None:
    if fault:
        raise DiskFailure(fault)


def _as_store_error(error: Exception) -> StoreError:
    if isinstance(error, StoreError):
        return error
    said = f"the store could not write: {error}"
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(said)
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _PASSING:
        return DiskFailure(said)
    # Values may be secrets, and the message of, say, a UnicodeEncodeError repeats them.
    shown = said if isinstance(error, sqlite3.Error) else type(error).__name__
    return StoreUnavailable(shown)


_Values: TypeAlias = Mapping[str, object] | list[object]


def _combined(batch: Sequence[Write]) -> Iterator[tuple[str, _Values, str]]:
    """The batch's statements in their order; rows of one table with no other statement between
    them in one."""
    every = (statement for write in batch for statement in write.statements)
    for is_insert, group in groupby(every, lambda each: isinstance(each, Insert)):
        if is_insert:
            yield from _inserts(each for each in group if isinstance(each, Insert))
        else:
            yield from ((e.sql, e.values, e.conflict) for e in group if isinstance(e, Execute))


def _inserts(every: Iterable[Insert]) -> Iterator[tuple[str, _Values, str]]:
    tables: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    for each in every:
        tables.setdefault((each.head, each.tail), []).append(each.row)
    for (head, tail), rows in tables.items():
        for start in range(0, len(rows), _MOST_ROWS):
            yield _insert(head, rows[start : start + _MOST_ROWS], tail)


def _insert(head: str, rows: list[tuple[object, ...]], tail: str) -> tuple[str, _Values, str]:
    marks = f"({', '.join('?' * len(rows[0]))})"
    values = ", ".join([marks] * len(rows))
    return f"{head} VALUES {values} {tail}", [value for row in rows for value in row], ""


def _notify(batch: Sequence[Write], error: StoreError | None) -> None:
    """Call the callers back, with one call into each event loop."""
    for loop in dict.fromkeys(write.loop for write in batch):
        callbacks = [write.on_done for write in batch if write.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle, callbacks, error)
        except RuntimeError:  # The loop is closed: there is no caller left.
            log.warning("store.loop_closed", writes=len(callbacks))


def _settle(every: Sequence[OnDone], error: StoreError | None) -> None:
    for on_done in every:
        try:
            on_done(error)
        except Exception:
            log.exception("store.caller_failed")
