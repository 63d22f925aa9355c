"""An account's connection to Discord: the gateway session that listens, and the REST calls that
act."""

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from athena.clock import Clock
from athena.discord import iframe_modals
from athena.discord.commands import CommandCatalogue
from athena.discord.events import Event
from athena.discord.gateway import Gateway
from athena.discord.http_sessions import HttpSessions
from athena.discord.identity import Endpoints, Identity, IdentityKind
from athena.discord.interactions import InteractionContext
from athena.discord.pacing import IdentifyPacer
from athena.discord.rest import Rest
from athena.discord.snowflakes import Snowflakes
from athena.discord.transport import HttpTransport, socket_opener
from athena.settings import AccountSettings, DiscordSettings

SESSION_WAIT = 30.0
"""Seconds that an interaction waits for a session."""


class Connection:
    """An account's access to Discord, for as long as the account runs.

    `pacer`, shared by all accounts of the process, spreads the starts of their sessions.
    """

    def __init__(
        self,
        http: HttpSessions,
        discord: DiscordSettings,
        settings: AccountSettings,
        clock: Clock,
        random: Random,
        pacer: IdentifyPacer | None = None,
    ) -> None:
        self.listens_as_bot = settings.bot_token is not None
        self.guild_id = settings.guild_id
        self.channel_id = settings.channel_id
        self.user_id: str | None = None
        self.nonces = Snowflakes(clock)
        self._endpoints = endpoints = _endpoints(discord)
        proxy = discord.proxy_url or None
        transport = HttpTransport(http.rest, proxy=proxy)
        self._files = HttpTransport(http.cdn, proxy=proxy)

        def rest_of(identity: Identity) -> Rest:
            return Rest(transport, endpoints, identity, clock, random, storage=self._files)

        listener = identity = _identity(discord, settings)
        self.rest = listening_rest = rest_of(identity)
        self._made_up_session = f"{random.getrandbits(128):032x}"
        if settings.bot_token:
            token = settings.bot_token.get_secret_value()
            listener = Identity(token=token, kind=IdentityKind.BOT)
            listening_rest = rest_of(listener)
        self.gateway = Gateway(
            endpoints, listener, listening_rest, clock, random,
            socket_opener(http.gateway, proxy=proxy), pacer=pacer,
        )  # fmt: skip
        self.catalogue = CommandCatalogue(self.rest, settings.guild_id)

    async def learn_user(self) -> None:
        """Ask who the user is: the session of a listening bot does not say.

        Raises:
            DiscordError: the call failed.
        """
        self.user_id = (await self.rest.me()).id

    async def interaction_context(self) -> InteractionContext:
        """Where this account's interactions happen, and which session receives their events.

        While a bot listens, the user has no session, and Discord takes any id; otherwise a
        session that is being established is waited for.

        Raises:
            Unreachable: there was no session for `SESSION_WAIT` seconds.
        """
        session_id = self._made_up_session
        if not self.listens_as_bot:
            session_id = await self.gateway.wait_for_session(SESSION_WAIT)
        return InteractionContext(
            guild_id=self.guild_id, channel_id=self.channel_id, session_id=session_id
        )

    async def submit_region(self, token: str, mask: bytes, prompt: str) -> None:
        """Submit the editor that a button opened. Raises as `iframe_modals.submit_region`."""
        await iframe_modals.submit_region(self._files, self._endpoints, token, mask, prompt)

    def listen(self, receive: Callable[[Event], None]) -> Coroutine[Any, Any, None]:
        """Keep the session alive and pass on its events, until Discord refuses it for good."""
        return self.gateway.run(receive)


def _endpoints(discord: DiscordSettings) -> Endpoints:
    return Endpoints(
        api_url=discord.api_url,
        gateway_url=discord.gateway_url,
        cdn_url=discord.cdn_url,
        apps_url=discord.apps_url,
    )


def _identity(discord: DiscordSettings, settings: AccountSettings) -> Identity:
    agent = settings.user_agent or discord.user_agent
    chosen = {"user_agent": agent} if agent else {}
    return Identity(token=settings.token.get_secret_value(), kind=IdentityKind.USER, **chosen)
