"""Growing pauses between tries of something that fails.

Each pause is longer than the one before by a factor, up to a longest one. Jitter spreads the tries
of many clients that failed at the same moment.
"""

from random import Random

_JITTER = (0.5, 1.5)


class Backoff:
    """The pauses of one series of tries; `reset` after a success."""

    def __init__(
        self, first: float, longest: float, random: Random, *, factor: float = 2.0
    ) -> None:
        """`first` and `longest` are seconds before jitter.

        Raises:
            ValueError: `first` is not positive, `longest` is below it, or `factor` is below 1.
        """
        if first <= 0 or longest < first or factor < 1:
            raise ValueError(f"no backoff from {first} to {longest} s by a factor of {factor}")
        self._first = first
        self._longest = longest
        self._factor = factor
        self._random = random
        self._pause = first

    def next(self) -> float:
        """Seconds to wait before the next try, between 0.5 and 1.5 times the planned pause."""
        pause = self._pause
        self._pause = min(pause * self._factor, self._longest)
        return pause * self._random.uniform(*_JITTER)

    def reset(self) -> None:
        """The next pause is the first again."""
        self._pause = self._first
