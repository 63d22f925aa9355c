"""Fakes at the ports of `athena.discord.transport`: no socket is opened."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
from tests.unit.discord.settling import settle

from athena.clock import TurnableClock
from athena.discord import events
from athena.discord.errors import Unreachable
from athena.discord.gateway import Gateway
from athena.discord.identity import Endpoints, Identity
from athena.discord.pacing import IdentifyPacer
from athena.discord.rest import Rest
from athena.discord.transport import HttpRequest, HttpResponse, SocketClosed

API = "http://127.0.0.1:9/api/v9"
OWN = "ws://127.0.0.1:9/gateway"
RESUME = "ws://127.0.0.1:9/resume"
TOKEN = "very-secret-token"

Answer = HttpResponse | Exception


def answered(body: Any = None, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return HttpResponse(status=status, headers=headers, body=raw)


class FakeTransport:
    """Answers every request as configured, and keeps the requests."""

    def __init__(self, *answers: Answer, otherwise: Answer | None = None) -> None:
        self.asked: list[HttpRequest] = []
        self._answers = list(answers)
        self._otherwise = otherwise

    async def exchange(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        answer = self._answers.pop(0) if self._answers else self._otherwise
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None, f"not expected: {request.method} {request.url}"
        return answer


class FakeSocket:
    """One connection: what the server says, and what it was sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sent: list[Any] = []
        self.closed_by_us = False
        self._messages: asyncio.Queue[bytes | str | SocketClosed] = asyncio.Queue()

    async def receive(self) -> bytes | str:
        message = await self._messages.get()
        if isinstance(message, SocketClosed):
            raise message
        return message

    async def send(self, text: str) -> None:
        self.sent.append(msgspec.json.decode(text))

    async def close(self, code: int) -> None:
        self.closed_by_us = True

    def say(self, raw: bytes | str) -> None:
        self._messages.put_nowait(raw)

    def tell(self, op: int, data: Any = None, s: int | None = None, t: str | None = None) -> None:
        self.say(msgspec.json.encode({"op": op, "d": data, "s": s, "t": t}).decode())

    def hello(self) -> None:
        self.tell(10, {"heartbeat_interval": 41_250})

    def ready(self, **changes: Any) -> None:
        data = {"session_id": "s1", "user": {"id": "7"}, "resume_gateway_url": RESUME, **changes}
        self.tell(0, data, 1, "READY")

    def message(self, number: int, **changes: Any) -> None:
        data = {"id": "1000", "channel_id": "5", "content": "hello", **changes}
        self.tell(0, data, number, "MESSAGE_CREATE")

    def end(self, code: int | None = 4000) -> None:
        self._messages.put_nowait(SocketClosed(code, "closed"))

    def ops(self) -> list[int]:
        return [each["op"] for each in self.sent if each["op"] != 1]


class Session:
    """A gateway session against fake sockets."""

    def __init__(
        self, clock: TurnableClock, *, pacer: IdentifyPacer | None = None, seed: int = 1
    ) -> None:
        self.clock = clock
        self.sockets: list[FakeSocket] = []
        self.dead: tuple[str, ...] = ()
        """Addresses that cannot be reached."""
        self.tried: list[str] = []
        self.heard: list[events.Event] = []
        self.when_opened: Callable[[FakeSocket], None] = FakeSocket.hello
        endpoints = Endpoints(api_url=API, gateway_url=OWN)
        identity = Identity(token=TOKEN)
        rest = Rest(FakeTransport(), endpoints, identity, clock, Random(seed))
        self.gateway = Gateway(
            endpoints, identity, rest, clock, Random(seed), self._open, pacer=pacer
        )
        self.receive: Callable[[events.Event], None] = self.heard.append
        self._work: asyncio.Task[None] | None = None

    @property
    def work(self) -> "asyncio.Task[None]":
        """The running gateway; it starts when it is first asked for."""
        if self._work is None:
            self._work = asyncio.create_task(self.gateway.run(self.receive))
        return self._work

    @asynccontextmanager
    async def _open(self, url: str) -> AsyncIterator[FakeSocket]:
        address = url.split("/?")[0]
        self.tried.append(address)
        if address in self.dead:
            raise Unreachable("no connection")
        socket = FakeSocket(address)
        self.sockets.append(socket)
        self.when_opened(socket)
        yield socket

    @property
    def socket(self) -> FakeSocket:
        return self.sockets[-1]

    async def online(self) -> None:
        """Start, and let READY come."""
        assert not self.work.done()
        await settle()
        self.socket.ready()
        await settle()

    async def pass_time(self, seconds: float, step: float = 0.5) -> None:
        """Turn the clock in small steps, so that everything happens in its order."""
        assert not self.work.done()
        for _ in range(round(seconds / step)):
            self.clock.turn(step)
            await settle()

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.heard]

    def reasons(self) -> list[str]:
        return [e.reason for e in self.heard if isinstance(e, events.Disconnected)]

    async def close(self) -> None:
        self.work.cancel()
        await asyncio.gather(self.work, return_exceptions=True)
