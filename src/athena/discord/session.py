"""What a gateway session is made of, apart from its socket.

A session outlives connections: with its id and the number of the last event seen, a new connection
can resume it and Discord replays what was missed. Which ends of a connection allow that is the
table below (contracts: discord-wire, section 1).
"""

import zlib
from collections import deque
from enum import Enum

from msgspec import Struct

from athena.clock import Clock

_SENDS = 120
_WINDOW = 60.0
_FLUSHED = b"\x00\x00\xff\xff"

LARGEST_PAYLOAD = 64 * 1024 * 1024
"""Bytes of one payload after decompression; the READY of a user in many servers has a few MB."""


class SessionState(Struct):
    """Changes with every event; kept across connections."""

    session_id: str | None = None
    resume_url: str = ""
    sequence: int | None = None

    @property
    def resumable(self) -> bool:
        return self.session_id is not None and self.sequence is not None

    def forget(self) -> None:
        """The session is gone at Discord."""
        self.session_id, self.sequence, self.resume_url = None, None, ""


class CloseAction(Enum):
    """What to do after a connection ended."""

    RESUME = "resume"
    IDENTIFY = "identify"
    FINAL = "final"


class Ended(Struct, frozen=True):
    """How a connection ended; `code` is None when the network, not Discord, ended it."""

    action: CloseAction
    code: int | None
    reason: str
    unreadable: bool = False
    """Whether it was we who ended it, over data that could not be read."""


_IDENTIFY_CODES = frozenset({4003, 4007, 4009, 4015})
_FINAL_CODES = frozenset({4004, 4010, 4011, 4012, 4013, 4014})

TOKEN_REFUSED_CODE = 4004
TOO_MANY_SESSIONS = 4015


def close_action(code: int | None) -> CloseAction:
    """What a close code means; what is not named means resume."""
    if code in _FINAL_CODES:
        return CloseAction.FINAL
    return CloseAction.IDENTIFY if code in _IDENTIFY_CODES else CloseAction.RESUME


class Inflater:
    """One zlib stream for a whole connection; a payload is whole when its data ends in a flush."""

    def __init__(self, largest: int = LARGEST_PAYLOAD) -> None:
        self._stream = zlib.decompressobj()
        self._waiting = bytearray()
        self._largest = largest

    def feed(self, piece: bytes) -> bytes | None:
        """Take one binary message; the payload when it is whole.

        Raises:
            zlib.error: the stream is broken, or a payload too large, and with it the connection.
        """
        self._waiting += piece
        if len(self._waiting) > self._largest:
            raise zlib.error("the payload is too large")
        if not self._waiting.endswith(_FLUSHED):
            return None
        whole = self._stream.decompress(self._waiting, self._largest)
        self._waiting = bytearray()
        if self._stream.unconsumed_tail:
            raise zlib.error("the payload is too large")
        return whole


class SendLimiter:
    """At most 120 sends a minute on one connection; some are kept back for heartbeats."""

    _KEPT_FOR_BEATS = 10

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: deque[float] = deque()

    async def wait(self, *, beat: bool = False) -> None:
        """Return when one more may be sent, and count it."""
        allowed = _SENDS if beat else _SENDS - self._KEPT_FOR_BEATS
        while self._count() >= allowed:
            await self._clock.sleep(self._sent[0] + _WINDOW - self._clock.monotonic())
        self._sent.append(self._clock.monotonic())

    def _count(self) -> int:
        since = self._clock.monotonic() - _WINDOW
        while self._sent and self._sent[0] <= since:
            self._sent.popleft()
        return len(self._sent)
