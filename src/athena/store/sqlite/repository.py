"""The repository on SQLite: one writer thread (see `writer`), lanes of readers (see `reading`).

Unfinished tasks and the most recent ended ones are held in memory (see `cache`), so that reading
them costs no query and a save is compared with the current state at once. When the disk fails, what
is new is refused; what became of accepted tasks stands in memory and is written when the disk works
again, and the change log tells of it then.

`SqliteRepository` puts the parts together: `reads` answers from memory and disk, `task_writes`
changes tasks, `writes` brings everything to the writer, `memory` is what they share.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import IO

from athena.clock import Clock
from athena.store.changes import ChangeLog
from athena.store.repository import IdempotencyRecord
from athena.store.retention import Retention
from athena.store.sqlite import rows, sweeping
from athena.store.sqlite.indexing import Indexer
from athena.store.sqlite.loading import Opened
from athena.store.sqlite.memory import Memory
from athena.store.sqlite.pipeline import Pipeline
from athena.store.sqlite.reads import RecordReads
from athena.store.sqlite.task_writes import TaskWrites
from athena.store.sqlite.writer import StoreWriter
from athena.store.sqlite.writes import Writes, ignore
from athena.tasks.model import Millis, Task
from athena.tasks.requests import Upload


class SqliteRepository(RecordReads):
    """Implements `athena.store.repository.TaskRepository`. Make one with `open_store`."""

    def __init__(
        self,
        opened: Opened,
        writer: StoreWriter,
        lock: IO[bytes],
        retention: Retention,
        clock: Clock,
    ) -> None:
        memory = Memory(opened.cache)
        writes = Writes(Pipeline(writer, opened.upload_folder), memory)
        super().__init__(
            opened.fast, opened.slow, memory, opened.unreadable, opened.upload_folder, writes
        )
        self.changes = ChangeLog()
        self._lock = lock
        self._retention = retention
        self._clock = clock
        self._claim_life = round(retention.claims_hours * 3_600_000)
        self._indexer = Indexer(opened.slow, writes.write_all, opened.unreadable, clock)
        self._tasks = TaskWrites(
            memory,
            writes,
            self.changes,
            self._on_disk,
            self._indexer.task_ended,
            opened.upload_folder,
            set(opened.with_uploads),
            self._claim_life,
        )

    @property
    def write_error(self) -> str:
        return self._writes.error

    def add(
        self,
        task: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
    ) -> "asyncio.Future[None]":
        return self._tasks.add(task, uploads=uploads, claim=claim)

    def save(
        self,
        before: Task,
        after: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
        retried: bool = True,
    ) -> "asyncio.Future[None]":
        return self._tasks.save(before, after, uploads=uploads, claim=claim, retried=retried)

    async def remove(self, task: Task) -> None:
        await self._tasks.remove([task], task.id)

    def keep_idempotency_record(self, record: IdempotencyRecord) -> "asyncio.Future[None]":
        statement = rows.keep_claim(record, self._claim_life)
        return self._writes.write([statement], self._writes.claiming(record, ignore))

    def keep_uploaded_file(self, name: str, account: str, at: Millis) -> "asyncio.Future[None]":
        return self._writes.write([rows.keep_file(name, account, at)], ignore)

    def save_cursor(self, channel: str, message: str) -> None:
        self._writes.write([rows.save_cursor(channel, message)], ignore, retried=True)

    def delivered(self, task: Task) -> "asyncio.Future[None]":
        return self._writes.write([rows.delivered(task)], ignore, retried=True)

    async def written(self) -> None:
        await self._writes.done()

    async def sweep(self, step: int = 200) -> int:
        cutoffs = self._retention.cutoffs(self._clock.now())
        most = self._retention.tasks_most
        doomed = await self._slow.run(
            lambda connection: sweeping.doomed(connection, self._reader, cutoffs, most, step)
        )
        idle = [each for each in doomed.tasks if each.id not in self._memory.chains]
        if idle:
            await self._tasks.remove(idle)
        if doomed.statements:
            await self._writes.write_all(doomed.statements)
        if free := await self._slow.run(sweeping.free_pages):
            await self._writes.write_all(sweeping.give_back(free))
        return len(idle) + doomed.rows

    async def index_words(self) -> int:
        """Index the words of the next ended tasks that wait for it; returns how many that were.
        It happens in the background too."""
        return await self._indexer.step()

    async def close(self) -> None:
        if self._lock.closed:
            return
        await self._indexer.close()
        await self._writes.close()
        self._fast.close()
        self._slow.close()
        self._lock.close()

    async def _on_disk(self, task_id: str) -> Task | None:
        return await self._fast.run(partial(self._reader.find, task_id=task_id))
