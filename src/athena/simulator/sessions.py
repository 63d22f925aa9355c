"""Gateway sessions, and the events needed to resume them.

A session outlives its connection for a while. Its last events are kept with their numbers; a client
that resumes with the last number it received gets the events after it (contracts: discord-wire,
section 1).
"""

from collections import defaultdict, deque
from collections.abc import Callable
from random import Random

import msgspec
from msgspec import Struct

from athena.clock import Clock
from athena.simulator.faults import Faults
from athena.simulator.network import Network
from athena.simulator.stage import Json

GUILD_MESSAGES = 1 << 9
DIRECT_MESSAGES = 1 << 12
MESSAGE_CONTENT = 1 << 15
ALL_INTENTS = (1 << 26) - 1

_REPLAY = 2_000
_DETACHED_LIFE = 180.0

Frame = bytes


class Account(Struct, frozen=True, kw_only=True):
    """A user or bot that can sign in."""

    user: Json
    token: str
    is_bot: bool
    plan: str
    guild_id: str
    channel_id: str

    @property
    def id(self) -> str:
        return str(self.user["id"])


class Session:
    """One session. `write` sends a frame on its connection; None while there is none."""

    def __init__(self, session_id: str, account: Account, intents: int, network: Network) -> None:
        self._network = network
        self.id = session_id
        self.account = account
        self.intents = intents
        self.sequence = 0
        self.write: Callable[[Frame], None] | None = None
        self.close: Callable[[int], None] | None = None
        self.detached_at: float | None = None
        self._sent: deque[tuple[int, Frame]] = deque(maxlen=_REPLAY)

    def dispatch(self, event: str, data: bytes) -> None:
        """Send an event whose data is already encoded, through the simulated network."""
        self._network.carry(lambda: self.tell(event, data))

    def tell(self, event: str, data: bytes) -> None:
        """Send an event about the session itself, which always arrives."""
        self.sequence += 1
        frame = b'{"t":"%s","s":%d,"op":0,"d":%s}' % (event.encode(), self.sequence, data)
        self._sent.append((self.sequence, frame))
        if self.write:
            self.write(frame)

    def since(self, sequence: int) -> list[Frame] | None:
        """The frames after a number; None if they are no longer available."""
        if sequence > self.sequence or sequence < self.sequence - len(self._sent):
            return None
        return [frame for number, frame in self._sent if number > sequence]

    def wants(self, *, direct: bool) -> bool:
        return bool(self.intents & (DIRECT_MESSAGES if direct else GUILD_MESSAGES))


class Sessions:
    """All sessions that are connected or can be resumed."""

    def __init__(self, clock: Clock, random: Random, faults: Faults) -> None:
        self._faults = faults
        self._clock = clock
        self._random = random
        self._sessions: dict[str, Session] = {}
        self._by_user: defaultdict[str, dict[str, Session]] = defaultdict(dict)
        self._by_guild: defaultdict[str, dict[str, Session]] = defaultdict(dict)
        self._detached: dict[str, Session] = {}
        """Those that lost their connection, in the order in which they did."""

    def begin(self, account: Account, intents: int) -> Session:
        self._expire()
        network = Network(self._faults, self._clock)
        session = Session(f"{self._random.getrandbits(128):032x}", account, intents, network)
        for index in self._indexes(session):
            index[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        self._expire()
        return self._sessions.get(session_id)

    def end(self, session: Session) -> None:
        for index in (*self._indexes(session), self._detached):
            index.pop(session.id, None)

    def detach(self, session: Session) -> None:
        """Mark a session as disconnected; it can be resumed."""
        session.write = session.close = None
        session.detached_at = self._clock.monotonic()
        self._detached.pop(session.id, None)
        self._detached[session.id] = session

    def all(self) -> list[Session]:
        return list(self._sessions.values())

    def of_user(self, user_id: str) -> list[Session]:
        return list(self._by_user.get(user_id, {}).values())

    def in_guild(self, guild_id: str) -> list[Session]:
        """The sessions of a server's members."""
        return list(self._by_guild.get(guild_id, {}).values())

    def _indexes(self, session: Session) -> tuple[dict[str, Session], ...]:
        account = session.account
        return self._sessions, self._by_user[account.id], self._by_guild[account.guild_id]

    def _expire(self) -> None:
        """End those that were detached for too long; those that came back are no longer looked
        at."""
        since = self._clock.monotonic() - _DETACHED_LIFE
        for session in list(self._detached.values()):
            if session.detached_at is None:
                del self._detached[session.id]
            elif session.detached_at < since:
                self.end(session)
            else:
                return


def encode(data: object) -> bytes:
    return msgspec.json.encode(data)
