"""The repository's reads: from memory where a task is held, else from the database.

Memory runs ahead of the disk, so what a query finds is replaced by what is held, tasks on their way
to the disk are added where they match, and deleted ones are left out.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from functools import partial

from athena.errors import StoreError
from athena.store.cache import TaskCache
from athena.store.queries import Cursor, Statistics, TaskFilter
from athena.store.repository import Delivery, IdempotencyRecord, RefusedPrompt
from athena.store.sqlite import counting, queries
from athena.store.sqlite.chains import Chains
from athena.store.sqlite.queries import TaskReader
from athena.store.sqlite.reading import Lane, Unreadable
from athena.store.sqlite.searching import Search
from athena.store.sqlite.uploads import UploadFolder
from athena.tasks.model import Millis, Task
from athena.tasks.requests import Upload


class SqliteReads:
    """The reading half of the repository. The subclass writes.

    Args:
        fast: for small, urgent reads.
        slow: for searches and statistics, with a time limit.
    """

    def __init__(
        self,
        fast: Lane,
        slow: Lane,
        cache: TaskCache,
        unreadable: Unreadable,
        upload_folder: UploadFolder,
    ) -> None:
        self._fast = fast
        self._slow = slow
        self._cache = cache
        self._unreadable = unreadable
        self._reader = TaskReader(unreadable)
        self._upload_folder = upload_folder
        self._chains = Chains()
        self._gone: set[str] = set()
        """Tasks that are being deleted."""
        self._claims: dict[str, asyncio.Future[None]] = {}
        """Idempotency keys on their way to the disk; done, whatever became of them."""

    @property
    def unreadable(self) -> int:
        return self._unreadable.count

    @property
    def unreadable_ids(self) -> tuple[str, ...]:
        return self._unreadable.ids

    def held(self, task_id: str) -> Task | None:
        return self._cache.get(task_id)

    def unfinished(self, account: str | None = None) -> list[Task]:
        return self._cache.unfinished(account)

    def unfinished_count(self, account: str) -> int:
        return self._cache.unfinished_count(account)

    def recent(self, account: str | None = None) -> list[Task]:
        return self._cache.recent(account)

    async def find(self, task_id: str) -> Task | None:
        return next(iter(await self.find_many([task_id])), None)

    async def find_many(self, task_ids: Iterable[str]) -> list[Task]:
        wanted = list(task_ids)
        missing = [each for each in wanted if self.held(each) is None and each not in self._gone]
        found: dict[str, Task] = {}
        if missing:
            read = partial(self._reader.find_many, task_ids=missing)
            found = {task.id: task for task in await self._fast.run(read)}
        tasks = (self.held(each) or found.get(each) for each in wanted)
        return [task for task in tasks if task and task.id not in self._gone]

    async def search(
        self, filter: TaskFilter, most: int, before: Cursor | None = None
    ) -> list[Task]:
        # Those that are on their way before the query begins, and when it has ended: whichever
        # moment the query shows, one that it missed is among them.
        moving = self._chains.ids()

        def read(connection: sqlite3.Connection) -> list[Task]:
            return Search(connection, filter, self._unreadable).page(most + len(moving), before)

        found = {task.id: task for task in await self._slow.run(read)}
        for task_id in moving | self._chains.ids():
            if task := self.held(task_id):
                found[task_id] = task
        if filter.words:
            found |= {task.id: task for task in self.unfinished()}
        tasks = [self.held(task_id) or task for task_id, task in found.items()]
        return _page([each for each in tasks if each.id not in self._gone], filter, most, before)

    async def by_trigger(self, trigger: str) -> list[Task]:
        found = await self._fast.run(partial(self._reader.by_trigger, trigger=trigger))
        current = (self.held(task.id) or task for task in found)
        return [task for task in current if task.id not in self._gone]

    async def uploads(self, task_id: str) -> tuple[Upload, ...]:
        found = await self._fast.run(partial(queries.uploads, task_id=task_id))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._read_uploads, task_id, found)

    async def statistics(self, now: Millis, hours: int) -> Statistics:
        await self.written()
        return await self._slow.run(partial(counting.statistics, now=now, hours=hours))

    async def idempotency_record(self, key: str) -> IdempotencyRecord | None:
        while moving := self._claims.get(key):
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
            Delivery(url=each.url, task=self.held(each.task.id) or each.task)
            for each in found
            if each.task.id not in self._gone
        ]

    async def refused_prompts(self) -> list[RefusedPrompt]:
        return await self._slow.run(queries.refused_prompts)

    async def written(self) -> None:
        raise NotImplementedError

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
