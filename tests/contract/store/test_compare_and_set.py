"""A save names the state that it replaces."""

import asyncio

import pytest

from athena.errors import Conflict, UnknownTaskRow
from athena.store.changes import Change
from athena.store.repository import TaskRepository
from athena.tasks.model import Task
from tests.contract.store.backends import Backend
from tests.contract.store.making import NOW, changed, ended, make_task

OLD = NOW - 48 * 3_600_000


async def test_a_stale_save_is_refused_at_once(repository: TaskRepository) -> None:
    task = make_task(1)
    await repository.add(task)
    first = repository.save(task, current := changed(task, progress=1))
    with pytest.raises(Conflict):
        repository.save(task, changed(task, progress=2))
    with pytest.raises(Conflict):
        repository.save(changed(current), changed(changed(current)))
    assert repository.held(task.id) == current
    await first
    assert await repository.find(task.id) == current


@pytest.fixture
async def old(backend: Backend) -> Task:
    """An ended task that a fresh repository does not hold."""
    repository = await backend.open()
    task = make_task(1, submitted_at=OLD)
    await repository.add(task)
    await repository.add(make_task(2))
    await repository.save(task, done := ended(task))
    await repository.close()
    return done


async def test_of_a_task_that_is_not_held_the_disk_decides(backend: Backend, old: Task) -> None:
    repository = await backend.open()
    assert repository.held(old.id) is None
    first = repository.save(old, current := changed(old, seed="1"))
    assert repository.held(old.id) is None  # it may be gone
    second = repository.save(old, changed(old, seed="2"))
    await first
    with pytest.raises(Conflict):
        await second
    assert repository.held(old.id) == current
    assert await repository.find(old.id) == current
    await repository.save(current, changed(current, note="on"))
    await repository.close()


async def test_an_unknown_task_is_not_saved(repository: TaskRepository) -> None:
    heard: list[Change] = []
    repository.changes.subscribe(heard.append)
    task = make_task(1)
    with pytest.raises(UnknownTaskRow):
        await repository.save(task, changed(task))
    assert repository.held(task.id) is None
    assert not heard


async def test_a_deleted_task_does_not_come_back(repository: TaskRepository) -> None:
    """A renewal of links that was on its way when the task was deleted."""
    task = make_task(1)
    await repository.add(task)
    await repository.save(task, done := ended(task))
    await repository.remove(done)
    saving = repository.save(done, changed(done, note="renewed"))
    assert repository.held(done.id) is None
    with pytest.raises(UnknownTaskRow):
        await saving
    assert repository.held(done.id) is None
    assert await repository.find(done.id) is None


async def test_a_save_before_the_deletion_does_not_bring_it_back_either(
    backend: Backend, old: Task
) -> None:
    repository = await backend.open_controlled()
    held: list[Task | None] = []
    repository.changes.subscribe(lambda _: held.append(repository.held(old.id)))
    saving = repository.save(old, changed(old, note="renewed"))
    removing = asyncio.create_task(repository.remove(old))
    await asyncio.sleep(0)
    with pytest.raises(UnknownTaskRow):
        repository.save(old, changed(old, note="later"))
    assert await repository.find(old.id) is None
    await backend.commit()
    await asyncio.gather(saving, removing)
    assert held == [None, None]
    assert repository.held(old.id) is None
    assert await repository.find(old.id) is None
    await repository.close()
