"""A simulated disk: commits take time, it can fail for a while, and unwritten data is lost when the
power fails."""

import asyncio
from random import Random

from athena.store.sqlite import Committer, Write

_COMMIT = (0.0005, 0.008)
"""Seconds that a commit takes."""

_FULL = (0.0, 3.0)
"""Seconds for which it is full when a new request comes at a bad moment."""

_AGAIN = 1.0
"""Seconds between two tries of a disk that failed."""


class Disk:
    """Makes writers for a store: `open_store(folder, make_writer=disk.writer)`. `fail` and
    `cut_power` are what can happen to it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seed: int, full_at_admission: float = 0.0
    ) -> None:
        """`full_at_admission`: the probability that it is full at the moment in which a new request
        is to be written."""
        self._loop = loop
        self._full_at_admission = full_at_admission
        self._random = Random(f"disk/{seed}")
        self._full_until = 0.0
        self._writer: _DiskWriter | None = None

    def writer(self, committer: Committer) -> "_DiskWriter":
        """The way to this disk."""
        self._writer = _DiskWriter(committer, self)
        return self._writer

    def fail(self, seconds: float) -> None:
        """Be full for a number of seconds."""
        self._full_until = self._loop.time() + seconds

    def cut_power(self) -> None:
        """Forget what has not been written, and write nothing more for the former writer."""
        if self._writer:
            self._writer.cut()

    @property
    def fault(self) -> str:
        """Why it fails now; empty when it works."""
        return "database or disk is full" if self._loop.time() < self._full_until else ""

    def admit(self) -> None:
        """A new request is about to be written."""
        if self._full_at_admission and self._random.random() < self._full_at_admission:
            self.fail(self._random.uniform(*_FULL))

    def moment(self) -> float:
        """Seconds that the next commit takes."""
        return self._random.uniform(*_COMMIT)


class _DiskWriter:
    def __init__(self, committer: Committer, disk: Disk) -> None:
        self._committer = committer
        self._disk = disk
        self._waiting: list[Write] = []
        self._timer: asyncio.TimerHandle | None = None
        self._off = False

    @property
    def write_error(self) -> str:
        return self._committer.write_error

    def write(self, write: Write) -> None:
        self._waiting.append(write)
        if not self._off and (self._timer is None or self._timer.cancelled()):
            self._timer = write.loop.call_later(self._disk.moment(), self._commit)

    def cut(self) -> None:
        self._off = True
        self._waiting.clear()
        if self._timer:
            self._timer.cancel()

    async def close(self) -> None:
        if self._off:
            self._committer.abandon([], "the power is off")
        else:
            self._committer.commit(self._waiting)
        self._committer.close()

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        self._timer = None
        if self._off:
            return
        if any(not write.retried for write in batch):
            self._disk.admit()
        self._committer.commit(batch, fault=self._disk.fault)
        if self._committer.write_error:
            self._timer = asyncio.get_running_loop().call_later(_AGAIN, self._commit)
