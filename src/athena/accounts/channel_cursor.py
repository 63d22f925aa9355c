"""The newest message that was read in an account's channel, kept across restarts.

What a message says about a task may be applied any number of times. What it says about the account
may not: yesterday's "Blocked", read again in the history, would stop an account that works again.
So the id of the last message is stored, and older messages are not news.
"""

from athena.clock import Clock, Millis
from athena.store.repository import TaskRepository

_SAVED_EVERY: Millis = 5_000


class ChannelCursor:
    """The cursor of one channel."""

    def __init__(
        self, channel: str, message: str | None, repository: TaskRepository, clock: Clock
    ) -> None:
        self._channel = channel
        self._newest = int(message or 0)
        self._saved = self._newest
        self._saved_at: Millis = 0
        self._repository = repository
        self._clock = clock

    @property
    def newest(self) -> str:
        return str(self._newest)

    def note(self, message: str) -> bool:
        """Count a message as seen; whether it is news."""
        if int(message) <= self._newest:
            return False
        self._newest = int(message)
        if self._clock.now() - self._saved_at >= _SAVED_EVERY:
            self.save()
        return True

    def save(self) -> None:
        """Write it to disk."""
        if self._newest != self._saved:
            self._saved, self._saved_at = self._newest, self._clock.now()
            self._repository.save_cursor(self._channel, self.newest)
