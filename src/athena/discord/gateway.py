"""Keeps one gateway session alive and hands on its events (contracts: discord-wire, section 1).

Connections break; that is normal. After each end the session is resumed if Discord may still have
it, else a new one begins, with pauses that grow and jitter so that a thousand clients do not come
back in the same second (`reconnecting` says when and where to). What a resume cannot replay is lost
to the gateway: the owner learns of it by a `Ready` that is not the first, and reads the history.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random

import structlog

from athena.clock import Clock
from athena.discord.connection import GatewayConnection
from athena.discord.errors import (
    DiscordError,
    GatewayRefused,
    TokenRefused,
    Unauthorized,
    Unreachable,
)
from athena.discord.events import Disconnected, Event, Ready, Resumed
from athena.discord.identity import Endpoints, Identity
from athena.discord.pacing import IdentifyPacer
from athena.discord.reconnecting import Reconnecting
from athena.discord.rest import Rest
from athena.discord.session import TOKEN_REFUSED_CODE, CloseAction, Ended, SessionState
from athena.discord.transport import OpenSocket

log = structlog.get_logger(__name__)

_IDENTIFY_SPACING = 5.0
_QUERY = "?encoding=json&v={version}&compress=zlib-stream"

Receive = Callable[[Event], None]


class Gateway:
    """One session of one token. `run` it once.

    `pacer` is shared by all gateways of the process; None begins sessions at once.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        identity: Identity,
        rest: Rest,
        clock: Clock,
        random: Random,
        open_socket: OpenSocket,
        *,
        pacer: IdentifyPacer | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._identity = identity
        self._rest = rest
        self._clock = clock
        self._random = random
        self._open_socket = open_socket
        self._pacer = pacer
        self.unreadable: Counter[str] = Counter()
        """Events that could not be read and were left out, by Discord's names of them."""
        self._state = SessionState()
        self._reconnecting = Reconnecting(random)
        self._has_session = asyncio.Event()
        self._begun_before = False
        self._identified_at: float | None = None

    @property
    def session_id(self) -> str | None:
        """The id that interactions carry; None before READY, and after a session's end."""
        return self._state.session_id

    async def wait_for_session(self, seconds: float) -> str:
        """The session's id, as soon as there is a session.

        Raises:
            Unreachable: there was none for so many seconds.
        """
        if self._state.session_id is None:
            await self._wait_at_most(seconds)
        if self._state.session_id is None:
            raise Unreachable(f"there was no Discord session for {seconds:.0f} s")
        return self._state.session_id

    async def run(self, receive: Receive) -> None:
        """Keep the session alive until cancelled. `receive` gets the events in order, and must
        return at once.

        Raises:
            TokenRefused: Discord does not take the token.
            GatewayRefused: Discord does not want this session, ever.
            Unauthorized: Discord refused the token when it was asked for the gateway's address.
        """
        while True:
            ended = await self._one_connection(receive)
            receive(Disconnected(code=ended.code, reason=ended.reason))
            await self._clock.sleep(self._reconnecting.pause(ended))

    async def _one_connection(self, receive: Receive) -> Ended:
        """Connect and live until the end, which is judged."""
        began, connected = self._clock.monotonic(), False
        try:
            url = await self._url()
            await self._pace_identify()
            began = self._clock.monotonic()
            async with self._open_socket(url) as socket:
                connected = True
                connection = GatewayConnection(
                    socket, self._identity, self._state, self._clock, self._random,
                    lambda event: self._handle(event, receive), self.unreadable,
                )  # fmt: skip
                ended = await connection.run()
        except Unauthorized:
            raise
        except DiscordError as error:
            ended = Ended(CloseAction.RESUME, None, f"{type(error).__name__}: {error}")
        self._judge(ended, self._clock.monotonic() - began, connected=connected)
        return ended

    def _handle(self, event: Event, receive: Receive) -> None:
        match event:
            case Ready(session_id=session_id, user=user):
                event = Ready(session_id=session_id, user=user, first=not self._begun_before)
                self._begun_before = True
                self._established()
            case Resumed():
                self._established()
            case _:
                pass
        receive(event)

    def _established(self) -> None:
        self._has_session.set()
        self._reconnecting.established()

    async def _url(self) -> str:
        base = await self._address()
        version = self._endpoints.api_url.rstrip("/").rsplit("/v", 1)[-1]
        return base.rstrip("/") + "/" + _QUERY.format(version=version)

    async def _address(self) -> str:
        if self._state.resumable:
            at_own, url = self._reconnecting.at_own_address, self._state.resume_url
            self._reconnecting.resuming()
            if self._endpoints.trusts(url) and not at_own:
                return url
        return self._endpoints.gateway_url or await self._asked_url()

    async def _asked_url(self) -> str:
        url = await self._rest.gateway_url()
        if not self._endpoints.trusts(url):
            raise Unreachable("the gateway's address is not one of Discord's")
        return url

    async def _pace_identify(self) -> None:
        """Sessions of one token may begin only five seconds apart, those of all as is paced."""
        if self._state.resumable:
            return
        if self._identified_at is not None:
            since = self._clock.monotonic() - self._identified_at
            await self._clock.sleep(_IDENTIFY_SPACING - since)
        if self._pacer:
            await self._pacer.wait()
        self._identified_at = self._clock.monotonic()

    def _judge(self, ended: Ended, lived: float, *, connected: bool) -> None:
        action = self._reconnecting.next_action(ended, lived, connected=connected)
        log.info("gateway.ended", action=action.value, code=ended.code, why=ended.reason)
        match action:
            case CloseAction.FINAL if ended.code == TOKEN_REFUSED_CODE:
                raise TokenRefused("Discord does not take this token")
            case CloseAction.FINAL:
                raise GatewayRefused(ended.code or 0, ended.reason)
            case CloseAction.IDENTIFY:
                self._state.forget()
                self._has_session.clear()
            case CloseAction.RESUME:
                pass

    async def _wait_at_most(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._has_session.wait())
        late = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({waiting, late}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            late.cancel()
