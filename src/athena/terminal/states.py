"""Short names of task states, for output."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from athena.client import Snapshot

_WORDS = {
    "NOT_START": "waiting",
    "MODAL": "modal",
    "SUBMITTED": "sent",
    "IN_PROGRESS": "drawing",
    "SUCCESS": "done",
    "FAILURE": "failed",
    "CANCEL": "cancelled",
}


def state(task: Snapshot) -> str:
    """The state of a task as one word."""
    return _WORDS.get(task.status, task.status.lower())
