"""The process's HTTP sessions, one for each purpose, so that none takes another's connections.

A session of aiohttp has 100 connections unless told otherwise, and a gateway's WebSocket holds one
as long as it lives: on a shared session a hundred accounts would leave none for REST. So gateway
sockets have a session without limit, and everything that comes and goes has a session with a limit
of its own: a slow webhook receiver or a large upload cannot hold up an interaction.

Sessions that go to addresses which users choose take a resolver that judges them; without it such
a link could reach the operator's own network.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from aiohttp.abc import AbstractResolver
from msgspec import Struct


class ConnectionLimits(Struct, frozen=True, kw_only=True):
    """The most connections at a time of each session; the gateway's has one for each account."""

    rest: int = 100
    cdn: int = 50
    webhooks: int = 100
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
    limits: ConnectionLimits | None = None, outside: AbstractResolver | None = None
) -> AsyncIterator[HttpSessions]:
    """All sessions of a process. `outside` resolves the names that users give, in webhooks and
    image links, at every connection anew; None: as any other name."""
    limits = limits or ConnectionLimits()
    async with AsyncExitStack() as stack:

        async def opened(
            connector: aiohttp.TCPConnector, *traces: aiohttp.TraceConfig
        ) -> aiohttp.ClientSession:
            session = aiohttp.ClientSession(connector=connector, trace_configs=list(traces))
            return await stack.enter_async_context(session)

        yield HttpSessions(
            gateway=await opened(aiohttp.TCPConnector(limit=0), _refusing_redirects()),
            rest=await opened(aiohttp.TCPConnector(limit=limits.rest)),
            cdn=await opened(aiohttp.TCPConnector(limit=limits.cdn)),
            webhooks=await opened(_judging(limits.webhooks, outside)),
            images=await opened(_judging(limits.images, outside)),
            translation=await opened(aiohttp.TCPConnector(limit=limits.translation)),
        )


def _judging(limit: int, resolver: AbstractResolver | None) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=limit, resolver=resolver, use_dns_cache=resolver is None)


def _refusing_redirects() -> aiohttp.TraceConfig:
    """The first frame on a gateway socket holds the token, so it goes to the host that was checked
    or nowhere; `ws_connect` itself would follow."""

    async def refuse(*_: object) -> None:
        raise aiohttp.ClientError("the gateway answered with a redirect")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace
