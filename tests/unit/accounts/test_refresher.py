"""The account's profile is asked for as its settings say now, and hours that ran out are met."""

import asyncio

import pytest

from athena.clock import TurnableClock
from athena.discord.errors import ServerFault, Unauthorized
from athena.midjourney import NIJI, commands
from athena.store.account_directory import AccountState, AccountStatus
from athena.tasks.bot_events import Profile
from athena.tasks.model import Bot
from tests.unit.accounts.assembly import Account, account_settings
from tests.unit.discord.settling import settle


@pytest.fixture
async def account(clock: TurnableClock) -> Account:
    return Account(clock, refresh_minutes=10, relax_when_exhausted=True)


def asked(account: Account) -> list[str]:
    acts = [each for each, _ in account.interactor.acts]
    return [each.name for each in acts if isinstance(each, commands.UseCommand)]


async def test_the_pause_follows_the_settings_as_they_are_now(account: Account) -> None:
    """Finding 25."""
    pauses = [account.refresher.pause() for _ in range(50)]
    assert all(540 <= pause <= 660 for pause in pauses)
    assert max(pauses) - min(pauses) > 60
    account.status.configure(account_settings(refresh_minutes=1))
    assert account.refresher.pause() <= 66
    account.status.configure(account_settings(refresh_minutes=0))
    assert account.refresher.pause() == 3_600


async def test_a_turn_asks_both_questions(account: Account) -> None:
    await account.refresher.turn()
    assert asked(account) == ["info", "settings"]


async def test_nothing_is_asked_offline_or_when_nothing_is_to_be_asked(account: Account) -> None:
    account.status.go_offline()
    await account.refresher.turn()
    account.status.go_online()
    account.status.configure(account_settings(refresh_minutes=0))
    await account.refresher.turn()
    assert asked(account) == []


async def test_a_question_that_fails_does_not_cost_the_other(account: Account) -> None:
    account.interactor.errors.append(ServerFault("500"))
    await account.refresher.refresh()
    assert asked(account) == ["settings"]


async def test_relaxed_mode_is_only_tried_where_it_is_allowed(account: Account) -> None:
    """Finding 25."""
    assert account.refresher.may_relax()
    account.status.configure(account_settings())
    assert not account.refresher.may_relax()


async def test_nothing_is_sent_until_the_bot_was_told_of_relaxed_mode(account: Account) -> None:
    account.interactor.act_gate.clear()
    states: list[AccountState] = []

    def note(status: AccountStatus) -> None:
        states.append(status.state)

    account.directory.subscribe(note)
    relaxing = asyncio.create_task(account.refresher.relax())
    await settle()
    assert not account.status.is_online
    account.interactor.act_gate.set()
    await relaxing
    assert account.status.is_online
    assert account.status.profile.mode == "Relaxed"
    assert asked(account) == ["relax"]
    assert states[-2:] == [AccountState.CONNECTING, AccountState.ONLINE]


async def test_relaxed_mode_is_entered_once(account: Account) -> None:
    await account.refresher.relax()
    await account.refresher.relax()
    assert asked(account) == ["relax"]


async def test_jobs_sent_before_may_be_refused_for_a_moment_after(account: Account) -> None:
    await account.refresher.relax()
    account.clock.turn(119.999)
    assert account.refresher.may_relax()
    account.clock.turn(0.001)
    assert not account.refresher.may_relax()


async def test_an_account_that_was_relaxed_before_is_stopped_by_its_hours(
    account: Account,
) -> None:
    account.status.learn(Profile(mode="Relaxed"))
    assert not account.refresher.may_relax()


async def test_a_switch_that_fails_lets_the_account_go_on(account: Account) -> None:
    account.interactor.errors.append(ServerFault("500"))
    await account.refresher.relax()
    assert account.status.is_online


async def test_an_account_that_is_stopped_meanwhile_stays_so(account: Account) -> None:
    account.interactor.act_gate.clear()
    relaxing = asyncio.create_task(account.refresher.relax())
    await settle()
    account.status.stop("no")
    account.interactor.act_gate.set()
    await relaxing
    assert account.status.is_stopped


async def test_switches_are_used_and_their_faults_told(account: Account) -> None:
    await account.refresher.use_switch(commands.Switch.FAST, Bot.NIJI)
    [(interaction, _)] = account.interactor.acts
    assert interaction == commands.UseCommand(application=NIJI, name="fast")
    await account.refresher.use_switch(commands.Switch.TURBO)
    assert account.interactor.acts[1][0].application != NIJI
    account.interactor.errors.append(Unauthorized("401"))
    with pytest.raises(Unauthorized):
        await account.refresher.use_switch(commands.Switch.FAST)
