"""Generated ids: tasks' (mj-dialect, section 6) and triggers' (athena-dialect, section 1)."""

from random import Random

from athena.clock import Clock, Millis


class TaskIds:
    """Makes unique ids of 16 digits: the millisecond and three more. When a millisecond's thousand
    are used up, those of the next one follow."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._moment: Millis = 0
        self._used: set[int] = set()

    def make(self) -> str:
        now = self._clock.now()
        if now > self._moment or len(self._used) == 1000:
            self._moment = max(now, self._moment + 1)
            self._used.clear()
        number = self._random.randrange(1000)
        while number in self._used:
            number = (number + 1) % 1000
        self._used.add(number)
        return f"{self._moment}{number:03d}"


class TriggerIds:
    """Makes unique ids of ten digits: tenths of a second, or the next free number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def make(self) -> str:
        self._last = max(self._clock.now() // 100, self._last + 1)
        return f"{self._last % 10**10:010d}"
