"""Hooks: tells users' own servers of every visible change, from the outbox.

The store writes a delivery in the same commit as the change that it reports, so none is lost with
the process. Here each task with open deliveries has one worker, which always sends the newest
state: what it outdates need not be told any more, the order never goes back, and the end, being
the newest for ever, is sent until it is taken or too old to matter.
"""

import asyncio
from collections.abc import Callable
from random import Random

import aiohttp
import structlog

from athena.clock import Clock, Millis
from athena.store.changes import Change
from athena.store.store import Store
from athena.tasks.model import Task

log = structlog.get_logger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 600.0
_TOO_OLD: Millis = 24 * 60 * 60 * 1000
"""An end that nobody took for a day is dropped, and logged."""


class Hooks:
    """Delivers the outbox. `render` gives a task the form that receivers expect."""

    def __init__(
        self,
        store: Store,
        http: aiohttp.ClientSession,
        clock: Clock,
        random: Random,
        render: Callable[[Task], bytes],
    ) -> None:
        self._store = store
        self._http = http
        self._clock = clock
        self._random = random
        self._render = render
        self._newest: dict[str, Task] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver what a former run left, then every change, until cancelled."""
        unsubscribe = self._store.changes.subscribe(self._changed)
        try:
            for delivery in await self._store.deliveries():
                self._take(delivery.task)
            await asyncio.Event().wait()
        finally:
            unsubscribe()
            for worker in self._workers.values():
                worker.cancel()

    def _changed(self, change: Change) -> None:
        if change.before and change.visible and change.after.hook:
            self._take(change.after)

    def _take(self, task: Task) -> None:
        known = self._newest.get(task.id)
        if known is None or known.revision < task.revision:
            self._newest[task.id] = task
        if task.id not in self._workers:
            self._workers[task.id] = asyncio.create_task(self._work(task.id))

    async def _work(self, task_id: str) -> None:
        try:
            while task := self._newest.get(task_id):
                await self._deliver(task)
                if self._newest.get(task_id) is task:
                    del self._newest[task_id]
        except Exception:
            log.exception("hook.worker_failed", task=task_id)
        finally:
            self._workers.pop(task_id, None)

    async def _deliver(self, task: Task) -> None:
        """Send a task's newest state; return when it was taken, outdated or is too old."""
        pause = _FIRST_PAUSE
        while self._newest.get(task.id) is task:
            if await self._send(task) or self._too_old(task):
                await self._store.delivered(task)
                return
            await self._clock.sleep(pause * (0.5 + self._random.random()))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _send(self, task: Task) -> bool:
        try:
            async with self._http.post(
                task.hook or "",
                data=self._render(task),
                headers={"Content-Type": "application/json"},
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as answer:
                taken = answer.status < 300
                log.info("hook.sent", task=task.id, status=task.status, answer=answer.status)
                return taken
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("hook.failed", task=task.id, error=type(error).__name__)
            return False

    def _too_old(self, task: Task) -> bool:
        age = self._clock.now() - (task.finished_at or task.submitted_at)
        if age > _TOO_OLD:
            log.error("hook.given_up", task=task.id)
        return age > _TOO_OLD
