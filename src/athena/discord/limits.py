"""Discord's rate limits, learned as we go.

Every answer names the bucket that its call drew from and how much is left in it. Several routes
may share a bucket, and one route has a bucket for each major parameter (the channel or guild in
its path), so a bucket is known by both: the hash that Discord names, and the major parameter.
Until a route's first answer its bucket is unknown; its calls then go one at a time, so that
the first answer can teach us before more are spent.

A bucket that is empty makes its callers wait until it refills. A 429 fills in what we did not
know: with JSON it names the pause, and whether it binds this bucket or all of them; without JSON
it comes from the edge before Discord, which thinks in minutes, so the pause is long and doubles.

A bucket that was not used for an hour, and is full again, is forgotten: its next use learns it
again.

10,000 invalid answers (401, 403, 429) in ten minutes block the whole address. Long before that
something is badly wrong, so we stop calling after 50 and say so.
Source: contracts, discord-wire, section 4.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import msgspec
import structlog
from msgspec import Struct

from athena.clock import Clock
from athena.discord.errors import RateLimited

log = structlog.get_logger(__name__)

LONGEST_WAIT = 60.0
"""Seconds that a call waits for its turn before it gives up with `RateLimited`."""

_EDGE_PAUSE = 30.0
_MOST_INVALID = 50
_INVALID_WINDOW = 600.0
_FORGOTTEN_AFTER = 3600.0
_SWEEP_EVERY = 600.0


class _RateLimitBody(Struct, frozen=True):
    """The JSON of a 429."""

    retry_after: float = 1.0
    is_global: bool = msgspec.field(default=False, name="global")


class Bucket:
    """What is known of one bucket. Times are the clock's monotonic seconds."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self.remaining = 0
        self.resets_at = 0.0
        self.window = 0.0
        self.first = asyncio.Lock()
        self.users = 0
        """Calls that wait for it or are being made."""
        self.used_at = 0.0

    def is_idle(self, now: float) -> bool:
        """Whether nothing is lost when it is forgotten."""
        unused_since = max(self.used_at, self.resets_at)
        return self.users == 0 and now >= unused_since + _FORGOTTEN_AFTER

    def wait(self, now: float) -> float:
        """Seconds until a call may be made."""
        return 0.0 if self.remaining > 0 else max(self.resets_at - now, 0.0)

    def spend(self, now: float) -> None:
        """Count a call that is about to be made."""
        if now >= self.resets_at:
            self.remaining = self.limit or 1
            self.resets_at = now + self.window
        self.remaining -= 1

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """Believe an answer's headers."""
        limit = _number(headers.get("X-RateLimit-Limit"))
        remaining = _number(headers.get("X-RateLimit-Remaining"))
        reset_after = _number(headers.get("X-RateLimit-Reset-After"))
        if limit is None or remaining is None or reset_after is None:
            return
        # Answers overtake each other; within a window what is left only falls.
        same_window = self.limit is not None and now < self.resets_at
        self.remaining = min(int(remaining), self.remaining) if same_window else int(remaining)
        self.limit = int(limit)
        self.window = max(self.window, reset_after)
        self.resets_at = now + reset_after

    def close_for(self, seconds: float, now: float) -> None:
        """Let nobody through for a while."""
        self.remaining = 0
        self.resets_at = max(self.resets_at, now + seconds)


class Limits:
    """The limits of one token."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hashes: dict[str, str] = {}
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._closed_until = 0.0
        self._edge_pause = _EDGE_PAUSE
        self._invalid: deque[float] = deque()
        self._swept_at = clock.monotonic()

    @property
    def bucket_count(self) -> int:
        """How many buckets are known."""
        return len(self._buckets)

    @asynccontextmanager
    async def turn(self, route: str, major: str) -> AsyncIterator[None]:
        """Wait for the turn of a call to `route` with its major parameter.

        Raises:
            RateLimited: the turn would come later than `LONGEST_WAIT`, or too many calls failed.
        """
        self._check_invalid()
        self._sweep()
        bucket = self._bucket(route, major)
        with self._using(bucket):
            if bucket.limit is None:
                async with bucket.first:
                    await self._wait(bucket)
                    yield
                return
            await self._wait(bucket)
            yield

    def learn(self, route: str, major: str, headers: Mapping[str, str]) -> None:
        """Learn from an answer to a call."""
        if name := headers.get("X-RateLimit-Bucket"):
            known = self._bucket(route, major)
            self._hashes[route] = name
            bucket = self._buckets.setdefault((name, major), known)
            bucket.learn(headers, self._clock.monotonic())

    def refused(self, route: str, major: str, headers: Mapping[str, str], body: bytes) -> float:
        """Learn from a 429; returns the pause that it asks for, in seconds."""
        self.count_invalid()
        told = _told(headers, body)
        now = self._clock.monotonic()
        if told is None:
            pause, self._edge_pause = self._edge_pause, self._edge_pause * 2
            self._closed_until = now + pause
            log.warning("discord.edge_limited", route=route, seconds=pause)
            return pause
        if told.is_global:
            self._closed_until = max(self._closed_until, now + told.retry_after)
        else:
            self._bucket(route, major).close_for(told.retry_after, now)
        log.warning("discord.rate_limited", route=route, seconds=told.retry_after)
        return told.retry_after

    def succeeded(self) -> None:
        """An answer from Discord itself: the edge lets us through again."""
        self._edge_pause = _EDGE_PAUSE

    def count_invalid(self) -> None:
        """Count a 401, 403 or 429."""
        self._invalid.append(self._clock.monotonic())

    def _bucket(self, route: str, major: str) -> Bucket:
        key = (self._hashes.get(route, route), major)
        if key not in self._buckets:
            # What was learned before the route's bucket had a name holds on.
            self._buckets[key] = self._buckets.get((route, major)) or Bucket()
        return self._buckets[key]

    @contextmanager
    def _using(self, bucket: Bucket) -> Iterator[None]:
        bucket.users += 1
        try:
            yield
        finally:
            bucket.users -= 1
            bucket.used_at = self._clock.monotonic()

    def _sweep(self) -> None:
        """Forget idle buckets, now and then."""
        now = self._clock.monotonic()
        if now < self._swept_at + _SWEEP_EVERY:
            return
        self._swept_at = now
        for key in [key for key, bucket in self._buckets.items() if bucket.is_idle(now)]:
            del self._buckets[key]

    async def _wait(self, bucket: Bucket) -> None:
        while (pause := self._pause(bucket)) > 0:
            if pause > LONGEST_WAIT:
                raise RateLimited(pause)
            await self._clock.sleep(pause)
        bucket.spend(self._clock.monotonic())

    def _pause(self, bucket: Bucket) -> float:
        now = self._clock.monotonic()
        return max(self._closed_until - now, bucket.wait(now))

    def _check_invalid(self) -> None:
        since = self._clock.monotonic() - _INVALID_WINDOW
        while self._invalid and self._invalid[0] < since:
            self._invalid.popleft()
        if len(self._invalid) >= _MOST_INVALID:
            raise RateLimited(self._invalid[0] - since)


def _told(headers: Mapping[str, str], body: bytes) -> _RateLimitBody | None:
    if "json" not in headers.get("Content-Type", ""):
        return None
    try:
        return msgspec.json.decode(body, type=_RateLimitBody)
    except msgspec.MsgspecError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
