"""Whoever must know of a change subscribes here; a change is told once it is on disk."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from athena.tasks.model import Task


class Change(Struct, frozen=True):
    """A task as it is now. `before` is None when it is new."""

    before: Task | None
    after: Task

    @property
    def visible(self) -> bool:
        """Whether status or progress changed: what webhooks are told (mj-dialect, section 10)."""
        before = self.before
        return (
            before is None
            or before.status is not self.after.status
            or before.progress != self.after.progress
        )


Listener: TypeAlias = Callable[[Change], None]


class Changes:
    """Calls every listener, in the order of their subscription, on the event loop's thread.

    A listener must return at once and not raise.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Returns what ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)
