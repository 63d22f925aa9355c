"""Fakes at the ports, so that rules are tried in milliseconds: a repository in memory, a bot's
channel without Discord, workers without accounts."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from msgspec.structs import replace

from athena.clock import Clock
from athena.discord import wire
from athena.discord.errors import DiscordError
from athena.discord.history import MessagePage
from athena.errors import Conflict, StoreUnavailable, UnknownTaskRow
from athena.midjourney import commands
from athena.store.cache import TaskCache
from athena.store.changes import Change, ChangeLog
from athena.store.repository import IdempotencyRecord
from athena.tasks.model import Action, Bot, CorrelationIds, Millis, Sending, Status, Task
from athena.tasks.requests import Imagine, Press, Upload


class MemoryRepository:
    """A `TaskRepository` whose disk takes everything at the next turn of the event loop. While
    `is_held_up`, commits wait; `refuses` makes new tasks fail."""

    def __init__(self) -> None:
        self.changes = ChangeLog()
        self.write_error = ""
        self.is_held_up = False
        self.refuses = False
        self.saved: list[Task] = []
        self.removed: set[str] = set()
        self.files: dict[str, str] = {}
        self.uploads_of: dict[str, tuple[Upload, ...]] = {}
        self.records: dict[str, IdempotencyRecord] = {}
        self._cache = TaskCache()
        self._waiting: list[Callable[[], None]] = []

    def add(
        self,
        task: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
    ) -> "asyncio.Future[None]":
        self._cache.put(task)
        self.uploads_of[task.id] = tuple(uploads)
        if self.refuses:
            self._cache.drop(task.id)
            return self._done(StoreUnavailable("the disk is full"))
        if claim:
            self.records[claim.key] = claim
        return self._commit(Change(None, task))

    def save(
        self,
        before: Task,
        after: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
        retried: bool = True,
    ) -> "asyncio.Future[None]":
        known = self._cache.get(before.id)
        if known is None or before.id in self.removed:
            raise UnknownTaskRow(before.id)
        if known.revision != before.revision:
            raise Conflict(before.id)
        if self.refuses and not retried:
            return self._done(StoreUnavailable("the disk is full"))
        if uploads:
            self.uploads_of[after.id] = tuple(uploads)
        self._cache.put(after)
        self.saved.append(after)
        return self._commit(Change(before, after))

    async def remove(self, task: Task) -> None:
        self.removed.add(task.id)
        self._cache.drop(task.id)
        self.changes.publish(Change(task, None))

    def save_cursor(self, channel: str, message: str) -> None:
        pass

    def keep_uploaded_file(self, name: str, account: str, at: Millis) -> "asyncio.Future[None]":
        self.files[name] = account
        return self._done(None)

    def keep_idempotency_record(self, record: IdempotencyRecord) -> "asyncio.Future[None]":
        self.records[record.key] = record
        return self._done(None)

    async def idempotency_record(self, key: str) -> IdempotencyRecord | None:
        return self.records.get(key)

    async def uploaded_file(self, name: str) -> str | None:
        return self.files.get(name)

    async def written(self) -> None:
        await asyncio.sleep(0)

    def held(self, task_id: str) -> Task | None:
        return self._cache.get(task_id)

    async def find(self, task_id: str) -> Task | None:
        return self._cache.get(task_id)

    async def find_many(self, task_ids: Iterable[str]) -> list[Task]:
        return [task for each in task_ids if (task := self._cache.get(each))]

    async def by_trigger(self, trigger: str) -> list[Task]:
        every = (*self._cache.unfinished(), *self._cache.recent())
        return [task for task in every if task.trigger == trigger]

    def unfinished(self, account: str | None = None) -> list[Task]:
        return self._cache.unfinished(account)

    def unfinished_count(self, account: str) -> int:
        return self._cache.unfinished_count(account)

    def recent(self, account: str | None = None) -> list[Task]:
        return self._cache.recent(account)

    async def uploads(self, task_id: str) -> tuple[Upload, ...]:
        return self.uploads_of.get(task_id, ())

    def release(self) -> None:
        """The disk works again."""
        self.is_held_up = False
        waiting, self._waiting = self._waiting, []
        for commit in waiting:
            commit()

    def _commit(self, change: Change) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def commit() -> None:
            self.changes.publish(change)
            if not done.done():
                done.set_result(None)

        if self.is_held_up:
            self._waiting.append(commit)
        else:
            loop.call_soon(commit)
        return done

    def _done(self, error: Exception | None) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
        return done


class FakeInteractor:
    """Discord, as the sender sees it. `errors` are raised by the next acts, in their order;
    `before_act` runs while an act is on its way, `before_upload` while files are."""

    def __init__(self) -> None:
        self.acts: list[tuple[commands.Interaction, str]] = []
        self.errors: list[DiscordError] = []
        self.upload_errors: list[DiscordError] = []
        self.before_act: Callable[[], None] = lambda: None
        self.before_upload: Callable[[], None] = lambda: None
        self._nonces = count(10**18)

    def nonce(self) -> str:
        return str(next(self._nonces) << 22)

    async def act(
        self, interaction: commands.Interaction, nonce: str, attachments: object = ()
    ) -> None:
        self.before_act()
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        self.acts.append((interaction, nonce))

    async def attachments(self, task: Task, interaction: commands.Interaction) -> tuple[()]:
        return ()

    async def image_links(self, task: Task) -> list[str]:
        self.before_upload()
        await asyncio.sleep(0)
        if self.upload_errors:
            raise self.upload_errors.pop(0)
        return []

    async def submit_modal(self, modal: Any, inputs: Any, nonce: str) -> None:
        await self.act(commands.UseCommand(application="", name="modal"), nonce)

    async def submit_region(self, token: str, mask: bytes, prompt: str) -> None:
        await self.act(commands.UseCommand(application="", name="region"), token)

    async def press(self, button: commands.PressButton, nonce: str) -> None:
        await self.act(button, nonce)

    async def use(
        self, command: commands.UseCommand, nonce: str, attachments: object = (),
        context: object = None,
    ) -> None:  # fmt: skip
        await self.act(command, nonce)


class FakeHistory:
    """The REST side of a connection: pages of messages, newest first, or errors."""

    def __init__(self) -> None:
        self.messages_of_channel: list[wire.Message] = []
        self.errors: list[DiscordError] = []
        self.calls = 0
        self.rest = self
        self.channel_id = "5"
        self.guild_id = "9"
        self.user_id = "7"
        self.listens_as_bot = False

    async def messages(
        self, channel_id: str, *, limit: int, before: str | None = None
    ) -> MessagePage:
        self.calls += 1
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        older = [m for m in self.messages_of_channel if before is None or int(m.id) < int(before)]
        page = sorted(older, key=lambda m: -int(m.id))[:limit]
        oldest = page[-1].id if page else None
        return MessagePage(messages=tuple(page), oldest_id=oldest, full=len(page) == limit)


class NoTranslation:
    """No provider is configured."""

    is_configured = False

    async def english(self, task: Task) -> Task:
        return task

    async def chinese(self, text: str) -> str | None:
        return None


def make_task(number: int = 1, account: str = "5", prompt: str = "", **fields: Any) -> Task:
    """A new imagine, each with a prompt of its own."""
    text = prompt or f"cat {number}"
    return replace(
        Task(
            id=f"{number:016}",
            account=account,
            request=Imagine(prompt=text),
            action=Action.IMAGINE,
            prompt=text,
            submitted_at=number,
        ),
        **fields,
    )


def sent(task: Task, nonce: str, clock: Clock) -> Task:
    """The task as it is once Discord took its interaction."""
    return replace(
        task, sending=Sending.SENT, status=Status.SUBMITTED, ids=CorrelationIds(nonce=nonce),
        started_at=clock.now(), deadline=clock.now() + task.idle_timeout,
        revision=task.revision + 1,
    )  # fmt: skip


def modal(number: int = 1, account: str = "5", **fields: Any) -> Task:
    """A press whose user has a modal to fill in."""
    press = Press(parent="1", message="50", custom_id="MJ::CustomZoom::job")
    return make_task(
        number, account, request=press, action=Action.ZOOM, status=Status.MODAL,
        ids=CorrelationIds(parent_message="50"), bot=Bot.MIDJOURNEY, **fields,
    )  # fmt: skip
