"""The simulator's gateway: a WebSocket as tolerant of clients as Discord's.

Source: contracts, discord-wire, sections 1 and 8. HELLO, IDENTIFY or RESUME, then events;
heartbeats are enforced by the simulator's clock.
"""

import asyncio
import contextlib
import zlib
from collections import deque
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from athena.simulator.faults import Faults
from athena.simulator.objects import application
from athena.simulator.sessions import ALL_INTENTS, Account, Frame, Session, encode
from athena.simulator.stage import Json
from athena.simulator.world import World

_MOST_SENDS = 120
_TICK = 5.0
_MESSAGE_EVENTS = (b'{"t":"MESSAGE_', b'{"t":"INTERACTION_')
_CODES = (4000, 4001, 4002, 4003, 4005, 4007, 4008, 4009, 4900, 1001)
_PATIENCE = 1.75
"""Heartbeat intervals without a heartbeat after which a client counts as dead."""


class _Close(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Gateway:
    """Handles every connection."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._lines: dict[_Line, None] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 20, compress=False, timeout=1.0)
        if not socket.can_prepare(request).ok:
            return web.Response(status=426, text="a WebSocket is required")
        await socket.prepare(request)
        line = _Line(socket, self._world, self._faults, request.query.get("compress", ""))
        self._lines[line] = None
        try:
            await line.live()
        finally:
            self._lines.pop(line, None)
        return socket

    def drop(self, code: int, user_id: str | None = None) -> int:
        """Close the connections of a user, or all, with a code; returns their number."""
        lines = [line for line in self._lines if user_id in (None, line.user_id)]
        for line in lines:
            line.end(code)
        return len(lines)

    def order_reconnect(self) -> None:
        """Send op 7 to all."""
        for line in list(self._lines):
            line.say({"op": 7, "d": None, "s": None, "t": None})


class _Line:
    """One connection. Frames go through a queue, so a slow client delays no other."""

    def __init__(
        self, socket: web.WebSocketResponse, world: World, faults: Faults, compress: str
    ) -> None:
        self._socket = socket
        self._world = world
        self._faults = faults
        self._deflate = zlib.compressobj() if compress == "zlib-stream" else None
        self._out: asyncio.Queue[Frame | _Close] = asyncio.Queue()
        self._session: Session | None = None
        self._beaten = asyncio.Event()
        self._sends: deque[float] = deque()
        self._closed_by_us = False
        self._silent = False
        self._mute = False

    @property
    def user_id(self) -> str | None:
        return self._session.account.id if self._session else None

    def say(self, payload: Json) -> None:
        self._out.put_nowait(encode(payload))

    def end(self, code: int) -> None:
        self._out.put_nowait(_Close(code))

    async def live(self) -> None:
        interval = self._world.config.heartbeat_interval
        self.say({"op": 10, "d": {"heartbeat_interval": interval}, "s": None, "t": None})
        sides = [
            asyncio.create_task(self._write()),
            asyncio.create_task(self._read()),
            asyncio.create_task(self._watch(interval / 1000)),
            asyncio.create_task(self._suffer()),
        ]
        try:
            done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            await self._close(next(side for side in sides if side in done).result())
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            if self._session and self._session.write == self._out.put_nowait:
                self._world.sessions.detach(self._session)

    async def _close(self, code: int | None) -> None:
        if code is not None:
            self._closed_by_us = True
            with contextlib.suppress(ConnectionError):
                await self._socket.close(code=code)

    async def _write(self) -> int | None:
        while True:
            frame = await self._out.get()
            if isinstance(frame, _Close):
                return frame.code
            try:
                await self._send(frame)
            except ConnectionError:
                return None

    async def _send(self, frame: Frame) -> None:
        rates, strikes = self._faults.rates, self._faults.strikes
        is_event = frame.startswith(_MESSAGE_EVENTS)
        if self._silent or (is_event and strikes(rates.lose_event)):
            return
        if self._deflate is None:
            await self._socket.send_str(frame.decode())
            return
        packed = self._deflate.compress(frame) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if strikes(rates.corrupt_frame):
            packed = _garbled(packed)
        if strikes(rates.cut_frame):
            await self._socket.send_bytes(packed[: len(packed) // 2])
            raise ConnectionResetError
        await self._socket.send_bytes(packed)

    async def _suffer(self) -> int | None:
        """Apply random faults to the connection."""
        while True:
            await self._world.clock.sleep(_TICK)
            rates, strikes = self._faults.rates, self._faults.strikes
            if strikes(rates.half_open * _TICK / 60):
                self._silent = True
            if strikes(rates.mute_acks * _TICK / 60):
                self._mute = True
            if strikes(rates.close * _TICK / 60):
                return self._faults.choose(_CODES)

    async def _read(self) -> int | None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            if self._silent:
                continue
            try:
                self._take(message.data)
            except _Close as close:
                return close.code
        said_goodbye = self._socket.close_code in (1000, 1001) and not self._closed_by_us
        if self._session and said_goodbye:
            self._world.sessions.end(self._session)
        return None

    async def _watch(self, interval: float) -> int | None:
        """Close a client without heartbeats; its session can still be resumed."""
        while True:
            self._beaten.clear()
            beat = asyncio.ensure_future(self._beaten.wait())
            late = asyncio.ensure_future(self._world.clock.sleep(interval * _PATIENCE))
            await asyncio.wait({beat, late}, return_when=asyncio.FIRST_COMPLETED)
            dead = not beat.done()
            beat.cancel()
            late.cancel()
            if dead:
                return 4009

    def _take(self, data: str | bytes) -> None:
        self._count_send()
        try:
            payload = msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise _Close(4002) from error
        given = payload.get("d")
        match payload.get("op"):
            case 1:
                self._beat()
            case 2:
                self._identify(given if isinstance(given, dict) else {})
            case 6:
                self._resume(given if isinstance(given, dict) else {})
            case _:
                pass  # unknown opcodes are ignored

    def _count_send(self) -> None:
        now = self._world.clock.monotonic()
        self._sends.append(now)
        while self._sends[0] <= now - 60:
            self._sends.popleft()
        if len(self._sends) > _MOST_SENDS:
            raise _Close(4008)

    def _beat(self) -> None:
        self._beaten.set()
        if not (self._faults.mute_acks or self._mute):
            self.say({"op": 11, "d": None, "s": None, "t": None})

    def _identify(self, given: Json) -> None:
        if self._session:
            raise _Close(4005)
        account = self._sign_in(given)
        intents = int(given.get("intents") or 0) if account.is_bot else ALL_INTENTS
        session = self._world.sessions.begin(account, intents)
        self._attach(session)
        _greet(self._world, session)

    def _resume(self, given: Json) -> None:
        account = self._sign_in(given)
        session = self._world.sessions.find(str(given.get("session_id")))
        missed = None
        refused = self._faults.refuses_resume()
        if not refused and session and session.account.id == account.id:
            if int(given.get("seq") or 0) > session.sequence:
                raise _Close(4007)
            missed = session.since(int(given.get("seq") or 0))
        if session is None or missed is None:
            self.say({"op": 9, "d": False, "s": None, "t": None})
            return
        for frame in missed:
            self._out.put_nowait(frame)
        self._attach(session)
        session.tell("RESUMED", b'{"_trace":["simulator"]}')

    def _sign_in(self, given: Json) -> Account:
        token = str(given.get("token", "")).removeprefix("Bot ")
        account = self._world.accounts.get(token)
        if account is None:
            raise _Close(4004)
        return account

    def _attach(self, session: Session) -> None:
        if session.close:
            session.close(4009)
        self._session = session
        session.write = self._out.put_nowait
        session.close = self.end
        session.detached_at = None


def _garbled(packed: bytes) -> bytes:
    """Invalid compressed data: no block of a zlib stream starts like this."""
    return b"\xff" * len(packed)


def _greet(world: World, session: Session) -> None:
    """Send READY, and the events that follow it for each kind of account."""
    account = session.account
    guild = world.guild(account.guild_id)
    ready: Json = {
        "v": 9,
        "user": {**account.user, "verified": True, "mfa_enabled": False, "email": None},
        "session_id": session.id,
        "session_type": "normal",
        "resume_gateway_url": world.gateway_url,
        "private_channels": [],
        "guilds": [guild],
        "_trace": ["simulator"],
    }
    if account.is_bot:
        ready["guilds"] = [{"id": guild["id"], "unavailable": True}]
        ready["application"] = {"id": account.id, "flags": application("", "")["flags"]}
        session.tell("READY", encode(ready))
        session.tell("GUILD_CREATE", encode(guild))
        return
    ready |= {"users": [], "relationships": [], "user_settings_proto": "", "country_code": "US"}
    session.tell("READY", encode(ready))
    supplemental = {"guilds": [{"id": guild["id"], "voice_states": []}], "merged_members": [[]]}
    session.tell("READY_SUPPLEMENTAL", encode({**supplemental, "merged_presences": {}}))
