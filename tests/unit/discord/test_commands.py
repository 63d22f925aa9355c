"""Commands are found by name, read once, and shared by servers."""

import asyncio
import gc
import random
from typing import Any

import pytest
from tests.unit.discord.fakes import API, TOKEN, FakeTransport, answered

from athena.clock import TurnableClock
from athena.discord.commands import CommandCatalogue
from athena.discord.errors import UnknownCommand
from athena.discord.identity import Endpoints, Identity
from athena.discord.rest import Rest

BOT = "936929561302675456"


def command(name: str, version: str = "1", application: str = BOT, **more: Any) -> dict[str, Any]:
    return {"id": f"9{len(name)}", "application_id": application, "version": version,
            "name": name, **more}  # fmt: skip


def index(*commands: dict[str, Any]) -> Any:
    return answered({"application_commands": list(commands)})


def catalogue(transport: FakeTransport, clock: TurnableClock) -> CommandCatalogue:
    endpoints = Endpoints(api_url=API)
    rest = Rest(transport, endpoints, Identity(token=TOKEN), clock, random.Random(1))
    return CommandCatalogue(rest, "1")


async def test_sub_commands_are_parts_of_their_command(clock: TurnableClock) -> None:
    options = [{"name": "remix", "type": 1, "options": [{"name": "deep"}]}, {"type": 3}]
    transport = FakeTransport(index(command("prefer", options=options), command("imagine")))
    commands = catalogue(transport, clock)
    found, part = await commands.find(BOT, "prefer remix")
    assert (found.name, part) == ("prefer", "remix")
    assert (await commands.find(BOT, "imagine"))[1] == ""
    for application, name in [(BOT, "prefer what"), (BOT, "describe"), ("5", "imagine")]:
        with pytest.raises(UnknownCommand):
            await commands.find(application, name)
    assert len(transport.asked) == 1


async def test_callers_at_the_same_time_share_one_reading(clock: TurnableClock) -> None:
    transport = FakeTransport(index(command("imagine")))
    commands = catalogue(transport, clock)
    found = await asyncio.gather(*(commands.find(BOT, "imagine") for _ in range(5)))
    assert len({id(each) for each, _ in found}) == 1


async def test_servers_share_what_is_the_same_in_them(clock: TurnableClock) -> None:
    same, other = command("imagine"), command("play", application="5")
    first = catalogue(FakeTransport(index(same)), clock)
    second = catalogue(FakeTransport(index(other, same)), clock)
    newer = catalogue(FakeTransport(index(command("imagine", version="2"))), clock)
    found = [(await each.find(BOT, "imagine"))[0] for each in (first, second, newer)]
    assert found[0] is found[1]
    assert found[2].version == "2"


async def test_a_newer_version_replaces_the_old_one(clock: TurnableClock) -> None:
    transport = FakeTransport(index(command("imagine")), index(command("imagine", version="2")))
    commands = catalogue(transport, clock)
    assert (await commands.find(BOT, "imagine"))[0].version == "1"
    await commands.refresh()
    assert (await commands.find(BOT, "imagine"))[0].version == "2"


async def test_what_no_server_holds_is_forgotten(clock: TurnableClock) -> None:
    from athena.discord import commands as module

    commands = catalogue(FakeTransport(index(command("only here", version="77"))), clock)
    await commands.find(BOT, "only here")
    held = len(module._shared)
    del commands
    gc.collect()
    assert len(module._shared) < held
