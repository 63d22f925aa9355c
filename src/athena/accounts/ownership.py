"""The only door through which an account's worker changes tasks.

A task belongs to the account that its record names, and only the worker of that account moves it on
at Discord. `apply` looks up the task as it is now, refuses one that is not, or no longer, the
account's own, decides its next state from that one and saves it in the same turn of the event loop.
So nothing is ever decided from an old copy: a step that was held up by an upload or a rate limit
finds a task that was moved, cancelled or deleted meanwhile, and does nothing.

The service's side changes tasks for their users: it cancels, confirms, moves and deletes. It saves
with compare-and-set like everybody (`TaskRepository.save`), and the worker hears of it by `follow`.
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
        """Take up what is stored: unfinished tasks, and the ids of those that ended lately, whose
        messages are still in the channel and belong to no other task."""
        for task in (*self.recent(), *self.unfinished()):
            self.queue.update(task, self._clock.now())
        self.changed.set()

    def unfinished(self) -> list[Task]:
        """The account's tasks that have not ended, in the order of their coming."""
        return self._repository.unfinished(self.account)

    def recent(self) -> list[Task]:
        """Those that ended lately."""
        return self._repository.recent(self.account)

    def current(self, task_id: str) -> Task | None:
        """A task as it is now; None when it is not this account's."""
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
        """Somebody changed a task of this account. `after` is None when it was deleted or moved to
        another account."""
        if after is None:
            self.queue.drop(task_id)
        else:
            self.queue.update(after, self._clock.now())
        self.changed.set()
