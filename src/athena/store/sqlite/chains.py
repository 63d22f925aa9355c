"""Saves that are on their way to the disk, task by task.

Memory runs ahead of the disk: a task may be saved again before the save before is written. A chain
knows the state that is on disk for certain. From it follow which revisions the row may have when
the next save reaches it, and what the task is again when saves are refused.
"""

from msgspec import Struct, field

from athena.tasks.model import Task


class _Chain(Struct):
    durable: Task | None
    """None: the task is not on disk yet."""
    lowest: int
    """The lowest revision that the row can have."""
    writes: int = 0
    pending: list[Task] = field(default_factory=list)
    """The states that are on their way and build on `durable`."""


class Chains:
    """All tasks with writes on their way."""

    def __init__(self) -> None:
        self._chains: dict[str, _Chain] = {}

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._chains

    def ids(self) -> set[str]:
        """The tasks that may differ from their rows."""
        return set(self._chains)

    def lowest(self, before: Task) -> int:
        """The lowest revision that the row of a task can have when it is saved next."""
        chain = self._chains.get(before.id)
        return chain.lowest if chain else before.revision

    def begin(self, before: Task | None, after: Task) -> None:
        """A write begins."""
        chain = self._chains.get(after.id)
        if chain is None:
            lowest = before.revision if before else after.revision
            chain = self._chains[after.id] = _Chain(before, lowest)
        chain.writes += 1
        chain.pending.append(after)

    def written(self, after: Task) -> None:
        """It is on disk."""
        chain = self._chains[after.id]
        chain.durable, chain.lowest = after, after.revision
        self._end(chain, after)

    def refused(self, after: Task) -> Task | None:
        """It is not, and never will be. Returns the state that it built on: the newest of those
        that are still on their way, else the one that is on disk."""
        chain = self._chains[after.id]
        self._end(chain, after)
        return chain.pending[-1] if chain.pending else chain.durable

    def lost(self, after: Task, current: Task | None) -> list[Task]:
        """It met another state on disk than it replaces: `current`. Returns the states that are
        wrong because of that: all that were on their way and built on the same mistake."""
        chain = self._chains[after.id]
        chain.durable = current
        if current is not None:
            chain.lowest = current.revision
        wrong = chain.pending if any(each is after for each in chain.pending) else []
        if wrong:
            chain.pending = []
        self._end(chain, after)
        return wrong

    def _end(self, chain: _Chain, after: Task) -> None:
        chain.pending = [each for each in chain.pending if each is not after]
        chain.writes -= 1
        if chain.writes == 0:
            del self._chains[after.id]
