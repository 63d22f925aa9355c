"""The history is read far enough back, in order, and again until it could be read."""

import asyncio
from random import Random
from typing import Any, cast

import pytest
from msgspec.structs import replace

from athena.accounts.recovery import Recovery
from athena.clock import TurnableClock
from athena.discord import wire
from athena.discord.errors import ServerFault
from athena.discord.history import MessagePage
from athena.discord.snowflakes import first_of
from athena.tasks.model import Status
from tests.unit.accounts.assembly import Account, bot_message, finished
from tests.unit.discord.settling import settle
from tests.unit.fakes import make_task, sent

SECOND = 1_000 << 22
DAY = 24 * 60 * 60


class Recorder:
    """A receiver that keeps what it is given."""

    def __init__(self) -> None:
        self.read_ids: list[str] = []
        self.live: set[bool] = set()
        self.odd = ""
        """The id of a message over which it fails."""

    def read(self, message: wire.Message, *, live: bool = True) -> None:
        self.read_ids.append(message.id)
        self.live.add(live)
        if message.id == self.odd:
            raise KeyError("fault")


class Middle(Random):
    """No jitter: the middle of every range."""

    def random(self) -> float:
        return 0.5


class Reading(Account):
    """An account whose history goes to a recorder."""

    def __init__(self, clock: TurnableClock) -> None:
        super().__init__(clock)
        self.read = Recorder()
        self.recovery = Recovery(
            self.tasks, cast(Any, self.connection), cast(Any, self.read), clock, Middle()
        )

    def history(self, *ids: int) -> None:
        self.connection.messages_of_channel += [bot_message(str(each)) for each in ids]


@pytest.fixture
async def account(clock: TurnableClock) -> Reading:
    return Reading(clock)


async def test_when_nothing_is_on_its_way_nothing_is_asked(account: Reading) -> None:
    account.begin(make_task())
    account.history(5)
    assert await account.recovery.catch_up()
    assert (account.connection.calls, account.read.read_ids) == (0, [])


async def test_messages_are_read_from_ten_seconds_before_the_nonce(account: Reading) -> None:
    """M16: Discord's clock may lag behind ours."""
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    old, oldest = nonce - 10 * SECOND - 1, nonce - 10 * SECOND
    account.history(nonce + SECOND, oldest, old)
    assert await account.recovery.catch_up()
    assert account.read.read_ids == [str(oldest), str(nonce + SECOND)]
    assert account.read.live == {False}


async def test_it_is_read_back_to_the_oldest_task_on_its_way(account: Reading) -> None:
    oldest = int(account.sent(make_task(1)).ids.nonce or 0)
    account.clock.turn(600)
    account.sent(make_task(2))
    account.history(oldest)
    await account.recovery.catch_up()
    assert account.read.read_ids == [str(oldest)]


async def test_an_orphaned_task_s_job_is_looked_for_too(account: Reading) -> None:
    task = account.sent(make_task())
    account.cancel(task)
    await account.recovery.catch_up()
    assert account.connection.calls == 1


async def test_it_is_read_back_for_a_day_at_most(account: Reading, clock: TurnableClock) -> None:
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    clock.turn(2 * DAY)
    bound = first_of(clock.now() - DAY * 1_000)
    account.history(nonce, bound - 1, bound)
    await account.recovery.catch_up()
    assert account.read.read_ids == [str(bound)]


async def test_a_task_without_a_nonce_does_not_count(
    account: Reading, clock: TurnableClock
) -> None:
    """Of a database of an earlier version."""
    task = sent(make_task(), "77", clock)
    account.submit(replace(task, ids=replace(task.ids, nonce=None)))
    assert await account.recovery.catch_up()
    assert account.connection.calls == 0


async def test_pages_are_read_until_one_reaches_back_far_enough(account: Reading) -> None:
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    ids = [nonce + number for number in range(150)] + [nonce - 20 * SECOND - n for n in range(200)]
    account.history(*ids)
    await account.recovery.catch_up()
    assert account.connection.calls == 2
    assert account.read.read_ids == [str(nonce + number) for number in range(150)]


async def test_the_first_page_that_is_not_full_is_the_last(account: Reading) -> None:
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    account.history(*(nonce + number for number in range(100)))
    await account.recovery.catch_up()
    assert account.connection.calls == 2
    assert len(account.read.read_ids) == 100


