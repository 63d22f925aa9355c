"""Rate limits, on a clock that is turned."""

import asyncio
import contextlib

import pytest
from tests.conftest import breathe

from athena.clock import TurnableClock
from athena.discord.errors import InvalidForm, RateLimited, from_answer
from athena.discord.limits import Limits

ROUTE = "GET /channels/messages"


def headers(remaining: int, reset_after: float = 10.0) -> dict[str, str]:
    return {
        "X-RateLimit-Bucket": "abc",
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset-After": str(reset_after),
    }


async def call(limits: Limits, remaining: int, major: str = "1") -> None:
    async with limits.turn(ROUTE, major):
        limits.learn(ROUTE, major, headers(remaining))


async def started(work: "asyncio.Task[None]") -> "asyncio.Task[None]":
    await breathe()
    return work


async def test_an_empty_bucket_waits_for_its_refill(clock: TurnableClock) -> None:
    limits = Limits(clock)
    await call(limits, remaining=0)
    waiting = await started(asyncio.create_task(call(limits, remaining=1)))
    assert not waiting.done()
    clock.turn(9.9)
    assert not (await started(waiting)).done()
    clock.turn(0.2)
    await waiting


async def test_buckets_of_other_channels_are_others(clock: TurnableClock) -> None:
    limits = Limits(clock)
    await call(limits, remaining=0, major="1")
    await call(limits, remaining=0, major="2")


async def test_after_the_refill_no_more_than_the_limit_goes_through(clock: TurnableClock) -> None:
    limits = Limits(clock)
    await call(limits, remaining=0)
    through: list[int] = []

    async def one(number: int) -> None:
        async with limits.turn(ROUTE, "1"):
            through.append(number)

    work = [asyncio.create_task(one(n)) for n in range(5)]
    await started(work[-1])
    clock.turn(10)
    await started(work[-1])
    assert len(through) == 2
    clock.turn(10)
    await started(work[-1])
    assert len(through) == 4
    for each in work:
        each.cancel()


async def test_a_429_with_json_closes_the_bucket_or_everything(clock: TurnableClock) -> None:
    limits = Limits(clock)
    headers = {"Content-Type": "application/json"}
    assert limits.refused(ROUTE, "1", headers, b'{"retry_after": 2.5, "global": true}') == 2.5
    waiting = await started(asyncio.create_task(call(limits, 1, major="other")))
    assert not waiting.done()
    clock.turn(2.5)
    await waiting


async def test_a_429_of_the_edge_waits_longer_each_time(clock: TurnableClock) -> None:
    limits = Limits(clock)
    pauses = [limits.refused(ROUTE, "1", {}, b"error code: 1015") for _ in range(3)]
    assert pauses == [30, 60, 120]
    with pytest.raises(RateLimited):
        await call(limits, 1)


async def test_many_invalid_answers_stop_everything_long_before_discord_does(
    clock: TurnableClock,
) -> None:
    limits = Limits(clock)
    for _ in range(50):
        limits.count_invalid()
    with pytest.raises(RateLimited):
        await call(limits, 1)
    clock.turn(601)
    with contextlib.suppress(RateLimited):
        await call(limits, 1)
        return
    pytest.fail("calls go on after the window")


async def test_a_bucket_that_is_not_used_for_an_hour_is_forgotten(clock: TurnableClock) -> None:
    limits = Limits(clock)
    for number in range(50):
        await call(limits, remaining=1, major=str(number))
    known = limits.bucket_count
    clock.turn(3000)
    await call(limits, remaining=1, major="0")
    assert limits.bucket_count == known, "it is not an hour yet"
    clock.turn(1000)
    await call(limits, remaining=1, major="0")
    assert limits.bucket_count <= 2, "only the one that was used is left"


async def test_a_bucket_that_is_closed_or_in_use_is_kept(clock: TurnableClock) -> None:
    limits = Limits(clock)
    told = {"Content-Type": "application/json"}
    limits.refused(ROUTE, "closed", told, b'{"retry_after": 9000}')
    async with limits.turn(ROUTE, "busy"):
        clock.turn(8000)
        await call(limits, remaining=1, major="other")
        with pytest.raises(RateLimited):
            await call(limits, remaining=1, major="closed")
        waiting = await started(asyncio.create_task(call(limits, 1, major="busy")))
        assert not waiting.done()
    await waiting


def test_errors_tell_which_field_is_wrong() -> None:
    body = (
        b'{"code":50035,"message":"Invalid Form Body","errors":{"data":{"version":'
        b'{"_errors":[{"code":"X","message":"This command is outdated"}]}}}}'
    )
    error = from_answer(400, body)
    assert isinstance(error, InvalidForm)
    assert error.stale_command
    assert "data.version: This command is outdated" in str(error)
