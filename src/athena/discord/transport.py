"""The two ports through which this package reaches the network, and their aiohttp adapters.

`Transport` makes one HTTP exchange, `Socket` is one WebSocket connection. Everything above them,
rate limits, retries, sessions, is tested without a network.

The bounds of an exchange begin when its connection does: waiting for a free connection of a busy
session is no fault of Discord's, so it is not counted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct

from athena.discord.errors import OutcomeUnknown, Unreachable

_CONNECT = 10.0
_LARGEST_ANSWER = 32 * 1024 * 1024
_LARGEST_MESSAGE = 16 * 1024 * 1024
_WS_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=2.0)


class HttpRequest(Struct, frozen=True, kw_only=True):
    """One request. `timeout` is how many seconds the server may stay silent, and how long its
    whole body may take."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    timeout: float = 30.0


class HttpResponse(Struct, frozen=True, kw_only=True):
    """An answer, whole. `headers` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Makes HTTP exchanges. Redirects are answers, not followed: requests carry tokens."""

    async def exchange(self, request: HttpRequest) -> HttpResponse:
        """Send a request and read its answer.

        Raises:
            Unreachable: no connection was made, nothing was sent.
            OutcomeUnknown: it went out and no whole answer came.
        """
        ...


class SocketClosed(Exception):
    """The WebSocket connection ended; `code` is None when the network ended it."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket(Protocol):
    """One open WebSocket connection."""

    async def receive(self) -> bytes | str:
        """The next message.

        Raises:
            SocketClosed: there will be none.
        """
        ...

    async def send(self, text: str) -> None:
        """Send a text message.

        Raises:
            ConnectionError: the connection is gone.
        """
        ...

    async def close(self, code: int) -> None:
        """Close it; does nothing when it is closed."""
        ...


OpenSocket: TypeAlias = Callable[[str], AbstractAsyncContextManager[Socket]]
"""Connects to a URL. Raises `Unreachable` when there is no WebSocket."""


class HttpTransport:
    """The transport over an aiohttp session."""

    def __init__(self, session: aiohttp.ClientSession, *, proxy: str | None = None) -> None:
        self._session = session
        self._proxy = proxy

    async def exchange(self, request: HttpRequest) -> HttpResponse:
        """See `Transport.exchange`."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT, sock_read=request.timeout
        )
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.headers,
                timeout=timeout,
                proxy=self._proxy,
                allow_redirects=False,
            ) as answer:
                async with asyncio.timeout(request.timeout):
                    body = await _bounded(answer.content)
                return HttpResponse(status=answer.status, headers=answer.headers, body=body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(_text("cannot be reached", request.url, error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(_text("gave no answer", request.url, error)) from error


def _text(what: str, url: str, error: Exception) -> str:
    """Names the host alone: paths and queries may hold secrets."""
    return f"{urlsplit(url).hostname} {what}: {type(error).__name__}"


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    parts, size = [], 0
    async for part in content.iter_any():
        size += len(part)
        if size > _LARGEST_ANSWER:
            raise OutcomeUnknown(f"the answer is larger than {_LARGEST_ANSWER >> 20} MB")
        parts.append(part)
    return b"".join(parts)


def socket_opener(session: aiohttp.ClientSession, *, proxy: str | None = None) -> OpenSocket:
    """WebSocket connections over an aiohttp session."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Socket]:
        try:
            socket = await session.ws_connect(
                url, max_msg_size=_LARGEST_MESSAGE, timeout=_WS_TIMEOUT, proxy=proxy
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(_text("cannot be reached", url, error)) from error
        try:
            yield _AiohttpSocket(socket)
        finally:
            await socket.close()

    return opened


class _AiohttpSocket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def receive(self) -> bytes | str:
        message = await self._socket.receive()
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            data: bytes | str = message.data
            return data
        raise SocketClosed(self._socket.close_code, str(message.extra or "closed"))

    async def send(self, text: str) -> None:
        await self._socket.send_str(text)

    async def close(self, code: int) -> None:
        await self._socket.close(code=code)
