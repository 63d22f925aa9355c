"""A disk that fails: what is new is refused, what was accepted waits in order."""

import asyncio
import os
from random import Random

import pytest

from athena.errors import StoreUnavailable, UnknownTaskRow
from athena.store.changes import Change
from athena.store.queries import TaskFilter
from athena.store.repository import TaskRepository
from athena.tasks.model import Status, Task
from tests.contract.store.backends import Backend
from tests.contract.store.making import changed, ended, make_task


async def test_new_tasks_are_refused_and_saves_wait(
    backend: Backend, controlled: TaskRepository
) -> None:
    heard: list[Change] = []
    adding = controlled.add(task := make_task(1))
    await backend.commit()
    await adding
    controlled.changes.subscribe(heard.append)
    backend.fault = "the disk is full"
    first = controlled.save(task, one := changed(task, progress=1))
    second = controlled.save(one, two := changed(one, progress=2))
    refused = controlled.add(new := make_task(2))
    await backend.commit()
    with pytest.raises(StoreUnavailable):
        await refused
    assert controlled.held(new.id) is None
    assert "full" in controlled.write_error
    assert controlled.held(task.id) == two
    assert not first.done()
    assert not heard
    backend.fault = ""
    await backend.commit()
    await asyncio.gather(first, second)
    assert heard == [Change(task, one), Change(one, two)]
    assert controlled.write_error == ""
    await controlled.close()
    again = await backend.open()
    assert again.unfinished() == [two]
    await again.close()


async def test_a_disk_that_nobody_writes_to_is_tried_all_the_same(
    backend: Backend, controlled: TaskRepository
) -> None:
    backend.fault = "gone"
    refused = controlled.add(make_task(1))
    await backend.commit()
    assert refused.exception()
    await backend.commit()
    assert controlled.write_error
    backend.fault = ""
    await backend.commit()
    assert controlled.write_error == ""


@pytest.fixture
async def modal(backend: Backend, controlled: TaskRepository) -> Task:
    adding = controlled.add(task := make_task(1, status=Status.MODAL))
    await backend.commit()
    await adding
    return task


async def test_a_refused_save_is_withdrawn(
    backend: Backend, controlled: TaskRepository, modal: Task
) -> None:
    backend.fault = "full"
    saving = controlled.save(modal, changed(modal, status=Status.NOT_START), retried=False)
    assert controlled.unfinished_count("1") == 1
    await backend.commit()
    with pytest.raises(StoreUnavailable):
        await saving
    assert controlled.held(modal.id) == modal
    assert controlled.unfinished_count("1") == 0


async def test_a_refused_save_does_not_take_back_what_is_newer(
    backend: Backend, controlled: TaskRepository, modal: Task
) -> None:
    backend.fault = "full"
    confirmed = changed(modal, status=Status.NOT_START)
    refused = controlled.save(modal, confirmed, retried=False)
    cancelled = ended(confirmed, Status.CANCEL)
    saving = controlled.save(confirmed, cancelled)
    await backend.commit()
    with pytest.raises(StoreUnavailable):
        await refused
    assert controlled.held(modal.id) == cancelled
    backend.fault = ""
    await backend.commit()
    await saving
    await controlled.close()
    again = await backend.open()
    assert await again.find(modal.id) == cancelled
    assert again.unfinished() == []
    await again.close()


async def test_what_is_searched_by_follows_a_save_that_builds_on_a_refused_one(
    backend: Backend, controlled: TaskRepository, modal: Task
) -> None:
    """The row never had the refused state, so the next save writes all of it."""
    backend.fault = "full"
    waiting = changed(modal, status=Status.NOT_START)
    controlled.save(modal, waiting, retried=False)
    saving = controlled.save(waiting, later := changed(waiting, progress=1))
    await backend.commit()
    backend.fault = ""
    await backend.commit()
    await saving
    assert await controlled.search(TaskFilter(status="NOT_START"), 9) == [later]
    assert await controlled.search(TaskFilter(status="MODAL"), 9) == []


