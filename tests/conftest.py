"""Shared fixtures."""

import asyncio
import os
import shutil
from collections.abc import Callable
from typing import ClassVar
from weakref import WeakSet

import pytest
from msgspec import structs

from athena.clock import TurnableClock
from athena.errors import StoreError
from athena.store.sqlite import Committer, Write, Writer


class WatchedWriter(Writer):
    """A writer that knows how many writes are not on disk yet."""

    every: ClassVar["WeakSet[WatchedWriter]"] = WeakSet()

    def __init__(self, committer: Committer) -> None:
        super().__init__(committer)
        self._unwritten = 0
        self.every.add(self)

    @property
    def is_writing(self) -> bool:
        return self._unwritten > 0 and not self.write_error

    def write(self, write: Write) -> None:
        def counted(error: StoreError | None) -> None:
            self._unwritten -= 1
            write.on_done(error)

        self._unwritten += 1
        super().write(structs.replace(write, on_done=counted))


async def breathe() -> None:
    """Let sockets, threads and disks complete their pending work without time passing on any clock,
    so that a turned clock never outruns a slow disk."""
    for _ in range(3):
        await asyncio.to_thread(int)
        while any(writer.is_writing for writer in WatchedWriter.every):
            await asyncio.to_thread(int)


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock()


@pytest.fixture
def need() -> Callable[[str], str]:
    """The path of an external program; if it is missing, the test is skipped, or fails with
    ATHENA_NO_SKIPS."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None and os.environ.get("ATHENA_NO_SKIPS"):
            pytest.fail(f"{program} is not installed, and no test may be skipped here")
        if path is None:
            pytest.skip(f"{program} is not installed")
        return path

    return find
