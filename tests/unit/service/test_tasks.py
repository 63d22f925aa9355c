"""Submitting, cancelling, seeds and deletion, whoever else changes the task at the same time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from athena.errors import (
    BannedWord,
    Conflict,
    NoAccount,
    NoAnswer,
    QueueFull,
    StoreUnavailable,
    UnknownTask,
    WrongState,
)
from athena.service import drafts
from athena.service import tasks as tasks_module
from athena.service.idempotency import IdempotencyKey
from athena.service.options import SubmitOptions
from athena.tasks import lifecycle
from athena.tasks.model import AccountFilter, Action, Bot, Sending, Speed, Status, Task
from athena.tasks.requests import Describe
from tests.unit.fakes import make_task, modal
from tests.unit.service.fakes import Services, finished, running, status, stopped, upload


def overtaken_once(services: Services, monkeypatch: pytest.MonkeyPatch, other: Task) -> None:
    """The worker saves its own change just before the service's next save."""
    save = services.repository.save

    def late(before: Task, after: Task, **options: Any) -> Any:
        monkeypatch.setattr(services.repository, "save", save)
        save(before, other)
        return save(before, after, **options)

    monkeypatch.setattr(services.repository, "save", late)


# Submit


async def test_a_submit_is_stored_and_has_all_of_its_draft(services: Services) -> None:
    services.put(status(mode=Speed.RELAX))
    accepted = await services.tasks.submit(drafts.imagine("cat", [upload()]))
    task = await services.task(accepted.task.id)
    assert task == accepted.task
    assert (task.prompt, task.description, task.action) == ("cat", "/imagine cat", Action.IMAGINE)
    assert (task.speed, task.bot, task.relaxed) == (Speed.RELAX, Bot.MIDJOURNEY, True)
    assert await services.repository.uploads(task.id) == (upload(),)


async def test_speed_and_bot_are_those_of_the_request(services: Services) -> None:
    services.put(status(mode=Speed.RELAX))
    options = SubmitOptions(speed=Speed.FAST, bot=Bot.NIJI)
    task = (await services.tasks.submit(drafts.imagine("cat"), options)).task
    assert (task.speed, task.bot) == (Speed.FAST, Bot.NIJI)
    swap = await services.tasks.submit(drafts.swap_face(upload(), upload("b.png")), options)
    assert swap.task.bot is Bot.INSIGHT_FACE


async def test_the_filter_is_stored_with_the_task_and_decides_the_speed(services: Services) -> None:
    """Finding 3."""
    services.put(status("5"), status("6", remark="two", mode=Speed.FAST))
    wanted = AccountFilter(remark="two", modes=(Speed.TURBO,))
    task = (await services.tasks.submit(drafts.imagine("cat"), SubmitOptions(accounts=wanted))).task
    assert (task.account, task.accounts, task.speed) == ("6", wanted, Speed.TURBO)


async def test_a_describe_of_an_uploaded_file_is_bound_to_the_files_account(
    services: Services,
) -> None:
    """Finding 3: only that account can see the file."""
    services.put(status("5"), status("6"))
    await services.repository.keep_uploaded_file("6/one.png", "6", 1)
    task = (await services.tasks.submit(drafts.describe_uploaded("6/one.png"))).task
    assert isinstance(task.request, Describe)
    assert (task.account, task.accounts) == ("6", AccountFilter(account="6"))


async def test_other_describes_are_bound_to_none(services: Services) -> None:
    services.put(status("5"))
    for draft in (drafts.describe_uploaded("unknown.png"), drafts.describe(upload=upload())):
        assert (await services.tasks.submit(draft)).task.accounts == AccountFilter()


async def test_a_refused_submit_leaves_nothing(services: Services) -> None:
    services.put(status(core_size=1, queue_size=0))
    with pytest.raises(BannedWord):
        await services.tasks.submit(drafts.imagine("a bloodbath"))
    services.put(stopped())
    with pytest.raises(NoAccount):
        await services.tasks.submit(drafts.imagine("cat"))
    assert services.repository.unfinished() == []


async def test_the_same_key_makes_one_task(services: Services) -> None:
    services.put(status(core_size=1, queue_size=0))
    options = SubmitOptions(once=IdempotencyKey("k", "f"))
    both = await asyncio.gather(
        *(services.tasks.submit(drafts.imagine("cat"), options) for _ in range(2))
    )
    assert both[0].task == both[1].task
    assert sorted(each.repeated for each in both) == [False, True]
    with pytest.raises(QueueFull):
        await services.tasks.submit(drafts.imagine("cat"))


# Cancel


@pytest.mark.parametrize(
    ("task", "cancel_job"),
    [
        (make_task(1), False),
        (modal(1), False),
        (make_task(1, not_before=10**15), False),
        (running(1, sending=Sending.SENDING), True),
        (running(1), True),
        (running(1, status=Status.IN_PROGRESS), True),
        (running(1, account="gone"), True),
    ],
)
async def test_cancel_ends_every_unfinished_task(
    services: Services, task: Task, cancel_job: bool
) -> None:
    """Finding 11; 18: it is stored for the worker, or for the account's next one."""
    await services.store(task)
    cancelled = await services.tasks.cancel(task.id)
    assert (cancelled.status, cancelled.cancel_job) == (Status.CANCEL, cancel_job)
    assert cancelled.finished_at == services.clock.now()
    assert await services.task(task.id) == cancelled


