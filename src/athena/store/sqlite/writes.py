"""The repository's way to its writer, with those who wait for the outcome.

A caller may be cancelled while it waits; the write is not, nor is what follows it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from athena.errors import StoreError, StoreUnavailable
from athena.store.repository import IdempotencyRecord
from athena.store.sqlite.memory import Memory
from athena.store.sqlite.pipeline import Pipeline
from athena.store.sqlite.writer import Statement, Write
from athena.tasks.requests import Upload


class Writes:
    """For one event loop."""

    def __init__(self, pipeline: Pipeline, memory: Memory) -> None:
        self._pipeline = pipeline
        self._memory = memory
        self._working: set[asyncio.Future[None]] = set()

    @property
    def error(self) -> str:
        """Why nothing can be written now; empty when it can."""
        return self._pipeline.write_error

    def write(
        self,
        statements: Sequence[Statement],
        told: Callable[[StoreError | None], None],
        *,
        retried: bool = False,
        task_id: str = "",
    ) -> "asyncio.Future[None]":
        """Write, and call `told` with the outcome before the future is done."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: StoreError | None) -> None:
            told(error)
            finish(done, error)

        self.send(statements, settle, retried=retried, task_id=task_id)
        return done

    async def write_all(self, statements: Sequence[Statement]) -> None:
        """Write, and wait for it.

        Raises:
            StoreError: it could not be written.
        """
        await asyncio.shield(self.write(statements, ignore))

    def send(
        self,
        statements: Sequence[Statement],
        told: Callable[[StoreError | None], None],
        *,
        retried: bool,
        task_id: str = "",
        uploads: Sequence[Upload] = (),
    ) -> None:
        """Write, and call `told` with the outcome.

        Raises:
            StoreUnavailable: the store is closed.
        """
        loop = asyncio.get_running_loop()
        write = Write(tuple(statements), loop, _Once(told), retried)
        self._pipeline.write(write, task_id, uploads)

    def claiming(
        self, claim: IdempotencyRecord, told: Callable[[StoreError | None], None]
    ) -> Callable[[StoreError | None], None]:
        """A caller that asks for the key meanwhile waits for the outcome, even when the caller that
        makes the record is cancelled."""
        moving = asyncio.get_running_loop().create_future()
        self._memory.claims[claim.key] = moving

        def settle(error: StoreError | None) -> None:
            if self._memory.claims.get(claim.key) is moving:
                del self._memory.claims[claim.key]
            finish(moving, None)
            told(error)

        return settle

    async def done(self) -> None:
        """Wait until all that has changed is on disk, or cannot be now."""
        await self._pipeline.flushed()
        with suppress(StoreUnavailable):
            await self.write([], ignore)

    def spawn(self, work: Awaitable[None]) -> None:
        """Something that follows a write; `close` waits for it."""
        working = asyncio.ensure_future(work)
        self._working.add(working)
        working.add_done_callback(self._working.discard)

    async def close(self) -> None:
        """Write what waits, and wait for all that follows."""
        await self._pipeline.close()
        await asyncio.sleep(0)  # what the writer told last comes with the loop's next turn
        while self._working:
            await asyncio.wait(self._working)


class _Once:
    """A callback of which only the first call counts."""

    __slots__ = ("_told",)

    def __init__(self, told: Callable[[StoreError | None], None]) -> None:
        self._told: Callable[[StoreError | None], None] = told

    def __call__(self, error: StoreError | None) -> None:
        told, self._told = self._told, ignore
        told(error)


def ignore(_: StoreError | None) -> None:
    """For writes whose outcome concerns nobody but who waits."""


def finish(done: "asyncio.Future[None]", error: StoreError | None) -> None:
    """Tell the caller that waits, unless it has gone away."""
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
        done.exception()  # whether anybody waits for it or not
