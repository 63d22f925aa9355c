"""Nothing ends unseen: loops start again, turns are guarded, and an end leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
from structlog.testing import capture_logs

from athena.clock import TurnableClock
from athena.supervision import LoopStatus, Supervisor
from tests.unit.discord.settling import settle


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Formatting a traceback costs more than the test that causes it."""
    with capture_logs():
        yield


@pytest.fixture
async def supervisor(clock: TurnableClock) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor("owner", clock, Random(1))
    yield supervisor
    await supervisor.close()


async def turn(clock: TurnableClock, seconds: float) -> None:
    clock.turn(seconds)
    await settle()


async def next_start(clock: TurnableClock) -> float:
    """Turn the clock to the next waking; the pause until then."""
    pause = clock.next_waking() or 0.0
    await turn(clock, pause)
    return pause


class Faulty:
    """Work that raises so many times and then waits."""

    def __init__(self, faults: int) -> None:
        self.faults = faults
        self.starts = 0

    async def run(self) -> None:
        self.starts += 1
        if self.starts <= self.faults:
            raise KeyError("fault")
        await asyncio.Event().wait()

    async def turn(self) -> None:
        self.starts += 1
        if self.starts <= self.faults:
            raise KeyError("fault")


async def test_a_loop_that_raises_starts_again_after_growing_pauses(
    supervisor: Supervisor, clock: TurnableClock
) -> None:
    """Finding 5."""
    work = Faulty(8)
    supervisor.start("loop", work.run)
    await settle()
    pauses = [await next_start(clock) for _ in range(8)]
    assert work.starts == 9
    planned = [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(
        0.5 * plan <= pause <= 1.5 * plan for plan, pause in zip(planned, pauses, strict=True)
    )
    assert clock.next_waking() is None


async def test_a_loop_that_is_down_says_why_and_since_when(
    supervisor: Supervisor, clock: TurnableClock
) -> None:
    work = Faulty(2)
    begun = clock.now()
    supervisor.start("loop", work.run)
    await settle()
    assert supervisor.errors == {"loop": "KeyError: 'fault'"}
    await next_start(clock)
    [status] = supervisor.loops
    assert (status.failures, status.error) == (2, "KeyError: 'fault'")
    assert status.last_beat == clock.now() > begun
    await next_start(clock)
    assert supervisor.loops == [LoopStatus(name="loop", last_beat=clock.now(), failures=2)]
    assert supervisor.errors == {}


async def test_a_loop_that_ran_well_for_long_starts_again_soon(
    supervisor: Supervisor, clock: TurnableClock
) -> None:
    ends: list[asyncio.Future[None]] = []

    async def work() -> None:
        ends.append(asyncio.get_running_loop().create_future())
        await ends[-1]

    async def fail(after: float) -> tuple[int, float]:
        await turn(clock, after)
        ends[-1].set_exception(KeyError("fault"))
        await settle()
        return supervisor.loops[0].failures, await next_start(clock)

    supervisor.start("loop", work)
    await settle()
    failures, pause = [await fail(59) for _ in range(6)][-1]
    assert (failures, pause >= 16) == (6, True)
    failures, pause = await fail(61)
    assert (failures, pause <= 1.5) == (1, True)


async def test_a_loop_that_returns_is_over(supervisor: Supervisor, clock: TurnableClock) -> None:
    starts = []

    async def work() -> None:
        starts.append(1)

    supervisor.start("loop", work)
    await settle()
    await turn(clock, 100)
    assert len(starts) == 1
    assert supervisor._running == {}


async def test_a_fault_costs_one_turn_and_shows_until_the_next(
    supervisor: Supervisor, clock: TurnableClock
) -> None:
    """Finding 5."""
    work = Faulty(2)
    supervisor.periodic("turns", lambda: 1.0, work.turn)
    await settle()
    assert supervisor.loops == [LoopStatus(name="turns", last_beat=clock.now())]
    begun = clock.now()
    await turn(clock, 1)
    await turn(clock, 1)
    [status] = supervisor.loops
    assert (status.failures, status.last_beat, status.error) == (2, begun, "KeyError: 'fault'")
    await turn(clock, 1)
    assert work.starts == 3
    assert supervisor.loops == [LoopStatus(name="turns", last_beat=clock.now())]


async def test_what_begins_to_fail_and_what_works_again_is_reported(clock: TurnableClock) -> None:
    reports: list[dict[str, str]] = []
    supervisor = Supervisor("owner", clock, Random(1), reports.append)
    supervisor.periodic("turns", lambda: 1.0, Faulty(2).turn)
    await settle()
    for _ in range(4):
        await turn(clock, 1)
    assert reports == [{"turns": "KeyError: 'fault'"}, {}]
    await supervisor.close()


async def test_the_pause_is_asked_for_each_time(
    supervisor: Supervisor, clock: TurnableClock
) -> None:
    pauses = [1.0, 5.0, 9.0]
    work = Faulty(0)
    supervisor.periodic("turns", lambda: pauses.pop(0), work.turn)
    await settle()
    await turn(clock, 1)
    await turn(clock, 4)
    assert work.starts == 1
    await turn(clock, 1)
    assert work.starts == 2


async def test_what_is_spawned_has_a_name_and_may_fail(supervisor: Supervisor) -> None:
    async def fault() -> None:
        raise KeyError("fault")

    spawned = supervisor.spawn("once", fault())
    assert spawned.get_name() == "owner/once"
    await settle()
    assert spawned.done()
    assert (supervisor.loops, supervisor._running) == ([], {})


async def test_an_end_leaves_nothing_behind(clock: TurnableClock) -> None:
    """Finding 9: what is started while all is being cancelled ends too."""
    before = asyncio.all_tasks()
    supervisor = Supervisor("owner", clock, Random(1))

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            supervisor.spawn("late", asyncio.Event().wait())  # type: ignore[arg-type]
            await asyncio.sleep(0)

    supervisor.start("loop", Faulty(0).run)
    supervisor.start("restarting", Faulty(9).run)
    supervisor.periodic("turns", lambda: 1.0, Faulty(0).turn)
    supervisor.spawn("stubborn", stubborn())
    await settle()
    await supervisor.close()
    assert asyncio.all_tasks() == before
    assert supervisor._running == {}


async def test_one_of_its_own_can_end_it(clock: TurnableClock) -> None:
    supervisor = Supervisor("owner", clock, Random(1))
    work = Faulty(0)
    supervisor.start("loop", work.run)
    ending = supervisor.spawn("end", supervisor.close())
    await ending
    assert not ending.cancelled()
    await settle()
    assert supervisor._running == {}
