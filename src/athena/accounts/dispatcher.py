"""Sends waiting tasks when slots become free."""

import asyncio

import structlog

from athena.accounts.ownership import OwnedTasks
from athena.accounts.sender import Sender
from athena.accounts.status import WorkerStatus
from athena.clock import Clock
from athena.supervision import Supervisor
from athena.tasks import lifecycle
from athena.tasks.model import Task

log = structlog.get_logger(__name__)

_DRAIN = 15.0
"""Seconds for which an end waits for commands that are on their way."""


class Dispatcher:
    """The sending side of one account."""

    def __init__(
        self,
        status: WorkerStatus,
        tasks: OwnedTasks,
        sender: Sender,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._status = status
        self._tasks = tasks
        self._sender = sender
        self._supervisor = supervisor
        self._clock = clock
        self._sending: set[asyncio.Task[None]] = set()
        self._ends = False

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._tasks.changed.clear()
            while self._may_send and (task := self._next()):
                sending = self._supervisor.spawn("send", self._send(task))
                self._sending.add(sending)
                sending.add_done_callback(self._sending.discard)
            await self._tasks.changed.wait()

    async def drain(self) -> None:
        """Wait for commands that are being sent. An interrupted one would have to be found again in
        the history. Nothing is begun any more, even if the session comes back meanwhile."""
        self._ends = True
        if self._sending:
            log.info("account.draining", account=self._tasks.account, sending=len(self._sending))
            await asyncio.wait(self._sending, timeout=_DRAIN)

    @property
    def _may_send(self) -> bool:
        return self._status.is_online and not self._ends

    def _next(self) -> Task | None:
        return self._tasks.queue.next(self._status.settings.core_size)

    async def _send(self, task: Task) -> None:
        try:
            await self._sender.send(task)
        except Exception as error:
            log.exception("task.send_failed", task=task.id, account=self._tasks.account)
            self._fail(task, f"Athena could not send it: {type(error).__name__}")

    def _fail(self, task: Task, reason: str) -> None:
        """End a task of which nothing was sent; one that was begun again meanwhile goes on."""
        now = self._clock.now()

        def if_unsent(current: Task) -> Task:
            begun = current.ids.nonce != task.ids.nonce
            return current if begun else lifecycle.fail(current, reason, now)

        self._tasks.apply(task.id, if_unsent)
