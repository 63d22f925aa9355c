"""What goes wrong at the simulator, because somebody asked for it.

Two ways: planned, where the next answers of a route go wrong as told, and by chance, where rates
say how often what happens. Chance is drawn from a seed, so the same calls meet the same fate.
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
    """How often what goes wrong: chances from 0 to 1 for each event, frame or call, or how many
    times a minute for each connection. All are 0 unless set."""

    seed: int = 1
    pause: float = 5.0
    """Seconds by which what is late is late, at most."""
    hang: float = 60.0
    """Seconds for which what hangs hangs; longer than clients wait."""

    drop_event: Chance = 0
    """It is never told."""
    lose_event: Chance = 0
    """It is told and gets its number, but never arrives."""
    delay_event: Chance = 0
    repeat_event: Chance = 0
    swap_event: Chance = 0
    """It comes behind the one after it."""

    corrupt_frame: Chance = 0
    cut_frame: Chance = 0
    """Half of it comes, then the connection breaks."""
    close: PerMinute = 0
    """With one of the codes after which a client comes back."""
    half_open: PerMinute = 0
    """Nothing comes any more, and nobody says so."""
    mute_acks: PerMinute = 0
    refuse_resume: Chance = 0

    limited: Chance = 0
    """429 for the route."""
    limited_everywhere: Chance = 0
    """429 for the token."""
    limited_by_edge: Chance = 0
    """429 without JSON."""
    broken: Chance = 0
    """500; nothing was done."""
    slow: Chance = 0
    hanging: Chance = 0
    """Nothing is done, and no answer comes."""
    lost: Chance = 0
    """It is done, and the answer goes lost."""

    image_missing: Chance = 0
    image_slow: Chance = 0

    webhook_broken: Chance = 0
    """The simulator's receiver answers 500."""
    webhook_hanging: Chance = 0
    webhook_cut: Chance = 0
    """It takes the call, and the connection breaks before the answer."""


_FORMER_NAMES = {
    "picture_missing": "image_missing", "picture_slow": "image_slow",
    "hook_broken": "webhook_broken", "hook_hanging": "webhook_hanging", "hook_cut": "webhook_cut",
}  # fmt: skip


def rates(fields: Mapping[str, object]) -> Rates:
    """Rates by their names, former ones included.

    Raises:
        msgspec.ValidationError: an unknown name, or a value that is out of range.
    """
    return msgspec.convert({_FORMER_NAMES.get(k, k): v for k, v in fields.items()}, Rates)


class Way(StrEnum):
    """How a call goes wrong."""

    ANSWER = "answer"
    """Another answer, and nothing is done."""
    SLOW = "slow"
    HANG = "hang"
    LOST = "lost"


class Fault(Struct, frozen=True, kw_only=True):
    """One call that goes wrong. With `json` False the answer looks like one of the edge before
    Discord."""

    way: Way = Way.ANSWER
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
    """Planned faults by route, such as `POST /interactions`; those of the gateway; and chance."""

    def __init__(self, rates: Rates | None = None) -> None:
        self.refuse_resumes = 0
        self.mute_acks = False
        self._planned: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.set_rates(rates or Rates())

    def set_rates(self, rates: Rates) -> None:
        """From now on."""
        self.rates = rates
        self._random = Random(rates.seed)

    def plan(self, route: str, fault: Fault, times: int) -> None:
        self._planned[route].extend([fault] * times)

    def take(self, route: str) -> Fault | None:
        """What befalls a call of a route."""
        if planned := self._planned.get(route):
            return planned.popleft()
        return self._by_chance()

    def strikes(self, chance: float) -> bool:
        """Whether something of this chance happens now."""
        return chance > 0 and self._random.random() < chance

    def pause(self) -> float:
        """By how many seconds something is late."""
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
            (rates.slow, Fault(way=Way.SLOW)),
            (rates.hanging, Fault(way=Way.HANG)),
            (rates.lost, Fault(way=Way.LOST)),
        ):
            if self.strikes(chance):
                return fault
        return None
