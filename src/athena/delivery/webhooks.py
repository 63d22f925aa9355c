"""Webhooks: tells users' own servers of every visible change, from the outbox.

The store writes a delivery in the same commit as the change that it reports, so none is lost with
the process. Here each task with open deliveries has one worker, which always sends the newest
state: what it outdates need not be told any more, the order never goes back, and the end, being
the newest for ever, is sent until it is taken or too old to matter.

With a signing secret every delivery carries the headers of Standard Webhooks: an id that stays the
same however often it is sent, the time, and an HMAC of both and the body.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from random import Random

import aiohttp
import structlog
from msgspec import Struct
from msgspec.structs import replace

from athena.clock import Clock, Millis
from athena.store.changes import Change
from athena.store.repository import TaskRepository
from athena.tasks.model import Task

log = structlog.get_logger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 600.0
_TOO_OLD: Millis = 24 * 60 * 60 * 1000
"""An end that nobody took for a day is dropped, and logged."""

_REMEMBERED = 10_000
_CODED = "whsec_"


class Delivery(Struct, frozen=True, kw_only=True):
    """How the telling of one task's webhook goes."""

    url: str | None = None
    delivered_revision: int | None = None
    waiting_revision: int | None = None
    tries: int = 0
    """Of what waits now."""
    last_answer: int | None = None
    last_error: str | None = None
    next_try_at: Millis | None = None


class Signer:
    """Signs deliveries (Standard Webhooks). The secret is `whsec_` and base64, or plain text."""

    def __init__(self, secret: str) -> None:
        coded = secret.removeprefix(_CODED)
        try:
            self._key = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            self._key = secret.encode()

    def headers(self, task: Task, body: bytes, now: Millis) -> dict[str, str]:
        """The three headers of a delivery."""
        message, moment = f"{task.id}.{task.revision}", str(now // 1000)
        signed = b".".join((message.encode(), moment.encode(), body))
        digest = hmac.new(self._key, signed, hashlib.sha256).digest()
        return {
            "webhook-id": message,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }


class Webhooks:
    """Delivers the outbox. `render` gives a task the form that receivers expect; None when there is
    nothing to tell them."""

    def __init__(
        self,
        store: TaskRepository,
        http: aiohttp.ClientSession,
        clock: Clock,
        random: Random,
        render: Callable[[Task], bytes | None],
        signer: Signer | None = None,
    ) -> None:
        self._store = store
        self._http = http
        self._clock = clock
        self._random = random
        self._render = render
        self._signer = signer
        self._newest: dict[str, Task] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._deliveries: OrderedDict[str, Delivery] = OrderedDict()

    async def run(self) -> None:
        """Deliver what a former run left, then every change, until cancelled."""
        unsubscribe = self._store.changes.subscribe(self._changed)
        try:
            for delivery in await self._store.pending_deliveries():
                self._take(delivery.task)
            await asyncio.Event().wait()
        finally:
            unsubscribe()
            for worker in self._workers.values():
                worker.cancel()

    def delivery(self, task: Task) -> Delivery:
        """How the telling of a task's webhook goes, as far as this process knows."""
        return self._deliveries.get(task.id, Delivery(url=task.webhook))

    def known(self) -> list[tuple[str, Delivery]]:
        """The latest deliveries by their tasks, the newest first."""
        return list(reversed(self._deliveries.items()))

    def send_again(self, task: Task) -> None:
        """Tell a task's webhook its present state once more, at once."""
        if worker := self._workers.pop(task.id, None):
            worker.cancel()
        self._newest[task.id] = task
        self._note(task, waiting_revision=task.revision, tries=0)
        self._workers[task.id] = asyncio.create_task(self._work(task.id))

    def _changed(self, change: Change) -> None:
        if change.before and change.after and change.visible and change.after.webhook:
            self._take(change.after)

    def _take(self, task: Task) -> None:
        known = self._newest.get(task.id)
        if known is None or known.revision < task.revision:
            self._newest[task.id] = task
            self._note(task, waiting_revision=task.revision, tries=0)
        if task.id not in self._workers:
            self._workers[task.id] = asyncio.create_task(self._work(task.id))

    async def _work(self, task_id: str) -> None:
        try:
            while task := self._newest.get(task_id):
                await self._deliver(task)
                if self._newest.get(task_id) is task:
                    del self._newest[task_id]
        except Exception:
            log.exception("webhook.worker_failed", task=task_id)
        finally:
            if self._workers.get(task_id) is asyncio.current_task():
                del self._workers[task_id]

    async def _deliver(self, task: Task) -> None:
        """Send a task's newest state; return when it was taken, outdated or is too old."""
        pause = _FIRST_PAUSE
        while self._newest.get(task.id) is task:
            if await self._send(task) or self._too_old(task):
                await self._store.delivered(task)
                return
            seconds = pause * (0.5 + self._random.random())
            self._note(task, next_try_at=self._clock.now() + round(seconds * 1000))
            await self._clock.sleep(seconds)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _send(self, task: Task) -> bool:
        body = self._render(task)
        if body is None:
            return True
        headers = {"Content-Type": "application/json"}
        if self._signer:
            headers |= self._signer.headers(task, body, self._clock.now())
        tries = self.delivery(task).tries + 1
        try:
            async with self._http.post(
                task.webhook or "", data=body, headers=headers, timeout=_TIMEOUT,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                taken = answer.status < 300
                self._note(task, tries=tries, last_answer=answer.status, last_error=None)
                log.info("webhook.sent", task=task.id, status=task.status, answer=answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._note(task, tries=tries, last_answer=None, last_error=type(error).__name__)
            log.warning("webhook.failed", task=task.id, error=type(error).__name__)
            return False
        if taken:
            self._note(
                task, delivered_revision=task.revision, waiting_revision=None, next_try_at=None
            )
        return taken

    def _note(self, task: Task, **news: object) -> None:
        known = self._deliveries.pop(task.id, Delivery(url=task.webhook))
        self._deliveries[task.id] = replace(known, **news)
        if len(self._deliveries) > _REMEMBERED:
            self._deliveries.popitem(last=False)

    def _too_old(self, task: Task) -> bool:
        age = self._clock.now() - (task.finished_at or task.submitted_at)
        if age > _TOO_OLD:
            log.error("webhook.given_up", task=task.id)
        return age > _TOO_OLD
