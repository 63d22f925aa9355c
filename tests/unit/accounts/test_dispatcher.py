"""What waits is sent as slots come free; no fault of a send is lost or harms another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from athena.accounts import dispatcher as module
from athena.accounts.dispatcher import Dispatcher
from athena.clock import TurnableClock
from athena.tasks import lifecycle
from athena.tasks.model import Sending, Status, Task
from tests.unit.accounts.assembly import Account, account_settings
from tests.unit.discord.settling import settle
from tests.unit.fakes import make_task


class FakeSender:
    """Sends when the gate is open; `fault` is raised in place of it."""

    def __init__(self, account: Account) -> None:
        self.sent: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None
        self.account = account

    async def send(self, task: Task) -> None:
        self.sent.append(task.id)
        await self.gate.wait()
        if self.fault:
            raise self.fault
        nonce = self.account.interactor.nonce()
        self.account.tasks.apply(task.id, lambda each: lifecycle.begin_sending(each, nonce, 1))


class DispatchingAccount(Account):
    """An account whose dispatcher runs."""

    def __init__(self, clock: TurnableClock, **settings: Any) -> None:
        super().__init__(clock, **settings)
        self.fake = FakeSender(self)
        self.dispatcher = Dispatcher(
            self.status, self.tasks, cast(Any, self.fake), self.supervisor, clock
        )

    async def submit_all(self, *numbers: int) -> list[Task]:
        tasks = [self.submit(make_task(number)) for number in numbers]
        await settle()
        return tasks

    def end(self, task: Task) -> None:
        self.tasks.apply(task.id, lambda each: lifecycle.fail(each, "no", 1))


Start = Callable[..., DispatchingAccount]


@pytest.fixture
async def start(clock: TurnableClock) -> AsyncIterator[Start]:
    started: list[DispatchingAccount] = []

    def begin(**settings: Any) -> DispatchingAccount:
        account = DispatchingAccount(clock, **settings)
        account.supervisor.start("dispatcher", account.dispatcher.run)
        started.append(account)
        return account

    yield begin
    for account in started:
        await account.supervisor.close()


async def test_tasks_are_sent_into_free_slots_in_their_order(start: Start) -> None:
    account = start(core_size=2)
    tasks = await account.submit_all(1, 2, 3)
    assert account.fake.sent == [each.id for each in tasks[:2]]
    account.end(tasks[0])
    await settle()
    assert account.fake.sent == [each.id for each in tasks]


async def test_one_slow_send_holds_up_no_other(start: Start) -> None:
    account = start(core_size=2)
    account.fake.gate.clear()
    tasks = await account.submit_all(1, 2)
    assert account.fake.sent == [each.id for each in tasks]
    names = sorted(each.get_name() for each in account.supervisor._running)
    assert names == ["5/dispatcher", "5/send", "5/send"]


async def test_another_number_of_slots_counts_at_once(start: Start) -> None:
    """Finding 25."""
    account = start(core_size=1)
    await account.submit_all(1, 2, 3)
    assert len(account.fake.sent) == 1
    account.status.configure(account_settings(core_size=3))
    await settle()
    assert len(account.fake.sent) == 3


async def test_an_account_that_is_not_online_sends_nothing(start: Start) -> None:
    account = start()
    account.status.go_offline()
    await account.submit_all(1)
    assert account.fake.sent == []
    account.status.go_online()
    await settle()
    assert len(account.fake.sent) == 1
    account.status.stop("no")
    await account.submit_all(2)
    assert len(account.fake.sent) == 1


async def test_a_fault_of_a_send_ends_its_task_and_nothing_else(start: Start) -> None:
    account = start(core_size=1)
    account.fake.fault = KeyError("fault")
    [first] = await account.submit_all(1)
    after = account.now(first)
    assert after.failure is not None
    assert after.failure.reason == "Athena could not send it: KeyError"
    assert after.status is Status.FAILURE
    account.fake.fault = None
    [second] = await account.submit_all(2)
    assert account.now(second).sending is Sending.SENDING
    assert account.supervisor.errors == {}


async def test_a_fault_of_a_send_leaves_alone_what_was_begun_meanwhile(start: Start) -> None:
    account = start(core_size=1)
    account.fake.gate.clear()
    account.fake.fault = KeyError("fault")
    [task] = await account.submit_all(1)
    account.tasks.apply(task.id, lambda each: lifecycle.begin_sending(each, "77", 1))
    account.fake.gate.set()
    await settle()
    assert not account.now(task).ended


async def test_an_end_waits_for_commands_that_are_on_their_way(start: Start) -> None:
    account = start()
    account.fake.gate.clear()
    [task] = await account.submit_all(1)
    draining = asyncio.create_task(account.dispatcher.drain())
    await settle()
    assert not draining.done()
    account.fake.gate.set()
    await draining
    assert account.now(task).sending is Sending.SENDING
    assert account.dispatcher._sending == set()


async def test_an_end_with_nothing_on_its_way_waits_for_nothing(start: Start) -> None:
    await start().dispatcher.drain()


async def test_nothing_is_begun_any_more_while_an_end_waits(start: Start) -> None:
    """The session may come back meanwhile; what is begun then would be cut off."""
    account = start()
    account.fake.gate.clear()
    [first] = await account.submit_all(1)
    account.status.go_offline()
    draining = asyncio.create_task(account.dispatcher.drain())
    await settle()
    account.status.go_online()
    [second] = await account.submit_all(2)
    account.fake.gate.set()
    await draining
    await settle()
    assert account.fake.sent == [first.id]
    assert account.queue.place_of(second.id) == "waiting"


async def test_an_end_waits_only_so_long(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DRAIN", 0)
    account = start()
    account.fake.gate.clear()
    await account.submit_all(1)
    await account.dispatcher.drain()
    assert len(account.dispatcher._sending) == 1
