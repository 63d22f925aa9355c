"""Faults that the simulator injects on request.

There are two kinds: planned faults, for the next calls of a route, and random faults, at given
rates. Random faults are drawn from a seed, so the same calls get the same faults.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from enum import StrEnum
from random import Random
from typing import Annotated, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from athena.simulator.errors import reply

Chance: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
PerMinute: TypeAlias = Annotated[float, Meta(ge=0, le=12)]


class Rates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rates of faults: a probability from 0 to 1 for each event, frame or call, or a number per
    minute for each connection. The default of all rates is 0."""

    seed: int = 1
    pause: float = 5.0
    """Maximum delay in seconds."""
    hang: float = 60.0
    """Duration of a hanging call in seconds; longer than clients wait."""

    drop_event: Chance = 0
    """It is never sent, and gets no sequence number."""
    lose_event: Chance = 0
    """It gets a sequence number, but never arrives."""
    delay_event: Chance = 0
    repeat_event: Chance = 0
    swap_event: Chance = 0
    """It arrives after the next one."""

    corrupt_frame: Chance = 0
    cut_frame: Chance = 0
    """Half of it arrives, then the connection breaks."""
    close: PerMinute = 0
    """Closes with a code that allows reconnecting."""
    half_open: PerMinute = 0
    """The connection goes silent without being closed."""
    mute_acks: PerMinute = 0
    refuse_resume: Chance = 0

    limited: Chance = 0
    """429 for the route."""
    limited_everywhere: Chance = 0
    """429 for the token."""
    limited_by_edge: Chance = 0
    """429 without JSON."""
    broken: Chance = 0
    """500; the call has no effect."""
    slow: Chance = 0
    hanging: Chance = 0
    """The call has no effect, and there is no response."""
    lost: Chance = 0
    """The call takes effect, but the response is lost."""

    image_missing: Chance = 0
    image_slow: Chance = 0
    upload_slow: Chance = 0
    """The bytes of an upload take a moment to arrive."""

    webhook_broken: Chance = 0
    """The simulator's receiver answers 500."""
    webhook_hanging: Chance = 0
    webhook_cut: Chance = 0
    """The receiver accepts the call, and the connection breaks before the response."""


_FORMER_NAMES = {
    "picture_missing": "image_missing", "picture_slow": "image_slow",
    "hook_broken": "webhook_broken", "hook_hanging": "webhook_hanging", "hook_cut": "webhook_cut",
}  # fmt: skip


def rates(fields: Mapping[str, object]) -> Rates:
    """Rates by name, including earlier names.

    Raises:
        msgspec.ValidationError: an unknown name, or a value that is out of range.
    """
    return msgspec.convert({_FORMER_NAMES.get(k, k): v for k, v in fields.items()}, Rates)


class FaultKind(StrEnum):
    """How a call fails."""

    ANSWER = "answer"
    """A different response; the call has no effect."""
    SLOW = "slow"
    HANG = "hang"
    LOST = "lost"


class Fault(Struct, frozen=True, kw_only=True):
    """One failing call. With `json` False the response looks like one from the edge in front of
    Discord."""

    kind: FaultKind = FaultKind.ANSWER
    status: int = 500
    json: bool = True
    everywhere: bool = False
    retry_after: float = 1.0

    def answer(self) -> web.Response:
        if not self.json:
            return web.Response(status=self.status, text="error code: 1015")
        if self.status == 429:
            body = {"message": "You are being rate limited.", "retry_after": self.retry_after}
            return reply({**body, "global": self.everywhere}, 429)
        return reply({"code": 0, "message": f"{self.status}: on request"}, self.status)


class Faults:
    """Planned faults by route, such as `POST /interactions`; gateway faults; random faults."""

    def __init__(self, rates: Rates | None = None) -> None:
        self.refuse_resumes = 0
        self.mute_acks = False
        self._planned: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.set_rates(rates or Rates())

    def set_rates(self, rates: Rates) -> None:
        """Set the rates of random faults."""
        self.rates = rates
        self._random = Random(rates.seed)

    def plan(self, route: str, fault: Fault, times: int) -> None:
        self._planned[route].extend([fault] * times)

    def forget_planned(self) -> None:
        """Fail no more planned calls."""
        self._planned.clear()

    def take(self, route: str) -> Fault | None:
        """The fault of the next call of a route, if any."""
        if planned := self._planned.get(route):
            return planned.popleft()
        return self._by_chance()

    def strikes(self, chance: float) -> bool:
        """Whether an event with this probability happens."""
        return chance > 0 and self._random.random() < chance

    def pause(self) -> float:
        """A random delay in seconds."""
        return self._random.uniform(0, self.rates.pause)

    def choose(self, options: tuple[int, ...]) -> int:
        return self._random.choice(options)

    def refuses_resume(self) -> bool:
        if self.refuse_resumes:
            self.refuse_resumes -= 1
            return True
        return self.strikes(self.rates.refuse_resume)

    def _by_chance(self) -> Fault | None:
        rates = self.rates
        for chance, fault in (
            (rates.limited, Fault(status=429, retry_after=2.5)),
            (rates.limited_everywhere, Fault(status=429, retry_after=4.0, everywhere=True)),
            (rates.limited_by_edge, Fault(status=429, json=False)),
            (rates.broken, Fault(status=500)),
            (rates.slow, Fault(kind=FaultKind.SLOW)),
            (rates.hanging, Fault(kind=FaultKind.HANG)),
            (rates.lost, Fault(kind=FaultKind.LOST)),
        ):
            if self.strikes(chance):
                return fault
        return None
