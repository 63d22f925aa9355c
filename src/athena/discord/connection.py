"""One WebSocket connection of a gateway session, from HELLO to its end.

Two things go on at once: reading, and the heart's beats. A beat that finds the last one
unanswered proves the connection dead, however quiet the network is about it; whichever of the two
ends first ends the connection.

Discord's wire changes without notice, so what cannot be read costs as little as it can. One event
costs itself: it is counted, logged and left out. One payload that is no payload is lost, and shows
as a gap. Only a broken stream ends the connection, as nothing after it can be read; and READY and
HELLO cannot be done without: a connection where they are not understood has failed.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from random import Random
from typing import Any, TypeAlias, TypeVar

import msgspec
import structlog

from athena.clock import Clock
from athena.discord import events, wire
from athena.discord.identity import Identity
from athena.discord.session import (
    CloseAction,
    Ended,
    Inflater,
    SendLimiter,
    SessionState,
    close_action,
)
from athena.discord.transport import Socket, SocketClosed

log = structlog.get_logger(__name__)


class Op(IntEnum):
    """The gateway's operations that concern us."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


_HELLO_TIMEOUT = 30.0
_INVALID_PAUSE = (1.0, 5.0)
_OUR_CLOSE = 4900
"""Any code but 1000 and 1001, which would end the session too."""

_T = TypeVar("_T")

_payload = msgspec.json.Decoder(wire.Payload).decode


class _ResumedMark(msgspec.Struct, frozen=True):
    """RESUMED, whose data is of no use."""


_Read: TypeAlias = events.Event | wire.ReadyState | _ResumedMark


def _reader(kind: type[_T], make: Callable[[_T], _Read]) -> Callable[[msgspec.Raw], _Read]:
    decode = msgspec.json.Decoder(kind).decode
    return lambda data: make(decode(data))


def _nonce(interaction: wire.InteractionEvent) -> str | None:
    return None if interaction.nonce is None else str(interaction.nonce)


_READERS: dict[str, Callable[[msgspec.Raw], _Read]] = {
    "READY": _reader(wire.ReadyState, lambda ready: ready),
    "RESUMED": lambda _: _ResumedMark(),
    "MESSAGE_CREATE": _reader(wire.Message, events.MessageCreated),
    "MESSAGE_UPDATE": _reader(wire.MessagePatch, events.MessageUpdated),
    "MESSAGE_DELETE": _reader(
        wire.MessageDelete, lambda gone: events.MessagesDeleted(gone.channel_id, (gone.id,))
    ),
    "MESSAGE_DELETE_BULK": _reader(
        wire.MessageDeleteBulk, lambda gone: events.MessagesDeleted(gone.channel_id, gone.ids)
    ),
    "INTERACTION_CREATE": _reader(
        wire.InteractionEvent, lambda it: events.InteractionCreated(it.id, _nonce(it))
    ),
    "INTERACTION_SUCCESS": _reader(
        wire.InteractionEvent, lambda it: events.InteractionSucceeded(it.id, _nonce(it))
    ),
    "INTERACTION_FAILURE": _reader(
        wire.InteractionEvent,
        lambda it: events.InteractionFailed(it.id, _nonce(it), it.reason_code),
    ),
    "INTERACTION_MODAL_CREATE": _reader(wire.ModalCreate, events.ModalOpened),
    "INTERACTION_IFRAME_MODAL_CREATE": _reader(wire.ModalCreate, events.ModalOpened),
}


_LONGEST_ERROR = 300


