"""Saves are durable, visible at once, and reported when they are on disk."""

import asyncio

import pytest

from athena.errors import Conflict, StoreUnavailable
from athena.store.changes import Change
from athena.store.repository import TaskRepository
from athena.store.retention import day_of
from athena.tasks.model import Failure, Status
from tests.contract.store.backends import Backend
from tests.contract.store.making import NOW, changed, claim_for, ended, make_task, upload


async def test_what_was_added_comes_back(backend: Backend) -> None:
    repository = await backend.open()
    tasks = [make_task(n) for n in range(200)]
    await asyncio.gather(*(repository.add(task) for task in tasks))
    done = ended(tasks[7])
    await repository.save(tasks[7], done)
    await repository.close()
    again = await backend.open()
    assert again.unfinished() == [*tasks[:7], *tasks[8:]]
    assert again.recent() == [done]
    assert await again.find(done.id) == done
    assert await again.find_many([tasks[3].id, "unknown", done.id]) == [tasks[3], done]
    await again.close()


async def test_a_task_is_seen_at_once_and_told_of_when_it_is_on_disk(
    backend: Backend, controlled: TaskRepository
) -> None:
    heard: list[Change] = []
    controlled.changes.subscribe(heard.append)
    task = make_task(1)
    added = controlled.add(task)
    saved = controlled.save(task, later := changed(task, progress=5))
    assert controlled.held(task.id) == later
    assert not heard
    await backend.commit()
    assert added.done()
    assert saved.done()
    assert heard == [Change(None, task), Change(task, later)]


async def test_a_listener_that_raises_harms_nobody(repository: TaskRepository) -> None:
    heard: list[Change] = []

    def raises(_: Change) -> None:
        raise RuntimeError("a listener's own fault")

    repository.changes.subscribe(raises)
    repository.changes.subscribe(heard.append)
    await asyncio.gather(*(repository.add(make_task(n)) for n in range(5)))
    assert len(heard) == 5


async def test_a_caller_that_is_cancelled_changes_nothing(
    backend: Backend, controlled: TaskRepository
) -> None:
    heard: list[Change] = []
    controlled.changes.subscribe(heard.append)
    controlled.add(task := make_task(1)).cancel()
    await backend.commit()
    assert heard == [Change(None, task)]
    assert controlled.held(task.id) == task


async def test_a_task_is_added_once(backend: Backend) -> None:
    repository = await backend.open()
    task = make_task(1)
    await repository.add(task)
    with pytest.raises(Conflict):
        repository.add(changed(task, prompt="another"))
    assert repository.held(task.id) == task
    old = make_task(2, submitted_at=NOW - 48 * 3_600_000)
    await repository.add(old)
    await repository.save(old, ended(old))
    await repository.close()
    repository = await backend.open()
    assert repository.held(old.id) is None
    with pytest.raises(Conflict):
        await repository.add(old)
    assert repository.held(old.id) is None
    assert await repository.find(old.id) == ended(old)
    await repository.close()


async def test_uploads_live_until_the_task_has_ended(backend: Backend) -> None:
    repository = await backend.open()
    uploads = (upload("a.png", b"a" * 100_000), upload("ü 2.png", b""))
    task = make_task(1)
    await repository.add(task, uploads=uploads)
    assert await repository.uploads(task.id) == uploads
    await repository.close()
    repository = await backend.open()
    assert await repository.uploads(task.id) == uploads
    await repository.save(task, ended(task, Status.FAILURE))
    assert await repository.uploads(task.id) == ()
    await repository.close()


async def test_a_save_may_bring_uploads(repository: TaskRepository) -> None:
    modal = make_task(1, status=Status.MODAL)
    await repository.add(modal)
    confirmed = changed(modal, status=Status.NOT_START)
    await repository.save(modal, confirmed, uploads=[upload()], retried=False)
    assert await repository.uploads(modal.id) == (upload(),)


async def test_saves_wait_behind_the_uploads_of_their_task(repository: TaskRepository) -> None:
    heard: list[Change] = []
    repository.changes.subscribe(heard.append)
    task = make_task(1)
    added = repository.add(task, uploads=[upload(data=b"x" * 1_000_000)])
    cancelled = ended(task, Status.CANCEL)
    await asyncio.gather(added, repository.save(task, cancelled))
    await repository.written()
    assert [change.after for change in heard] == [task, cancelled]
    assert await repository.uploads(task.id) == ()


