"""Event streams and long polling: the visible changes of one task or of all.

Each visible change gets a number that only grows, across restarts too. The last few thousand are
kept, so an interrupted stream resumes where it was. A stream that missed more is told to read the
list again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from msgspec import Struct

from athena.clock import Clock
from athena.store.changes import Change
from athena.store.repository import TaskRepository
from athena.tasks.model import Task

_KEPT = 5_000
_BEHIND = 1_000
"""How many changes a slow listener may be behind before it has to read the list again."""


class FeedEvent(Struct, frozen=True):
    """A change and its number. `task` None: changes were missed, read the list again."""

    number: int
    task: Task | None


Stream: TypeAlias = "asyncio.Queue[FeedEvent | None]"
"""The changes for one stream; None is the end."""


class Feed:
    """The changes of all tasks."""

    def __init__(self, repository: TaskRepository, clock: Clock) -> None:
        self._number = clock.now() * 1000
        self._kept: deque[FeedEvent] = deque(maxlen=_KEPT)
        self._first = self._number + 1
        self._listeners: dict[Stream, None] = {}
        self._closed = False
        self._clock = clock
        self._repository = repository
        repository.changes.subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        if not change.visible:
            return
        self._number += 1
        event = FeedEvent(self._number, change.after)
        self._kept.append(event)
        for listener in tuple(self._listeners):
            if listener.qsize() < _BEHIND:
                listener.put_nowait(event)
            else:
                _reset(listener, self._number)

    def close(self) -> None:
        """End all streams, also those that begin later: the shutting server would wait for them."""
        self._closed = True
        for listener in self._listeners:
            listener.put_nowait(None)
        self._listeners.clear()  # so that nothing follows the end or replaces it

    async def since(self, number: int | None) -> AsyncIterator[FeedEvent]:
        """Every change after a number, or from now on, for as long as the server runs."""
        with self._listening() as listener:
            for event in self._missed(number):
                yield event
            while change := await listener.get():
                yield change

    async def of_task(self, task: Task) -> AsyncIterator[FeedEvent]:
        """A task as it is, then its changes, until its end or the server's."""
        with self._listening() as listener:
            task = self._repository.held(task.id) or task
            yield FeedEvent(self._number, task)
            while not task.ended and (event := await listener.get()):
                if event.task is None:
                    event = FeedEvent(event.number, self._repository.held(task.id))
                if event.task and event.task.id == task.id and event.task.revision > task.revision:
                    task = event.task
                    yield event

    async def next_change(self, task: Task, seconds: float) -> Task:
        """The task at its next change, or as it is when none came in time."""
        changes = self.of_task(task)
        waiting = asyncio.ensure_future(_second(changes))
        late = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({waiting, late}, return_when=asyncio.FIRST_COMPLETED)
            changed = waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()
            late.cancel()
        return changed or self._repository.held(task.id) or task

    @contextmanager
    def _listening(self) -> Iterator[Stream]:
        listener: Stream = asyncio.Queue()
        self._listeners[listener] = None
        if self._closed:
            listener.put_nowait(None)
        try:
            yield listener
        finally:
            self._listeners.pop(listener, None)

    def _missed(self, number: int | None) -> list[FeedEvent]:
        if number is None or number == self._number:
            return []
        oldest = self._kept[0].number if self._kept else self._first
        if not oldest - 1 <= number <= self._number:
            return [FeedEvent(self._number, None)]
        return [event for event in self._kept if event.number > number]


async def _second(changes: AsyncIterator[FeedEvent]) -> Task | None:
    """The first change after the present state; None when there will be none."""
    await anext(changes)
    event = await anext(changes, None)
    return event.task if event else None


def _reset(listener: Stream, number: int) -> None:
    while not listener.empty():
        listener.get_nowait()
    listener.put_nowait(FeedEvent(number, None))