async def test_a_cancel_of_what_has_ended_changes_nothing(services: Services) -> None:
    task = finished(1)
    await services.store(task)
    assert await services.tasks.cancel(task.id) is task
    assert services.repository.saved == []


async def test_a_cancel_of_nothing_is_refused(services: Services) -> None:
    with pytest.raises(UnknownTask):
        await services.tasks.cancel("1")


async def test_a_cancel_that_was_overtaken_is_decided_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(1)
    await services.store(task)
    sent = lifecycle.begin_sending(task, "77", 1)
    overtaken_once(services, monkeypatch, sent)
    cancelled = await services.tasks.cancel(task.id)
    assert (cancelled.revision, cancelled.cancel_job) == (sent.revision + 1, True)


async def test_a_cancel_after_the_end_came_first_leaves_the_end(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = running(1)
    await services.store(task)
    end = lifecycle.fail(task, "no", 1)
    overtaken_once(services, monkeypatch, end)
    assert await services.tasks.cancel(task.id) == end


async def test_a_cancel_of_a_task_deleted_in_that_moment_is_refused(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(1)
    await services.store(task)
    save = services.repository.save

    def late(before: Task, after: Task) -> Any:
        services.repository.removed.add(task.id)
        services.repository._cache.drop(task.id)
        return save(before, after)

    monkeypatch.setattr(services.repository, "save", late)
    with pytest.raises(UnknownTask):
        await services.tasks.cancel(task.id)


async def test_a_conflict_that_only_the_disk_sees_is_decided_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(1)
    await services.store(task)
    save = services.repository.save

    def late(before: Task, after: Task) -> Any:
        monkeypatch.setattr(services.repository, "save", save)
        return services.repository._done(Conflict(before.id))

    monkeypatch.setattr(services.repository, "save", late)
    assert (await services.tasks.cancel(task.id)).status is Status.CANCEL


async def test_a_cancel_does_not_wait_for_a_broken_disk_for_ever(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks_module, "_DISK_TIMEOUT", 0)
    task = make_task(1)
    await services.store(task)
    services.repository.is_held_up = True
    services.repository.write_error = "the disk is full"
    with pytest.raises(StoreUnavailable, match="it is not on disk yet: the disk is full"):
        await services.tasks.cancel(task.id)
    told: list[object] = []
    services.repository.changes.subscribe(told.append)
    services.repository.release()
    assert len(told) == 1


# Release


async def test_a_slot_released_by_hand_fails_its_task(services: Services) -> None:
    task = running(1)
    await services.store(task)
    await services.tasks.release(task)
    released = await services.task(task.id)
    assert released.failure is not None
    assert (released.status, released.failure.reason, released.finished_at) == (
        Status.FAILURE,
        "Its slot was released by hand.",
        services.clock.now(),
    )


async def test_a_release_of_what_has_ended_meanwhile_changes_nothing(services: Services) -> None:
    task = running(1)
    await services.store(lifecycle.cancel(task, 1))
    await services.tasks.release(task)
    assert (await services.task(task.id)).status is Status.CANCEL


# Seeds


async def test_a_seed_is_asked_for_once_and_kept(services: Services) -> None:
    task = finished(1)
    await services.store(task)
    assert [await services.tasks.seed(task.id) for _ in range(2)] == ["4711", "4711"]
    assert (await services.task(task.id)).seed == "4711"
    assert services.commands.called == [("seed", task.id)]


@pytest.mark.parametrize("task", [running(1), lifecycle.cancel(make_task(1), 1)])
async def test_only_what_succeeded_has_a_seed(services: Services, task: Task) -> None:
    await services.store(task)
    with pytest.raises(WrongState, match="not SUCCESS"):
        await services.tasks.seed(task.id)


async def test_a_seed_that_midjourney_does_not_tell_changes_nothing(services: Services) -> None:
    task = finished(1)
    await services.store(task)
    services.commands.errors["seed"] = [NoAnswer("no")]
    with pytest.raises(NoAnswer):
        await services.tasks.seed(task.id)
    assert await services.task(task.id) == task


def meanwhile(services: Services, act: Callable[[], Any]) -> None:
    """Once, while Midjourney is asked."""

    async def work() -> None:
        services.commands.before = lambda: None
        await act()

    services.commands.before = work


async def test_a_seed_of_a_task_deleted_meanwhile_brings_nothing_back(services: Services) -> None:
    """Finding 30."""
    task = finished(1)
    await services.store(task)
    meanwhile(services, lambda: services.tasks.delete(task))
    with pytest.raises(UnknownTask):
        await services.tasks.seed(task.id)
    assert services.repository.held(task.id) is None


async def test_of_two_seeds_at_once_the_first_stays(services: Services) -> None:
    task = finished(1)
    await services.store(task)
    other = replace(task, seed="1", revision=2)
    meanwhile(services, lambda: services.repository.save(task, other))
    assert await services.tasks.seed(task.id) == "4711"
    assert await services.task(task.id) == other


# Delete


async def test_what_has_ended_can_be_deleted_and_stays_deleted(services: Services) -> None:
    """Finding 29."""
    task = finished(1)
    await services.store(task)
    await services.tasks.delete(task)
    with pytest.raises(UnknownTask):
        await services.tasks.cancel(task.id)


@pytest.mark.parametrize("task", [make_task(1), running(1), modal(1)])
async def test_what_has_not_ended_must_be_cancelled_first(services: Services, task: Task) -> None:
    await services.store(task)
    with pytest.raises(WrongState, match=f"is {task.status}: cancel it first"):
        await services.tasks.delete(task)
    assert await services.task(task.id) == task
