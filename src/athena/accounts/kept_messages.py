"""The last state of messages, because an update may bring only what changed.

Updates follow within moments, so a hundred messages are enough; those that show a running task are
kept for as long as it runs. No call costs more when more tasks run.
"""

from collections import OrderedDict

from athena.discord import wire
from athena.tasks.matching import TaskIndex

_LATEST = 100


class KeptMessages:
    """The messages of one channel. `index` knows which of them show a running task."""

    def __init__(self, index: TaskIndex) -> None:
        self._index = index
        self._latest: OrderedDict[str, wire.Message] = OrderedDict()
        self._of_tasks: OrderedDict[str, wire.Message] = OrderedDict()
        """Older ones that show a task."""

    def __len__(self) -> int:
        return len(self._latest) + len(self._of_tasks)

    def get(self, message_id: str) -> wire.Message | None:
        """The last known state of a message."""
        return self._latest.get(message_id) or self._of_tasks.get(message_id)

    def put(self, message: wire.Message) -> None:
        """Keep a message, in place of its former state."""
        self._of_tasks.pop(message.id, None)
        self._latest[message.id] = message
        self._latest.move_to_end(message.id)
        if len(self._latest) > _LATEST:
            self._age()

    def drop(self, message_id: str) -> None:
        """Forget a message that was deleted."""
        self._latest.pop(message_id, None)
        self._of_tasks.pop(message_id, None)

    def _age(self) -> None:
        """The oldest goes unless it shows a task; and of those that did, one is looked at again."""
        for kept in (self._latest, self._of_tasks):
            if kept:
                message_id, message = kept.popitem(last=False)
                if self._index.owns_message(message_id):
                    self._of_tasks[message_id] = message
