"""A server inside this process, for your own account or for the simulator.

It listens on a free loopback port with a random secret. A program therefore works the same with and
without a separate server.
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
    """Settings with one account.

    Raises:
        AthenaError: an id is invalid.
    """
    try:
        account = AccountSettings(token=SecretStr(token), guild_id=guild, channel_id=channel)
    except pydantic.ValidationError as error:
        faults = (f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise AthenaError("; ".join(faults)) from None
    return Settings().model_copy(update={"accounts": [account], "data_dir": data_dir})


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[tuple[str, str]]:
    """Run a private server with these settings; yields its URL and its secret.

    Raises:
        AthenaError: another process uses the data folder, or the folder is unusable.
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
    """Run a private server with the simulator; all its data is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="athena-") as folder:
        settings = Settings().model_copy(update={"data_dir": Path(folder)})
        async with (
            running_simulator(settings, speed=speed) as (changed, _),
            served(changed) as server,
        ):
            yield server


@asynccontextmanager
async def running_simulator(
    settings: Settings, *, speed: float, seed: int = 7
) -> AsyncIterator[tuple[Settings, Urls]]:
    """Run a simulator on a free loopback port; yields the settings changed to use it."""
    async with Simulator(DEMO, speed=speed, seed=seed) as simulator:
        yield using_simulator(settings, simulator.urls), simulator.urls


def using_simulator(settings: Settings, urls: Urls) -> Settings:
    """Settings with the simulator's URLs and its first demo account. Only base URLs and the account
    differ; the rest of the server cannot tell the simulator from Discord."""
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
