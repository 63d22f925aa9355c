"""Reads from the channel's history what live events missed.

After a start, after a session that could not be resumed, after a gap in the events' numbers, and
before a task is timed out, the channel's messages go through the same receiver as live ones, oldest
first. Nothing is decided here; a message that is seen twice changes nothing.

The history is read back to the oldest task on its way, even past messages that were seen, because
they may have been edited since. When nothing is on its way, nothing is read. Two bounds keep it
cheap: a day, and a number of pages. Requests that arrive during a reading share the next one.

A message that cannot be read is skipped. A history that cannot be read at all is tried again with
growing pauses (`until_read`).
"""

import asyncio
from random import Random

import structlog

from athena.accounts.connection import Connection
from athena.accounts.ownership import OwnedTasks
from athena.accounts.receiver import Receiver
from athena.backoff import Backoff
from athena.clock import DAY, Clock, Millis
from athena.discord import wire
from athena.discord.errors import DiscordError, Unauthorized
from athena.discord.snowflakes import first_of
from athena.tasks.matching import SKEW

log = structlog.get_logger(__name__)

_PAGE = 100
_MOST_PAGES = 10
_OLDEST: Millis = DAY
_GAP_PAUSE = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0


class Recovery:
    """Reads one account's history back to what is known."""

    def __init__(
        self,
        tasks: OwnedTasks,
        connection: Connection,
        receiver: Receiver,
        clock: Clock,
        random: Random,
    ) -> None:
        self._tasks = tasks
        self._connection = connection
        self._receiver = receiver
        self._clock = clock
        self._random = random
        self._reading = asyncio.Lock()
        self._readings = 0
        """How many have begun."""
        self._succeeded = 0
        """The number of the last that came to its end."""
        self.token_refused = False
        """Discord refused the token when the history was last read."""

    async def catch_up(self) -> bool:
        """Read what was missed; False when it could not be read."""
        begun = self._readings
        async with self._reading:
            if self._succeeded <= begun:
                await self._read()
        return self._succeeded > begun

    async def until_read(self) -> None:
        """Read what was missed; try again until it succeeds."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, self._random)
        while not await self.catch_up():
            await self._clock.sleep(backoff.next())

    async def after_gap(self) -> None:
        """The same after lost events; more of them may be lost in a moment."""
        await self._clock.sleep(_GAP_PAUSE)
        await self.until_read()

    async def _read(self) -> None:
        self._readings += 1
        number = self._readings
        since = self._since()
        if since is None:
            self._succeeded = number
            return
        try:
            missed = await self._read_since(since)
        except DiscordError as error:
            self.token_refused = isinstance(error, Unauthorized)
            log.warning("history.read_failed", account=self._tasks.account,
                        error=type(error).__name__)  # fmt: skip
            return
        for message in sorted(missed, key=lambda message: int(message.id)):
            self._hand_on(message)
        self._succeeded = number
        log.info("history.read", account=self._tasks.account, messages=len(missed))

    def _hand_on(self, message: wire.Message) -> None:
        """A fault over one message is met with every reading, and must not hide the others."""
        try:
            self._receiver.read(message, live=False)
        except Exception:
            log.exception("history.message_failed", account=self._tasks.account, message=message.id)

    def _since(self) -> int | None:
        """The oldest id that matters, as a snowflake; None when nothing was missed."""
        on_their_way = self._tasks.queue.on_their_way()
        nonces = [int(task.ids.nonce) for task in on_their_way if task.ids.nonce]
        if not nonces:
            return None
        return max(min(nonces) - SKEW, first_of(self._clock.now() - _OLDEST))

    async def _read_since(self, since: int) -> list[wire.Message]:
        read: list[wire.Message] = []
        before: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._connection.rest.messages(
                self._connection.channel_id, limit=_PAGE, before=before
            )
            read += [message for message in page.messages if int(message.id) >= since]
            if not page.full or page.oldest_id is None or int(page.oldest_id) < since:
                return read
            before = page.oldest_id
        log.warning("history.too_long", account=self._tasks.account, messages=len(read))
        return read
