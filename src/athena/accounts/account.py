"""One account: its queue, its slots, and the tasks that run in them.

A task of an account is in exactly one place. It *waits* (not sent), or it *runs* (its interaction
is being sent, or was), or it has ended. Running tasks hold one of `core_size` slots, waiting ones
a place of `queue_size`; a change of the task moves it, and `change` is the only door, so a slot
comes back with every end, whatever caused it. What a task is, is in the store alone; here are
only ids and their places.

A waiting task whose turn has come may still stand behind another: one that is on its way and could
be confused with it (see `TaskIndex.blocker`). It follows as soon as that one's job is known, which
is a second or two later, and lets others go before it meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any

import structlog

from athena.clock import Clock, Millis
from athena.errors import NoAccount, QueueFull
from athena.midjourney import commands, prompts
from athena.settings import AccountSettings
from athena.store.store import Store
from athena.tasks import lifecycle
from athena.tasks.bot_events import Profile
from athena.tasks.matching import TaskIndex
from athena.tasks.model import Sending, Status, Task

log = structlog.get_logger(__name__)

_WATCH = 1.0
"""Seconds between two looks for overdue and due tasks."""

_DRAIN = 15.0
"""Seconds for which an end waits for commands that are on their way."""

_LOOK_LATER: Millis = 15_000


class AccountState(StrEnum):
    CONNECTING = "connecting"
    ONLINE = "online"
    STOPPED = "stopped"
    """It cannot work until a person has done something; `Account.reason` says what."""


class Account:
    """The queue and the slots of one account. `run` works until it is cancelled.

    `send` brings one task to Discord, `last_look` reads the history before a task is given up
    (False when it could not), `relieve` finds another place for what waits while the account is
    stopped.
    """

    def __init__(self, settings: AccountSettings, store: Store, clock: Clock) -> None:
        self.id = settings.channel_id
        self.settings = settings
        self.state = AccountState.CONNECTING
        self.reason = ""
        self.profile = Profile()
        """What Midjourney says of it."""
        self.index = TaskIndex(prompts.normalized)
        self.unwanted: dict[str, Millis] = {}
        """Cancelled tasks whose job may still come, and is then to be cancelled too; until when."""
        self.send: Callable[[Task], Coroutine[Any, Any, None]]
        self.last_look: Callable[[], Coroutine[Any, Any, bool]]
        self.relieve: Callable[[Account], None]
        self._store = store
        self._clock = clock
        self._waiting: deque[str] = deque()
        self._behind: dict[str, deque[str]] = {}
        """Waiting tasks by the one on its way that they stand behind."""
        self._behind_count = 0
        """How many they are: asked at every submit."""
        self._delayed: dict[str, None] = {}
        self._running: dict[str, None] = {}
        self._open: dict[str, None] = {}
        """Tasks whose user has a modal to fill in; they take no slot and no place."""
        self._reserved = 0
        self._wake = asyncio.Event()
        self._look_at: Millis = 0
        self._sending: dict[asyncio.Task[None], None] = {}
        self._work: dict[asyncio.Task[None], None] = {}

    # Admission

    @property
    def core_size(self) -> int:
        return self.settings.core_size

    @property
    def queue_size(self) -> int:
        return self.settings.queue_size

    @property
    def load(self) -> float:
        """Unfinished tasks per slot; the least loaded account is the best idle one."""
        return self._unfinished / self.core_size

    @property
    def running_count(self) -> int:
        return len(self._running)

    @property
    def waiting_count(self) -> int:
        return len(self._waiting) + self._behind_count + len(self._delayed) + self._reserved

    @property
    def _unfinished(self) -> int:
        return self.running_count + self.waiting_count

    @property
    def has_room(self) -> bool:
        return self._unfinished < self.core_size + self.queue_size

    def reserve(self) -> int | None:
        """Take a place for a task that is about to be stored.

        Returns how many tasks wait before it, None when a slot is free for it.

        Raises:
            NoAccount: the account is stopped.
            QueueFull: no place is left.
        """
        if self.state is AccountState.STOPPED:
            raise NoAccount(self.reason)
        if not self.has_room:
            raise QueueFull(self.id, self.queue_size)
        ahead = self._unfinished - self.core_size
        self._reserved += 1
        return ahead if ahead >= 0 else None

    def release(self) -> None:
        """Give a reserved place back: its task was adopted, or was not stored."""
        self._reserved -= 1

    def adopt(self, task: Task) -> None:
        """Take up an unfinished task as it stands: a new one, after a start, or from another
        account. One that is here already stays where it is."""
        if task.id in self.index:
            return
        if task.status is Status.MODAL:
            self._open[task.id] = None
            return
        self._open.pop(task.id, None)
        self.index.put(task, commands.expected(task))
        if task.sending is not Sending.NOT_SENT:
            self._running[task.id] = None
        elif (task.not_before or 0) > self._clock.now():
            self._delayed[task.id] = None
        else:
            self._waiting.append(task.id)
        self._wake.set()
        self._strand()

    def remember(self, ended: Task) -> None:
        """Take note of a task that ended before this process: whose its ids are, and that the job
        of one that was cancelled may still come."""
        until = (ended.finished_at or 0) + ended.idle_timeout
        if _job_may_come(ended) and until > self._clock.now():
            self.index.put(ended, commands.expected(ended))
            self.unwanted[ended.id] = until
        else:
            self.index.settle(ended)

    # Changes

    def current(self, task_id: str) -> Task | None:
        """The task as it is now."""
        return self._store.held(task_id)

    def change(self, before: Task, after: Task) -> "asyncio.Future[None] | None":
        """Store a task's next state and move it to its place; None when nothing changed."""
        if after is before:
            return None
        stored = self._store.save(before, after)
        if after.ended:
            self._end(after)
        else:
            if after.request is not before.request:
                self.index.put(after, commands.expected(after))
            self.index.update(after)
            self._move_back(before, after)
        self._let_pass(after.id)
        self._wake.set()
        return stored

    def forget_unwanted(self, task: Task) -> None:
        """The late job of a cancelled task has been seen to, or will never come."""
        if self.unwanted.pop(task.id, None) is not None:
            self.index.settle(self.current(task.id) or task)
            self._let_pass(task.id)

    def _let_pass(self, task_id: str) -> None:
        """Those behind a task that can no longer be confused with them are next."""
        if task_id in self._behind and not self.index.is_on_its_way(task_id):
            follow = self._behind.pop(task_id)
            self._behind_count -= len(follow)
            self._waiting.extendleft(reversed(follow))
            self._wake.set()

    def _move_back(self, before: Task, after: Task) -> None:
        """A task that must come later gives its slot to the next."""
        was_sent = before.sending is not Sending.NOT_SENT
        if after.sending is Sending.NOT_SENT and (was_sent or after.tries > before.tries):
            self._running.pop(after.id, None)
            if (after.not_before or 0) > self._clock.now():
                self._delayed[after.id] = None
            else:
                self._waiting.appendleft(after.id)
            self._strand()

    def _strand(self) -> None:
        """Nothing may wait where nothing is sent."""
        if self.state is AccountState.STOPPED and self.unsent():
            self.relieve(self)

    def _end(self, task: Task) -> None:
        self._leave(task)
        if _job_may_come(task):
            self.unwanted[task.id] = self._clock.now() + task.idle_timeout
        else:
            self.index.settle(task)

    def _leave(self, task: Task) -> None:
        self._running.pop(task.id, None)
        self._delayed.pop(task.id, None)
        self._open.pop(task.id, None)
        if task.id in self._waiting:
            self._waiting.remove(task.id)
        for queue in self._behind.values():
            if task.id in queue:
                queue.remove(task.id)
                self._behind_count -= 1

    # Work

    def go_online(self) -> None:
        self.state, self.reason = AccountState.ONLINE, ""
        self._wake.set()

    def go_offline(self) -> None:
        if self.state is AccountState.ONLINE:
            self.state = AccountState.CONNECTING

    def stop(self, reason: str) -> None:
        """Send nothing more, until a person has seen to the reason; others do what waits here."""
        self.state, self.reason = AccountState.STOPPED, reason
        log.error("account.stopped", account=self.id, reason=reason)
        self._strand()

    def tasks(self) -> list[Task]:
        """Every task of the account that waits or runs."""
        behind = (task_id for queue in self._behind.values() for task_id in queue)
        ids = [*self._running, *behind, *self._waiting, *self._delayed]
        return [task for task_id in ids if (task := self.current(task_id))]

    def unsent(self) -> list[Task]:
        """The tasks that no interaction has been sent for, in their order."""
        return [task for task in self.tasks() if task.sending is Sending.NOT_SENT]

    def give_up(self, task: Task) -> None:
        """Let an unsent task go to another account."""
        self.index.drop(task.id)
        self._leave(task)

    async def run(self) -> None:
        """Send what waits as slots come free, and watch over what runs. Cancelled, it lets the
        commands that are on their way arrive, sends no more, and ends."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._dispatch())
                group.create_task(self._watch())
        finally:
            await self._drain()
            for work in tuple(self._work):
                work.cancel()

    async def _drain(self) -> None:
        """What is cut off while it is sent has to be found again in the history; what arrives
        need not."""
        if self._sending:
            log.info("account.draining", account=self.id, sending=len(self._sending))
            await asyncio.wait(self._sending, timeout=_DRAIN)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Do something beside; a failure is logged, never fatal."""
        task = asyncio.create_task(work)
        self._work[task] = None
        task.add_done_callback(self._worked)
        return task

    def _worked(self, work: "asyncio.Task[None]") -> None:
        self._work.pop(work, None)
        self._sending.pop(work, None)
        if not work.cancelled() and (error := work.exception()):
            log.error("account.work_failed", account=self.id, error=repr(error))

    async def _dispatch(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while task := self._next():
                self._running[task.id] = None
                self._sending[self.spawn(self._send(task))] = None

    def _next(self) -> Task | None:
        if self.state is not AccountState.ONLINE:
            return None
        while self._waiting and len(self._running) < self.core_size:
            task = self.current(self._waiting.popleft())
            if task is None or task.ended:
                continue
            if before := self.index.blocker(task.id):
                self._behind.setdefault(before, deque()).append(task.id)
                self._behind_count += 1
            else:
                return task
        return None

    async def _send(self, task: Task) -> None:
        try:
            await self.send(task)
        except Exception as error:
            log.exception("task.send_failed", task=task.id, account=self.id)
            now = self.current(task.id) or task
            self.change(now, lifecycle.fail(now, _internal(error), self._clock.now()))

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(_WATCH)
            self._wake_delayed()
            self._forget_late()
            overdue = self._overdue()
            may_look = self.state is AccountState.ONLINE and self._clock.now() >= self._look_at
            if overdue and may_look:
                await self._look_again(overdue)

    def _wake_delayed(self) -> None:
        now = self._clock.now()
        for task_id in tuple(self._delayed):
            task = self.current(task_id)
            if task and (task.not_before or 0) <= now:
                del self._delayed[task_id]
                self._waiting.appendleft(task_id)
                self._wake.set()

    def _overdue(self) -> list[Task]:
        now = self._clock.now()
        watched = (self.current(task_id) for task_id in (*self._running, *self._open))
        return [task for task in watched if task and task.deadline and task.deadline <= now]

    async def _look_again(self, overdue: list[Task]) -> None:
        """Read the history once more before a task is given up; when it cannot be read, later."""
        if not await self.last_look():
            self._look_at = self._clock.now() + _LOOK_LATER
            return
        now, again = self._clock.now(), self.settings.send_again
        for task in overdue:
            current = self.current(task.id)
            if current and current.deadline and current.deadline <= now:
                self.change(current, lifecycle.time_out(current, now, send_again=again))

    def _forget_late(self) -> None:
        """Jobs of cancelled tasks that did not come."""
        now = self._clock.now()
        for task_id, until in tuple(self.unwanted.items()):
            task = self.current(task_id)
            if task and until <= now:
                self.forget_unwanted(task)


def _job_may_come(task: Task) -> bool:
    return (
        task.status is Status.CANCEL
        and task.sending is not Sending.NOT_SENT
        and task.ids.job is None
    )


def _internal(error: Exception) -> str:
    return f"Athena could not send it: {type(error).__name__}"
