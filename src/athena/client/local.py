"""A server inside this process, for those who want none: for one's own account, or the simulator.

It listens on a free loopback port with a secret made up for the occasion. So a program that works
without a server works with one too, and the other way round.
"""

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pydantic
from pydantic import SecretStr

from athena.client.errors import AthenaError
from athena.errors import StoreError
from athena.server import serving
from athena.settings import AccountSettings, DiscordSettings, Settings
from athena.simulator.app import Simulator, Urls
from athena.simulator.config import DEMO
from athena.tasks.model import ImageLinks


def direct(token: str, guild: str, channel: str, data_dir: Path) -> Settings:
    """Settings of one account.

    Raises:
        AthenaError: an id cannot be one.
    """
    try:
        account = AccountSettings(token=SecretStr(token), guild_id=guild, channel_id=channel)
    except pydantic.ValidationError as error:
        faults = (f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise AthenaError("; ".join(faults)) from None
    return Settings().model_copy(update={"accounts": [account], "data_dir": data_dir})


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[tuple[str, str]]:
    """A server with these settings for this process alone: its URL and its secret.

    Raises:
        AthenaError: another process works with its data folder, or that cannot be used.
    """
    secret = secrets.token_urlsafe(24)
    alone = {"host": "127.0.0.1", "port": 0, "secret": SecretStr(secret)}
    images = settings.images.model_copy(update={"links": ImageLinks.ORIGIN})
    private = settings.model_copy(
        update={"server": settings.server.model_copy(update=alone), "images": images}
    )
    try:
        async with serving(private) as url:
            yield url, secret
    except StoreError as error:
        raise AthenaError(str(error)) from error


@asynccontextmanager
async def simulated(speed: float) -> AsyncIterator[tuple[str, str]]:
    """The same with the simulator in Discord's place, in a world that ends with it."""
    with tempfile.TemporaryDirectory(prefix="athena-") as folder:
        settings = Settings().model_copy(update={"data_dir": Path(folder)})
        async with standing_in(settings, speed=speed) as (led, _), served(led) as place:
            yield place


@asynccontextmanager
async def standing_in(
    settings: Settings, *, speed: float, seed: int = 7
) -> AsyncIterator[tuple[Settings, Urls]]:
    """A running simulator on a free loopback port, and the same settings led to it."""
    async with Simulator(DEMO, speed=speed, seed=seed) as simulator:
        yield led_to(settings, simulator.urls), simulator.urls


def led_to(settings: Settings, urls: Urls) -> Settings:
    """Settings with the simulator's URLs and its first demo account. Only base URLs and the account
    differ; nothing else knows that Discord is not the real one."""
    first = DEMO.users[0]
    account = AccountSettings(
        token=SecretStr(first.token),
        guild_id=DEMO.guild_of(first),
        channel_id=first.channel_id,
        remark="demo",
    )
    discord = DiscordSettings(
        api_url=urls.api, gateway_url=urls.gateway, cdn_url=urls.cdn, apps_url=urls.apps
    )
    return settings.model_copy(update={"accounts": [account], "discord": discord})
