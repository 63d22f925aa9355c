"""Queries for tasks."""

from collections.abc import Iterable

from athena.clock import Clock
from athena.errors import UnknownTask, WrongState
from athena.store.queries import Cursor, Statistics, TaskFilter
from athena.store.repository import TaskRepository
from athena.tasks.model import Status, Task


class TaskQueries:
    """Tasks as they are. All methods that ask the database raise `StoreError` when it cannot be
    read."""

    def __init__(self, repository: TaskRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    def held(self, task_id: str) -> Task | None:
        """A task without a query: unfinished and recent ones only."""
        return self._repository.held(task_id)

    async def find(self, task_id: str) -> Task:
        """A task by its id.

        Raises:
            UnknownTask: no task has this id.
        """
        task = await self._repository.find(task_id)
        if task is None:
            raise UnknownTask(task_id)
        return task

    async def finished(self, task_id: str) -> Task:
        """A task by its id, which must have succeeded.

        Raises:
            UnknownTask: no task has this id.
            WrongState: it has not succeeded.
        """
        task = await self.find(task_id)
        if task.status is not Status.SUCCESS:
            raise WrongState(f"task {task_id} is {task.status}, not SUCCESS")
        return task

    async def find_many(self, task_ids: Iterable[str]) -> list[Task]:
        """The tasks of these ids, in their order, unknown ones left out."""
        return await self._repository.find_many(task_ids)

    def unfinished(self) -> list[Task]:
        """Tasks that wait or run, in the order in which they were submitted."""
        return self._repository.unfinished()

    async def search(
        self, filter: TaskFilter, most: int, before: Cursor | None = None
    ) -> list[Task]:
        """The newest tasks that match, or those after the position `before`."""
        await self._repository.written()
        return await self._repository.search(filter, most, before)

    async def by_trigger(self, trigger: str) -> list[Task]:
        """The tasks of a trigger, in the order in which they were submitted."""
        return await self._repository.by_trigger(trigger)

    async def statistics(self, hours: int) -> Statistics:
        """Statistics of the last hours."""
        await self._repository.written()
        return await self._repository.statistics(self._clock.now(), hours)
