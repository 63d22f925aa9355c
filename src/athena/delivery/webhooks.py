"""Webhooks: tells users' own servers of every visible change, from the outbox.

The store writes a delivery in the same commit as the change that it reports, so none is lost with
the process, and its row goes only after the receiver has taken it: at least once. Each task with an
open delivery has one worker here, which always sends the newest state. What a newer state outdates
is not sent any more, the order never goes back, and the end, being the newest for ever, is sent
until it is taken or is too old to matter.

A delivery that fails is tried again after pauses that grow. Two things end a pause: a new visible
state, which starts the pauses over, and a receiver that was down and answers again. `receivers`
bounds what is sent at once; a fault in a worker counts as a delivery that failed. A deleted task's
delivery stops at once.

`Webhooks.run` may raise when the outbox cannot be read, and is run again by its supervisor. It
subscribes before it reads, so no change falls between the two.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

import structlog
from yarl import URL

from athena.backoff import Backoff
from athena.clock import DAY, Clock, Millis
from athena.delivery.delivery_log import DeliveryLog, DeliveryStatus
from athena.delivery.receivers import ReceiverLimits, Receivers
from athena.delivery.sending import Outcome, Session, Signer, WebhookSender
from athena.tasks.model import Task

__all__ = ["Outbox", "ReceiverLimits", "Signer", "Webhooks"]

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 600.0
_TOO_OLD: Millis = DAY
"""An end that no receiver took for a day is dropped, and logged."""


class TaskChange(Protocol):
    """A task before and after. `before` is None when it is new, `after` when it was deleted."""

    @property
    def before(self) -> Task | None: ...
    @property
    def after(self) -> Task | None: ...
    @property
    def visible(self) -> bool: ...


class Changes(Protocol):
    """Where changes are told."""

    def subscribe(self, listener: Callable[[TaskChange], None], /) -> Callable[[], None]:
        """Call the listener for each change; returns what ends that."""
        ...


class PendingDelivery(Protocol):
    """A task whose webhook is still to be told of its state."""

    @property
    def url(self) -> str: ...
    @property
    def task(self) -> Task: ...


class Outbox(Protocol):
    """The part of the store that webhooks need."""

    @property
    def changes(self) -> Changes: ...

    async def pending_deliveries(self) -> Sequence[PendingDelivery]:
        """The webhooks that are still to be told."""
        ...

    def delivered(self, task: Task) -> "asyncio.Future[None]":
        """The webhook was told this state: forget the delivery, unless a newer state waits."""
        ...


class _Job:
    """A task whose webhook is to be told, and the worker that does it."""

    def __init__(self, task: Task, url: str) -> None:
        self.newest = task
        self.url = url
        self.host = _host(url)
        self.woken = asyncio.Event()
        """Try again now: there is a newer state, or the receiver is up again."""
        self.worker: asyncio.Task[None] | None = None


class Webhooks:
    """Delivers the outbox. `render` gives a task the form that receivers expect; None when there is
    nothing to tell them."""

    def __init__(
        self,
        outbox: Outbox,
        http: Session,
        clock: Clock,
        random: Random,
        render: Callable[[Task], bytes | None],
        signer: Signer | None = None,
        limits: ReceiverLimits | None = None,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._random = random
        self._sender = WebhookSender(http, clock, render, signer)
        self._receivers = Receivers(clock, limits or ReceiverLimits())
        self._log = DeliveryLog()
        self._jobs: dict[str, _Job] = {}
        self._deleted: set[str] | None = None
        """Tasks that were deleted while the outbox is read."""

    async def run(self) -> None:
        """Deliver what a former run left, then every change, until cancelled.

        Raises:
            whatever the outbox raises when it cannot be read. Run it again then.
        """
        self._deleted = set()
        unsubscribe = self._outbox.changes.subscribe(self._changed)
        try:
            for delivery in await self._outbox.pending_deliveries():
                self._resume(delivery.task, delivery.url)
            self._deleted = None
            await asyncio.Event().wait()
        finally:
            unsubscribe()
            await self._stop()

    def delivery(self, task: Task) -> DeliveryStatus:
        """How the delivery of a task's states goes, as far as this process knows."""
        return self._log.of(task)

    def known(self) -> list[tuple[str, DeliveryStatus]]:
        """The latest deliveries by their tasks' ids, the newest first."""
        return self._log.latest()

    def send_again(self, task: Task) -> None:
        """Tell a task's webhook its present state once more, at once."""
        if task.webhook:
            self._log.waits(task)
            self._take(task, task.webhook)

    def _changed(self, change: TaskChange) -> None:
        before, after = change.before, change.after
        if after is None:
            if before:
                self._forget(before.id)
        elif before and change.visible and after.webhook:
            self._take(after, after.webhook)

    def _forget(self, task_id: str) -> None:
        """Stop delivering a deleted task."""
        if self._deleted is not None:
            self._deleted.add(task_id)
        job = self._jobs.pop(task_id, None)
        if job and job.worker:
            job.worker.cancel()
        self._log.forget(task_id)

    def _resume(self, task: Task, url: str) -> None:
        """Take a state from the outbox, unless something newer came while it was read."""
        delivered = self._log.of(task).delivered_revision or 0
        if task.revision > delivered and task.id not in (self._deleted or ()):
            self._take(task, url)

    def _take(self, task: Task, url: str) -> None:
        """Have a state delivered. An older one never replaces a newer."""
        job = self._jobs.get(task.id)
        if job is None:
            job = self._jobs[task.id] = _Job(task, url)
            self._log.waits(task)
            job.worker = asyncio.create_task(self._work(job), name=f"webhook of task {task.id}")
        elif job.newest.revision <= task.revision:
            job.newest = task
            self._log.waits(task)
            job.woken.set()

    async def _work(self, job: _Job) -> None:
        """Deliver a task's newest state, and each newer one that comes meanwhile."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, self._random)
        while await self._guarded(job) is not job.newest:
            if not job.woken.is_set():
                await self._pause(job, backoff.next())
            if job.woken.is_set():
                backoff.reset()
        if self._jobs.get(job.newest.id) is job:
            del self._jobs[job.newest.id]

    async def _pause(self, job: _Job, seconds: float) -> None:
        """Return after so many seconds, or when the job is woken."""
        self._log.waits_until(job.newest, self._clock.now() + round(seconds * 1000))
        sleeping = asyncio.create_task(self._clock.sleep(seconds))
        waking = asyncio.create_task(job.woken.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _guarded(self, job: _Job) -> Task | None:
        """As `_attempt`; a fault is logged and counts as a delivery that failed."""
        try:
            return await self._attempt(job)
        except Exception:
            log.exception("webhook.worker_failed", task=job.newest.id)
            return None

    async def _attempt(self, job: _Job) -> Task | None:
        """Send a task's newest state once. Returns the state when it need not be sent again."""
        task, outcome = await self._send_newest(job)
        if outcome.is_done:
            (self._log.delivered if outcome.answer else self._log.dropped)(task)
        elif self._is_too_old(task):
            log.error("webhook.given_up", task=task.id)
            self._log.dropped(task)
        else:
            return None
        await self._outbox.delivered(task)
        return task

    async def _send_newest(self, job: _Job) -> tuple[Task, Outcome]:
        """Wait until the receiver has room, and send what is the newest state by then."""
        token = job.newest.token or ""
        await self._receivers.enter(job.host, token)
        is_up: bool | None = None
        try:
            job.woken.clear()
            task = job.newest
            outcome = await self._sender.send(task, job.url)
            is_up = outcome.is_up
        finally:
            recovered = self._receivers.leave(job.host, token, answered=is_up)
        if not outcome.is_nothing:
            self._log.tried(task, outcome)
        if recovered:
            self._wake_others(job)
        return task, outcome

    def _wake_others(self, job: _Job) -> None:
        """A receiver is up again: what waits for it is tried at once."""
        for other in self._jobs.values():
            if other.host == job.host and other is not job:
                other.woken.set()

    def _is_too_old(self, task: Task) -> bool:
        return self._clock.now() - (task.finished_at or task.submitted_at) > _TOO_OLD

    async def _stop(self) -> None:
        """End all workers; what they had to deliver is in the outbox."""
        workers = [job.worker for job in self._jobs.values() if job.worker]
        self._jobs.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self._receivers.close()


def _host(url: str) -> str:
    """Host and port, by which receivers are told apart."""
    try:
        link = URL(url)
    except ValueError:
        return url
    return f"{link.raw_host}:{link.port}"
