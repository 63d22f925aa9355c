"""Long-running work that cannot end unnoticed.

Every loop of the server runs under a `Supervisor` and has a name. When it raises, the error is
logged and the loop restarts after a growing pause; until it works again, `errors` holds the reason,
which health checks show. A loop that repeats one step uses `periodic`, where an exception costs one
step only. Work that runs once is started with `spawn`: its failure is logged, never fatal.

`close` cancels everything and returns when all of it has ended, so nothing outlives its owner.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

import structlog
from msgspec import Struct
from msgspec.structs import replace

from athena.backoff import Backoff
from athena.clock import Clock, Millis

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class LoopStatus(Struct, frozen=True, kw_only=True):
    """The state of a loop. It is healthy while `error` is empty."""

    name: str
    last_beat: Millis
    """When it last began, or ended a turn without a fault."""
    failures: int = 0
    """In a row: until a turn without a fault, or a minute of running."""
    error: str = ""


class Supervisor:
    """Runs the loops of one owner; `owner` is named in every log line. `report` is called with
    `errors` whenever a loop begins to fail or works again."""

    def __init__(
        self,
        owner: str,
        clock: Clock,
        random: Random,
        report: Callable[[dict[str, str]], None] | None = None,
    ) -> None:
        self._owner = owner
        self._report = report
        self._clock = clock
        self._random = random
        self._statuses: dict[str, LoopStatus] = {}
        self._running: dict[asyncio.Task[None], None] = {}

    @property
    def loops(self) -> list[LoopStatus]:
        """The state of every loop."""
        return list(self._statuses.values())

    @property
    def errors(self) -> dict[str, str]:
        """The loops that are down or whose last turn failed, and why."""
        return {each.name: each.error for each in self.loops if each.error}

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a loop until it returns. When it raises, it is run again after a pause."""
        self._statuses[name] = LoopStatus(name=name, last_beat=self._clock.now())
        self._run(name, self._restarting(name, work))

    def periodic(
        self, name: str, pause: Callable[[], float], turn: Callable[[], Awaitable[None]]
    ) -> None:
        """Run a turn after every pause; `pause` gives the seconds each time."""
        self._statuses[name] = LoopStatus(name=name, last_beat=self._clock.now())
        self._run(name, self._turning(name, pause, turn))

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run something once, in the background."""
        return self._run(name, work)

    async def close(self) -> None:
        """Cancel everything and wait for its end."""
        while running := [each for each in self._running if each is not asyncio.current_task()]:
            for each in running:
                each.cancel()
            await asyncio.wait(running)

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        running = asyncio.create_task(work, name=f"{self._owner}/{name}")
        self._running[running] = None
        running.add_done_callback(self._ended)
        return running

    def _ended(self, running: "asyncio.Task[None]") -> None:
        self._running.pop(running, None)
        if not running.cancelled() and (error := running.exception()):
            log.error("work.failed", work=running.get_name(), exc_info=error)

    async def _restarting(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, self._random)
        while True:
            began = self._clock.monotonic()
            # It has only begun, and may fail again: its failures are still in a row.
            self._set(name, last_beat=self._clock.now(), error="")
            try:
                await work()
                return
            except Exception as error:
                if self._clock.monotonic() - began > _LONGEST_PAUSE:
                    backoff.reset()
                    self._set(name, failures=0)
                self._failed(name, error)
            await self._clock.sleep(backoff.next())

    async def _turning(
        self, name: str, pause: Callable[[], float], turn: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            await self._clock.sleep(pause())
            try:
                await turn()
            except Exception as error:
                self._failed(name, error)
            else:
                self._beat(name)

    def _beat(self, name: str) -> None:
        self._note(LoopStatus(name=name, last_beat=self._clock.now()))

    def _failed(self, name: str, error: Exception) -> None:
        failures = self._statuses[name].failures + 1
        self._set(name, failures=failures, error=f"{type(error).__name__}: {error}")
        log.error("loop.failed", owner=self._owner, loop=name, failures=failures, exc_info=error)

    def _set(self, name: str, **changes: object) -> None:
        self._note(replace(self._statuses[name], **changes))

    def _note(self, status: LoopStatus) -> None:
        known = self._statuses.get(status.name)
        self._statuses[status.name] = status
        if self._report and (known.error if known else "") != status.error:
            self._report(self.errors)
