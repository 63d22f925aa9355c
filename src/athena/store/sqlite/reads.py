"""The repository's reads: from memory where a task is held, else from the database.

Memory runs ahead of the disk, so what a query finds is replaced by what is held, tasks on their way
to the disk are added where they match, and deleted ones are left out.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from functools import partial

from athena.errors import StoreError
from athena.store.queries import Cursor, Statistics, TaskFilter
from athena.store.repository import Delivery, IdempotencyRecord, RefusedPrompt
from athena.store.sqlite import counting, queries
from athena.store.sqlite.memory import Memory
from athena.store.sqlite.queries import TaskReader
from athena.store.sqlite.reading import Lane, Unreadable
from athena.store.sqlite.searching import Search
from athena.store.sqlite.uploads import UploadFolder
from athena.store.sqlite.writes import Writes
from athena.tasks.model import Millis, Task
from athena.tasks.requests import Upload


class TaskReads:
    """Tasks.

    Args:
        fast: for small, urgent reads.
        slow: for searches and statistics, with a time limit.
    """

    def __init__(self, fast: Lane, slow: Lane, memory: Memory, unreadable: Unreadable) -> None:
        self._fast = fast
        self._slow = slow
        self._memory = memory
        self._unreadable = unreadable
        self._reader = TaskReader(unreadable)

    @property
    def unreadable(self) -> int:
        return self._unreadable.count

    @property
    def unreadable_ids(self) -> tuple[str, ...]:
        return self._unreadable.ids

    def held(self, task_id: str) -> Task | None:
        return self._memory.held(task_id)

    def unfinished(self, account: str | None = None) -> list[Task]:
        return self._memory.cache.unfinished(account)

    def unfinished_count(self, account: str) -> int:
        return self._memory.cache.unfinished_count(account)

    def recent(self, account: str | None = None) -> list[Task]:
        return self._memory.cache.recent(account)

    async def find(self, task_id: str) -> Task | None:
        return next(iter(await self.find_many([task_id])), None)

    async def find_many(self, task_ids: Iterable[str]) -> list[Task]:
        wanted = list(task_ids)
        missing = [
            each for each in wanted if self.held(each) is None and each not in self._memory.gone
        ]
        found: dict[str, Task] = {}
        if missing:
            read = partial(self._reader.find_many, task_ids=missing)
            found = {task.id: task for task in await self._fast.run(read)}
        tasks = (self.held(each) or found.get(each) for each in wanted)
        return [task for task in tasks if task and task.id not in self._memory.gone]

    async def search(
        self, filter: TaskFilter, most: int, before: Cursor | None = None
    ) -> list[Task]:
        # Those that are on their way before the query begins, and when it has ended: whichever
        # moment the query shows, one that it missed is among them.
        moving = self._memory.chains.ids()

        def read(connection: sqlite3.Connection) -> list[Task]:
            return Search(connection, filter, self._unreadable).page(most + len(moving), before)

        found = {task.id: task for task in await self._slow.run(read)}
        for task_id in moving | self._memory.chains.ids():
            if task := self.held(task_id):
                found[task_id] = task
        if filter.words:
            found |= {task.id: task for task in self.unfinished()}
        return _page(self._memory.corrected(found.values()), filter, most, before)

    async def by_trigger(self, trigger: str) -> list[Task]:
        found = await self._fast.run(partial(self._reader.by_trigger, trigger=trigger))
        return self._memory.corrected(found)


class RecordReads(TaskReads):
    """And what is kept with them. Arguments as `TaskReads`."""

    def __init__(
        self,
        fast: Lane,
        slow: Lane,
        memory: Memory,
        unreadable: Unreadable,
        upload_folder: UploadFolder,
        writes: Writes,
    ) -> None:
        super().__init__(fast, slow, memory, unreadable)
        self._upload_folder = upload_folder
        self._writes = writes

    async def uploads(self, task_id: str) -> tuple[Upload, ...]:
        found = await self._fast.run(partial(queries.uploads, task_id=task_id))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._read_uploads, task_id, found)

    async def statistics(self, now: Millis, hours: int) -> Statistics:
        await self._writes.done()
        return await self._slow.run(partial(counting.statistics, now=now, hours=hours))

    async def idempotency_record(self, key: str) -> IdempotencyRecord | None:
        while moving := self._memory.claims.get(key):
            await asyncio.wait([moving])
        return await self._fast.run(partial(queries.idempotency_record, key=key))

    async def uploaded_file(self, name: str) -> str | None:
        return await self._fast.run(partial(queries.uploaded_file, name=name))

    async def cursors(self) -> dict[str, str]:
        return await self._fast.run(queries.cursors)

    async def usage(self, day: int) -> dict[str, int]:
        return await self._fast.run(partial(queries.usage, day=day))

    async def pending_deliveries(self) -> list[Delivery]:
        found = await self._fast.run(self._reader.deliveries)
        return [
            Delivery(url=each.url, task=self._memory.held(each.task.id) or each.task)
            for each in found
            if each.task.id not in self._memory.gone
        ]

    async def refused_prompts(self) -> list[RefusedPrompt]:
        return await self._slow.run(queries.refused_prompts)

    def _read_uploads(
        self, task_id: str, found: list[tuple[int, str, str, bytes | None]]
    ) -> tuple[Upload, ...]:
        try:
            return tuple(
                Upload(
                    filename=name,
                    content_type=kind,
                    data=self._upload_folder.read(task_id, at) if data is None else data,
                )
                for at, name, kind, data in found
            )
        except OSError as error:
            raise StoreError(f"an upload of {task_id} cannot be read: {error.strerror}") from error


def _page(tasks: list[Task], filter: TaskFilter, most: int, before: Cursor | None) -> list[Task]:
    def place(task: Task) -> Cursor:
        return task.submitted_at, task.id

    shown = [
        task for task in tasks if (before is None or place(task) < before) and filter.matches(task)
    ]
    return sorted(shown, key=place, reverse=True)[:most]
