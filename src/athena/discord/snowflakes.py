"""Discord's ids: 64 bits that contain the millisecond of their creation.

Layout (contracts: discord-wire, section 6): (ms since 2015-01-01) << 22 | worker << 17 |
process << 12 | counter. Later ids compare greater, so they order messages.
"""

from itertools import count

from athena.clock import Clock, Millis

EPOCH: Millis = 1_420_070_400_000
"""2015-01-01T00:00:00Z, the start of Discord's ids."""

_COUNTER_BITS = 12
_TIME_SHIFT = 22


class Snowflakes:
    """Creates unique, strictly increasing ids for one process.

    More than 4,096 in one millisecond use the next one, so that no id is repeated.
    """

    def __init__(self, clock: Clock, worker: int = 1, process: int = 0) -> None:
        self._clock = clock
        self._origin = (worker & 31) << 17 | (process & 31) << _COUNTER_BITS
        self._last_ms: Millis = 0
        self._counter = count()

    def make(self) -> int:
        """A new id with the current time."""
        now = max(self._clock.now(), self._last_ms)
        if now > self._last_ms:
            self._counter = count()
        number = next(self._counter)
        if number >> _COUNTER_BITS:
            now, number = now + 1, 0
            self._counter = count(1)
        self._last_ms = now
        return (now - EPOCH) << _TIME_SHIFT | self._origin | number

    def nonce(self) -> str:
        """A new id as the nonce of an interaction."""
        return str(self.make())


def made_at(snowflake: int | str) -> Millis:
    """The Unix millisecond of an id."""
    return (int(snowflake) >> _TIME_SHIFT) + EPOCH


def first_of(moment: Millis) -> int:
    """The smallest id with the time `moment`: a bound for history reads."""
    return max(moment - EPOCH, 0) << _TIME_SHIFT
