"""Deadlines: a task without a sign of life is looked for once more and then ended.

A deadline holds in every state of the account. Before a task is timed out the channel's history is
read, because its result may be there. That needs no session, only a valid token, so it is tried for
a stopped account too. A history that cannot be read is tried again; after `_MOST_LOOKS` tries the
task ends with that reason. A task whose result was read and is
being translated is not overdue.
"""

from collections import Counter
from collections.abc import Collection

import structlog

from athena.accounts.ownership import OwnedTasks
from athena.accounts.recovery import Recovery
from athena.accounts.status import WorkerStatus
from athena.clock import Clock, Millis
from athena.tasks import lifecycle
from athena.tasks.model import Sending, Task

log = structlog.get_logger(__name__)

PAUSE = 1.0
"""Seconds between two turns."""

_LOOK_LATER: Millis = 15_000
_MAY_HAVE_A_JOB = (Sending.SENDING, Sending.SENT)
_MOST_LOOKS = 20
"""Five minutes of tries."""

UNREADABLE = "The channel's history could not be read, so the outcome is unknown."


class Watchdog:
    """Watches over one account's tasks. `pending` are tasks whose result is already known."""

    def __init__(
        self,
        status: WorkerStatus,
        tasks: OwnedTasks,
        recovery: Recovery,
        pending: Collection[str],
        clock: Clock,
    ) -> None:
        self._status = status
        self._tasks = tasks
        self._recovery = recovery
        self._pending = pending
        self._clock = clock
        self._look_at: Millis = 0
        self._looks: Counter[str] = Counter()
        """Failed looks by task."""

    async def turn(self) -> None:
        """Check the deadlines once."""
        now = self._clock.now()
        if self._tasks.queue.wake_delayed(now):
            self._tasks.changed.set()
        for task in self._tasks.queue.expired_orphans(now):
            self._tasks.apply(task.id, lifecycle.job_cancelled)
        overdue = self._overdue()
        self._forget_looks(overdue)
        if overdue and now >= self._look_at:
            await self._look_again()

    def _overdue(self) -> list[Task]:
        overdue = self._tasks.queue.overdue(self._clock.now())
        return [task for task in overdue if task.id not in self._pending]

    def _forget_looks(self, overdue: list[Task]) -> None:
        """What gave a sign of life, or ended, has all of its looks before it again."""
        for task_id in self._looks.keys() - {task.id for task in overdue}:
            del self._looks[task_id]

    async def _look_again(self) -> None:
        try:
            was_read = await self._recovery.catch_up()
        except Exception:
            self._judge(was_read=False)
            raise
        self._judge(was_read=was_read)

    def _judge(self, *, was_read: bool) -> None:
        if not was_read:
            self._look_at = self._clock.now() + _LOOK_LATER
        for task in self._overdue():
            if was_read:
                self._end(task)
            else:
                self._count(task)

    def _count(self, task: Task) -> None:
        """Count a failed look; the next may succeed, even if the account is stopped, unless Discord
        refuses its token. A task that was not sent, or whose first step creates nothing, is not in
        the history."""
        self._looks[task.id] += 1
        if task.sending not in _MAY_HAVE_A_JOB:
            self._end(task)
        elif self._status.is_stopped and self._recovery.token_refused:
            self._fail(task, self._stopped())
        elif self._looks[task.id] >= _MOST_LOOKS:
            self._fail(task, self._stopped() if self._status.is_stopped else UNREADABLE)

    def _end(self, task: Task) -> None:
        if self._status.is_stopped and task.sending in _MAY_HAVE_A_JOB and not task.removed:
            self._fail(task, self._stopped())
            return
        now, again = self._clock.now(), self._status.settings.send_again
        self._tasks.apply(
            task.id, lambda current: lifecycle.time_out(current, now, send_again=again)
        )

    def _stopped(self) -> str:
        return f"Its account stopped: {self._status.reason}"

    def _fail(self, task: Task, reason: str) -> None:
        log.warning("task.timed_out", task=task.id, account=task.account, reason=reason)
        now = self._clock.now()
        self._tasks.apply(task.id, lambda current: lifecycle.fail(current, reason, now))
