"""Spreads the beginnings of sessions over time.

A process with a thousand accounts must not open a thousand sessions in one instant: each costs a
TLS handshake, a READY of up to some megabytes, and at Discord a burst from one address.
"""

from athena.clock import Clock

_ROUNDING = 1e-6


class IdentifyPacer:
    """Admits new sessions evenly. One is shared by all gateways of a process."""

    def __init__(self, clock: Clock, per_second: float = 25.0, burst: int = 10) -> None:
        """At the default, 1,000 sessions begin within 40 seconds. After a time without any,
        `burst` may begin at once, so that a few accounts do not wait for each other.

        Raises:
            ValueError: `per_second` is not positive, or `burst` is below 1.
        """
        if per_second <= 0 or burst < 1:
            raise ValueError("sessions per second must be positive, and a burst at least 1")
        self._clock = clock
        self._spacing = 1.0 / per_second
        self._saved = (burst - 1) * self._spacing
        self._free_at = clock.monotonic() - self._saved

    async def wait(self) -> None:
        """Return when one more session may begin; callers go in the order of their coming."""
        now = self._clock.monotonic()
        turn = max(self._free_at, now - self._saved)
        self._free_at = turn + self._spacing
        if turn > now + _ROUNDING:
            await self._clock.sleep(turn - now)
