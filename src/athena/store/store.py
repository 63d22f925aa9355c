"""The store: tasks by their id, durable before anyone hears of them.

One writer thread (see `writer`), one reader thread, SQLite in WAL mode. Tasks that have not
ended, and the most recent of those that have, are also held in memory, so reading them costs no
query. When the disk fails, what is new is refused; what became of accepted tasks stands in memory
and is written when the disk works again, and nobody is told of it before.
"""

import asyncio
import fcntl
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeAlias

import msgspec
import structlog
from msgspec import Struct

from athena.store import tables, writer
from athena.store.changes import Change, Changes
from athena.store.connecting import connect
from athena.store.writer import StoreBroken, Writer, Writes
from athena.tasks.model import Millis, Task
from athena.tasks.requests import Upload

Kept: TypeAlias = Callable[[bool], None]
MakeWriter: TypeAlias = Callable[[sqlite3.Connection], Writes]

_RECENT = 10_000
"""Ended tasks kept in memory."""

_DAY: Millis = 86_400_000

log = structlog.get_logger(__name__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Task).decode


class FolderInUse(Exception):
    """Another process works with this data folder."""


class Delivery(Struct, frozen=True, kw_only=True):
    """A row of the outbox: one state of a task that a webhook is still to be told."""

    url: str
    task: Task


class Claim(Struct, frozen=True):
    """A request's own key, what it asked for, and the answer that it got."""

    key: str
    at: Millis
    fingerprint: str
    answer: bytes


