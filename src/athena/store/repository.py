"""The store as the rest of the program sees it: a port. `athena.store.sqlite` implements it.

Three promises hold for every implementation, and `tests/contract/store` tries them:

* Durable before reported. A future is done, and the change log reports a change, once it is on
  disk.
* Compare and set. A save names the state that it replaces; when that is not the current one, the
  save raises `Conflict` and changes nothing. The caller loads the task and decides again.
* Nothing accepted is lost by disk failures. A retried save waits, in order, until the disk works;
  everything else is refused with `StoreUnavailable` and withdrawn.

A caller that is cancelled while it awaits a future changes nothing of the write. Such a caller's
future is cancelled, though: await `asyncio.shield(future)`, or subscribe to the change log, where
the outcome matters all the same.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from athena.store.changes import ChangeLog
from athena.store.queries import Cursor, Statistics, TaskFilter
from athena.tasks.model import Millis, Task
from athena.tasks.requests import Upload


class IdempotencyRecord(Struct, frozen=True, kw_only=True):
    """An idempotency key, its request's fingerprint, and the answer."""

    key: str
    at: Millis
    fingerprint: str
    answer: bytes
    task_id: str | None = None
    """The task of the answer; the record is deleted with it."""


class Delivery(Struct, frozen=True, kw_only=True):
    """A task whose state must still be sent to its webhook."""

    url: str
    task: Task


class RefusedPrompt(Struct, frozen=True, kw_only=True):
    """A prompt that passed our own list and was refused by the bot's moderation."""

    task_id: str
    at: Millis
    prompt: str
    said: str
    """The bot's words."""


class TaskRepository(Protocol):
    """Tasks, and what is stored with them. Use it from one event loop."""

    changes: ChangeLog

    @property
    def unreadable(self) -> int:
        """How many stored tasks this version could not read; they are skipped and left as they
        are."""
        ...

    @property
    def unreadable_ids(self) -> tuple[str, ...]:
        """Their ids, the first thousand."""
        ...

    @property
    def write_error(self) -> str:
        """Why nothing can be written now; empty when it can."""
        ...

    # Writing

    def add(
        self,
        task: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
    ) -> "asyncio.Future[None]":
        """Store a new task, what was uploaded with it, and the answer that its idempotency key gets
        from now on. Other callers see the task at once; the future is done when it is on disk. The
        token's use of the day and the trigger are counted in the same commit.

        Raises, from the future unless said otherwise:
            StoreUnavailable: it could not be stored, and is no longer held. At once after `close`.
            Conflict: its idempotency key is taken; at once when a task of this id is held.
        """
        ...

    def save(
        self,
        before: Task,
        after: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
        retried: bool = True,
    ) -> "asyncio.Future[None]":
        """Replace `before`, the state that the caller knows, by `after`. A held task is replaced at
        once. In the same commit go the webhook's delivery when the change is visible, a prompt that
        the bot's moderation refused, and the end of its uploads when the task has ended.

        Args:
            retried: a disk failure is waited for, in order. Otherwise the save is refused and
                withdrawn, unless something newer has been saved.

        Raises, at once when the task is held, else from the future:
            Conflict: the current state is not of `before.revision`; nothing has changed.
            UnknownTaskRow: there is no such task, or it was deleted.
            StoreUnavailable: (not retried) it could not be stored. At once after `close`.
        """
        ...

    async def remove(self, task: Task) -> None:
        """Delete a task and every trace of it: trigger, webhook delivery, refused prompt,
        idempotency record, uploads, search index. Publishes `Change(task, None)`. Later saves of it
        are refused.

        Raises:
            StoreUnavailable: it could not be written; the task is still there.
        """
        ...

    def keep_idempotency_record(self, record: IdempotencyRecord) -> "asyncio.Future[None]":
        """Store the answer that a key gets from now on. Raises as `add`."""
        ...

    def keep_uploaded_file(self, name: str, account: str, at: Millis) -> "asyncio.Future[None]":
        """Store in which account's channel a file was uploaded."""
        ...

    def save_cursor(self, channel: str, message: str) -> None:
        """Store the id of the newest message that was read in a channel; retried."""
        ...

    def delivered(self, task: Task) -> "asyncio.Future[None]":
        """The webhook received this state: delete the delivery, unless a newer state waits."""
        ...

    async def written(self) -> None:
        """Wait until every change is on disk or has failed for now."""
        ...

    async def sweep(self, step: int = 200) -> int:
        """Delete what retention no longer keeps, at most `step` of each kind; how much that was.
        Tasks go as with `remove`. Call it again until it returns 0.

        Raises:
            StoreUnavailable: it could not be written.
        """
        ...

    async def close(self) -> None:
        """Write what waits and release the data folder. Later writes raise `StoreUnavailable`."""
        ...

    # Reading from memory

    def held(self, task_id: str) -> Task | None:
        """A task without a query: unfinished and recent ones only."""
        ...

    def unfinished(self, account: str | None = None) -> list[Task]:
        """Tasks that have not ended, of one account or of all, by `submitted_at` and id."""
        ...

    def unfinished_count(self, account: str) -> int:
        """How many an account has, those in MODAL left out."""
        ...

    def recent(self, account: str | None = None) -> list[Task]:
        """Recently ended tasks, of one account or of all, in the order of their end."""
        ...

    # Reading from the database. All raise StoreError when it cannot be read.

    async def find(self, task_id: str) -> Task | None:
        """A task by its id."""
        ...

    async def find_many(self, task_ids: Iterable[str]) -> list[Task]:
        """The tasks of these ids, in their order, unknown ones left out."""
        ...

    async def search(
        self, filter: TaskFilter, most: int, before: Cursor | None = None
    ) -> list[Task]:
        """At most `most` matching tasks, newest first, after the position `before`.

        Raises:
            SearchTimeout: it took more than two seconds.
        """
        ...

    async def by_trigger(self, trigger: str) -> list[Task]:
        """The tasks of a trigger, by `submitted_at` and id."""
        ...

    async def uploads(self, task_id: str) -> tuple[Upload, ...]:
        """What was uploaded with a task, until it has ended."""
        ...

    async def statistics(self, now: Millis, hours: int) -> Statistics:
        """The hour of `now` and those before it, `hours` in all. Raises as `search`."""
        ...

    async def idempotency_record(self, key: str) -> IdempotencyRecord | None:
        """What a key was used for. A record on its way to the disk is waited for."""
        ...

    async def uploaded_file(self, name: str) -> str | None:
        """The account in whose channel an uploaded file is."""
        ...

    async def cursors(self) -> dict[str, str]:
        """The newest message that was read, by channel."""
        ...

    async def usage(self, day: int) -> dict[str, int]:
        """How many tasks each token asked for on a UTC day (see `retention.day_of`)."""
        ...

    async def pending_deliveries(self) -> list[Delivery]:
        """The deliveries that are not done, each with the current state of its task."""
        ...

    async def refused_prompts(self) -> list[RefusedPrompt]:
        """All of them, oldest first."""
        ...
