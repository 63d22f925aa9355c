"""A simulated disk: commits take time, it can fail for a while, and unwritten data is lost when the
power fails."""

import asyncio
import sqlite3
from collections.abc import Iterable
from random import Random
from typing import Any, cast

from athena.store.writer import Committer, Statement, Told, Write

_COMMIT = (0.0005, 0.008)
"""Seconds that a commit takes."""

_AGAIN = 1.0


class Disk:
    """Creates writers for a store. `fail` and `cut_power` inject faults."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self._loop = loop
        self._random = Random(f"disk/{seed}")
        self._full_until = 0.0
        self._writer: _DiskWriter | None = None

    def writer(self, connection: sqlite3.Connection) -> "_DiskWriter":
        """A writer that uses this disk over a connection."""
        self._writer = _DiskWriter(connection, self)
        return self._writer

    def fail(self, seconds: float) -> None:
        """Be full for a number of seconds."""
        self._full_until = self._loop.time() + seconds

    def cut_power(self) -> None:
        """Lose unwritten data, and ignore all further writes of existing writers."""
        if self._writer:
            self._writer.cut()

    @property
    def is_full(self) -> bool:
        return self._loop.time() < self._full_until

    def moment(self) -> float:
        return self._random.uniform(*_COMMIT)


class _DiskWriter:
    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self._connection = connection
        self._disk = disk
        self._committer = Committer(cast(sqlite3.Connection, _Wire(connection, disk)))
        self._waiting: list[Write] = []
        self._timer: asyncio.TimerHandle | None = None
        self._off = False

    @property
    def trouble(self) -> str:
        return self._committer.trouble

    def write(self, statements: Iterable[Statement], told: Told, *, lasting: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self._waiting.append(Write(tuple(statements), loop, told, lasting))
        if not self._off and (self._timer is None or self._timer.cancelled()):
            self._timer = loop.call_later(self._disk.moment(), self._commit)

    def cut(self) -> None:
        self._off = True
        self._waiting.clear()
        if self._timer:
            self._timer.cancel()

    async def close(self) -> None:
        if self._off:
            self._connection.close()
            return
        self._committer.commit(self._waiting)
        self._committer.close()

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        self._timer = None
        if self._off:
            return
        self._committer.commit(batch)
        if self._committer.trouble:
            self._timer = asyncio.get_running_loop().call_later(_AGAIN, self._commit)


class _Wire:
    """A connection whose disk can be full."""

    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self._connection = connection
        self._disk = disk

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if self._disk.is_full and not sql.startswith("BEGIN"):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self._connection.execute(sql, *values)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()
