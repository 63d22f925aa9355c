"""The simulator's rate limits: a fixed window for each token, route and major parameter.

Every response names its bucket and the remaining calls; a call over the limit gets a 429
(contracts: discord-wire, section 4).
"""

import hashlib
import math

from msgspec import Struct

from athena.clock import Clock

_LIMITS = {
    "POST /interactions": (50, 1.0),
    "GET /channels/messages": (30, 10.0),
    "POST /channels/messages": (5, 5.0),
    "PUT /channels/messages/reactions/@me": (4, 1.0),
    "POST /attachments/refresh-urls": (10, 10.0),
}
_DEFAULT = (50, 1.0)
_NONE = (1_000_000, 1.0)


class _Window(Struct):
    ends_at: float
    used: int = 0


class Turn(Struct, frozen=True):
    """Whether a call is allowed, and the headers of its response."""

    allowed: bool
    retry_after: float
    headers: dict[str, str]


class RateLimits:
    """Without `enforced` the limits are too high to be reached."""

    def __init__(self, clock: Clock, *, enforced: bool) -> None:
        self.enforced = enforced
        self._clock = clock
        self._windows: dict[tuple[str, str, str], _Window] = {}

    def take(self, token: str, route: str, major: str) -> Turn:
        limit, seconds = _LIMITS.get(route, _DEFAULT) if self.enforced else _NONE
        window = self._window((token, route, major), seconds)
        allowed = window.used < limit
        window.used += allowed
        left = window.ends_at - self._clock.monotonic()
        remaining = limit - window.used
        headers = {
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": f"{self._clock.now() / 1000 + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
        }
        if not allowed:
            headers |= {"X-RateLimit-Scope": "user", "Retry-After": str(math.ceil(left))}
        return Turn(allowed, left, headers)

    def _window(self, key: tuple[str, str, str], seconds: float) -> _Window:
        now = self._clock.monotonic()
        window = self._windows.get(key)
        if window is None or window.ends_at <= now:
            window = self._windows[key] = _Window(now + seconds)
        return window
