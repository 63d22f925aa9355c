"""The simulated network between Discord and a session, which can lose, delay, repeat and swap
events (see `faults`)."""

import asyncio
from collections.abc import Callable

from athena.clock import Clock
from athena.simulator.faults import Faults

Deliver = Callable[[], None]

_SOON = 0.5
"""Seconds after which a swapped event is delivered if no other event follows."""


class Network:
    """The network of one session."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self._held: list[Deliver] = []
        self._late: set[asyncio.Task[None]] = set()

    def carry(self, deliver: Deliver) -> None:
        """Deliver an event to its session: once, several times, later, or never."""
        rates, strikes = self._faults.rates, self._faults.strikes
        if strikes(rates.drop_event):
            return
        if strikes(rates.delay_event):
            self._later(self._faults.pause(), deliver)
        elif strikes(rates.swap_event):
            self._held.append(deliver)
            self._later(_SOON, self._release)
        else:
            deliver()
            self._release()
        if strikes(rates.repeat_event):
            self._later(self._faults.pause(), deliver)

    def _release(self) -> None:
        held, self._held = self._held, []
        for deliver in held:
            deliver()

    def _later(self, seconds: float, deliver: Deliver) -> None:
        async def wait() -> None:
            await self._clock.sleep(seconds)
            deliver()

        task = asyncio.create_task(wait())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
