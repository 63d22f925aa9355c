"""Deletion leaves nothing; retention deletes in small steps."""

import pytest

from athena.clock import DAY
from athena.store.changes import Change
from athena.store.queries import TaskFilter
from athena.store.repository import TaskRepository
from athena.store.retention import Retention, day_of
from athena.tasks.model import Failure, Status, Task
from tests.contract.store.backends import Backend
from tests.contract.store.making import NOW, changed, claim_for, ended, make_task, upload


async def full_task(repository: TaskRepository, number: int, **fields: object) -> Task:
    """An ended task of which something is in every place."""
    task = make_task(number, trigger="77", token="t", webhook="https://example.com", **fields)
    claim = claim_for(task, f"key {number}", at=task.submitted_at)
    await repository.add(task, uploads=[upload()], claim=claim)
    failure = Failure(reason="refused", moderated=True)
    await repository.save(task, done := ended(task, Status.FAILURE, failure=failure))
    return done


async def test_deletion_leaves_no_trace(backend: Backend, repository: TaskRepository) -> None:
    heard: list[Change] = []
    task = await full_task(repository, 1, prompt="unmistakable")
    await backend.index(repository)
    other = await full_task(repository, 2)
    await backend.index(repository)
    repository.changes.subscribe(heard.append)
    await repository.remove(task)
    assert heard == [Change(task, None)]
    assert not heard[0].visible
    assert repository.held(task.id) is None
    assert await repository.find(task.id) is None
    assert await repository.by_trigger("77") == [other]
    assert [each.task for each in await repository.pending_deliveries()] == [other]
    assert [each.task_id for each in await repository.refused_prompts()] == [other.id]
    assert await repository.idempotency_record("key 1") is None
    assert await repository.idempotency_record("key 2")
    assert await repository.search(TaskFilter(words="unmistakable"), 10) == []
    assert await repository.search(TaskFilter(), 10) == [other]
    assert await repository.usage(day_of(NOW)) == {"t": 2}


async def test_an_unfinished_task_is_deleted_with_its_uploads(repository: TaskRepository) -> None:
    task = make_task(1)
    await repository.add(task, uploads=[upload()])
    await repository.remove(task)
    assert repository.unfinished() == []
    assert await repository.uploads(task.id) == ()
    await repository.add(task)


async def test_a_deleted_tasks_words_make_room_for_others(
    backend: Backend, repository: TaskRepository
) -> None:
    for number in range(5):
        task = await full_task(repository, number, prompt=f"prompt {number}")
        await backend.index(repository)
        await repository.remove(task)
        new = await full_task(repository, 100 + number, prompt="zebra")
        await backend.index(repository)
        assert new in await repository.search(TaskFilter(words="zebra"), 100)
        assert await repository.search(TaskFilter(words=f"prompt {number}"), 100) == []


async def sweep_all(repository: TaskRepository, step: int) -> list[int]:
    steps: list[int] = []
    while done := await repository.sweep(step):
        steps.append(done)
    return steps


async def test_nothing_goes_that_retention_keeps(backend: Backend) -> None:
    repository = await backend.open()
    old = await full_task(repository, 1, submitted_at=0)
    await repository.keep_uploaded_file("old", "1", 0)
    await repository.keep_uploaded_file("new", "1", backend.clock.now())
    assert await sweep_all(repository, 10) == [2]  # the idempotency key and the file
    assert await repository.find(old.id) == old
    assert await repository.uploaded_file("old") is None
    assert await repository.uploaded_file("new") == "1"
    assert len(await repository.refused_prompts()) == 1
    assert await repository.usage(0) == {"t": 1}
    assert await sweep_all(repository, 10) == []
    await repository.close()


async def test_old_tasks_go_in_steps(backend: Backend) -> None:
    retention = Retention(tasks_days=30, refused_prompts_days=30, usage_days=30)
    repository = await backend.open(retention)
    now = backend.clock.now()
    removed: list[str] = []
    for number in range(10):
        age = 31 * DAY if number < 7 else 29 * DAY
        await full_task(repository, number, submitted_at=now - age + number)
    await repository.add(waiting := make_task(20, submitted_at=0))
    repository.changes.subscribe(
        lambda change: removed.append(change.before.id) if change.before else None
    )
    await repository.sweep(3)
    assert removed == [f"{n:016}" for n in range(3)]
    await sweep_all(repository, 3)
    assert removed == [f"{n:016}" for n in range(7)]
    assert len(await repository.search(TaskFilter(), 100)) == 4
    assert repository.held(waiting.id) == waiting
    assert len(await repository.refused_prompts()) == 3
    assert await repository.usage(day_of(now - 31 * DAY)) == {}
    assert await repository.usage(day_of(now - 29 * DAY)) == {"t": 3}
    await repository.close()


@pytest.mark.parametrize("step", [1, 4, 100])
async def test_too_many_tasks_go_oldest_first(backend: Backend, step: int) -> None:
    repository = await backend.open(Retention(tasks_most=3))
    for number in range(8):
        await full_task(repository, number)
    await repository.add(running := make_task(50, submitted_at=NOW - 1000))
    await sweep_all(repository, step)
    left = await repository.search(TaskFilter(), 100)
    assert [task.id for task in left] == [f"{n:016}" for n in (7, 6, 5)] + [running.id]
    await repository.save(running, changed(running))
    await repository.close()
