"""A deadline holds in every state of the account, and never ends what is known to be done."""

from typing import Any, cast

import pytest
from msgspec.structs import replace

from athena.accounts.watchdog import UNREADABLE
from athena.clock import TurnableClock
from athena.discord.errors import ServerFault, Unauthorized
from athena.tasks import lifecycle
from athena.tasks.model import Sending, Status, Task
from tests.unit.accounts.assembly import Account, account_settings, finished, notice, progress
from tests.unit.accounts.assembly import caused_by as by
from tests.unit.fakes import make_task, modal

SILENT = "No sign of life for 300 seconds."


@pytest.fixture
async def account(clock: TurnableClock) -> Account:
    return Account(clock)


async def overdue(account: Account, task: Task) -> None:
    """Let a task's deadline pass."""
    deadline = account.now(task).deadline
    assert deadline is not None
    account.clock.turn((deadline - account.clock.now()) / 1000)
    await account.watchdog.turn()


async def turns(account: Account, number: int, seconds: float = 15.0) -> None:
    for _ in range(number):
        account.clock.turn(seconds)
        await account.watchdog.turn()


def reason(account: Account, task: Task) -> str:
    failure = account.now(task).failure
    return failure.reason if failure else ""


def break_history(account: Account, times: int) -> None:
    account.connection.errors += [ServerFault("500") for _ in range(times)]


async def test_a_silent_task_ends_at_its_deadline_and_its_slot_is_free(account: Account) -> None:
    task = account.sent(make_task())
    account.clock.turn(299.999)
    await account.watchdog.turn()
    assert account.now(task) is task
    assert account.connection.calls == 0
    account.clock.turn(0.001)
    await account.watchdog.turn()
    assert reason(account, task) == SILENT
    assert account.connection.calls == 1
    assert account.queue.running_count == 0


async def test_the_history_is_read_first_and_may_hold_the_result(account: Account) -> None:
    task = account.sent(make_task())
    done = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    account.connection.messages_of_channel.append(done)
    await overdue(account, task)
    assert account.now(task).status is Status.SUCCESS


async def test_the_history_may_show_that_it_is_alive(account: Account) -> None:
    task = account.sent(make_task())
    seen = progress(account.interactor.nonce(), task, nonce=task.ids.nonce)
    account.connection.messages_of_channel.append(seen)
    await overdue(account, task)
    alive = account.now(task)
    assert alive.deadline == account.clock.now() + alive.idle_timeout
    await overdue(account, task)
    assert reason(account, task) == SILENT


async def test_a_history_that_can_never_be_read_ends_the_task_after_bounded_looks(
    account: Account,
) -> None:
    """Finding 14."""
    task = account.sent(make_task())
    break_history(account, 100)
    await overdue(account, task)
    await turns(account, 18)
    assert account.now(task) is task
    await turns(account, 1)
    said = "The channel's history could not be read, so the outcome is unknown."
    assert reason(account, task) == said
    assert account.connection.calls == 20
    await account.watchdog.turn()
    assert account.watchdog._looks == {}
    assert account.queue.running_count == 0


async def test_an_unreadable_history_is_not_asked_at_every_turn(account: Account) -> None:
    task = account.sent(make_task())
    break_history(account, 100)
    await overdue(account, task)
    await turns(account, 1, 14.999)
    assert account.connection.calls == 1
    await turns(account, 1, 0.001)
    assert account.connection.calls == 2


async def test_a_history_that_can_be_read_at_last_decides(account: Account) -> None:
    task = account.sent(make_task())
    break_history(account, 3)
    await overdue(account, task)
    await turns(account, 3)
    assert reason(account, task) == SILENT


async def test_failed_looks_of_one_life_do_not_count_in_the_next(account: Account) -> None:
    """A task that was sent again has all of its looks before it."""
    account.status.configure(account_settings(send_again=True))
    task = account.sending(make_task())
    break_history(account, 19)
    await overdue(account, task)
    await turns(account, 19)
    assert account.now(task).tries == 1
    assert account.queue.next(1) is not None
    account.tasks.apply(
        task.id, lambda each: lifecycle.begin_sending(each, account.interactor.nonce(), 1)
    )
    break_history(account, 19)
    await turns(account, 19)
    assert account.now(task).sending is Sending.SENDING