async def test_a_full_page_whose_messages_are_all_unreadable_is_not_the_last(
    account: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 14: what is skipped does not hide what is older."""
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    asked: list[str | None] = []
    pages = [
        MessagePage(messages=(), oldest_id=str(nonce + 5), full=True),
        MessagePage(messages=(bot_message(str(nonce + 1)),), oldest_id=None, full=True),
    ]

    async def messages(channel: str, *, limit: int, before: str | None = None) -> MessagePage:
        assert (channel, limit) == ("5", 100)
        asked.append(before)
        return pages.pop(0)

    monkeypatch.setattr(account.connection, "messages", messages)
    assert await account.recovery.catch_up()
    assert asked == [None, str(nonce + 5)]
    assert account.read.read_ids == [str(nonce + 1)]


async def test_a_page_that_ends_where_the_task_begins_is_not_the_last(
    account: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = int(account.sent(make_task()).ids.nonce or 0) - 10 * SECOND
    oldest = [since, since - 1]

    async def messages(channel: str, *, limit: int, before: str | None = None) -> MessagePage:
        return MessagePage(messages=(), oldest_id=str(oldest.pop(0)), full=True)

    monkeypatch.setattr(account.connection, "messages", messages)
    await account.recovery.catch_up()
    assert oldest == []


async def test_so_many_pages_are_read_and_no_more(account: Reading) -> None:
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    account.history(*(nonce + number for number in range(1_200)))
    assert await account.recovery.catch_up()
    assert account.connection.calls == 10
    assert len(account.read.read_ids) == 1_000


async def test_a_history_that_cannot_be_read_is_told(account: Reading) -> None:
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    account.history(nonce)
    account.connection.errors.append(ServerFault("500"))
    assert not await account.recovery.catch_up()
    assert account.read.read_ids == []
    assert await account.recovery.catch_up()
    assert account.read.read_ids == [str(nonce)]


async def test_a_fault_over_one_message_costs_no_other(account: Reading) -> None:
    """Findings 5 and 14: else it would be met again with every look, and no deadline held."""
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    account.history(nonce, nonce + 1)
    account.read.odd = str(nonce)
    assert await account.recovery.catch_up()
    assert account.read.read_ids == [str(nonce), str(nonce + 1)]


async def test_who_asks_while_it_is_read_gets_the_next_reading_together(account: Reading) -> None:
    account.sent(make_task())
    asking = [asyncio.create_task(account.recovery.catch_up()) for _ in range(4)]
    assert await asyncio.gather(*asking) == [True] * 4
    assert account.connection.calls == 2


async def test_a_failed_reading_answers_those_who_asked_for_it_alone(account: Reading) -> None:
    """The first reading works; the second, for those who came meanwhile, does not."""
    account.sent(make_task())
    first = asyncio.create_task(account.recovery.catch_up())
    await asyncio.sleep(0)
    second = asyncio.create_task(account.recovery.catch_up())
    assert await first
    account.connection.errors.append(ServerFault("500"))
    assert not await second


async def test_a_history_is_tried_again_with_growing_pauses(account: Reading) -> None:
    """Finding 16: four refusals cost less than a minute, where it was the task's deadline."""
    nonce = int(account.sent(make_task()).ids.nonce or 0)
    account.history(nonce)
    account.connection.errors += [ServerFault("500") for _ in range(3)]
    reading = asyncio.create_task(account.recovery.until_read())
    pauses = []
    await settle()
    while not reading.done():
        pauses.append(account.clock.next_waking() or 0.0)
        account.clock.turn(pauses[-1])
        await settle()
    assert account.connection.calls == 4
    assert pauses == [5, 10, 20]
    assert account.read.read_ids == [str(nonce)]


async def test_pauses_between_tries_have_a_bound(account: Reading) -> None:
    account.sent(make_task())
    account.connection.errors += [ServerFault("500") for _ in range(12)]
    reading = asyncio.create_task(account.recovery.until_read())
    await settle()
    while not reading.done():
        pause = account.clock.next_waking() or 0.0
        account.clock.turn(pause)
        await settle()
    assert pause == 60


async def test_after_a_gap_the_rest_of_it_is_waited_for(account: Reading) -> None:
    account.sent(make_task())
    account.connection.errors.append(ServerFault("500"))
    reading = asyncio.create_task(account.recovery.after_gap())
    await settle()
    account.clock.turn(1.9)
    await settle()
    assert account.connection.calls == 0
    account.clock.turn(0.1)
    await settle()
    assert account.connection.calls == 1
    account.clock.turn(account.clock.next_waking() or 0)
    await reading
    assert account.connection.calls == 2


async def test_what_the_session_missed_ends_its_task(clock: TurnableClock) -> None:
    """Through the real receiver."""
    account = Account(clock)
    task = account.sent(make_task())
    done = finished(account.interactor.nonce(), task)
    account.connection.messages_of_channel.append(done)
    await account.recovery.until_read()
    assert account.now(task).status is Status.SUCCESS
