"""One piece of work for all who ask for the same thing at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs work once for a key; callers that come while it runs wait for the same result. A caller
    that is cancelled harms neither the work nor the others."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def do(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns or raises, or the work that already runs for this key."""
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.create_task(_run(work), name=f"once {key}")
            running.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(running)

    def _ended(self, key: str, done: "asyncio.Task[T]") -> None:
        del self._running[key]
        if not done.cancelled():
            done.exception()  # retrieved, even when every caller was cancelled


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
