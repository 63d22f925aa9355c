"""Limits on the servers that webhooks go to, so that one which hangs delays no other.

A *receiver* is a host and port. Three rules hold:

* Of each receiver at most `per_receiver` requests are open at once, and of each token at most
  `per_token`. A request waits for both places at the same time, and holds neither while it waits.
  So the requests of a receiver that never answers use up their own places alone.
* Tokens that wait for the same receiver take turns.
* Circuit breaker: after `failures` failures in a row a receiver counts as down. Then one request at
  a time is let through as a probe, `probe_pause` seconds after the last at the earliest. The first
  probe that is answered closes the circuit again.

A failure is a receiver that cannot be reached, does not answer in time, or answers 5xx or 429. Any
other answer shows that it is up, whatever it thinks of the request.
"""

import asyncio
from collections import Counter, OrderedDict

import structlog
from msgspec import Struct

from athena.clock import Clock

log = structlog.get_logger(__name__)

_MOST_IDLE = 10_000
"""Receivers that are remembered at most as down while no request is meant for them."""


class ReceiverLimits(Struct, frozen=True, kw_only=True):
    """How much may be asked of receivers."""

    per_receiver: int = 8
    """Requests open at once to one receiver."""
    per_token: int = 64
    """Requests open at once for one token, whatever the receiver. Tasks without a token count as
    those of one token."""
    failures: int = 5
    """Failures in a row after which a receiver counts as down."""
    probe_pause: float = 5.0
    """Seconds between two probes of a receiver that is down."""


class _Receiver:
    """What is known of one receiver, and who waits for it."""

    def __init__(self) -> None:
        self.open = 0
        self.failures = 0
        self.next_probe = 0.0
        """In seconds of the monotonic clock."""
        self.timer: asyncio.Task[None] | None = None
        self.waiting: OrderedDict[str, dict[asyncio.Future[None], None]] = OrderedDict()
        """By token, in the order of their turns; each place in the order of its coming."""

    @property
    def is_idle(self) -> bool:
        return not (self.open or self.waiting or self.timer)

    def add(self, token: str, place: "asyncio.Future[None]") -> None:
        self.waiting.setdefault(token, {})[place] = None

    def discard(self, token: str, place: "asyncio.Future[None]") -> None:
        places = self.waiting.get(token, {})
        places.pop(place, None)
        if not places:
            self.waiting.pop(token, None)


class Receivers:
    """Gives out the places of all receivers."""

    def __init__(self, clock: Clock, limits: ReceiverLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._receivers: dict[str, _Receiver] = {}
        self._of_token: Counter[str] = Counter()

    async def enter(self, host: str, token: str) -> None:
        """Wait for a place. Each call that returns is followed by one `leave`; one that is
        cancelled is not."""
        receiver = self._receiver(host)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        receiver.add(token, place)
        self._admit(host, receiver)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                receiver.discard(token, place)
                self._admit(host, receiver)
            else:
                self.leave(host, token, answered=None)
            raise

    def leave(self, host: str, token: str, *, answered: bool | None) -> bool:
        """Give a place back. `answered` says whether the receiver answered as one that is up, None
        that it was not asked to the end. Returns whether it was down and is up again."""
        receiver = self._receivers[host]
        receiver.open -= 1
        was_full = self._of_token[token] >= self._limits.per_token
        self._of_token[token] -= 1
        if not self._of_token[token]:
            del self._of_token[token]
        recovered = answered is not None and self._judge(host, receiver, answered)
        self._admit(host, receiver)
        if was_full:
            self._admit_token(token)
        return recovered

    def is_down(self, host: str) -> bool:
        """Whether only probes are let through to a receiver."""
        receiver = self._receivers.get(host)
        return receiver is not None and self._is_down(receiver)

    def close(self) -> None:
        """Stop the timers. The caller cancels the tasks that wait in `enter`."""
        for receiver in self._receivers.values():
            if receiver.timer:
                receiver.timer.cancel()
                receiver.timer = None

    def _receiver(self, host: str) -> _Receiver:
        if host not in self._receivers:
            if len(self._receivers) >= _MOST_IDLE:
                busy = {h: each for h, each in self._receivers.items() if not each.is_idle}
                self._receivers = busy
            self._receivers[host] = _Receiver()
        return self._receivers[host]

    def _is_down(self, receiver: _Receiver) -> bool:
        return receiver.failures >= self._limits.failures

    def _judge(self, host: str, receiver: _Receiver, answered: bool) -> bool:
        """Count a failure, or forget those that were; whether the circuit closed."""
        was_down = self._is_down(receiver)
        receiver.failures = 0 if answered else receiver.failures + 1
        is_down = self._is_down(receiver)
        if is_down:
            receiver.next_probe = self._clock.monotonic() + self._limits.probe_pause
        if is_down is not was_down:
            log.warning("webhook.receiver_down" if is_down else "webhook.receiver_up", host=host)
        return was_down and not is_down

    def _admit(self, host: str, receiver: _Receiver) -> None:
        """Let in who may come in now; forget a receiver of which there is nothing to know."""
        while receiver.waiting and self._has_room(host, receiver):
            token = self._next_token(receiver)
            if token is None:
                break
            self._let_in(receiver, token)
        known = self._receivers.get(host) is receiver
        if known and receiver.is_idle and not receiver.failures:
            del self._receivers[host]

    def _admit_token(self, token: str) -> None:
        """A token has room again: let in what it has waiting, at whatever receiver."""
        for host, receiver in list(self._receivers.items()):
            if token in receiver.waiting:
                self._admit(host, receiver)

    def _next_token(self, receiver: _Receiver) -> str | None:
        limit = self._limits.per_token
        return next((token for token in receiver.waiting if self._of_token[token] < limit), None)

    def _let_in(self, receiver: _Receiver, token: str) -> None:
        """The token's first; those that were cancelled are passed over."""
        place = next(iter(receiver.waiting[token]))
        receiver.discard(token, place)
        if place.done():
            return
        if token in receiver.waiting:
            receiver.waiting.move_to_end(token)
        receiver.open += 1
        self._of_token[token] += 1
        place.set_result(None)

    def _has_room(self, host: str, receiver: _Receiver) -> bool:
        if not self._is_down(receiver):
            return receiver.open < self._limits.per_receiver
        if receiver.open or receiver.timer:
            return False
        seconds = receiver.next_probe - self._clock.monotonic()
        if seconds > 0:
            probe = self._probe_after(host, receiver, seconds)
            receiver.timer = asyncio.create_task(probe, name=f"webhook probe of {host}")
        return seconds <= 0

    async def _probe_after(self, host: str, receiver: _Receiver, seconds: float) -> None:
        await self._clock.sleep(seconds)
        receiver.timer = None
        self._admit(host, receiver)
