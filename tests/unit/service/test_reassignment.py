"""Tasks of accounts that cannot work: given to others, or ended with the reason."""

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from athena.errors import Conflict
from athena.service.reassignment import REMOVED, Reassignment
from athena.store.account_directory import AccountState
from athena.tasks import lifecycle
from athena.tasks.model import AccountFilter, CorrelationIds, Sending, Speed, Status, Task
from tests.unit.fakes import make_task, modal
from tests.unit.service.fakes import Services, running, status, stopped


@pytest.fixture
def reassignment(services: Services) -> Reassignment:
    return Reassignment(
        services.repository,  # type: ignore[arg-type]
        services.directory,
        services.admission,
        services.clock,
    )


async def end_of(services: Services, task: Task) -> tuple[Status, str]:
    now = await services.task(task.id)
    return now.status, now.failure.reason if now.failure else ""


async def test_what_waits_at_an_account_that_stops_goes_to_another(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"), status("6"))
    await services.store(make_task(1), make_task(2))
    reassignment.start()
    services.put(stopped("5"))
    tasks = [await services.task(make_task(n).id) for n in (1, 2)]
    assert [(each.account, each.status) for each in tasks] == [("6", Status.NOT_START)] * 2


async def test_an_account_that_is_stopped_already_at_the_start_gives_its_tasks_away(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(stopped("5"), status("6"))
    await services.store(make_task(1))
    reassignment.start()
    assert (await services.task(make_task(1).id)).account == "6"


async def test_where_nobody_else_can_take_it_it_fails_with_the_reason(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"))
    await services.store(make_task(1))
    reassignment.start()
    services.put(stopped("5", "the token is refused"))
    reason = "Its account stopped: the token is refused"
    assert await end_of(services, make_task(1)) == (Status.FAILURE, reason)
    assert (await services.task(make_task(1).id)).finished_at == services.clock.now()


async def test_a_move_honours_the_filter_of_the_task(
    services: Services, reassignment: Reassignment
) -> None:
    """Finding 3: the filter is stored with the task."""
    services.put(status("5"), status("6"), status("7", remark="mine"))
    await services.store(
        make_task(1, accounts=AccountFilter(remark="mine")),
        make_task(2, accounts=AccountFilter(account="5")),
    )
    reassignment.start()
    services.put(stopped("5", "blocked"))
    assert (await services.task(make_task(1).id)).account == "7"
    assert await end_of(services, make_task(2)) == (
        Status.FAILURE,
        "Its account stopped: blocked",
    )


async def test_a_move_honours_the_speed_of_the_task(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"), status("6", allow_modes=[Speed.RELAX]), status("7"))
    await services.store(make_task(1, speed=Speed.FAST))
    reassignment.start()
    services.put(stopped("5"))
    assert (await services.task(make_task(1).id)).account == "7"


async def test_a_move_that_finds_every_queue_full_fails(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"), status("6", core_size=1, queue_size=0))
    await services.store(make_task(1), make_task(2))
    reassignment.start()
    services.put(stopped("5", "blocked"))
    assert (await services.task(make_task(1).id)).account == "6"
    assert await end_of(services, make_task(2)) == (Status.FAILURE, "Its account stopped: blocked")


async def test_a_button_works_only_where_its_image_is(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"), status("6"))
    await services.store(make_task(1, ids=CorrelationIds(parent_message="50")))
    reassignment.start()
    services.put(stopped("5"))
    assert (await end_of(services, make_task(1)))[0] is Status.FAILURE


@pytest.mark.parametrize("task", [running(1), modal(1), running(1, sending=Sending.SENDING)])
async def test_what_was_sent_or_waits_for_its_user_stays_at_a_stopped_account(
    services: Services, reassignment: Reassignment, task: Task
) -> None:
    services.put(status("5"), status("6"))
    await services.store(task)
    reassignment.start()
    services.put(stopped("5"))
    assert await services.task(task.id) == task


async def test_accounts_that_connect_keep_what_waits(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"), status("6"))
    await services.store(make_task(1))
    reassignment.start()
    services.put(status("5", AccountState.CONNECTING))
    assert await services.task(make_task(1).id) == make_task(1)


async def test_a_task_that_comes_back_to_a_stopped_account_is_moved(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"), status("6"))
    sent = running(1)
    await services.store(sent)
    reassignment.start()
    services.put(stopped("5"))
    await services.repository.save(sent, lifecycle.unsend(sent, services.clock.now()))
    assert (await services.task(sent.id)).account == "6"


async def test_only_what_waits_is_moved_when_a_task_changes(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(stopped("5"), status("6"))
    reassignment.start()
    sent, opened = running(1), modal(2)
    ended = lifecycle.cancel(make_task(3), 1)
    await services.store(sent, opened, ended)
    with capture_logs() as logs:
        await services.repository.remove(ended)
    assert services.repository.saved == []
    assert logs == []


async def test_a_task_at_an_account_that_works_is_left_where_it_is(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"), status("6"))
    reassignment.start()
    with capture_logs() as logs:
        await services.store(make_task(1), make_task(2, "gone"))
    assert services.repository.saved == []
    assert logs == []


async def test_a_change_that_was_overtaken_moves_nothing(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(stopped("5"), status("6"))
    reassignment.start()
    services.repository.is_held_up = True
    adding = services.repository.add(make_task(1))
    cancelled = lifecycle.cancel(make_task(1), 1)
    services.repository.save(make_task(1), cancelled)
    services.repository.release()
    await adding
    assert await services.task(make_task(1).id) == cancelled


async def test_a_task_that_its_worker_sent_in_the_same_moment_is_not_moved(
    services: Services, reassignment: Reassignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.put(status("5"), status("6"))
    await services.store(make_task(1), make_task(2))
    reassignment.start()
    save, refused = services.repository.save, [make_task(1).id]

    def overtaken(before: Task, after: Task) -> object:
        if before.id in refused:
            raise Conflict(before.id)
        return save(before, after)

    monkeypatch.setattr(services.repository, "save", overtaken)
    services.put(stopped("5"))
    assert await services.task(make_task(1).id) == make_task(1)
    assert (await services.task(make_task(2).id)).account == "6"


@pytest.mark.parametrize("task", [running(1), modal(1)])
async def test_what_cannot_move_ends_with_the_removal_of_its_account(
    services: Services, reassignment: Reassignment, task: Task
) -> None:
    """Finding 11: a modal's task ends, too."""
    services.put(status("6"))
    await services.store(task, make_task(2), make_task(3, "6"))
    reassignment.account_gone("5", REMOVED)
    assert await end_of(services, task) == (Status.FAILURE, "Its account was removed.")
    assert (await services.task(make_task(2).id)).account == "6"
    assert await services.task(make_task(3, "6").id) == make_task(3, "6")


async def test_an_account_that_is_still_listed_does_not_take_its_tasks_back(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("5"))
    await services.store(make_task(1))
    reassignment.account_gone("5", REMOVED)
    assert await end_of(services, make_task(1)) == (Status.FAILURE, REMOVED)


async def test_tasks_of_accounts_that_are_gone_are_seen_to_at_the_start(
    services: Services, reassignment: Reassignment
) -> None:
    services.put(status("6"))
    lost, opened = make_task(1, "5"), modal(2, "5")
    bound = replace(make_task(3, "5"), accounts=AccountFilter(account="5"))
    kept = make_task(4, "6")
    await services.store(lost, opened, bound, kept)
    reassignment.start()
    assert (await services.task(lost.id)).account == "6"
    for each in (opened, bound):
        reason = "Its account is no longer configured."
        assert await end_of(services, each) == (Status.FAILURE, reason)
    assert await services.task(kept.id) == kept
