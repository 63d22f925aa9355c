"""A complete system for tests: simulator, server and client over real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import Struct
from pydantic import SecretStr

from athena.clock import Clock, SystemClock
from athena.server import Runtime, serving
from athena.settings import (
    AccountSettings,
    DiscordSettings,
    ServerSettings,
    Settings,
    WebhookSettings,
)
from athena.simulator.app import Simulator
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.config import DEMO, Config
from tests.conftest import WatchedWriter

GUILD = DEMO.guilds[0].id
CHANNEL = DEMO.users[0].channel_id
Json = dict[str, Any]


class System(Struct):
    """One server with one simulator."""

    url: str
    simulator: Simulator
    http: aiohttp.ClientSession

    async def post(self, path: str, body: object, **headers: str) -> Json:
        async with self.http.post(self.url + path, json=body, headers=headers) as answer:
            return dict(await answer.json())

    async def get(self, path: str, **headers: str) -> Any:
        async with self.http.get(self.url + path, headers=headers) as answer:
            return await answer.json()

    async def fetch(self, task_id: str) -> Json:
        async with self.http.get(f"{self.url}/mj/task/{task_id}/fetch") as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def listed(self, task_ids: list[str]) -> list[Json]:
        url = f"{self.url}/mj/task/list-by-condition"
        async with self.http.post(url, json={"ids": task_ids}) as answer:
            return list(await answer.json())

    async def imagine(self, prompt: str, **more: object) -> Json:
        return await self.post("/mj/submit/imagine", {"prompt": prompt, **more})

    async def until(self, task_id: str, done: Callable[[Json], bool]) -> Json:
        """Poll a task until a condition holds; the test's timeout is the limit."""
        while not done(task := await self.fetch(task_id)):
            pass
        return task

    async def ended(self, task_id: str) -> Json:
        return await self.until(
            task_id, lambda task: task["status"] in ("SUCCESS", "FAILURE", "CANCEL")
        )

    def jobs(self) -> list[Json]:
        """The jobs of the simulator's Midjourney bot."""
        return list(self.simulator.world.players[MIDJOURNEY].state()["jobs"])


def account(number: int = 0, **changes: Any) -> AccountSettings:
    """One of the demo users; profile queries are off by default."""
    user = DEMO.users[number]
    return AccountSettings(
        **{
            "token": SecretStr(user.token),
            "guild_id": GUILD,
            "channel_id": user.channel_id,
            "core_size": 3,
            "queue_size": 50,
            "refresh_minutes": 0,
            **changes,
        }
    )


Build = Callable[..., Awaitable[System]]


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Build]:
    """Builds systems; all are closed after the test."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> System:
            return await stack.enter_async_context(system_at(tmp_path / "data", **settings))

        yield make


@pytest.fixture
async def system(build: Build) -> System:
    """A system with one account, whose jobs take no time."""
    return await build()


@asynccontextmanager
async def system_at(
    folder: Path,
    *,
    accounts: list[AccountSettings] | None = None,
    speed: float = float("inf"),
    config: Config = DEMO,
    simulator: Simulator | None = None,
    simulator_clock: Clock | None = None,
    clock: Clock | None = None,
    secret: str = "",
    body_limit_mb: int = 50,
    webhooks: WebhookSettings | None = None,
    **more: Any,
) -> AsyncIterator[System]:
    async with AsyncExitStack() as stack:
        if simulator is None:
            simulator = await stack.enter_async_context(
                Simulator(config, speed=speed, clock=simulator_clock)
            )
        settings = using_simulator(
            simulator,
            data_dir=folder,
            accounts=accounts or [account()],
            server=ServerSettings(
                port=0, secret=SecretStr(secret) if secret else None, body_limit_mb=body_limit_mb
            ),
            webhooks=webhooks or WebhookSettings(),
            **more,
        )
        url = await stack.enter_async_context(
            serving(settings, Runtime(clock=clock or SystemClock(), make_writer=WatchedWriter))
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield System(url, simulator, http)


def using_simulator(simulator: Simulator, rest_connections: int = 100, **settings: Any) -> Settings:
    """Settings that use a simulator instead of Discord."""
    urls = simulator.urls
    discord = DiscordSettings(
        api_url=urls.api,
        gateway_url=urls.gateway,
        cdn_url=urls.cdn,
        apps_url=urls.apps,
        rest_connections=rest_connections,
    )
    return Settings(discord=discord, **settings)
