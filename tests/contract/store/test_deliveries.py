"""The outbox of webhooks: written with the change, newest state only, the end never lost."""

from athena.store.repository import Delivery, TaskRepository
from athena.tasks.model import Task
from tests.contract.store.backends import Backend
from tests.contract.store.making import changed, ended, make_task

URL = "https://example.com/webhook"


def webhook_task(number: int = 1) -> Task:
    return make_task(number, webhook=URL)


async def test_visible_changes_are_delivered_and_no_others(repository: TaskRepository) -> None:
    await repository.add(task := webhook_task())
    await repository.save(task, invisible := changed(task, content="words"))
    assert await repository.pending_deliveries() == []
    await repository.save(invisible, visible := changed(invisible, progress=31))
    assert await repository.pending_deliveries() == [Delivery(url=URL, task=visible)]
    await repository.add(silent := make_task(2))
    await repository.save(silent, ended(silent))
    assert len(await repository.pending_deliveries()) == 1


async def test_a_newer_state_replaces_an_older_one(backend: Backend) -> None:
    repository = await backend.open()
    await repository.add(task := webhook_task())
    for progress in range(10):
        await repository.save(task, task := changed(task, progress=progress))
    await repository.save(task, done := ended(task))
    await repository.close()
    repository = await backend.open()
    assert await repository.pending_deliveries() == [Delivery(url=URL, task=done)]
    await repository.close()


async def test_what_was_delivered_is_forgotten_but_nothing_newer(
    repository: TaskRepository,
) -> None:
    await repository.add(task := webhook_task())
    await repository.save(task, running := changed(task, progress=31))
    await repository.save(running, done := ended(running))
    await repository.delivered(running)
    assert await repository.pending_deliveries() == [Delivery(url=URL, task=done)]
    await repository.delivered(done)
    assert await repository.pending_deliveries() == []


async def test_a_delivery_shows_the_task_as_it_is(repository: TaskRepository) -> None:
    """An invisible change after the end, such as a fresh link, is in it."""
    await repository.add(task := webhook_task())
    await repository.save(task, done := ended(task))
    await repository.save(done, fresh := changed(done, note="fresh link"))
    assert await repository.pending_deliveries() == [Delivery(url=URL, task=fresh)]
    await repository.delivered(fresh)
    assert await repository.pending_deliveries() == []
