"""Quotas of tokens: submits per minute, tasks per day (UTC).

The minute is a bucket that refills steadily, in memory; the day's count is stored in the database,
written with each task, and read once at the start.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable

from msgspec import Struct

from athena.clock import DAY, Clock
from athena.errors import QuotaExceeded
from athena.service.options import Accepted
from athena.store.repository import TaskRepository
from athena.store.retention import day_of
from athena.store.tokens import Token


class _Bucket(Struct):
    left: float
    at: float


class Quotas:
    """The quotas of all tokens."""

    def __init__(self, repository: TaskRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._day = 0
        self._used: defaultdict[str, int] = defaultdict(int)

    async def load(self) -> None:
        """Read what was used today before this process began."""
        self._day = day_of(self._clock.now())
        self._used = defaultdict(int, await self._repository.usage(self._day))

    def used(self, token: Token) -> int:
        """How many tasks it asked for today."""
        self._begin_day()
        return self._used[token.id]

    async def count(self, token: Token | None, ask: Callable[[], Awaitable[Accepted]]) -> Accepted:
        """Submit a task and count it for its token. A refused task does not count for the day, and
        a repeated request with the same key counts once.

        Raises:
            QuotaExceeded: the quota is used up; nothing was submitted.
        """
        if token is None:
            return await ask()
        self._take(token)
        day, counts = self._day, False
        try:
            done = await ask()
            counts = not done.repeated
            return done
        finally:
            if not counts and self._day == day:
                self._used[token.id] -= 1

    def _take(self, token: Token) -> None:
        self._begin_day()
        if token.daily_limit is not None and self._used[token.id] >= token.daily_limit:
            left = ((self._day + 1) * DAY - self._clock.now()) / 1000
            raise QuotaExceeded(f"this token may ask for {token.daily_limit} tasks a day", left)
        if token.rate is not None:
            self._take_minute(token, token.rate)
        self._used[token.id] += 1

    def _begin_day(self) -> None:
        """Reset the counts when a new day has begun."""
        today = day_of(self._clock.now())
        if today != self._day:
            self._day = today
            self._used.clear()

    def _take_minute(self, token: Token, rate: int) -> None:
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(token.id, _Bucket(rate, now))
        bucket.left = min(rate, bucket.left + (now - bucket.at) * rate / 60)
        bucket.at = now
        if bucket.left < 1:
            wait = (1 - bucket.left) * 60 / rate
            raise QuotaExceeded(f"this token may submit {rate} times a minute", wait)
        bucket.left -= 1
