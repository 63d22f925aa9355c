"""Sessions of many accounts begin one after another."""

import asyncio

import pytest
from tests.unit.discord.fakes import Session
from tests.unit.discord.settling import settle

from athena.clock import TurnableClock
from athena.discord.pacing import IdentifyPacer


async def test_so_many_begin_each_second(clock: TurnableClock) -> None:
    pacer = IdentifyPacer(clock, per_second=10, burst=1)
    admitted: list[int] = []

    async def begin(number: int) -> None:
        await pacer.wait()
        admitted.append(number)

    work = [asyncio.create_task(begin(number)) for number in range(25)]
    await settle()
    assert admitted == [0]
    for second in (10, 20, 25):
        for _ in range(20):
            clock.turn(0.05)
            await settle()
        assert len(admitted) in (second, min(second + 1, 25))
    assert admitted == list(range(25))
    await asyncio.gather(*work)


async def test_after_a_pause_there_is_no_burst(clock: TurnableClock) -> None:
    pacer = IdentifyPacer(clock, per_second=1, burst=1)
    await pacer.wait()
    clock.turn(100)
    await pacer.wait()
    second = asyncio.create_task(pacer.wait())
    await settle()
    assert not second.done()
    clock.turn(1)
    await second


async def test_a_few_begin_at_once_and_again_after_a_pause(clock: TurnableClock) -> None:
    pacer = IdentifyPacer(clock, per_second=1, burst=3)
    for _ in range(2):
        for _ in range(3):
            await pacer.wait()
        fourth = asyncio.create_task(pacer.wait())
        await settle()
        assert not fourth.done()
        clock.turn(1)
        await fourth
        clock.turn(100)


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_an_impossible_pace_is_refused(clock: TurnableClock, per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        IdentifyPacer(clock, per_second, burst)


async def test_a_thousand_gateways_identify_within_a_minute_and_resume_at_once(
    clock: TurnableClock,
) -> None:
    pacer = IdentifyPacer(clock)
    sessions = [Session(clock, pacer=pacer, seed=number) for number in range(1000)]
    for session in sessions:
        assert not session.work.done()
    await settle()
    begun = sum(bool(session.sockets) for session in sessions)
    assert begun == 10, "not all at once"
    for _ in range(590):
        clock.turn(0.1)
        await settle()
    assert all(session.sockets for session in sessions)
    for session in sessions:
        await session.close()


async def test_a_resume_is_not_paced(clock: TurnableClock) -> None:
    session = Session(clock, pacer=IdentifyPacer(clock, per_second=0.001))
    await session.online()
    session.socket.end(4000)
    await session.pass_time(3)
    assert session.socket.ops() == [6]
    await session.close()
