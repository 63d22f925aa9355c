"""What live events missed is read from the channel's history.

After a start, after a session that could not be resumed, and before a task is given up, the
messages since the oldest unfinished task was sent are read and go through the same receiver as
live ones, oldest first. Nothing here decides anything; a message seen twice changes nothing.
The reading is bounded in pages, so a busy channel costs a known number of calls.
"""

import structlog

from athena.discord import wire
from athena.discord.errors import DiscordError
from athena.engine.account import Account
from athena.engine.connection import Connection
from athena.engine.receiver import Receiver
from athena.tasks.model import Sending, Task

log = structlog.get_logger(__name__)

_PAGE = 100
_MOST_PAGES = 10


class Recovery:
    """Reads one account's history back to its oldest running task."""

    def __init__(self, account: Account, connection: Connection, receiver: Receiver) -> None:
        self._account = account
        self._connection = connection
        self._receiver = receiver

    async def catch_up(self) -> None:
        """Read what was missed; a failure is logged, the next occasion tries again."""
        since = self._oldest_nonce()
        if since is None:
            return
        try:
            missed = await self._read_since(since)
        except DiscordError as error:
            log.warning("history.unread", account=self._account.id, error=type(error).__name__)
            return
        for message in sorted(missed, key=lambda message: int(message.id)):
            self._receiver.read(message)
        log.info("history.read", account=self._account.id, messages=len(missed))

    def _oldest_nonce(self) -> int | None:
        nonces = [int(task.keys.nonce) for task in self._running() if task.keys.nonce]
        return min(nonces, default=None)

    def _running(self) -> list[Task]:
        tasks = self._account.tasks()
        return [task for task in tasks if task.sending is not Sending.NOT_SENT]

    async def _read_since(self, since: int) -> list[wire.Message]:
        read: list[wire.Message] = []
        before: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._connection.rest.messages(
                self._connection.channel_id, limit=_PAGE, before=before
            )
            read += [message for message in page if int(message.id) >= since - _SKEW]
            if len(page) < _PAGE or int(page[-1].id) < since - _SKEW:
                break
            before = page[-1].id
        return read


_SKEW = 10_000 << 22
"""Discord's clock may lag behind ours by ten seconds (as a difference of snowflakes)."""