async def test_looks_are_counted_for_each_task(account: Account) -> None:
    first = account.sent(make_task(1))
    break_history(account, 100)
    await overdue(account, first)
    second = account.sent(replace(make_task(2), idle_timeout=1_000))
    await turns(account, 19)
    assert reason(account, first) == UNREADABLE
    assert account.now(second) is second
    await turns(account, 1)
    assert reason(account, second) == UNREADABLE


async def test_failed_looks_before_a_sign_of_life_do_not_count_after_it(account: Account) -> None:
    task = account.sent(make_task())
    break_history(account, 100)
    await overdue(account, task)
    await turns(account, 18)
    account.receiver.read(progress(account.interactor.nonce(), task, nonce=task.ids.nonce))
    await turns(account, 1)
    assert account.watchdog._looks == {}
    await overdue(account, task)
    await turns(account, 18)
    assert account.now(task).status is Status.IN_PROGRESS
    await turns(account, 1)
    assert reason(account, task) == UNREADABLE


async def test_a_reading_that_fails_unexpectedly_is_a_failed_look_and_shows(
    account: Account,
) -> None:
    """Findings 5 and 14: the fault is told to whoever watches the loop, and the deadline holds."""
    task = account.sent(make_task())
    account.connection.errors += cast(Any, [KeyError("fault") for _ in range(100)])
    for seconds in (300, *[15] * 18):
        account.clock.turn(seconds)
        with pytest.raises(KeyError):
            await account.watchdog.turn()
    assert account.now(task) is task
    account.clock.turn(15)
    with pytest.raises(KeyError):
        await account.watchdog.turn()
    assert reason(account, task) == UNREADABLE
    assert account.connection.calls == 20


# The account's states


async def test_a_stopped_account_s_task_ends_by_its_deadline_and_says_why(
    account: Account,
) -> None:
    """Finding 10."""
    task = account.sent(make_task())
    account.status.stop("Midjourney: [Blocked]")
    await overdue(account, task)
    assert reason(account, task) == "Its account stopped: Midjourney: [Blocked]"
    assert account.connection.calls == 1


async def test_a_stopped_account_s_task_may_be_done(account: Account) -> None:
    """Finding 10: the history is read by REST if the token still works."""
    task = account.sent(make_task())
    account.status.stop("Midjourney: [Blocked]")
    done = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    account.connection.messages_of_channel.append(done)
    await overdue(account, task)
    assert account.now(task).status is Status.SUCCESS


async def test_a_stopped_account_whose_token_is_refused_is_looked_at_once(
    account: Account,
) -> None:
    """Finding 10."""
    task = account.sent(make_task())
    account.status.stop("401")
    account.connection.errors.append(Unauthorized("401"))
    await overdue(account, task)
    assert reason(account, task) == "Its account stopped: 401"


async def test_a_first_step_of_a_stopped_account_is_put_back_for_another(
    account: Account,
) -> None:
    """It has made nothing, so whoever can may take it again; the service sees to that."""
    task = account.begin(make_task())
    nonce, now = account.interactor.nonce(), account.clock.now()
    account.tasks.apply(task.id, lambda each: lifecycle.begin_preparing(each, nonce, now))
    account.status.stop("401")
    await overdue(account, task)
    assert account.now(task).sending is Sending.NOT_SENT
    assert account.queue.running_count == 0


async def test_a_connecting_account_s_task_ends_by_its_deadline(account: Account) -> None:
    """Finding 10."""
    task = account.sent(make_task())
    account.status.go_offline()
    await overdue(account, task)
    assert reason(account, task) == SILENT


async def test_a_removed_image_is_told_even_by_a_stopped_account(account: Account) -> None:
    task = account.sent(make_task())
    account.replace(task, replace(task, removed=True, revision=task.revision + 1))
    account.status.stop("401")
    await overdue(account, task)
    assert reason(account, task) == lifecycle.REMOVED


@pytest.mark.parametrize("stopped", [True, False])
async def test_a_modal_that_nobody_fills_in_ends_whatever_the_history(
    account: Account, clock: TurnableClock, stopped: bool
) -> None:
    """Finding 11: also on an account that is stopped, whose history may stay closed."""
    task = account.submit(modal(1, deadline=clock.now() + 60_000))
    account.sent(make_task(2))
    break_history(account, 100)
    if stopped:
        account.status.stop("401")
    await overdue(account, task)
    assert reason(account, task) == lifecycle.UNCONFIRMED


