"""The stores that the contract is tried on. A second implementation adds a `Backend` here."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from athena.clock import Clock, TurnableClock
from athena.store.repository import TaskRepository
from athena.store.retention import Retention
from athena.store.sqlite import Committer, SqliteRepository, Write, Writer, open_store


class Backend(Protocol):
    """A place where a store keeps things, and what can happen to it."""

    clock: TurnableClock

    async def open(self, retention: Retention | None = None) -> TaskRepository:
        """A repository over the same place as those before."""
        ...

    async def open_controlled(self, retention: Retention | None = None) -> TaskRepository:
        """One whose writes wait for `commit`, and are harmed by `fault`."""
        ...

    fault: str
    """Why the disk fails; empty when it works."""

    async def commit(self) -> None:
        """Try to write what waits, and run the callbacks."""
        ...

    async def index(self, repository: TaskRepository) -> None:
        """Finish what the store does in the background for searches."""
        ...


class SqliteBackend:
    """In a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = TurnableClock()
        self.fault = ""
        self._writers: list[ControlledWriter] = []

    async def open(self, retention: Retention | None = None) -> TaskRepository:
        return await self._open(Writer, retention)

    async def open_controlled(self, retention: Retention | None = None) -> TaskRepository:
        def make(committer: Committer) -> ControlledWriter:
            self._writers.append(ControlledWriter(committer, lambda: self.fault))
            return self._writers[-1]

        return await self._open(make, retention)

    async def commit(self) -> None:
        for writer in self._writers:
            writer.commit()
        for _ in range(5):
            await asyncio.sleep(0)

    async def index(self, repository: TaskRepository) -> None:
        assert isinstance(repository, SqliteRepository)
        while await repository.index_words():
            pass

    async def _open(self, make_writer: Any, retention: Retention | None) -> TaskRepository:
        clock: Clock = self.clock
        return await open_store(
            self.folder, make_writer=make_writer, retention=retention, clock=clock
        )


class ControlledWriter:
    """A writer without a thread, which commits on demand."""

    def __init__(self, committer: Committer, fault: Callable[[], str]) -> None:
        self._committer = committer
        self._fault = fault
        self._waiting: list[Write] = []

    @property
    def write_error(self) -> str:
        return self._committer.write_error

    def write(self, write: Write) -> None:
        self._waiting.append(write)

    def commit(self) -> None:
        batch, self._waiting = self._waiting, []
        self._committer.commit(batch, fault=self._fault())

    async def close(self) -> None:
        self.commit()
        self._committer.close()
