"""An interaction waits for the session that it names."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from athena.accounts.connection import SESSION_WAIT, Connection
from athena.clock import TurnableClock
from athena.discord.errors import Unreachable
from athena.discord.http_sessions import HttpSessions, open_sessions
from athena.settings import AccountSettings, DiscordSettings
from tests.unit.discord.settling import settle


@pytest.fixture
async def http() -> AsyncIterator[HttpSessions]:
    async with open_sessions() as sessions:
        yield sessions


def connection(http: HttpSessions, clock: TurnableClock, bot: str | None = None) -> Connection:
    settings = AccountSettings(
        token=SecretStr("user-token"),
        bot_token=SecretStr(bot) if bot else None,
        guild_id="1",
        channel_id="2",
    )
    return Connection(http, DiscordSettings(), settings, clock, random.Random(1))


async def test_without_a_session_nothing_is_sent(http: HttpSessions, clock: TurnableClock) -> None:
    waiting = asyncio.create_task(connection(http, clock).interaction_context())
    await settle()
    clock.turn(SESSION_WAIT - 1)
    await settle()
    assert not waiting.done()
    clock.turn(1)
    with pytest.raises(Unreachable):
        await waiting


async def test_while_a_bot_listens_the_user_s_session_is_made_up(
    http: HttpSessions, clock: TurnableClock
) -> None:
    context = await connection(http, clock, bot="bot-token").interaction_context()
    assert len(context.session_id) == 32
    assert (context.guild_id, context.channel_id) == ("1", "2")
