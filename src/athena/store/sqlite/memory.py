"""What the repository knows ahead of the disk: held tasks, saves on their way, deletions."""

import asyncio
from collections.abc import Iterable

from athena.store.cache import TaskCache
from athena.store.sqlite.chains import Chains
from athena.tasks.model import Task


class Memory:
    """Of one repository."""

    def __init__(self, cache: TaskCache) -> None:
        self.cache = cache
        self.chains = Chains()
        self.gone: set[str] = set()
        """Tasks that are being deleted."""
        self.claims: dict[str, asyncio.Future[None]] = {}
        """Idempotency keys on their way to the disk; done, whatever became of them."""

    def held(self, task_id: str) -> Task | None:
        """A task that is in memory."""
        return self.cache.get(task_id)

    def show(self, task_id: str, current: Task | None) -> None:
        """This is the task's state, in place of what is held; None: it is not held any more."""
        self.cache.drop(task_id)
        if current is not None and task_id not in self.gone:
            self.cache.put(current)

    def corrected(self, found: Iterable[Task]) -> list[Task]:
        """What a query found, as it is now: the held states, without those that are deleted."""
        current = (self.held(task.id) or task for task in found)
        return [task for task in current if task.id not in self.gone]
