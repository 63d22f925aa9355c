"""Asking twice under one key is asking once, whatever happens in between."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from athena.clock import TurnableClock
from athena.errors import BadRequest, Conflict, KeyReused
from athena.service.drafts import imagine
from athena.service.idempotency import IdempotencyKey
from athena.service.options import Accepted, SubmitOptions
from athena.store.repository import IdempotencyRecord
from tests.unit.fakes import make_task
from tests.unit.service.fakes import Services, status

KEY = IdempotencyKey("k", "f")
DAY = 24 * 60 * 60


def taking(services: Services, *texts: str) -> Callable[[], Awaitable[list[str]]]:
    """Answers with the next text, and stores that."""
    left = list(texts)

    async def take() -> list[str]:
        answer = [left.pop(0)]
        await asyncio.sleep(0)
        if record := services.keys.record(KEY, answer):
            await services.repository.keep_idempotency_record(record)
        return answer

    return take


async def test_without_a_key_every_request_is_new(services: Services) -> None:
    take = taking(services, "a", "b")
    assert await services.keys.settle(None, list[str], take) == ["a"]
    assert await services.keys.settle(None, list[str], take) == ["b"]
    assert services.keys.record(None, ["a"]) is None


async def test_the_same_key_gets_the_same_answer_for_a_day(
    services: Services, clock: TurnableClock
) -> None:
    take = taking(services, "a", "b")
    assert await services.keys.settle(KEY, list[str], take) == ["a"]
    clock.turn(DAY)
    assert await services.keys.settle(KEY, list[str], take) == ["a"]
    clock.turn(0.001)
    assert await services.keys.settle(KEY, list[str], take) == ["b"]


async def test_another_key_is_another_request(services: Services) -> None:
    await services.keys.settle(KEY, list[str], taking(services, "a"))
    other = IdempotencyKey("other", "f")
    assert await services.keys.settle(other, list[str], taking(services, "b")) == ["b"]


async def test_a_key_with_another_request_is_refused(services: Services) -> None:
    take = taking(services, "a", "b")
    await services.keys.settle(KEY, list[str], take)
    with pytest.raises(KeyReused):
        await services.keys.settle(IdempotencyKey("k", "g"), list[str], take)


async def test_what_was_refused_may_be_tried_again(services: Services) -> None:
    async def refuse() -> list[str]:
        raise BadRequest("no")

    with pytest.raises(BadRequest):
        await services.keys.settle(KEY, list[str], refuse)
    assert await services.keys.settle(KEY, list[str], taking(services, "a")) == ["a"]


async def test_of_many_at_once_one_is_taken_and_all_hear_its_answer(services: Services) -> None:
    take = taking(services, "a", "b", "c")
    answers = await asyncio.gather(*(services.keys.settle(KEY, list[str], take) for _ in range(3)))
    assert answers == [["a"]] * 3


async def test_keys_do_not_wait_for_each_other(services: Services) -> None:
    never = asyncio.Event()

    async def hang() -> list[str]:
        await never.wait()
        return []

    hanging = asyncio.ensure_future(services.keys.settle(KEY, list[str], hang))
    await asyncio.sleep(0)
    other = IdempotencyKey("other", "f")
    assert await services.keys.settle(other, list[str], taking(services, "a")) == ["a"]
    hanging.cancel()


async def test_a_key_that_another_process_took_first_is_its_answer(services: Services) -> None:
    async def too_late() -> list[str]:
        services.repository.records["k"] = IdempotencyRecord(
            key="k", at=services.clock.now(), fingerprint="f", answer=b'["theirs"]'
        )
        raise Conflict("the key is taken")

    assert await services.keys.settle(KEY, list[str], too_late) == ["theirs"]


async def test_a_conflict_of_another_kind_is_told(services: Services) -> None:
    async def refuse() -> list[str]:
        raise Conflict("the task was changed")

    with pytest.raises(Conflict, match="the task was changed"):
        await services.keys.settle(KEY, list[str], refuse)


async def test_an_answer_knows_that_it_is_repeated_and_its_task(services: Services) -> None:
    record = services.keys.record(KEY, Accepted(task=make_task(1), ahead=2))
    assert record is not None
    assert (record.key, record.fingerprint, record.at, record.task_id) == (
        "k",
        "f",
        services.clock.now(),
        make_task(1).id,
    )
    services.repository.records["k"] = record

    async def never() -> Accepted:
        raise AssertionError

    again = await services.keys.settle(KEY, Accepted, never)
    assert again == Accepted(task=make_task(1), ahead=2, repeated=True)


async def test_an_answer_without_a_task_is_stored_as_it_is(services: Services) -> None:
    record = services.keys.record(KEY, ["a"])
    assert record is not None
    assert (record.answer, record.task_id) == (b'["a"]', None)


async def test_a_caller_that_goes_away_while_the_task_is_written_makes_no_second_one(
    services: Services,
) -> None:
    """Claims cancelled while `add` is written: the retry gets the task of the first try."""
    services.put(status())
    services.repository.is_held_up = True
    options = SubmitOptions(once=KEY)
    first = asyncio.ensure_future(services.tasks.submit(imagine("cat"), options))
    await asyncio.sleep(0)
    assert services.repository.unfinished()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    services.repository.release()
    again = await services.tasks.submit(imagine("cat"), options)
    assert again.repeated
    assert [each.id for each in services.repository.unfinished()] == [again.task.id]
