"""An account's live line to Discord: the session that listens and the REST calls that act."""

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import aiohttp

from athena.clock import Clock
from athena.discord import iframe_modals
from athena.discord.commands import CommandCatalogue
from athena.discord.events import Event
from athena.discord.gateway import Gateway
from athena.discord.identity import Endpoints, Identity, IdentityKind
from athena.discord.interactions import InteractionContext
from athena.discord.rest import Rest
from athena.discord.snowflakes import Snowflakes
from athena.settings import AccountSettings, DiscordSettings


class Connection:
    """What an account needs of Discord. It lives as long as the account runs."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        discord: DiscordSettings,
        settings: AccountSettings,
        clock: Clock,
        random: Random,
    ) -> None:
        self.listens_as_bot = settings.bot_token is not None
        self.guild_id = settings.guild_id
        self.channel_id = settings.channel_id
        self.user_id: str | None = None
        self.nonces = Snowflakes(clock)
        endpoints = _endpoints(discord)
        identity = _identity(discord, settings)
        proxy = discord.proxy_url or None
        self._http, self._endpoints, self._proxy = http, endpoints, proxy
        self.rest = Rest(http, endpoints, identity, clock, random, proxy=proxy)
        self._made_up_session = f"{random.getrandbits(128):032x}"
        listener, rest = identity, self.rest
        if settings.bot_token:
            token = settings.bot_token.get_secret_value()
            listener = Identity(token=token, kind=IdentityKind.BOT)
            rest = Rest(http, endpoints, listener, clock, random, proxy=proxy)
        self.gateway = Gateway(endpoints, listener, rest, clock, random, http, proxy=proxy)
        self.catalogue = CommandCatalogue(self.rest, settings.guild_id)

    @property
    def _session_id(self) -> str:
        """The session that is told of interactions; while a bot listens, the user has none, and
        Discord takes any."""
        return self._made_up_session if self.listens_as_bot else self.gateway.session_id or ""

    async def learn_user(self) -> None:
        """Ask who the user is, whom the listening bot's session does not tell.

        Raises:
            DiscordError: the question could not be asked.
        """
        self.user_id = (await self.rest.me()).id

    @property
    def place(self) -> InteractionContext:
        """Where this account's interactions happen, and which session hears of them."""
        return InteractionContext(
            guild_id=self.guild_id,
            channel_id=self.channel_id,
            session_id=self._session_id,
        )

    async def submit_region(self, token: str, mask: bytes, prompt: str) -> None:
        """Submit the editor that a press opened. Raises as `iframe_modals.submit_region`."""
        await iframe_modals.submit_region(
            self._http, self._endpoints, token, mask, prompt, proxy=self._proxy
        )

    def listen(self, receive: Callable[[Event], None]) -> Coroutine[Any, Any, None]:
        """Keep the session alive and hand on its events, until a final refusal."""
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