async def test_two_refused_saves_leave_what_is_on_disk(
    backend: Backend, controlled: TaskRepository, modal: Task
) -> None:
    backend.fault = "full"
    one = changed(modal, note="one")
    savings = [
        controlled.save(modal, one, retried=False),
        controlled.save(one, changed(one, note="two"), retried=False),
    ]
    await backend.commit()
    assert all(saving.exception() for saving in savings)
    assert controlled.held(modal.id) == modal


async def test_what_follows_a_refused_task_is_lost_with_it(
    backend: Backend, controlled: TaskRepository
) -> None:
    backend.fault = "full"
    refused = controlled.add(task := make_task(1))
    cancelling = controlled.save(task, ended(task, Status.CANCEL))
    await backend.commit()
    with pytest.raises(StoreUnavailable):
        await refused
    backend.fault = ""
    await backend.commit()
    with pytest.raises(UnknownTaskRow):
        await cancelling
    assert controlled.held(task.id) is None


async def test_a_deletion_that_is_refused_leaves_the_task(
    backend: Backend, controlled: TaskRepository, modal: Task
) -> None:
    heard: list[Change] = []
    controlled.changes.subscribe(heard.append)
    backend.fault = "full"
    removing = asyncio.create_task(controlled.remove(modal))
    await asyncio.sleep(0)
    assert controlled.held(modal.id) is None
    await backend.commit()
    with pytest.raises(StoreUnavailable):
        await removing
    assert controlled.held(modal.id) == modal
    assert not heard


async def test_one_bad_write_harms_no_other(backend: Backend, controlled: TaskRepository) -> None:
    unknown = make_task(9)
    bad = controlled.save(unknown, changed(unknown))
    good = [controlled.add(make_task(n)) for n in range(3)]
    worse = controlled.keep_uploaded_file("\ud800", "1", 1)
    await backend.commit()
    await asyncio.gather(*good)
    assert isinstance(worse.exception(), StoreUnavailable)
    with pytest.raises(UnknownTaskRow):
        await bad
    assert controlled.write_error == ""


SEEDS = [int(os.environ.get("ATHENA_SEED", "0")) or seed for seed in range(1, 13)]


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_fails_memory_and_disk_agree_in_the_end(backend: Backend, seed: int) -> None:
    """Saves of both kinds, deletions, a disk that fails now and then; then it works."""
    random = Random(seed)
    repository = await backend.open_controlled()
    known: dict[str, Task] = {}
    told: dict[str, Task | None] = {}

    def listen(change: Change) -> None:
        task = change.after or change.before
        assert task is not None
        told[task.id] = change.after

    repository.changes.subscribe(listen)
    doing: list[asyncio.Future[None]] = []
    for step in range(120):
        backend.fault = random.choice(["", "", "full"])
        match random.randrange(6):
            case 0:
                doing.append(repository.add(make_task(step, token="t")))
                known[make_task(step).id] = make_task(step)
            case 1 | 2 | 3 if known:
                task = repository.held(random.choice(list(known)))
                status = random.choice([Status.NOT_START, Status.SUBMITTED, Status.IN_PROGRESS])
                if task and not task.ended:
                    after = changed(task, status=status, progress=step)
                    doing.append(repository.save(task, after, retried=random.random() < 0.6))
            case 4 if known:
                task = repository.held(random.choice(list(known)))
                if task and random.random() < 0.3:
                    doing.append(asyncio.ensure_future(repository.remove(task)))
                    await asyncio.sleep(0)
            case _:
                await backend.commit()
    backend.fault = ""
    await backend.commit()
    await asyncio.gather(*doing, return_exceptions=True)
    held = {task.id: task for task in repository.unfinished()}
    assert {task_id: task for task_id, task in told.items() if task} == held, f"seed {seed}"
    await repository.close()
    again = await backend.open()
    assert {task.id: task for task in again.unfinished()} == held, f"seed {seed}"
    await again.close()