async def test_a_days_tasks_are_counted_by_token(backend: Backend) -> None:
    repository = await backend.open()
    for number in range(3):
        await repository.add(make_task(number, token="t"))
    await repository.add(make_task(3))
    await repository.add(make_task(4, token="t", submitted_at=NOW + 86_400_000))
    assert await repository.usage(day_of(NOW)) == {"t": 3}
    assert await repository.usage(day_of(NOW) + 1) == {"t": 1}
    await repository.close()


async def test_tasks_are_found_by_trigger(repository: TaskRepository) -> None:
    later, first = make_task(2, trigger="77"), make_task(1, trigger="77")
    for task in (later, first, make_task(3, trigger="88"), make_task(4)):
        await repository.add(task)
    await repository.save(first, moved := changed(first, progress=1))
    assert await repository.by_trigger("77") == [moved, later]
    assert await repository.by_trigger("99") == []


async def test_small_things_are_kept(backend: Backend) -> None:
    repository = await backend.open()
    repository.save_cursor("1", "100")
    repository.save_cursor("2", "5")
    repository.save_cursor("1", "200")
    await repository.keep_uploaded_file("a/b.png", "1", NOW)
    await repository.written()
    await repository.close()
    repository = await backend.open()
    assert await repository.cursors() == {"1": "200", "2": "5"}
    assert await repository.uploaded_file("a/b.png") == "1"
    assert await repository.uploaded_file("c.png") is None
    await repository.close()


async def test_a_start_holds_the_recent_of_the_ended(backend: Backend) -> None:
    day = 24 * 3_600_000
    repository = await backend.open()
    ages = [0, day - 1, day + 1, 30 * day]
    tasks = [make_task(n, submitted_at=NOW - age, account=str(n)) for n, age in enumerate(ages)]
    for task in tasks:
        await repository.add(task)
        await repository.save(task, ended(task))
    await repository.add(old := make_task(9, submitted_at=NOW - 40 * day))
    await repository.close()
    repository = await backend.open()
    assert [task.id for task in repository.recent()] == [tasks[1].id, tasks[0].id]
    assert repository.recent("1") == [ended(tasks[1])]
    assert repository.unfinished() == [old]
    assert await repository.find(tasks[3].id) == ended(tasks[3])
    await repository.close()


async def test_refused_prompts_are_kept(repository: TaskRepository) -> None:
    for number, moderated in enumerate((True, False)):
        task = make_task(number)
        await repository.add(task)
        failure = Failure(reason=f"no {number}", moderated=moderated)
        await repository.save(task, failed := ended(task, Status.FAILURE, failure=failure))
        await repository.save(failed, changed(failed, note="seen"))
    (refused,) = await repository.refused_prompts()
    assert (refused.prompt, refused.said, refused.at) == ("cat 0", "no 0", NOW + 1000)


async def test_after_close_writes_are_refused_at_once(backend: Backend) -> None:
    repository = await backend.open()
    await repository.add(task := make_task(1))
    await repository.close()
    await repository.close()
    with pytest.raises(StoreUnavailable):
        repository.add(other := make_task(2))
    assert repository.held(other.id) is None
    with pytest.raises(StoreUnavailable):
        repository.save(task, changed(task))
    with pytest.raises(StoreUnavailable):
        repository.keep_idempotency_record(claim_for(task))
    with pytest.raises(StoreUnavailable):
        await repository.remove(task)
    with pytest.raises(StoreUnavailable):
        await repository.find("unknown")
    await repository.written()
    assert repository.held(task.id) == task


LONE = "\ud800"


async def test_what_cannot_be_encoded_leaves_nothing(repository: TaskRepository) -> None:
    with pytest.raises(UnicodeEncodeError):
        repository.add(make_task(1, prompt=LONE))
    with pytest.raises(StoreUnavailable):
        await repository.add(make_task(2), uploads=[upload(LONE)])
    with pytest.raises(StoreUnavailable):
        await repository.keep_uploaded_file(LONE, "1", 1)
    assert repository.unfinished() == []
    await repository.add(task := make_task(3))
    with pytest.raises(UnicodeEncodeError):
        repository.save(task, changed(task, note=LONE))
    assert repository.held(task.id) == task
    assert repository.write_error == ""
    await repository.save(task, changed(task))
