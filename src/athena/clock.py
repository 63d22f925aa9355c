"""Time, as something that tests can control.

All code that needs the time or a pause uses a `Clock`. The server runs on `SystemClock`; tests run
on `TurnableClock`, where a day passes in one call and in the same order every time. Only the bounds
on a single network call (a connect, a read) use the event loop's own timers.
"""

import asyncio
import heapq
import time
from itertools import count
from typing import Protocol

Millis = int
"""A point in time: milliseconds since 1970-01-01 UTC; or a length of time."""

DAY: Millis = 24 * 60 * 60 * 1000
"""The length of a day."""


class Clock(Protocol):
    """The current time, and a way to wait."""

    def now(self) -> Millis:
        """The wall clock, in Unix milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` (0 or less: at the next turn of the event loop)."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> Millis:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))


class TurnableClock:
    """A clock that stands still until it is turned. Sleepers wake in the order of their time."""

    def __init__(self, start: Millis = 1_700_000_000_000) -> None:
        self._start = start
        self._elapsed = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> Millis:
        return self._start + round(self._elapsed * 1000)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    def turn(self, seconds: float) -> None:
        """Move the clock forward and wake every sleeper whose time has come."""
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    def next_waking(self) -> float | None:
        """Seconds until the next sleeper wakes; None without sleepers."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._elapsed if self._sleepers else None
