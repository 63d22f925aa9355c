"""Fakes for webhooks: an outbox in memory, and receivers without sockets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from yarl import URL

from athena.clock import TurnableClock
from athena.delivery.receivers import ReceiverLimits
from athena.delivery.webhooks import TaskChange, Webhooks
from athena.tasks.model import Action, Status, Task
from athena.tasks.requests import Imagine

HOOK = "https://hooks.example.com/a"


def task(task_id: str = "1", revision: int = 1, *, webhook: str = HOOK, **more: Any) -> Task:
    return Task(
        id=task_id, account="a", request=Imagine(prompt="a cat"), action=Action.IMAGINE,
        submitted_at=1_700_000_000_000, revision=revision, webhook=webhook, **more,
    )  # fmt: skip


def ended(before: Task, at: int | None = None) -> Task:
    """The task's next revision, its end."""
    return replace(
        before, revision=before.revision + 1, status=Status.SUCCESS, progress=100, finished_at=at
    )


class Change(Struct, frozen=True):
    before: Task | None
    after: Task | None
    visible: bool = True


class Row(Struct, frozen=True):
    url: str
    task: Task


class FakeOutbox:
    """Keeps the newest undelivered state of each task, as the store does."""

    def __init__(self) -> None:
        self.rows: dict[str, Task] = {}
        self.listeners: list[Callable[[TaskChange], None]] = []
        self.dropped: list[tuple[str, int]] = []
        self.reading: list[Exception | Callable[[], None] | None] = []
        """What happens at the next readings."""
        self.refusing = 0
        """How often `delivered` still fails."""
        self.changes = self

    def subscribe(self, listener: Callable[[TaskChange], None], /) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    async def pending_deliveries(self) -> list[Row]:
        rows = [Row(each.webhook or "", each) for each in self.rows.values()]
        happens = self.reading.pop(0) if self.reading else None
        if isinstance(happens, Exception):
            raise happens
        if happens:
            happens()
            await asyncio.sleep(0)
        return rows

    def delivered(self, task: Task) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.refusing:
            self.refusing -= 1
            done.set_exception(RuntimeError("the disk is full"))
            return done
        row = self.rows.get(task.id)
        if row and row.revision <= task.revision:
            del self.rows[task.id]
        self.dropped.append((task.id, task.revision))
        done.set_result(None)
        return done

    def save(self, before: Task, after: Task) -> Task:
        self.rows[after.id] = after
        self._tell(Change(before, after))
        return after

    def remove(self, gone: Task) -> None:
        self.rows.pop(gone.id, None)
        self._tell(Change(gone, None))

    def _tell(self, change: Change) -> None:
        for listener in tuple(self.listeners):
            listener(change)


class FakeReceivers:
    """Every server on the internet. A host answers with what is planned for it, else with 200; one
    that hangs answers nothing until it is released, or 15 seconds of the clock have passed."""

    def __init__(self, clock: TurnableClock) -> None:
        self.clock = clock
        self.plan: dict[str, list[int | Exception]] = {}
        self.always: dict[str, int] = {}
        self.hanging: set[str] = set()
        self.released = asyncio.Event()
        self.calls: list[tuple[float, str, bytes]] = []
        """Each with its seconds."""
        self.taken: list[tuple[float, bytes]] = []
        self.open: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []

    @asynccontextmanager
    async def post(
        self, url: str, *, data: bytes, headers: Any, timeout: Any, allow_redirects: bool
    ) -> AsyncIterator[Any]:
        assert not allow_redirects
        host = URL(url).host or ""
        self.calls.append((self.clock.monotonic(), host, data))
        self.headers.append(dict(headers))
        self.open[host] += 1
        self.most[host] = max(self.most[host], self.open[host])
        try:
            yield Answered(await self._answer(host, data))
        finally:
            self.open[host] -= 1

    async def _answer(self, host: str, data: bytes) -> int:
        if host in self.hanging:
            sleeping = asyncio.ensure_future(self.clock.sleep(15))
            released = asyncio.ensure_future(self.released.wait())
            await asyncio.wait((sleeping, released), return_when=asyncio.FIRST_COMPLETED)
            sleeping.cancel()
            if not released.done():
                released.cancel()
                raise TimeoutError
        planned = self.plan.get(host)
        status = planned.pop(0) if planned else self.always.get(host, 200)
        if isinstance(status, Exception):
            raise status
        if status < 300:
            self.taken.append((self.clock.monotonic(), data))
        return status

    def bodies(self) -> list[str]:
        return [data.decode() for _, data in self.taken]


class Answered(Struct):
    status: int


def rendered(task: Task) -> bytes | None:
    return f"{task.id}.{task.revision}".encode()


class Setting:
    """Webhooks over the fakes."""

    def __init__(self, limits: ReceiverLimits | None = None, **more: Any) -> None:
        self.clock = TurnableClock()
        self.outbox = FakeOutbox()
        self.receivers = FakeReceivers(self.clock)
        more = {"render": rendered, **more}
        self.webhooks = Webhooks(
            self.outbox, self.receivers, self.clock, Random(7), limits=limits, **more
        )

    async def turn(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass in steps; all tasks run in between."""
        while seconds > 0:
            await settle()
            self.clock.turn(min(step, seconds))
            seconds -= step
        await settle()


async def settle() -> None:
    """Let every coroutine go as far as it can without time; no sockets and threads are here."""
    for _ in range(12):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(setting: Setting) -> AsyncIterator[asyncio.Task[None]]:
    run = asyncio.create_task(setting.webhooks.run())
    await settle()
    try:
        yield run
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
