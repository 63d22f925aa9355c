"""Other Discord clients work with the simulator."""

import asyncio
import io
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import discord
import pytest
from PIL import Image
from yarl import URL

from athena.simulator.app import Simulator
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.config import DEMO
from tests.simulated.conftest import CHANNEL, GUILD
from tests.simulated.test_simulator import Visitor

NODE = Path(__file__).parent / "node"


class Watcher(discord.Client):
    """A bot that records the messages in the channel."""

    def __init__(self) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.message_content = True
        super().__init__(intents=intents)
        self.is_there = asyncio.Event()
        self.created: list[str] = []
        self.edited: list[str] = []
        self.deleted: list[int] = []
        self.images: list[str] = []
        self.done = asyncio.Event()

    async def on_ready(self) -> None:
        self.is_there.set()

    async def on_message(self, message: discord.Message) -> None:
        self.created.append(message.content)
        self.images += [attachment.url for attachment in message.attachments]
        self._look()

    async def on_message_edit(self, before: discord.Message, after: discord.Message) -> None:
        self.edited.append(after.content)

    async def on_message_delete(self, message: discord.Message) -> None:
        self.deleted.append(message.id)
        self._look()

    def _look(self) -> None:
        if self.images and self.deleted:
            self.done.set()


@pytest.fixture
async def watcher(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Watcher, Simulator]]:
    async with Simulator(speed=40) as simulator:
        urls = simulator.urls
        monkeypatch.setattr(discord.http.Route, "BASE", urls.api.replace("/v9", "/v10"))
        gateway = URL(urls.gateway)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        watcher = Watcher()
        running = asyncio.create_task(watcher.start(DEMO.users[2].token))
        yield watcher, simulator
        await watcher.close()
        await running


async def test_discord_py(watcher: tuple[Watcher, Simulator]) -> None:
    bot, simulator = watcher
    await bot.is_there.wait()
    assert [guild.name for guild in bot.guilds] == [DEMO.guilds[0].name]
    async with aiohttp.ClientSession() as http:
        status, _ = await Visitor(simulator, http).use_imagine("a cute cat")
        assert status == 204
        await bot.done.wait()
        assert (
            bot.created[0] == f"**a cute cat --v 7.0** - <@{DEMO.users[0].id}> (Waiting to start)"
        )
        assert any("(31%) (fast)" in content for content in bot.edited)
        assert len(bot.created) == 2
        assert len(bot.deleted) == 1
        async with http.get(bot.images[0]) as answer:
            image = Image.open(io.BytesIO(await answer.read()))
    assert image.size == (2048, 2048)


async def test_the_npm_client(need: Callable[[str], str], tmp_path: Path) -> None:
    node, npm = need("node"), need("npm")
    for name in ("package.json", "imagine_and_upscale.js"):
        shutil.copy(NODE / name, tmp_path)
    await run(npm, "install", "--silent", "--no-audit", "--no-fund", cwd=tmp_path)
    async with Simulator(speed=40) as simulator:
        args = (simulator.urls.cdn, GUILD, CHANNEL, DEMO.users[0].token)
        out = await run(node, "imagine_and_upscale.js", *args, cwd=tmp_path)
        result = json.loads(out)
        bot = simulator.world.players[MIDJOURNEY]
        grid, single = bot.state()["jobs"]
    assert "31%" in result["progress"]
    assert result["grid"]["hash"] == grid["id"]
    assert result["single"]["hash"] == single["id"]
    assert (single["parent"], single["index"]) == (grid["id"], 2)


async def run(*command: str, cwd: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    return out
