"""A seed is asked for by the envelope, then in the bot's direct channel, and then given up."""

import asyncio

import pytest
from msgspec.structs import replace

from athena.clock import TurnableClock
from athena.discord.errors import Forbidden
from athena.discord.interactions import InteractionContext
from athena.errors import NoAnswer, NotSupported
from athena.midjourney import MIDJOURNEY, commands
from athena.tasks.model import CorrelationIds, Task
from tests.unit.accounts.assembly import JOB, Account
from tests.unit.discord.settling import settle
from tests.unit.fakes import make_task

DIRECT = f"direct-{MIDJOURNEY}"


@pytest.fixture
async def account(clock: TurnableClock) -> Account:
    return Account(clock)


@pytest.fixture
def task() -> Task:
    return make_task(ids=CorrelationIds(job=JOB, message="60"))


async def ask(account: Account, task: Task) -> "asyncio.Task[str]":
    asking = asyncio.create_task(account.seeds.ask(task))
    await settle()
    return asking


async def later(account: Account, seconds: float) -> None:
    account.clock.turn(seconds)
    await settle()


@pytest.mark.parametrize("ids", [CorrelationIds(job=JOB), CorrelationIds(message="60")])
async def test_without_a_job_there_is_no_seed(account: Account, ids: CorrelationIds) -> None:
    with pytest.raises(NotSupported):
        await account.seeds.ask(make_task(ids=ids))


async def test_the_envelope_brings_the_seed(account: Account, task: Task) -> None:
    asking = await ask(account, task)
    assert account.connection.reactions == [("5", "60")]
    account.seeds.told("other", "1")
    account.seeds.told(JOB, "42")
    account.seeds.told(JOB, "43")
    assert await asking == "42"
    await settle()
    assert account.interactor.acts == []
    assert account.seeds._asked == {}


async def test_those_who_ask_for_the_same_share_one_answer(account: Account, task: Task) -> None:
    first, second = await ask(account, task), await ask(account, task)
    third = await ask(account, replace(task, ids=CorrelationIds(job="other", message="61")))
    first.cancel()
    account.seeds.told(JOB, "42")
    assert await second == "42"
    assert account.connection.reactions == [("5", "60"), ("5", "61")]
    account.seeds.told("other", "1")
    assert await third == "1"


async def test_where_the_envelope_brings_nothing_the_job_is_shown_in_the_direct_channel(
    account: Account, task: Task
) -> None:
    asking = await ask(account, task)
    await later(account, 19.9)
    assert account.interactor.acts == []
    await later(account, 0.1)
    [(interaction, _)] = account.interactor.acts
    assert interaction == commands.show_command(JOB, task.bot)
    assert account.interactor.contexts == [
        InteractionContext(guild_id=None, channel_id=DIRECT, session_id="session")
    ]
    account.seeds.shown("other", DIRECT, "69")
    account.seeds.shown(JOB, DIRECT, "70")
    account.seeds.shown(JOB, DIRECT, "71")
    await settle()
    assert account.connection.reactions == [("5", "60"), (DIRECT, "70")]
    account.seeds.told(JOB, "42")
    assert await asking == "42"
    assert account.seeds._shown == {}


async def test_a_seed_that_is_never_told_is_no_answer(account: Account, task: Task) -> None:
    asking = await ask(account, task)
    await later(account, 20)
    await later(account, 20)
    assert not asking.done()
    await later(account, 20)
    with pytest.raises(NoAnswer, match="did not send the seed"):
        await asking
    assert (account.seeds._asked, account.seeds._shown) == ({}, {})


async def test_what_discord_refuses_is_no_answer(account: Account, task: Task) -> None:
    account.connection.errors.append(Forbidden("403"))
    with pytest.raises(NoAnswer, match="403"):
        await account.seeds.ask(task)
    again = await ask(account, task)
    account.seeds.told(JOB, "42")
    assert await again == "42"


async def test_a_fault_is_told_to_whoever_waits(account: Account, task: Task) -> None:
    def fault() -> None:
        raise KeyError("fault")

    account.connection.on_react = fault
    with pytest.raises(KeyError):
        await account.seeds.ask(task)
