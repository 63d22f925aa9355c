"""Limits and circuit breakers of the servers that webhooks go to."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.delivery.receiving import settle

from athena.clock import TurnableClock
from athena.delivery import receivers as receivers_module
from athena.delivery.receivers import ReceiverLimits, Receivers

SMALL = ReceiverLimits(per_receiver=2, per_token=3, failures=2, probe_pause=5)


def begun(receivers: Receivers, host: str, token: str = "t") -> "asyncio.Task[None]":
    return asyncio.create_task(receivers.enter(host, token))


async def failed(receivers: Receivers, host: str, times: int) -> None:
    for _ in range(times):
        await receivers.enter(host, "t")
        receivers.leave(host, "t", answered=False)


async def test_a_receiver_has_its_places_and_a_token_has() -> None:
    receivers = Receivers(TurnableClock(), SMALL)
    first = [begun(receivers, "a") for _ in range(3)]
    second = [begun(receivers, "b") for _ in range(2)]
    await settle()
    assert [each.done() for each in first] == [True, True, False]  # two of the receiver
    assert [each.done() for each in second] == [True, False]  # three of the token
    other = begun(receivers, "b", "other")
    await settle()
    assert other.done()  # what waits holds no place
    receivers.leave("b", "other", answered=True)
    receivers.leave("a", "t", answered=True)
    await settle()
    assert [each.done() for each in (first[2], second[1])] == [True, False]
    receivers.leave("a", "t", answered=True)
    await settle()
    assert second[1].done()


async def test_tokens_take_turns() -> None:
    receivers = Receivers(TurnableClock(), ReceiverLimits(per_receiver=1))
    order: list[str] = []

    async def work(token: str) -> None:
        await receivers.enter("a", token)
        order.append(token)
        await asyncio.sleep(0)
        receivers.leave("a", token, answered=True)

    await asyncio.gather(*map(work, "xxxxyz"))
    assert order == list("xxyzxx")


async def test_a_receiver_that_is_down_gets_one_probe_at_a_time() -> None:
    clock = TurnableClock()
    receivers = Receivers(clock, SMALL)
    await failed(receivers, "a", 1)
    assert not receivers.is_down("a")
    await failed(receivers, "a", 1)
    assert receivers.is_down("a")
    waiting = [begun(receivers, "a") for _ in range(3)]
    await settle()
    assert not any(each.done() for each in waiting)
    assert [each.get_name() for each in asyncio.all_tasks()].count("webhook probe of a") == 1
    for expected in (1, 2):
        clock.turn(4.9)
        await settle()
        assert sum(each.done() for each in waiting) == expected - 1
        clock.turn(0.2)
        await settle()
        assert sum(each.done() for each in waiting) == expected
        clock.turn(60)  # it hangs: no second probe meanwhile
        await settle()
        assert sum(each.done() for each in waiting) == expected
        receivers.leave("a", "t", answered=False)
        await settle()
    clock.turn(5)
    await settle()
    more = [begun(receivers, "a") for _ in range(2)]
    assert receivers.leave("a", "t", answered=True)  # up again
    assert not receivers.is_down("a")
    await settle()
    assert all(each.done() for each in more)


async def test_only_failures_in_a_row_count() -> None:
    receivers = Receivers(TurnableClock(), SMALL)
    for answered in (False, True, False, None, True, False):
        await receivers.enter("a", "t")
        assert not receivers.leave("a", "t", answered=answered)
        assert not receivers.is_down("a")


async def test_what_is_cancelled_holds_no_place() -> None:
    receivers = Receivers(TurnableClock(), ReceiverLimits(per_receiver=1))
    await receivers.enter("a", "t")
    waits, follows = begun(receivers, "a"), begun(receivers, "a")
    await settle()
    waits.cancel()
    receivers.leave("a", "t", answered=True)
    follows.cancel()  # it has its place, and does not know yet
    third = begun(receivers, "a")
    await settle()
    assert third.done()
    assert not third.cancelled()
    receivers.leave("a", "t", answered=True)
    assert receivers._receivers == {}
    assert not +receivers._of_token


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_receiver_is_forgotten_and_known_again_while_a_place_is_given_up(
    at_once: bool,
) -> None:
    receivers = Receivers(TurnableClock(), ReceiverLimits(per_token=1))
    await receivers.enter("elsewhere", "t")
    waits = begun(receivers, "a")
    await settle()
    again = begun(receivers, "a") if at_once else None
    waits.cancel()
    if not at_once:
        await settle()
        assert set(receivers._receivers) == {"elsewhere"}
        again = begun(receivers, "a")
    receivers.leave("elsewhere", "t", answered=True)
    await settle()
    assert again
    assert again.done()
    receivers.leave("a", "t", answered=True)
    assert receivers._receivers == {}


async def test_timers_end_with_their_owner() -> None:
    clock = TurnableClock()
    receivers = Receivers(clock, SMALL)
    await failed(receivers, "a", 2)
    waiting = begun(receivers, "a")
    await settle()
    waiting.cancel()
    receivers.close()
    await settle()
    assert clock.next_waking() is None
    again = begun(receivers, "a")
    await settle()
    clock.turn(5)
    await settle()
    assert again.done()


async def test_idle_receivers_are_forgotten_when_there_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receivers_module, "_MOST_IDLE", 10)
    receivers = Receivers(TurnableClock(), SMALL)
    await receivers.enter("busy", "other")
    for number in range(100):
        await failed(receivers, f"dead{number}", 2)
    assert len(receivers._receivers) <= 11
    assert "busy" in receivers._receivers


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "enter", "up", "down", "not asked", "cancel", "turn"]),
        st.integers(0, 3),
        st.integers(0, 30),
    ),
    max_size=60,
)


@given(STEPS)
def test_no_limit_is_passed_and_no_place_is_lost(steps: list[Step]) -> None:
    asyncio.run(_no_limit_is_passed(steps))


async def _no_limit_is_passed(steps: list[Step]) -> None:
    clock = TurnableClock()
    receivers = Receivers(clock, SMALL)
    inside: list[tuple[str, str]] = []
    tasks: dict[asyncio.Task[None], tuple[str, str]] = {}

    async def enter(host: str, token: str) -> None:
        await receivers.enter(host, token)
        inside.append((host, token))

    def leave(number: int, answered: bool | None) -> None:
        if inside:
            receivers.leave(*inside.pop(number % len(inside)), answered=answered)

    for kind, place, number in steps:
        match kind:
            case "enter":
                host, token = f"h{place % 2}", f"t{number % 2}"
                tasks[asyncio.create_task(enter(host, token))] = host, token
            case "up":
                leave(number, True)
            case "down":
                leave(number, False)
            case "not asked":
                leave(number, None)
            case "cancel" if tasks:
                list(tasks)[number % len(tasks)].cancel()
            case "turn":
                clock.turn(number)
        if number % 3:
            await settle()
        assert all(n <= SMALL.per_receiver for n in Counter(h for h, _ in inside).values())
        assert all(n <= SMALL.per_token for n in Counter(t for _, t in inside).values())
    await settle()
    while not all(each.done() for each in tasks):
        before = len(inside)
        leave(0, True)
        clock.turn(5)
        await settle()
        assert inside or before or all(each.done() for each in tasks), "all wait for ever"
    while inside:
        leave(0, True)
    assert not any(each.open or each.waiting for each in receivers._receivers.values())
    assert not +receivers._of_token
    receivers.close()