class _Over(Exception):
    """Ends the connection from deep inside."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class GatewayConnection:
    """`run` it once; it changes `state` as events come.

    `handle` gets the events in their order; `unreadable` counts those that were left out, by the
    name that Discord gives them.
    """

    def __init__(
        self,
        socket: Socket,
        identity: Identity,
        state: SessionState,
        clock: Clock,
        random: Random,
        handle: Callable[[events.Event], None],
        unreadable: Counter[str],
    ) -> None:
        self._socket = socket
        self._identity = identity
        self._state = state
        self._clock = clock
        self._random = random
        self._handle = handle
        self._unreadable = unreadable
        self._inflater = Inflater()
        self._limiter = SendLimiter(clock)
        self._acknowledged = True

    async def run(self) -> Ended:
        """Live until the connection ends, and say how it did."""
        try:
            interval = await self._hello()
            await self._introduce()
            return await self._live(interval)
        except _Over as over:
            return over.ended
        except SocketClosed as closed:
            return Ended(close_action(closed.code), closed.code, closed.reason)
        except (ConnectionError, TimeoutError) as error:
            return Ended(CloseAction.RESUME, None, type(error).__name__)
        finally:
            await self._socket.close(_OUR_CLOSE)

    async def _live(self, interval: float) -> Ended:
        sides = [asyncio.create_task(self._read()), asyncio.create_task(self._beat(interval))]
        try:
            done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            return next(side for side in sides if side in done).result()
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)

    async def _hello(self) -> float:
        """Wait for HELLO; seconds between heartbeats."""
        async with asyncio.timeout(_HELLO_TIMEOUT):
            while (payload := await self._next()).op != Op.HELLO:
                pass
        try:
            hello = msgspec.json.decode(payload.d, type=wire.Hello)
        except wire.UNREADABLE as error:
            raise _Over(_unreadable("HELLO", error)) from error
        return hello.heartbeat_interval / 1000

    async def _introduce(self) -> None:
        if not self._state.resumable:
            await self._send(Op.IDENTIFY, self._identity.identify())
            return
        resume = {
            "token": self._identity.token,
            "session_id": self._state.session_id,
            "seq": self._state.sequence,
        }
        await self._send(Op.RESUME, resume)

    async def _beat(self, interval: float) -> Ended:
        await self._clock.sleep(interval * self._random.random())
        while self._acknowledged:
            self._acknowledged = False
            await self._send(Op.HEARTBEAT, self._state.sequence)
            await self._clock.sleep(interval)
        return Ended(CloseAction.RESUME, None, "no answer to a heartbeat")

    async def _read(self) -> Ended:
        while True:
            payload = await self._next()
            match payload.op:
                case Op.DISPATCH:
                    self._dispatch(payload)
                case Op.HEARTBEAT:
                    await self._send(Op.HEARTBEAT, self._state.sequence)
                case Op.RECONNECT:
                    return Ended(CloseAction.RESUME, None, "Discord asked to reconnect")
                case Op.INVALID_SESSION:
                    return await self._invalidated(payload)
                case Op.HEARTBEAT_ACK:
                    self._acknowledged = True
                case _:
                    pass

    async def _invalidated(self, payload: wire.Payload) -> Ended:
        if payload.d == b"true":
            return Ended(CloseAction.RESUME, None, "the session was interrupted")
        await self._clock.sleep(self._random.uniform(*_INVALID_PAUSE))
        return Ended(CloseAction.IDENTIFY, None, "the session is invalid")

    async def _next(self) -> wire.Payload:
        """The next whole payload that can be read."""
        while True:
            whole = self._inflated(await self._socket.receive())
            if whole is None:
                continue
            try:
                return _payload(whole)
            except wire.UNREADABLE as error:
                self._lose(error)

    def _inflated(self, data: bytes | str) -> bytes | str | None:
        if isinstance(data, str):
            return data
        try:
            return self._inflater.feed(data)
        except zlib.error as error:
            raise _Over(_unreadable("the stream", error)) from error

    def _lose(self, error: Exception) -> None:
        """A payload is lost, with its number. What follows is read, and what it was is to be found
        in the history."""
        self._skip("PAYLOAD", error)
        if self._state.sequence is not None:
            self._guarded("GAP", lambda: self._handle(events.Gap(missing=1)))

    async def _send(self, op: int, data: Any) -> None:
        await self._limiter.wait(beat=op == Op.HEARTBEAT)
        await self._socket.send(msgspec.json.encode({"op": int(op), "d": data}).decode())

    def _dispatch(self, payload: wire.Payload) -> None:
        if payload.s is not None and (missing := self._count(payload.s)):
            self._guarded("GAP", lambda: self._handle(events.Gap(missing=missing)))
        name = payload.t or ""
        if read := _READERS.get(name):
            self._guarded(name, lambda: self._hand_on(read(payload.d)))

    def _guarded(self, name: str, act: Callable[[], None]) -> None:
        """Whatever one event does, the session goes on."""
        try:
            act()
        except Exception as error:
            self._skip(name, error)

    def _skip(self, name: str, error: Exception) -> None:
        """Leave an event out. Of READY alone the session cannot be without."""
        self._unreadable[name] += 1
        log.warning("gateway.unreadable_event", kind=name, error=_named(error))
        if name == "READY":
            raise _Over(_unreadable("READY", error)) from error

    def _count(self, number: int) -> int:
        """Take an event's number; how many between the last one and it are missing."""
        before, self._state.sequence = self._state.sequence, number
        return max(number - before - 1, 0) if before is not None else 0

    def _hand_on(self, read: _Read) -> None:
        """READY and RESUMED speak of the session itself."""
        match read:
            case wire.ReadyState(session_id=session_id, user=user, resume_gateway_url=url):
                self._state.session_id, self._state.resume_url = session_id, url
                self._handle(events.Ready(session_id=session_id, user=user, first=True))
            case _ResumedMark():
                self._handle(events.Resumed(session_id=self._state.session_id or ""))
            case event:
                self._handle(event)


def _unreadable(what: str, error: Exception) -> Ended:
    reason = f"{what} cannot be read: {_named(error)}"
    return Ended(CloseAction.RESUME, None, reason, unreadable=True)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
