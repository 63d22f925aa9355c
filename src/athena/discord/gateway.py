"""Keeps one gateway session alive and hands on its events (contracts: discord-wire, section 1).

Connections break; that is normal. After each end the session is resumed if Discord may still have
it, else begun anew, with pauses that grow and jitter so that a thousand clients do not come back
in the same second. What a resume cannot replay is lost to the gateway: the owner learns of it by a
`Ready` that is not the first, and reads the history.
"""

from collections.abc import Callable
from random import Random

import aiohttp
import structlog

from athena.clock import Clock
from athena.discord.connection import Connection
from athena.discord.errors import DiscordError, GatewayRefused, TokenRefused, Unauthorized
from athena.discord.events import Disconnected, Event, Ready, Resumed
from athena.discord.identity import Endpoints, Identity
from athena.discord.rest import Rest
from athena.discord.session import (
    TOKEN_REFUSED_CODE,
    TOO_MANY_SESSIONS,
    CloseAction,
    Ended,
    SessionState,
)

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 120.0
_IDENTIFY_SPACING = 5.0
_QUERY = "?encoding=json&v={version}&compress=zlib-stream"
_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=2.0)


class Gateway:
    """One session of one token. `run` it once."""

    def __init__(
        self,
        endpoints: Endpoints,
        identity: Identity,
        rest: Rest,
        clock: Clock,
        random: Random,
        session: aiohttp.ClientSession,
        *,
        proxy: str | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._identity = identity
        self._rest = rest
        self._clock = clock
        self._random = random
        self._http = session
        self._proxy = proxy
        self._state = SessionState()
        self._receive: Callable[[Event], None]
        self._failures = 0
        self._begun_before = False
        self._identified_at: float | None = None

    @property
    def session_id(self) -> str | None:
        """The id that interactions carry; None before the first READY."""
        return self._state.session_id

    async def run(self, receive: Callable[[Event], None]) -> None:
        """Keep the session alive until cancelled. `receive` gets the events in order, and must
        return at once.

        Raises:
            TokenRefused: Discord does not take the token.
            GatewayRefused: Discord does not want this session, ever.
            Unauthorized: Discord refused the token when it was asked for the gateway's address.
        """
        self._receive = receive
        while True:
            ended = await self._one_connection()
            self._judge(ended)
            receive(Disconnected(code=ended.code, reason=ended.reason))
            await self._clock.sleep(self._pause(ended))

    async def _one_connection(self) -> Ended:
        try:
            url = await self._url()
            await self._space_identifies()
            async with self._http.ws_connect(
                url, max_msg_size=0, timeout=_TIMEOUT, proxy=self._proxy
            ) as socket:
                connection = Connection(
                    socket, self._identity, self._state, self._clock, self._random, self._handle
                )
                return await connection.run()
        except Unauthorized:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, DiscordError) as error:
            return Ended(CloseAction.RESUME, None, type(error).__name__)

    def _handle(self, event: Event) -> None:
        match event:
            case Ready(session_id=session_id, user=user):
                event = Ready(session_id=session_id, user=user, first=not self._begun_before)
                self._begun_before = True
                self._failures = 0
            case Resumed():
                self._failures = 0
            case _:
                pass
        self._receive(event)

    async def _url(self) -> str:
        if self._state.resumable and self._endpoints.trusts(self._state.resume_url):
            base = self._state.resume_url
        else:
            base = self._endpoints.gateway_url or await self._asked_url()
        version = self._endpoints.api_url.rstrip("/").rsplit("/v", 1)[-1]
        return base.rstrip("/") + "/" + _QUERY.format(version=version)

    async def _asked_url(self) -> str:
        url = await self._rest.gateway_url()
        if not self._endpoints.trusts(url):
            raise aiohttp.ClientError("the gateway's address is not one of Discord's")
        return url

    async def _space_identifies(self) -> None:
        """Sessions of one token may begin only five seconds apart."""
        if self._state.resumable:
            return
        now = self._clock.monotonic()
        if self._identified_at is not None:
            await self._clock.sleep(self._identified_at + _IDENTIFY_SPACING - now)
        self._identified_at = self._clock.monotonic()

    def _judge(self, ended: Ended) -> None:
        log.info("gateway.ended", action=ended.action.value, code=ended.code, why=ended.reason)
        match ended.action:
            case CloseAction.FINAL if ended.code == TOKEN_REFUSED_CODE:
                raise TokenRefused("Discord does not take this token")
            case CloseAction.FINAL:
                raise GatewayRefused(ended.code or 0, ended.reason)
            case CloseAction.IDENTIFY:
                self._state.forget()
            case CloseAction.RESUME:
                pass

    def _pause(self, ended: Ended) -> float:
        self._failures += 1
        if ended.code == TOO_MANY_SESSIONS:
            return _LONGEST_PAUSE
        pause = min(_FIRST_PAUSE * 2.0 ** (self._failures - 1), _LONGEST_PAUSE)
        return pause * (0.5 + self._random.random())
