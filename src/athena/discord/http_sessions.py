"""The process's HTTP sessions, one for each purpose, so that none takes another's connections.

A session of aiohttp has 100 connections unless told otherwise, and a gateway's WebSocket holds one
as long as it lives: on a shared session a hundred accounts would leave none for REST. So gateway
sockets have a session without limit, and everything that comes and goes has a session with a limit
of its own: a slow webhook receiver or a large upload cannot hold up an interaction.

Sessions that go to addresses which users choose take connectors that judge every address; without
them such a link could reach the operator's own network.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import aiohttp
from msgspec import Struct

MakeConnector: TypeAlias = Callable[[int], aiohttp.BaseConnector]
"""Makes a connector for so many connections at a time."""


class ConnectionLimits(Struct, frozen=True, kw_only=True):
    """The most connections at a time of each session; the gateway's has one for each account."""

    rest: int = 100
    cdn: int = 50
    webhooks: int = 500
    """Each receiver has a bound of its own (`delivery.receivers`)."""
    images: int = 50
    translation: int = 20

    @property
    def total(self) -> int:
        """The most connections of all of them together."""
        return self.rest + self.cdn + self.webhooks + self.images + self.translation


class HttpSessions(Struct, frozen=True, kw_only=True):
    """Made by `open_sessions`, which closes them together."""

    gateway: aiohttp.ClientSession
    """WebSockets, one for each account."""
    rest: aiohttp.ClientSession
    """Discord's API."""
    cdn: aiohttp.ClientSession
    """Files from and to Discord, and the pages of its bots."""
    webhooks: aiohttp.ClientSession
    """Receivers that users name."""
    images: aiohttp.ClientSession
    """Image links that users give."""
    translation: aiohttp.ClientSession
    """The provider that the operator chose."""


@asynccontextmanager
async def open_sessions(
    limits: ConnectionLimits | None = None, outside: MakeConnector | None = None
) -> AsyncIterator[HttpSessions]:
    """All sessions of a process. `outside` makes the connectors for addresses that users give, in
    webhooks and image links; None: as for any other address."""
    limits = limits or ConnectionLimits()
    outside = outside or _plain
    async with AsyncExitStack() as stack:

        async def opened(
            connector: aiohttp.BaseConnector, *traces: aiohttp.TraceConfig
        ) -> aiohttp.ClientSession:
            session = aiohttp.ClientSession(connector=connector, trace_configs=list(traces))
            return await stack.enter_async_context(session)

        yield HttpSessions(
            gateway=await opened(aiohttp.TCPConnector(limit=0), _refusing_redirects()),
            rest=await opened(aiohttp.TCPConnector(limit=limits.rest)),
            cdn=await opened(aiohttp.TCPConnector(limit=limits.cdn)),
            webhooks=await opened(outside(limits.webhooks)),
            images=await opened(outside(limits.images)),
            translation=await opened(aiohttp.TCPConnector(limit=limits.translation)),
        )


def _plain(limit: int) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=limit)


def _refusing_redirects() -> aiohttp.TraceConfig:
    """The first frame on a gateway socket holds the token, so it goes to the host that was checked
    or nowhere; `ws_connect` itself would follow."""

    async def refuse(*_: object) -> None:
        raise aiohttp.ClientError("the gateway answered with a redirect")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace
