"""The change log: subscribers are called with each change once it is on disk."""

from collections.abc import Callable
from typing import TypeAlias

import structlog
from msgspec import Struct

from athena.tasks.model import Task

log = structlog.get_logger(__name__)


class Change(Struct, frozen=True):
    """A task before and after. `before` is None when it is new, `after` when it was deleted."""

    before: Task | None
    after: Task | None

    @property
    def visible(self) -> bool:
        """Whether status or progress changed, or the task is new: what webhooks report."""
        before, after = self.before, self.after
        if before is None or after is None:
            return after is not None
        return before.status is not after.status or before.progress != after.progress


Listener: TypeAlias = Callable[[Change], None]


class ChangeLog:
    """Calls every listener in the order of subscription, on the event loop's thread.

    A listener must return at once. One that raises is logged, and harms neither the other
    listeners nor the caller whose change it was.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener. Returns a function that ends the subscription; calling it twice is
        harmless."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, change: Change) -> None:
        """Call every listener."""
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                log.exception("change.listener_failed", task=_id(change))


def _id(change: Change) -> str:
    task = change.after or change.before
    return task.id if task else ""
