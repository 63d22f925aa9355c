"""Moves tasks of accounts that cannot work to other accounts, or fails them with the reason.

No task waits at an account that sends nothing. When an account stops, each of its unsent tasks
moves to another account that the task's filter allows; when no other can take it, it fails with the
reason. When an account is removed, its other tasks fail too, including those that wait for a modal.
A task that was sent stays: its image may still come, and its worker watches the deadline.

Moving is a save like every other (compare-and-set), so a task that its worker sends at the same
time is not moved.
"""

import structlog

from athena.clock import Clock
from athena.errors import Conflict, NoAccount, QueueFull
from athena.service.admission import Admission
from athena.store.account_directory import AccountDirectory, AccountState, AccountStatus
from athena.store.changes import Change
from athena.store.repository import TaskRepository
from athena.tasks import lifecycle
from athena.tasks.model import Sending, Status, Task

log = structlog.get_logger(__name__)

NOT_CONFIGURED = "Its account is no longer configured."
REMOVED = "Its account was removed."


class Reassignment:
    """Watches the accounts of a directory, from `start` on."""

    def __init__(
        self,
        repository: TaskRepository,
        directory: AccountDirectory,
        admission: Admission,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._directory = directory
        self._admission = admission
        self._clock = clock

    def start(self) -> None:
        """Subscribe, and handle tasks of accounts that are already stopped or no longer exist."""
        self._directory.subscribe(self._account_changed)
        self._repository.changes.subscribe(self._task_changed)
        for status in self._directory.all():
            self._account_changed(status)
        accounts = dict.fromkeys(task.account for task in self._repository.unfinished())
        for account in accounts:
            if self._directory.get(account) is None:
                self.account_gone(account, NOT_CONFIGURED)

    def account_gone(self, account: str, reason: str) -> None:
        """An account was removed: its unsent tasks move to others, all others fail."""
        for task in self._repository.unfinished(account):
            if _is_unsent(task):
                self._reassign(task, reason)
            else:
                self._fail(task, reason)

    def _account_changed(self, status: AccountStatus) -> None:
        if status.state is AccountState.STOPPED:
            for task in self._repository.unfinished(status.id):
                if _is_unsent(task):
                    self._reassign(task, f"Its account stopped: {status.reason}")

    def _task_changed(self, change: Change) -> None:
        """Handle a task that begins to wait at a stopped account."""
        task = change.after
        if task is None or task.ended or not _is_unsent(task):
            return
        status = self._directory.get(task.account)
        current = self._repository.held(task.id)
        if status and status.state is AccountState.STOPPED and current is task:
            self._reassign(task, f"Its account stopped: {status.reason}")

    def _reassign(self, task: Task, reason: str) -> None:
        try:
            account = self._taker(task)
        except (NoAccount, QueueFull):
            self._fail(task, reason)
            return
        log.info("task.reassigned", task=task.id, to=account.id, why=reason)
        self._save(task, lifecycle.move(task, account.id))

    def _taker(self, task: Task) -> AccountStatus:
        if task.ids.parent_message:
            raise NoAccount("a button works only on the account that made the image")
        account, _ = self._admission.choose(task.accounts, task.speed)
        if account.id == task.account:
            raise NoAccount("no other account can take it")
        return account

    def _fail(self, task: Task, reason: str) -> None:
        self._save(task, lifecycle.fail(task, reason, self._clock.now()))

    def _save(self, before: Task, after: Task) -> None:
        try:
            self._repository.save(before, after)
        except Conflict:
            log.info("task.not_reassigned", task=before.id)


def _is_unsent(task: Task) -> bool:
    return task.sending is Sending.NOT_SENT and task.status is not Status.MODAL
