"""Queries over many tasks, and their results.

Words are searched for in the prompt, its English form, the final prompt, the description and the
id: as a part of the text, whatever the case, with runs of anything but letters and digits counted
as one space (see `athena.store.words`).
"""

from typing import TypeAlias

from msgspec import Struct

from athena.store import words
from athena.tasks.model import Millis, Task

Cursor: TypeAlias = tuple[Millis, str]
"""`submitted_at` and id of the last task of the page before."""


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Conditions for tasks; None matches every task."""

    status: str | None = None
    action: str | None = None
    account: str | None = None
    token: str | None = None
    words: str | None = None
    since: Millis | None = None
    """Submitted then or later."""
    until: Millis | None = None
    """Submitted before."""

    def matches(self, task: Task) -> bool:
        """Whether a task matches."""
        return (
            self.status in (None, task.status)
            and self.action in (None, task.action)
            and self.account in (None, task.account)
            and self.token in (None, task.token)
            and (self.since is None or task.submitted_at >= self.since)
            and (self.until is None or task.submitted_at < self.until)
            and (not self.words or words.contains(words.of(task), self.words))
        )


class Hour(Struct, frozen=True):
    """The outcomes of the tasks that were submitted in one hour."""

    begins: Millis
    made: int
    failed: int
    other: int


class Statistics(Struct, frozen=True, kw_only=True):
    """Statistics of some hours. Times are seconds from the request to the result."""

    hours: list[Hour]
    """The oldest first."""
    median: float | None
    p95: float | None
    """95 of 100 were faster."""
    reasons: list[tuple[str, int]]
    """Why tasks failed, the most frequent first; at most ten."""
