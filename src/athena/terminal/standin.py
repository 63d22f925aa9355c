"""The stand-in inside this process, and settings that lead to it instead of to Discord.

Only base URLs and the demo account differ; nothing else knows that Discord is not the real one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from athena.settings import AccountSettings, DiscordSettings, Settings
from athena.simulator.app import StandIn, Urls
from athena.simulator.config import DEMO


@asynccontextmanager
async def simulated(
    settings: Settings, *, speed: float, seed: int = 7
) -> AsyncIterator[tuple[Settings, Urls]]:
    """A running stand-in on a free loopback port, and the same settings led to it."""
    async with StandIn(DEMO, speed=speed, seed=seed) as standin:
        yield led_to(settings, standin.urls), standin.urls


def led_to(settings: Settings, urls: Urls) -> Settings:
    """Settings with the stand-in's URLs and its first demo account."""
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
