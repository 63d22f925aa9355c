"""Where every unfinished task of one account is: the rules of queue and slots, pure.

A task of an account is in exactly one place:

    waiting    it may be sent as soon as a slot is free
    blocked    its turn had come, but another task that could be confused with it is on its way
               (`TaskIndex.blocker`); it follows as soon as that one's job is known
    delayed    Midjourney or Discord asked to come later
    running    it holds one of the slots: its interaction is being sent, or was
    modal      its user has a modal to fill in; it holds no slot
    orphaned   it was cancelled, and its job may still come, to be cancelled too

`update` is the only way in. It is told the task's next state and decides the place from that and
the state before, so whatever happens in whatever order, a slot comes back with every end. States
may be told twice and late: one that is not newer than what is known changes nothing.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from athena.tasks.matching import Expected, TaskIndex
from athena.tasks.model import Millis, Sending, Status, Task


class Place(StrEnum):
    """Where a task is."""

    WAITING = "waiting"
    BLOCKED = "blocked"
    DELAYED = "delayed"
    RUNNING = "running"
    MODAL = "modal"
    ORPHANED = "orphaned"


class TaskQueue:
    """The places of one account's tasks. `index` knows them by their ids; `expected` says how the
    bot's first message on a task will look."""

    def __init__(self, index: TaskIndex, expected: Callable[[Task], Expected]) -> None:
        self._index = index
        self._expected = expected
        self._tasks: dict[str, Task] = {}
        self._places: dict[str, Place] = {}
        self._members: dict[Place, dict[str, None]] = {place: {} for place in Place}
        """The tasks of each place, in the order in which they came there."""
        self._waiting: deque[str] = deque()
        self._blocked: dict[str, deque[str]] = {}
        """By the task that they wait for."""
        self._orphaned: dict[str, Millis] = {}
        """With the moment from which on no job is expected any more."""

    # Changes

    def update(self, task: Task, now: Millis) -> None:
        """Put a task to the place of its state."""
        known = self._tasks.get(task.id)
        if known is not None and known.revision >= task.revision:
            return
        self._tasks[task.id] = task
        if task.ended:
            self._end(task)
        elif task.status is Status.MODAL:
            self._put(task.id, Place.MODAL)
        else:
            self._put_in_index(known, task)
            self._place(known, task, now)
        self._unblock(task.id)

    def drop(self, task_id: str) -> None:
        """Forget a task that is not this account's any more, or was deleted."""
        self._leave(task_id)
        self._tasks.pop(task_id, None)
        self._index.drop(task_id)
        self._unblock(task_id)

    def next(self, slots: int) -> Task | None:
        """Give the next task one of so many slots; None when none is free or nothing waits."""
        while self._waiting and self.running_count < slots:
            task_id = self._waiting[0]
            if blocker := self._index.blocker(task_id):
                self._put(task_id, Place.BLOCKED)
                self._blocked.setdefault(blocker, deque()).append(task_id)
                continue
            self._put(task_id, Place.RUNNING)
            self._index.take(task_id)
            return self._tasks[task_id]
        return None

    def wake_delayed(self, now: Millis) -> bool:
        """Let those wait whose pause is over; whether there were any."""
        due = [each for each in self._in(Place.DELAYED) if (each.not_before or 0) <= now]
        for task in due:
            self._wait(task.id, first=True)
        return bool(due)

    # Questions

    @property
    def running_count(self) -> int:
        """Slots in use."""
        return len(self._members[Place.RUNNING])

    @property
    def waiting_count(self) -> int:
        """Tasks that wait for a slot, for another task, or for a pause to end."""
        places = (Place.WAITING, Place.BLOCKED, Place.DELAYED)
        return sum(len(self._members[place]) for place in places)

    def place_of(self, task_id: str) -> Place | None:
        """A task's place; None when it has none."""
        return self._places.get(task_id)

    def is_orphaned(self, task_id: str) -> bool:
        """Whether a task was cancelled and its job may still come."""
        return task_id in self._orphaned

    def on_their_way(self) -> list[Task]:
        """Tasks whose interaction was or may have been sent, orphaned ones included."""
        every = self._in(Place.RUNNING, Place.ORPHANED)
        return [task for task in every if task.sending is not Sending.NOT_SENT]

    def overdue(self, now: Millis) -> list[Task]:
        """Tasks whose deadline has passed."""
        watched = self._in(Place.RUNNING, Place.MODAL)
        return [task for task in watched if task.deadline and task.deadline <= now]

    def expired_orphans(self, now: Millis) -> list[Task]:
        """Cancelled tasks whose job will not come any more."""
        return [self._tasks[each] for each, until in self._orphaned.items() if until <= now]

    def _in(self, *places: Place) -> list[Task]:
        return [self._tasks[each] for place in places for each in self._members[place]]

    # Parts of `update`

    def _end(self, task: Task) -> None:
        if task.cancel_job and task.ids.job is None:
            self._put(task.id, Place.ORPHANED)
            self._orphaned[task.id] = (task.finished_at or 0) + task.idle_timeout
            self._index.put(task, self._expected(task))
            return
        self._leave(task.id)
        del self._tasks[task.id]
        self._index.settle(task)

    def _put_in_index(self, known: Task | None, task: Task) -> None:
        if task.id in self._index and known is not None and known.request is task.request:
            self._index.update(task)
            return
        self._index.put(task, self._expected(task))
        if self.place_of(task.id) is Place.RUNNING and task.sending is Sending.NOT_SENT:
            self._index.take(task.id)

    def _place(self, known: Task | None, task: Task, now: Millis) -> None:
        place = self.place_of(task.id)
        if task.sending is not Sending.NOT_SENT:
            self._put(task.id, Place.RUNNING)
        elif place is Place.RUNNING:
            if known is not None and _was_put_back(known, task):
                self._index.put(task, self._expected(task))
                self._wait_or_delay(task, now, first=True)
        elif place in (None, Place.MODAL):
            self._wait_or_delay(task, now, first=False)

    def _wait_or_delay(self, task: Task, now: Millis, *, first: bool) -> None:
        if (task.not_before or 0) > now:
            self._put(task.id, Place.DELAYED)
        else:
            self._wait(task.id, first=first)

    def _wait(self, task_id: str, *, first: bool) -> None:
        self._put(task_id, Place.WAITING)
        if first:
            self._waiting.appendleft(task_id)
        else:
            self._waiting.append(task_id)

    def _put(self, task_id: str, place: Place) -> None:
        if self._places.get(task_id) is not place:
            self._leave(task_id)
            self._places[task_id] = place
            self._members[place][task_id] = None

    def _leave(self, task_id: str) -> None:
        place = self._places.pop(task_id, None)
        if place is None:
            return
        del self._members[place][task_id]
        if place is Place.WAITING:
            self._waiting.remove(task_id)
        elif place is Place.BLOCKED:
            for queue in self._blocked.values():
                if task_id in queue:
                    queue.remove(task_id)
                    return
        elif place is Place.ORPHANED:
            del self._orphaned[task_id]

    def _unblock(self, task_id: str) -> None:
        """Those that a task blocked are next once it cannot be confused with them any more."""
        if task_id in self._blocked and not self._index.is_on_its_way(task_id):
            for each in reversed(self._blocked.pop(task_id)):
                self._wait(each, first=True)


def _was_put_back(known: Task, task: Task) -> bool:
    return known.sending is not Sending.NOT_SENT or task.tries > known.tries