class Store:
    """Tasks, uploads and the outbox. Make one with `Store.open`."""

    def __init__(self, path: Path, lock: IO[bytes], make_writer: MakeWriter) -> None:
        self._lock = lock
        self._writer = make_writer(connect(path, create=True))
        self._reader = connect(path, create=False)
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._live: dict[str, Task] = {}
        self._recent: OrderedDict[str, Task] = OrderedDict()
        self.changes = Changes()

    @classmethod
    async def open(cls, folder: Path, make_writer: MakeWriter = Writer) -> "Store":
        """Open the store of a data folder, making it when it is new.

        Raises:
            FolderInUse: another process has it open.
            StoreBroken: the file is no database of ours, or of a newer Athena.
        """
        lock = _lock(folder)
        try:
            store = cls(folder / "athena.db", lock, make_writer)
        except StoreBroken:
            lock.close()
            raise
        for task in await store.query_tasks(tables.UNFINISHED, {}):
            store._live[task.id] = task
        for task in reversed(await store.query_tasks(tables.ENDED, {"most": _RECENT})):
            store._recent[task.id] = task
        return store

    async def close(self) -> None:
        """Write what waits and let the folder go."""
        await self._writer.close()
        self._reading.shutdown()
        self._reader.close()
        self._lock.close()

    @property
    def trouble(self) -> str:
        """Why the disk takes nothing now; empty when it does."""
        return self._writer.trouble

    def add(
        self,
        task: Task,
        uploads: Sequence[Upload] = (),
        kept: Kept | None = None,
        claim: Claim | None = None,
    ) -> "asyncio.Future[None]":
        """Keep a new task with its images, and the answer that its key is to get from now on;
        done when it is on disk.

        The future fails with `StoreBroken` when it could not be kept. `kept` is told which of the
        two it was even when nobody waits for the future any more.
        """
        statements = [writer.Insert(tables.ADD_TASK, _row(task)), *_upload_rows(task.id, uploads)]
        statements += _claim_rows(claim)
        if task.token:
            values = {"token": task.token, "day": day_of(task.submitted_at)}
            statements.append(writer.Change(tables.COUNT_TASK, values))
        if task.trigger:
            statements.append(writer.Insert(tables.ADD_TRIGGER, (task.trigger, task.id)))
        return self._commit(Change(None, task), statements, kept)

    def save(self, before: Task, after: Task) -> "asyncio.Future[None]":
        """Keep a change, and with it the delivery to the task's webhook when the change is visible,
        and a prompt that the bot's moderation refused.

        Readers see the change at once; listeners hear of it, and the future is done, when it is
        on disk, however long that takes. Changes reach the disk in the order of the calls.
        """
        change = Change(before, after)
        return self._commit(change, _change_rows(change), lasting=True)

    def save_or_refuse(
        self,
        before: Task,
        after: Task,
        uploads: Sequence[Upload] = (),
        kept: Kept | None = None,
        claim: Claim | None = None,
    ) -> "asyncio.Future[None]":
        """Keep what a user has asked of a task that waits for it, with the images that came with
        it; the future and `kept` are as those of `add`."""
        change = Change(before, after)
        statements = [*_change_rows(change), *_upload_rows(after.id, uploads), *_claim_rows(claim)]
        return self._commit(change, statements, kept)

    def keep_claim(self, claim: Claim) -> "asyncio.Future[None]":
        """Keep the answer that a key is to get from now on."""
        return self._write(_claim_rows(claim), lambda _: None)

    def drop_claims(self, before: Millis) -> None:
        """Forget the answers that are older."""
        self._write([writer.Change(tables.DROP_CLAIMS, {"before": before})], lambda _: None)

    async def claim(self, key: str) -> Claim | None:
        """What a key was claimed for."""
        rows = await self._query(tables.CLAIM, {"of_key": key})
        return Claim(*rows[0]) if rows else None

    def keep_brought(self, name: str, account: str, at: Millis) -> "asyncio.Future[None]":
        """Keep in whose channel a file is that was uploaded to Discord, for a day."""
        drop = writer.Change(tables.DROP_BROUGHT, {"before": at - _DAY})
        add = writer.Insert(tables.ADD_BROUGHT, (name, account, at))
        return self._write([drop, add], lambda _: None)

    async def uploaded(self, name: str) -> str | None:
        """The account in whose channel a uploaded file is."""
        rows = await self._query(tables.BROUGHT, {"of_name": name})
        return str(rows[0][0]) if rows else None

    def save_seen(self, channel: str, message: str) -> None:
        """Keep the id of the newest message that was read in a channel."""
        values = {"channel": channel, "message": message}
        self._write([writer.Change(tables.SAVE_SEEN, values)], lambda _: None, lasting=True)

    async def seen(self) -> dict[str, str]:
        """The newest message that was read in each channel."""
        return dict(await self._query(tables.SEEN, {}))

    async def written(self) -> None:
        """Wait until all that has changed is on disk, where queries find it; not for a disk that
        takes nothing."""
        with suppress(StoreBroken):
            await self._write([], lambda _: None)

    async def find(self, task_id: str) -> Task | None:
        """A task by its id."""
        if task := self.held(task_id):
            return task
        found = await self.query_tasks(tables.TASK, {"of_task": task_id})
        return found[0] if found else None

    def held(self, task_id: str) -> Task | None:
        """The same, without a query: live and recent tasks only."""
        return self._live.get(task_id) or self._recent.get(task_id)

    async def find_many(self, task_ids: Iterable[str]) -> list[Task]:
        """The tasks of these ids, in their order, unknown ones left out."""
        return [task for each in task_ids if (task := await self.find(each))]

    async def newest(self, most: int = 100) -> list[Task]:
        """The tasks that came last, newest first."""
        return await self.query_tasks(tables.NEWEST, {"most": most})

    async def by_trigger(self, trigger: str) -> list[Task]:
        """The tasks of a trigger, in the order of their coming."""
        return await self.query_tasks(tables.BY_TRIGGER, {"of_trigger": trigger})

    def unfinished(self) -> list[Task]:
        """Every task that has not ended, in the order of its coming."""
        return sorted(self._live.values(), key=lambda task: (task.submitted_at, task.id))

    def recent(self) -> list[Task]:
        """The most recent of those that have."""
        return list(self._recent.values())

    async def uploads(self, task_id: str) -> tuple[Upload, ...]:
        """The images that were stored with a task."""
        rows = await self._query(tables.UPLOADS, {"of_task": task_id})
        return tuple(Upload(filename=f, content_type=t, data=d) for f, t, d in rows)

    async def deliveries(self) -> list[Delivery]:
        """The whole outbox; of each task the oldest first."""
        rows = await self._query(tables.DELIVERIES, {})
        return [Delivery(url=url, task=_decode(body)) for url, body in rows]

    async def pending_deliveries(self) -> list[Delivery]:
        """As `deliveries`, by the name that webhooks know."""
        return await self.deliveries()

    async def usage(self, day: int) -> dict[str, int]:
        """How many tasks each token asked for on a day (see `day_of`)."""
        return dict(await self._query(tables.USAGE, {"of_day": day}))

    def delivered(self, task: Task) -> "asyncio.Future[None]":
        """Take a task's delivery, and those that it outdates, from the outbox."""
        values = {"of_task": task.id, "up_to": task.revision}
        drop = writer.Change(tables.DROP_DELIVERIES, values)
        return self._write([drop], lambda _: None, lasting=True)

    def _commit(
        self,
        change: Change,
        statements: Sequence[writer.Statement],
        kept: Kept | None = None,
        *,
        lasting: bool = False,
    ) -> "asyncio.Future[None]":
        self._hold(change.after)
        told = partial(self._committed, change, kept)
        return self._write(statements, told, lasting=lasting)

    def _write(
        self, statements: Sequence[writer.Statement], told: writer.Told, *, lasting: bool = False
    ) -> "asyncio.Future[None]":
        """Whoever waits for the future may be cancelled; the write and what follows it are not."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: sqlite3.Error | None) -> None:
            told(error)
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(StoreBroken(f"the store could not write: {error}"))
                done.exception()  # whether anybody waits for it or not

        self._writer.write(statements, settle, lasting=lasting)
        return done

    def _committed(self, change: Change, kept: Kept | None, error: sqlite3.Error | None) -> None:
        if error is None:
            self.changes.publish(change)
        else:
            log.error("store.write_failed", task=change.after.id, error=str(error))
            self._withdraw(change)
        if kept:
            kept(error is None)

    def _hold(self, task: Task) -> None:
        if not task.ended:
            self._live[task.id] = task
            return
        self._live.pop(task.id, None)
        self._recent[task.id] = task
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def _withdraw(self, change: Change) -> None:
        if self.held(change.after.id) is not change.after:
            return
        self._live.pop(change.after.id, None)
        self._recent.pop(change.after.id, None)
        if change.before:
            self._hold(change.before)

    async def remove(self, task: Task) -> None:
        """Forget a task that has ended.

        Raises:
            StoreBroken: the disk does not take it.
        """
        self._recent.pop(task.id, None)
        values = {"of_task": task.id}
        drops = [tables.DROP_TASK, tables.DROP_TRIGGERS, tables.DROP_OUTBOX]
        await self._write([writer.Change(sql, values) for sql in drops], lambda _: None)

    async def query_tasks(self, sql: str, values: dict[str, object]) -> list[Task]:
        """The tasks that a query finds by their bodies, as they are by now."""
        found = [_decode(row[0]) for row in await self._query(sql, values)]
        return [self.held(task.id) or task for task in found]

    async def _query(self, sql: str, values: dict[str, object]) -> list[tuple[Any, ...]]:
        def read() -> list[tuple[Any, ...]]:
            return self._reader.execute(sql, values).fetchall()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, read)
        except sqlite3.Error as error:
            raise StoreBroken(f"the store could not read: {error}") from error


def day_of(moment: Millis) -> int:
    """The number of a UTC day."""
    return moment // _DAY


def _row(task: Task) -> tuple[str, str, int, int, bytes]:
    return task.id, task.account, int(task.ended), task.submitted_at, _encode(task)


def _change_rows(change: Change) -> list[writer.Statement]:
    before, after = change.before or change.after, change.after
    _, account, ended, _, body = _row(after)
    values = {"of_task": after.id, "account": account, "ended": ended, "body": body}
    statements: list[writer.Statement] = [writer.Change(tables.SAVE_TASK, values)]
    if after.webhook and change.visible:
        row = (after.id, after.revision, after.webhook, body)
        statements.append(writer.Insert(tables.ADD_DELIVERY, row))
    if after.ended:
        statements.append(writer.Change(tables.DROP_UPLOADS, {"of_task": after.id}))
    return statements + _refused_rows(before, after)


def _claim_rows(claim: Claim | None) -> list[writer.Statement]:
    return [writer.Insert(tables.ADD_CLAIM, msgspec.structs.astuple(claim))] if claim else []


def _upload_rows(task_id: str, uploads: Sequence[Upload]) -> list[writer.Statement]:
    return [
        writer.Insert(tables.ADD_UPLOAD, (task_id, position, *msgspec.structs.astuple(upload)))
        for position, upload in enumerate(uploads)
    ]


def _refused_rows(before: Task, after: Task) -> list[writer.Statement]:
    failure = after.failure
    if before.ended or failure is None or not failure.moderated or not after.prompt:
        return []
    row = (after.id, after.finished_at or after.submitted_at, after.prompt, failure.reason)
    return [writer.Insert(tables.ADD_REFUSED_PROMPT, row)]


def _lock(folder: Path) -> IO[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "athena.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise FolderInUse(f"another Athena works in {folder}") from error
    return lock
