"""An idempotency key is taken in the same commit as its task, and by one request only."""

import asyncio

import pytest

from athena.errors import Conflict, StoreUnavailable
from athena.store.repository import IdempotencyRecord, TaskRepository
from athena.store.retention import Retention
from athena.tasks.model import Status
from tests.contract.store.backends import Backend
from tests.contract.store.making import NOW, changed, claim_for, make_task

DAY = 24 * 3_600_000


async def test_a_record_comes_with_its_task(backend: Backend) -> None:
    repository = await backend.open()
    task = make_task(1)
    await repository.add(task, claim=claim_for(task))
    links = IdempotencyRecord(key="k2", at=NOW, fingerprint="g", answer=b"[]")
    await repository.keep_idempotency_record(links)
    await repository.close()
    repository = await backend.open()
    assert await repository.idempotency_record("key") == claim_for(task)
    assert await repository.idempotency_record("k2") == links
    assert await repository.idempotency_record("none") is None
    await repository.close()


async def test_a_key_is_taken_once(repository: TaskRepository) -> None:
    first, second = make_task(1), make_task(2)
    results = await asyncio.gather(
        repository.add(first, claim=claim_for(first)),
        repository.add(second, claim=claim_for(second)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), Conflict]
    assert repository.unfinished() == [first]
    assert await repository.find(second.id) is None
    with pytest.raises(Conflict):
        await repository.keep_idempotency_record(claim_for(second))


async def test_a_key_is_free_again_after_a_day(repository: TaskRepository) -> None:
    first, second = make_task(1), make_task(2)
    await repository.add(first, claim=claim_for(first))
    with pytest.raises(Conflict):
        await repository.add(make_task(3), claim=claim_for(second, at=NOW + DAY))
    await repository.add(second, claim=claim_for(second, at=NOW + DAY + 1))
    record = await repository.idempotency_record("key")
    assert record is not None
    assert record.task_id == second.id


async def test_how_long_a_key_is_taken_is_a_setting(backend: Backend) -> None:
    repository = await backend.open(Retention(claims_hours=1))
    first, second = make_task(1), make_task(2)
    await repository.add(first, claim=claim_for(first))
    await repository.add(second, claim=claim_for(second, at=NOW + 3_600_001))
    await repository.close()


async def test_a_save_with_a_taken_key_changes_nothing(repository: TaskRepository) -> None:
    other, modal = make_task(1), make_task(2, status=Status.MODAL)
    await repository.add(other, claim=claim_for(other))
    await repository.add(modal)
    confirmed = changed(modal, status=Status.NOT_START)
    with pytest.raises(Conflict):
        await repository.save(modal, confirmed, claim=claim_for(modal), retried=False)
    assert repository.held(modal.id) == modal
    await repository.save(modal, confirmed, claim=claim_for(modal, "free"), retried=False)


async def test_a_retry_waits_for_the_request_that_was_cancelled(
    backend: Backend, controlled: TaskRepository
) -> None:
    """Cancelled while its task is written: the key's answer is known to the next all the same."""
    task = make_task(1)
    adding = asyncio.ensure_future(controlled.add(task, claim=claim_for(task)))
    adding.cancel()
    asking = asyncio.create_task(controlled.idempotency_record("key"))
    await asyncio.sleep(0)
    assert not asking.done()
    await backend.commit()
    assert await asking == claim_for(task)


async def test_a_retry_of_a_refused_request_finds_nothing(
    backend: Backend, controlled: TaskRepository
) -> None:
    task = make_task(1)
    backend.fault = "full"
    adding = controlled.add(task, claim=claim_for(task))
    asking = asyncio.create_task(controlled.idempotency_record("key"))
    await asyncio.sleep(0)
    await backend.commit()
    assert await asking is None
    assert isinstance(adding.exception(), StoreUnavailable)
