"""The only way in which an account's worker changes tasks.

A task belongs to the account that its record names, and only the worker of that account moves it on
at Discord. `apply` loads the task's current state, refuses a task that is not (or no longer) the
account's own, computes the next state and saves it in the same turn of the event loop. So nothing
is ever decided from an old copy: a step that was delayed by an upload or a rate limit finds that
the task was moved, cancelled or deleted, and does nothing.

The service side changes tasks for their users: it cancels, confirms, moves and deletes. It saves
with compare-and-set too (`TaskRepository.save`), and the worker learns of it through `follow`.
"""

import asyncio
from collections.abc import Callable

from athena.accounts.queue import TaskQueue
from athena.clock import Clock
from athena.store.repository import TaskRepository
from athena.tasks.model import Task

Step = Callable[[Task], Task]


class OwnedTasks:
    """The tasks of one account. `changed` is set whenever something may be sent."""

    def __init__(
        self, account: str, repository: TaskRepository, queue: TaskQueue, clock: Clock
    ) -> None:
        self.account = account
        self.queue = queue
        self.changed = asyncio.Event()
        self._repository = repository
        self._clock = clock

    def load(self) -> None:
        """Load unfinished tasks, and the ids of recently ended ones, whose messages are still in
        the channel and belong to no other task."""
        for task in (*self.recent(), *self.unfinished()):
            self.queue.update(task, self._clock.now())
        self.changed.set()

    def unfinished(self) -> list[Task]:
        """The account's tasks that have not ended, in the order in which they were submitted."""
        return self._repository.unfinished(self.account)

    def recent(self) -> list[Task]:
        """Recently ended tasks."""
        return self._repository.recent(self.account)

    def current(self, task_id: str) -> Task | None:
        """A task's current state; None when it is not this account's."""
        task = self._repository.held(task_id)
        return task if task is not None and task.account == self.account else None

    def apply(self, task_id: str, step: Step) -> "asyncio.Future[None] | None":
        """Move a task on; None when there is nothing to change, or it is not this account's."""
        before = self.current(task_id)
        after = before if before is None else step(before)
        if before is None or after is None or after is before:
            return None
        stored = self._repository.save(before, after)
        self.queue.update(after, self._clock.now())
        self.changed.set()
        return stored

    def follow(self, task_id: str, after: Task | None) -> None:
        """A task of this account was changed elsewhere. `after` is None when it was deleted or
        moved to another account."""
        if after is None:
            self.queue.drop(task_id)
        else:
            self.queue.update(after, self._clock.now())
        self.changed.set()
