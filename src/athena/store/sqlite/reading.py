"""Reads, in lanes: each lane has threads and connections of its own.

What the sender, idempotency keys and a fetch need is small and urgent; it has a lane that no search
and no statistics ever use. Searches have a time limit, after which SQLite stops them.
"""

import asyncio
import queue
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog

from athena.errors import SearchTimeout, StoreError, StoreUnavailable
from athena.store.sqlite import rows
from athena.store.sqlite.connecting import connect_reader
from athena.tasks.model import Task

log = structlog.get_logger(__name__)

T = TypeVar("T")

_CHECKED_EVERY = 20_000
"""Steps of SQLite's machine between two looks at the clock: some hundred microseconds."""

_MOST_IDS = 1000


class Unreadable:
    """The stored tasks that this version cannot read; used by all threads."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self.count = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._ids)

    def decode(self, task_id: str, body: bytes) -> Task | None:
        """A stored task; None, and a line in the log the first time, when it is not readable."""
        try:
            return rows.decode(body)
        except Exception as error:  # msgspec has several, and a body may hold anything
            if task_id not in self._ids:
                self._note(task_id, error)
            return None

    def _note(self, task_id: str, error: Exception) -> None:
        log.error("task.unreadable", task=task_id, error=str(error))
        self.count += 1
        if len(self._ids) < _MOST_IDS:
            self._ids[task_id] = None


class Lane:
    """Threads that read, each with a connection.

    Args:
        limit: seconds that one read may take; None: as long as it needs.
    """

    def __init__(self, path: Path, name: str, threads: int, limit: float | None = None) -> None:
        self._limit = limit
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"store-{name}")
        self._connections: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(threads):
            self._connections.put(connect_reader(path))

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run `read` on a thread of this lane.

        Raises:
            SearchTimeout: it took longer than the lane's limit.
            StoreUnavailable: the store is closed.
            StoreError: the database cannot be read.
        """
        loop = asyncio.get_running_loop()
        try:
            reading = loop.run_in_executor(self._threads, self._read, read)
        except RuntimeError as error:
            raise StoreUnavailable("the store is closed") from error
        return await reading

    def close(self) -> None:
        """Finish what has begun, then close the connections."""
        self._threads.shutdown()
        while not self._connections.empty():
            self._connections.get().close()

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connections.get()
        self._begin(connection)
        try:
            return read(connection)
        except sqlite3.Error as error:
            raise self._as_store_error(error) from error
        finally:
            connection.set_progress_handler(None, 0)
            self._connections.put(connection)

    def _begin(self, connection: sqlite3.Connection) -> None:
        if self._limit is None:
            return
        # Not the clock that tests turn: it bounds one call, which takes real time.
        end = time.monotonic() + self._limit
        connection.set_progress_handler(lambda: time.monotonic() > end, _CHECKED_EVERY)

    def _as_store_error(self, error: sqlite3.Error) -> StoreError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return SearchTimeout(f"stopped after {self._limit:g} s: narrow the search")
        return StoreError(f"the store could not read: {error}")
