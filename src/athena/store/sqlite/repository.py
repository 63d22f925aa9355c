"""The repository on SQLite: one writer thread (see `writer`), lanes of readers (see `reading`).

Unfinished tasks and the most recent ended ones are held in memory (see `cache`), so that reading
them costs no query and a save is compared with the current state at once. When the disk fails, what
is new is refused; changes of accepted tasks stay in memory, are written when the disk works again,
and are reported by the change log then.

The database compares a second time: each UPDATE names the revisions that the row may have (see
`chains`). With one process it always fits; when it does not, the task is read again from the disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import IO

import structlog

from athena.clock import Clock
from athena.errors import Conflict, StoreError, StoreUnavailable, UnknownTaskRow
from athena.store.changes import Change, ChangeLog
from athena.store.repository import IdempotencyRecord
from athena.store.retention import Retention
from athena.store.sqlite import rows, sweeping
from athena.store.sqlite.indexing import Indexer
from athena.store.sqlite.loading import Opened
from athena.store.sqlite.pipeline import Pipeline
from athena.store.sqlite.reads import SqliteReads
from athena.store.sqlite.writer import Statement, StoreWriter, Write
from athena.tasks.model import Millis, Task
from athena.tasks.requests import Upload

log = structlog.get_logger(__name__)


class SqliteRepository(SqliteReads):
    """Implements `athena.store.repository.TaskRepository`. Make one with `open_store`."""

    def __init__(
        self,
        opened: Opened,
        writer: StoreWriter,
        lock: IO[bytes],
        retention: Retention,
        clock: Clock,
    ) -> None:
        super().__init__(
            opened.fast, opened.slow, opened.cache, opened.unreadable, opened.upload_folder
        )
        self.changes = ChangeLog()
        self._pipeline = Pipeline(writer, opened.upload_folder)
        self._lock = lock
        self._retention = retention
        self._clock = clock
        self._working: set[asyncio.Future[None]] = set()
        self._uploaded = set(opened.with_uploads)
        self._indexer = Indexer(opened.slow, self._write_all, opened.unreadable, clock)

    @property
    def write_error(self) -> str:
        return self._pipeline.write_error

    def add(
        self,
        task: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
    ) -> "asyncio.Future[None]":
        if self.held(task.id) or task.id in self._gone:
            raise Conflict(f"a task {task.id} already exists")
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
        self._must_be_current(before)
        change = Change(before, after)
        statements = rows.save(
            before,
            after,
            durable=self._chains.lowest(before),
            chained=before.id in self._chains,
            visible=change.visible,
            uploads=after.id in self._uploaded,
        )
        statements += rows.with_save(after.id, uploads, claim, self._claim_life)
        return self._change(change, statements, uploads, claim, retried=retried)

    async def remove(self, task: Task) -> None:
        await self._remove([task], task.id)

    def keep_idempotency_record(self, record: IdempotencyRecord) -> "asyncio.Future[None]":
        statement = rows.keep_claim(record, self._claim_life)
        return self._write([statement], self._claiming(record, _ignore))

    def keep_uploaded_file(self, name: str, account: str, at: Millis) -> "asyncio.Future[None]":
        return self._write([rows.keep_file(name, account, at)], _ignore)

    def save_cursor(self, channel: str, message: str) -> None:
        self._write([rows.save_cursor(channel, message)], _ignore, retried=True)

    def delivered(self, task: Task) -> "asyncio.Future[None]":
        return self._write([rows.delivered(task)], _ignore, retried=True)

    async def written(self) -> None:
        await self._pipeline.flushed()
        with suppress(StoreUnavailable):
            await self._write([], _ignore)

    async def sweep(self, step: int = 200) -> int:
        cutoffs = self._retention.cutoffs(self._clock.now())
        most = self._retention.tasks_most
        doomed = await self._slow.run(
            lambda connection: sweeping.doomed(connection, self._reader, cutoffs, most, step)
        )
        idle = [each for each in doomed.tasks if each.id not in self._chains]
        if idle:
            await self._remove(idle, "")
        if doomed.statements:
            await self._write_all(doomed.statements)
        if free := await self._slow.run(sweeping.free_pages):
            await self._write_all(sweeping.give_back(free))
        return len(idle) + doomed.rows

    async def index_words(self) -> int:
        """Index the words of the next ended tasks that wait for it; returns how many that were.
        It happens in the background too."""
        return await self._indexer.step()

    async def close(self) -> None:
        if self._lock.closed:
            return
        await self._indexer.close()
        await self._pipeline.close()
        await asyncio.sleep(0)  # the writer's last callbacks run in the loop's next turn
        while self._working:
            await asyncio.wait(self._working)
        self._fast.close()
        self._slow.close()
        self._lock.close()

    # Parts of these

    @property
    def _claim_life(self) -> Millis:
        return round(self._retention.claims_hours * 3_600_000)

    def _must_be_current(self, before: Task) -> None:
        held = self.held(before.id)
        if before.id in self._gone:
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
        is_held = change.before is None or self.held(after.id) is not None
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        on_done: Callable[[StoreError | None], None] = partial(self._settled, change, done)
        if claim:
            on_done = self._claiming(claim, on_done)
        self._send(statements, on_done, retried=retried, task_id=after.id, uploads=uploads)
        self._chains.begin(change.before, after)
        if uploads:
            self._uploaded.add(after.id)
        if is_held:
            self._cache.put(after)
        return done

    def _settled(
        self, change: Change, done: "asyncio.Future[None]", error: StoreError | None
    ) -> None:
        if error is None:
            self._kept(change)
        elif isinstance(error, Conflict) and change.before is not None:
            self._spawn(self._lost(change, done, error))
            return
        else:
            self._refused(change, error)
        _finish(done, error)

    def _kept(self, change: Change) -> None:
        after = _after(change)
        self._chains.written(after)
        if self.held(after.id) is None and after.id not in self._gone:
            self._cache.put(after)
        if after.ended:
            self._drop_uploads([after.id])
            self._indexer.task_ended()
        self.changes.publish(change)

    def _refused(self, change: Change, error: StoreError) -> None:
        """Withdraws what was held, unless something newer has been saved."""
        after = _after(change)
        log.error("store.write_failed", task=after.id, error=str(error))
        built_on = self._chains.refused(after)
        if self.held(after.id) is after:
            self._show(after.id, built_on)
        if change.before is None:
            self._drop_uploads([after.id])

    async def _lost(self, change: Change, done: "asyncio.Future[None]", error: StoreError) -> None:
        """The disk has another state than this process knew: use that one."""
        after = _after(change)
        log.warning("store.conflict", task=after.id, error=str(error))
        current: Task | None = None
        try:
            current = await self._fast.run(partial(self._reader.find, task_id=after.id))
        except StoreError as unread:
            error = unread
        else:
            error = error if current else UnknownTaskRow(f"there is no task {after.id}")
        held = self.held(after.id)
        if any(held is each for each in self._chains.lost(after, current)):
            self._show(after.id, current)
        _finish(done, error)

    def _show(self, task_id: str, current: Task | None) -> None:
        self._cache.drop(task_id)
        if current is not None and task_id not in self._gone:
            self._cache.put(current)

    async def _remove(self, tasks: Sequence[Task], task_id: str) -> None:
        held = {task.id: self.held(task.id) for task in tasks}
        statements = [each for task in tasks for each in rows.remove(task.id)]
        done = self._write(statements, partial(self._removed, tasks, held), task_id=task_id)
        for each in held:
            self._gone.add(each)
            self._cache.drop(each)
        await asyncio.shield(done)

    def _removed(
        self, tasks: Sequence[Task], held: dict[str, Task | None], error: StoreError | None
    ) -> None:
        self._gone.difference_update(held)
        for task in tasks:
            self._show(task.id, held[task.id] if error else None)
            if error is None:
                self.changes.publish(Change(task, None))
        if error is None:
            self._drop_uploads(list(held))

    def _drop_uploads(self, task_ids: Sequence[str]) -> None:
        """Delete the files after the commit; if the process ends before, the next start deletes
        them."""
        gone = [each for each in task_ids if each in self._uploaded]
        if not gone:
            return
        self._uploaded.difference_update(gone)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(None, self._upload_folder.remove, gone)
        self._keep(work)

    def _claiming(
        self, claim: IdempotencyRecord, on_done: Callable[[StoreError | None], None]
    ) -> Callable[[StoreError | None], None]:
        """Other callers with the key wait for the outcome, even when the caller that makes the
        record is cancelled."""
        moving = asyncio.get_running_loop().create_future()
        self._claims[claim.key] = moving

        def settle(error: StoreError | None) -> None:
            if self._claims.get(claim.key) is moving:
                del self._claims[claim.key]
            _finish(moving, None)
            on_done(error)

        return settle

    async def _write_all(self, statements: Sequence[Statement]) -> None:
        await asyncio.shield(self._write(statements, _ignore))

    def _write(
        self,
        statements: Sequence[Statement],
        on_done: Callable[[StoreError | None], None],
        *,
        retried: bool = False,
        task_id: str = "",
    ) -> "asyncio.Future[None]":
        """A caller that waits for the future may be cancelled; the write is not."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: StoreError | None) -> None:
            on_done(error)
            _finish(done, error)

        self._send(statements, settle, retried=retried, task_id=task_id)
        return done

    def _send(
        self,
        statements: Sequence[Statement],
        on_done: Callable[[StoreError | None], None],
        *,
        retried: bool,
        task_id: str = "",
        uploads: Sequence[Upload] = (),
    ) -> None:
        loop = asyncio.get_running_loop()
        write = Write(tuple(statements), loop, _Once(on_done), retried)
        self._pipeline.write(write, task_id, uploads)

    def _spawn(self, work: Awaitable[None]) -> None:
        self._keep(asyncio.ensure_future(work))

    def _keep(self, work: "asyncio.Future[None]") -> None:
        self._working.add(work)
        work.add_done_callback(self._working.discard)


class _Once:
    """A callback of which only the first call counts."""

    __slots__ = ("_on_done",)

    def __init__(self, on_done: Callable[[StoreError | None], None]) -> None:
        self._on_done: Callable[[StoreError | None], None] = on_done

    def __call__(self, error: StoreError | None) -> None:
        on_done, self._on_done = self._on_done, _ignore
        on_done(error)


def _after(change: Change) -> Task:
    if change.after is None:
        raise ValueError("a deletion is no state of a task")
    return change.after


def _ignore(_: StoreError | None) -> None:
    pass


def _finish(done: "asyncio.Future[None]", error: StoreError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
        done.exception()  # whether anybody waits for it or not
