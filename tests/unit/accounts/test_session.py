"""What a session tells of itself, and what that changes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from athena.accounts.session import AccountSession
from athena.clock import TurnableClock
from athena.discord import events, wire
from athena.discord.errors import GatewayRefused, ServerFault, TokenRefused, Unauthorized
from athena.midjourney import commands
from athena.store.account_directory import AccountState
from athena.tasks.model import Status
from tests.unit.accounts.assembly import Account, finished
from tests.unit.discord.settling import settle
from tests.unit.fakes import make_task

READY = events.Ready("session", wire.User(id="77", username="me"), True)


class Connected(Account):
    """An account whose session runs."""

    def __init__(self, clock: TurnableClock, **settings: Any) -> None:
        super().__init__(clock, **settings)
        self.status.go_offline()
        self.session = AccountSession(
            self.status, cast(Any, self.connection), self.receiver, self.recovery,
            self.refresher, self.supervisor,
        )  # fmt: skip
        self.running = asyncio.create_task(self.session.run())

    async def tell(self, *told: events.Event) -> None:
        await settle()
        for event in told:
            self.connection.receive(event)
        await settle()

    @property
    def questions(self) -> list[str]:
        acts = [each for each, _ in self.interactor.acts]
        return [each.name for each in acts if isinstance(each, commands.UseCommand)]

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})
        await self.supervisor.close()


@pytest.fixture
async def account(clock: TurnableClock) -> AsyncIterator[Connected]:
    account = Connected(clock)
    yield account
    await account.close()


async def test_a_new_session_is_online_reads_the_history_and_asks_for_the_profile(
    account: Connected,
) -> None:
    task = account.sent(make_task())
    done = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    account.connection.messages_of_channel.append(done)
    await account.tell(READY)
    assert account.status.is_online
    assert account.connection.user_id == "77"
    assert account.questions == ["info", "settings"]
    assert account.now(task).status is Status.SUCCESS


async def test_the_history_is_tried_again_after_a_start(account: Connected) -> None:
    """Finding 16."""
    task = account.sent(make_task())
    done = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    account.connection.messages_of_channel.append(done)
    account.connection.errors.append(ServerFault("500"))
    await account.tell(READY)
    assert account.now(task) is task
    account.clock.turn(8)
    await settle()
    assert account.now(task).status is Status.SUCCESS


async def test_nothing_is_asked_where_nothing_is_to_be_asked(clock: TurnableClock) -> None:
    account = Connected(clock, refresh_minutes=0)
    await account.tell(READY)
    assert (account.status.is_online, account.questions) == (True, [])
    await account.close()


async def test_a_listening_bot_is_not_the_user(account: Connected) -> None:
    account.connection.listens_as_bot = True
    account.connection.user_id = None
    await account.tell(READY)
    assert account.connection.user_id == "7"
    assert account.status.is_online
    assert account.questions == []


@pytest.mark.parametrize(
    ("error", "state"),
    [(Unauthorized("401"), AccountState.STOPPED), (ServerFault("500"), AccountState.ONLINE)],
)
async def test_a_user_s_token_that_is_refused_stops_the_account(
    account: Connected, error: Exception, state: AccountState
) -> None:
    account.connection.listens_as_bot = True
    account.connection.user_errors.append(error)
    await account.tell(READY)
    assert account.status.state is state
    assert account.supervisor._running == {}


async def test_a_stopped_account_stays_stopped_when_its_session_returns(
    account: Connected,
) -> None:
    account.status.stop("no")
    account.sent(make_task())
    await account.tell(READY, events.Resumed("session"))
    assert account.status.is_stopped
    assert (account.connection.calls, account.questions) == (0, [])


async def test_a_break_is_offline_and_a_resumed_session_online(account: Connected) -> None:
    await account.tell(READY, events.Disconnected(4000, "gone"))
    assert account.status.state is AccountState.CONNECTING
    calls = account.connection.calls
    await account.tell(events.Resumed("session"))
    assert account.status.is_online
    assert account.connection.calls == calls


async def test_lost_events_are_read_from_the_history(account: Connected) -> None:
    task = account.sent(make_task())
    await account.tell(READY)
    done = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    account.connection.messages_of_channel.append(done)
    await account.tell(events.Gap(3))
    assert account.now(task) is task
    account.clock.turn(2)
    await settle()
    assert account.now(task).status is Status.SUCCESS


async def test_messages_go_to_the_receiver(account: Connected) -> None:
    task = account.sent(make_task())
    done = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    await account.tell(READY, events.MessageCreated(done))
    assert account.now(task).status is Status.SUCCESS


async def test_a_fault_over_one_event_costs_neither_session_nor_the_next_event(
    account: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 5."""
    real = account.receiver.receive
    faults = [KeyError("fault")]

    def receive(event: events.Event) -> None:
        if faults:
            raise faults.pop()
        real(event)

    monkeypatch.setattr(account.receiver, "receive", receive)
    task = account.sent(make_task())
    done = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    await account.tell(READY, events.MessageCreated(done), events.MessageCreated(done))
    assert account.now(task).status is Status.SUCCESS
    assert not account.running.done()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TokenRefused("4004"), "Discord refused this account's token."),
        (Unauthorized("401"), "Discord refused this account's token."),
        (GatewayRefused(4013, "intents"), "Discord closed the session for good: close code 4013"),
    ],
)
async def test_a_final_refusal_stops_the_account(
    account: Connected, error: Exception, said: str
) -> None:
    await account.tell(READY)
    account.connection.end(error)
    await account.running
    assert account.status.is_stopped
    assert account.status.reason.startswith(said)


async def test_another_end_of_the_session_is_raised_and_the_account_offline(
    account: Connected,
) -> None:
    await account.tell(READY)
    account.connection.end(KeyError("fault"))
    with pytest.raises(KeyError):
        await account.running
    assert account.status.state is AccountState.CONNECTING
