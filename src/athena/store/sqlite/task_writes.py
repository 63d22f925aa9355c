"""Changes of tasks: held at once, written in order, taken back when they are refused.

The database compares a second time: each UPDATE names the revisions that the row may have (see
`chains`). With one process it always fits; when it does not, the task is read again from the disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from athena.errors import Conflict, StoreError, UnknownTaskRow
from athena.store.changes import Change, ChangeLog
from athena.store.repository import IdempotencyRecord
from athena.store.sqlite import rows
from athena.store.sqlite.memory import Memory
from athena.store.sqlite.uploads import UploadFolder
from athena.store.sqlite.writer import Statement
from athena.store.sqlite.writes import Writes, finish
from athena.tasks.model import Millis, Task
from athena.tasks.requests import Upload

log = structlog.get_logger(__name__)


class TaskWrites:
    """Of one repository.

    Args:
        find: reads a task from the disk.
        ended: is called when the end of a task is on disk.
        uploaded: the tasks with which something was uploaded.
        claim_life: how long an idempotency key counts.
    """

    def __init__(
        self,
        memory: Memory,
        writes: Writes,
        changes: ChangeLog,
        find: Callable[[str], Awaitable[Task | None]],
        ended: Callable[[], None],
        upload_folder: UploadFolder,
        uploaded: set[str],
        claim_life: Millis,
    ) -> None:
        self._memory = memory
        self._writes = writes
        self._changes = changes
        self._find = find
        self._ended = ended
        self._upload_folder = upload_folder
        self._uploaded = uploaded
        self._claim_life = claim_life

    def add(
        self,
        task: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
    ) -> "asyncio.Future[None]":
        """See `TaskRepository.add`."""
        if self._memory.held(task.id) or task.id in self._memory.gone:
            raise Conflict(f"there is a task {task.id} already")
        statements = rows.add(task, uploads, claim, self._claim_life)
        return self._change(Change(None, task), statements, uploads, claim, retried=False)

    def save(
        self,
        before: Task,
        after: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
        retried: bool = True,
    ) -> "asyncio.Future[None]":
        """See `TaskRepository.save`."""
        self._must_be_current(before)
        change = Change(before, after)
        statements = rows.save(
            before,
            after,
            durable=self._memory.chains.lowest(before),
            chained=before.id in self._memory.chains,
            visible=change.visible,
            uploads=after.id in self._uploaded,
        )
        statements += rows.with_save(after.id, uploads, claim, self._claim_life)
        return self._change(change, statements, uploads, claim, retried=retried)

    async def remove(self, tasks: Sequence[Task], task_id: str = "") -> None:
        """Delete tasks in one commit; `task_id`: behind the writes of this one.

        Raises:
            StoreUnavailable: the disk does not take it; they are still there.
        """
        held = {task.id: self._memory.held(task.id) for task in tasks}
        statements = [each for task in tasks for each in rows.remove(task.id)]
        done = self._writes.write(statements, partial(self._removed, tasks, held), task_id=task_id)
        for each in held:
            self._memory.gone.add(each)
            self._memory.cache.drop(each)
        await asyncio.shield(done)

    def _removed(
        self, tasks: Sequence[Task], held: dict[str, Task | None], error: StoreError | None
    ) -> None:
        self._memory.gone.difference_update(held)
        for task in tasks:
            self._memory.show(task.id, held[task.id] if error else None)
            if error is None:
                self._changes.publish(Change(task, None))
        if error is None:
            self._drop_uploads(list(held))

    # Parts of these

    def _must_be_current(self, before: Task) -> None:
        held = self._memory.held(before.id)
        if before.id in self._memory.gone:
            raise UnknownTaskRow(f"there is no task {before.id}")
        if held is not None and held.revision != before.revision:
            raise Conflict(
                f"task {before.id} is of revision {held.revision}, not {before.revision}"
            )

    def _change(
        self,
        change: Change,
        statements: Sequence[Statement],
        uploads: Sequence[Upload],
        claim: IdempotencyRecord | None,
        *,
        retried: bool,
    ) -> "asyncio.Future[None]":
        """The change is held at once, unless it is of a task that is not in memory."""
        after = _after(change)
        is_held = change.before is None or self._memory.held(after.id) is not None
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told: Callable[[StoreError | None], None] = partial(self._settled, change, done)
        if claim:
            told = self._writes.claiming(claim, told)
        self._writes.send(statements, told, retried=retried, task_id=after.id, uploads=uploads)
        self._memory.chains.begin(change.before, after)
        if uploads:
            self._uploaded.add(after.id)
        if is_held:
            self._memory.cache.put(after)
        return done

    def _settled(
        self, change: Change, done: "asyncio.Future[None]", error: StoreError | None
    ) -> None:
        if error is None:
            self._kept(change)
        elif isinstance(error, Conflict) and change.before is not None:
            self._writes.spawn(self._lost(change, done, error))
            return
        else:
            self._refused(change, error)
        finish(done, error)

    def _kept(self, change: Change) -> None:
        after = _after(change)
        self._memory.chains.written(after)
        if self._memory.held(after.id) is None and after.id not in self._memory.gone:
            self._memory.cache.put(after)
        if after.ended:
            self._drop_uploads([after.id])
            self._ended()
        self._changes.publish(change)

    def _refused(self, change: Change, error: StoreError) -> None:
        """Takes back what was held, unless something newer was saved meanwhile."""
        after = _after(change)
        log.error("store.write_failed", task=after.id, error=str(error))
        built_on = self._memory.chains.refused(after)
        if self._memory.held(after.id) is after:
            self._memory.show(after.id, built_on)
        if change.before is None:
            self._drop_uploads([after.id])

    async def _lost(self, change: Change, done: "asyncio.Future[None]", error: StoreError) -> None:
        """Another state was on disk than this process knew: take that one."""
        after = _after(change)
        log.warning("store.conflict", task=after.id, error=str(error))
        current: Task | None = None
        try:
            current = await self._find(after.id)
        except StoreError as unread:
            error = unread
        else:
            error = error if current else UnknownTaskRow(f"there is no task {after.id}")
        held = self._memory.held(after.id)
        if any(held is each for each in self._memory.chains.lost(after, current)):
            self._memory.show(after.id, current)
        finish(done, error)

    def _drop_uploads(self, task_ids: Sequence[str]) -> None:
        """The files go after the commit; those of a process that ends before are swept later."""
        gone = [each for each in task_ids if each in self._uploaded]
        if not gone:
            return
        self._uploaded.difference_update(gone)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(None, self._upload_folder.remove, gone)
        self._writes.spawn(work)


def _after(change: Change) -> Task:
    if change.after is None:
        raise ValueError("a deletion is no state of a task")
    return change.after
