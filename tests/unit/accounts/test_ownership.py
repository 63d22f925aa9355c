"""Only the account that owns a task changes it, and from its current state alone."""

import pytest
from msgspec.structs import replace

from athena.clock import TurnableClock
from athena.tasks import lifecycle
from athena.tasks.bot_events import Evidence
from athena.tasks.matching import Found, Nobody
from athena.tasks.model import CorrelationIds, Status, Task
from tests.unit.accounts.assembly import Account, move
from tests.unit.discord.settling import settle
from tests.unit.fakes import make_task, sent


@pytest.fixture
async def account(clock: TurnableClock) -> Account:
    return Account(clock)


def failed(task: Task) -> Task:
    return lifecycle.fail(task, "no", 5)


async def test_a_step_is_taken_from_the_current_state_and_saved(account: Account) -> None:
    old = account.begin(make_task())
    account.tasks.apply(old.id, lambda each: lifecycle.begin_sending(each, "77", 1))
    account.tasks.changed.clear()
    seen: list[Task] = []

    def step(task: Task) -> Task:
        seen.append(task)
        return failed(task)

    stored = account.tasks.apply(old.id, step)
    assert seen[0].ids.nonce == "77"
    assert account.now(old).status is Status.FAILURE
    assert account.queue.place_of(old.id) is None
    assert account.tasks.changed.is_set()
    assert stored is not None
    await stored


async def test_a_step_that_changes_nothing_is_not_saved(account: Account) -> None:
    task = account.submit(make_task())
    account.tasks.changed.clear()
    assert account.tasks.apply(task.id, lambda each: each) is None
    assert not account.repository.saved
    assert not account.tasks.changed.is_set()


async def test_an_unknown_task_is_not_changed(account: Account) -> None:
    assert account.tasks.apply("nobody", failed) is None
    assert account.tasks.current("nobody") is None


async def test_a_deleted_task_is_not_changed(account: Account) -> None:
    task = account.submit(make_task())
    await account.repository.remove(task)
    assert account.tasks.apply(task.id, failed) is None


async def test_a_task_that_was_moved_is_not_changed_by_its_former_account(
    clock: TurnableClock,
) -> None:
    """Findings 1 and 2: the former account's step has no effect and raises nothing."""
    one = Account(clock)
    other = Account(clock, "6", repository=one.repository)
    task = one.submit(make_task())
    moved = move(task, one, other)
    assert one.tasks.current(task.id) is None
    assert one.tasks.apply(task.id, failed) is None
    assert one.now(task) is moved
    assert one.queue.place_of(task.id) is None
    assert other.tasks.apply(task.id, failed) is not None


async def test_what_is_stored_is_taken_up(account: Account, clock: TurnableClock) -> None:
    waiting, running = make_task(1), sent(make_task(2), "77", clock)
    account.repository.add(waiting)
    account.repository.add(running)
    account.tasks.load()
    places = [account.queue.place_of(each.id) for each in (waiting, running)]
    assert places == ["waiting", "running"]
    assert account.index.find(Evidence(nonce="77")) == Found(running.id)
    assert account.tasks.changed.is_set()


async def test_messages_of_a_task_that_ended_lately_belong_to_no_other(
    account: Account, clock: TurnableClock
) -> None:
    ended = replace(make_task(1), status=Status.SUCCESS, ids=CorrelationIds(message="60"))
    account.repository.add(ended)
    account.repository.add(sent(make_task(2, prompt="a dog"), str(1 << 22), clock))
    account.tasks.load()
    like_a_dog = Evidence(message=str(5 << 22), prompt="a dog")
    assert account.index.find(like_a_dog) == Found(make_task(2).id)
    assert account.index.find(replace(like_a_dog, message="60")) == Nobody()


async def test_an_account_takes_up_its_own_tasks_only(clock: TurnableClock) -> None:
    """Finding 4: starting an account disturbs no other, and is disturbed by none."""
    one = Account(clock)
    other = Account(clock, "6", repository=one.repository)
    cancelled = other.cancel(other.sent(make_task(1, account="6")))
    other.repository.add(make_task(2, account="6"))
    assert other.queue.is_orphaned(cancelled.id)
    other.tasks.apply(cancelled.id, lifecycle.job_cancelled)
    one.tasks.load()
    assert (one.queue.waiting_count, one.queue.running_count) == (0, 0)
    assert one.tasks.recent() == []
    assert other.queue.place_of(cancelled.id) is None
    assert cancelled.id not in other.index


async def test_changes_of_others_are_followed(account: Account, clock: TurnableClock) -> None:
    task = account.submit(make_task())
    assert account.tasks.changed.is_set()
    account.tasks.changed.clear()
    account.tasks.follow(task.id, sent(task, "77", clock))
    assert account.queue.place_of(task.id) == "running"
    assert account.tasks.changed.is_set()
    account.tasks.changed.clear()
    account.tasks.follow(task.id, None)
    assert account.queue.place_of(task.id) is None
    assert account.tasks.changed.is_set()
    await settle()