# What ends, and how


async def test_a_result_that_is_being_translated_is_not_overdue(account: Account) -> None:
    """Finding 15."""
    task = account.sent(make_task())
    account.reactions.translating.add(task.id)
    await overdue(account, task)
    assert account.now(task) is task
    assert account.connection.calls == 0
    account.reactions.translating.clear()
    await account.watchdog.turn()
    assert reason(account, task) == SILENT


async def test_a_result_that_is_found_by_the_last_look_and_translated_is_not_overdue(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 15: what the history brought is in translation, and the task unchanged."""
    task = account.sent(make_task())

    async def found() -> bool:
        account.reactions.translating.add(task.id)
        return True

    monkeypatch.setattr(account.recovery, "catch_up", found)
    await overdue(account, task)
    assert account.now(task) is task


async def test_a_first_step_that_was_never_answered_is_taken_again(account: Account) -> None:
    task = account.begin(make_task())
    nonce, now = account.interactor.nonce(), account.clock.now()
    account.tasks.apply(task.id, lambda each: lifecycle.begin_preparing(each, nonce, now))
    await overdue(account, task)
    assert (account.now(task).tries, account.queue.place_of(task.id)) == (1, "waiting")


async def test_a_command_of_unknown_fate_ends_unless_its_owner_wants_it_again(
    account: Account,
) -> None:
    """Finding 25: the setting counts as it is now."""
    first, second = account.sending(make_task(1)), account.sending(make_task(2))
    later = (second.deadline or 0) + 1_000
    account.replace(second, replace(second, deadline=later, revision=second.revision + 1))
    await overdue(account, first)
    assert reason(account, first) == lifecycle.UNCERTAIN
    account.status.configure(account_settings(send_again=True))
    await overdue(account, second)
    assert (account.now(second).sending, account.now(second).tries) == (Sending.NOT_SENT, 1)


async def test_a_notice_in_the_history_renews_the_deadline_once(account: Account) -> None:
    """Finding 13: through receiver and recovery, a hung task ends although "Job queued" is read
    again with every look."""
    task = account.sent(make_task())
    ids = replace(task.ids, interaction="600")
    account.replace(task, replace(task, ids=ids, revision=task.revision + 1))
    queued = notice(account.interactor.nonce(), "Job queued", interaction_metadata=by("600"))
    account.connection.messages_of_channel.append(queued)
    await overdue(account, task)
    renewed = account.now(task)
    assert renewed.deadline == account.clock.now() + renewed.idle_timeout
    await overdue(account, task)
    assert reason(account, task) == SILENT
    assert account.connection.calls == 2


# Beside deadlines


async def test_a_pause_that_is_over_wakes_the_dispatcher(account: Account) -> None:
    task = account.begin(make_task())
    account.tasks.apply(task.id, lambda each: lifecycle.put_back(each, account.clock.now(), 5_000))
    account.tasks.changed.clear()
    await turns(account, 1, 4.9)
    assert not account.tasks.changed.is_set()
    await turns(account, 1, 0.1)
    assert account.tasks.changed.is_set()
    assert account.queue.place_of(task.id) == "waiting"


async def test_a_cancelled_task_whose_job_never_came_lets_its_like_go(account: Account) -> None:
    """Finding 12."""
    task = account.sent(make_task(1, prompt="a cat"))
    account.cancel(task)
    alike = account.submit(make_task(2, prompt="a cat"))
    assert account.queue.next(3) is None
    await turns(account, 1, 299.0)
    assert account.now(task).cancel_job
    await turns(account, 1, 1.0)
    assert not account.now(task).cancel_job
    assert account.queue.next(3) is alike


async def test_looks_end_with_the_history_s_return(account: Account) -> None:
    """The pause after a failed look is over when it is over: a later task is looked at in time."""
    first = account.sent(make_task(1))
    break_history(account, 1)
    await overdue(account, first)
    await turns(account, 1)
    assert reason(account, first) == SILENT
    second = account.sent(replace(make_task(2), idle_timeout=1_000))
    await turns(account, 1, 1.0)
    assert reason(account, second) == "No sign of life for 1 seconds."
