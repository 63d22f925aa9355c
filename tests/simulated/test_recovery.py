"""Recovery from failures: lost events, restarts, lost answers, overdue tasks."""

from pathlib import Path

import pytest

from athena.clock import TurnableClock
from athena.simulator.app import Simulator
from tests.conftest import breathe
from tests.simulated.conftest import Build, Json, System, account, system_at
from tests.simulated.test_first_light import running_now, wait_online


async def control(system: System, what: str, body: Json) -> None:
    url = f"{system.simulator.urls.cdn}/_control/{what}"
    async with system.http.post(url, json=body) as answer:
        assert answer.status == 200, await answer.text()


async def test_a_restart_goes_on_with_every_task(tmp_path: Path) -> None:
    async with Simulator(speed=30) as simulator:
        async with system_at(tmp_path, simulator=simulator) as system:
            await wait_online(system)
            ids = [(await system.imagine(f"cat {n}"))["result"] for n in range(7)]
            await system.until(ids[0], lambda task: task["status"] == "IN_PROGRESS")
        while running_now(system):
            await breathe()  # sent tasks finish while the server is down
        async with system_at(tmp_path, simulator=simulator) as system:
            tasks = [await system.ended(task_id) for task_id in ids]
            assert [task["status"] for task in tasks] == ["SUCCESS"] * 7
            assert len(system.jobs()) == 7
            for number, task in enumerate(tasks):
                assert task["properties"]["finalPrompt"] == f"cat {number} --v 7.0"


async def test_events_that_a_new_session_missed_are_read_from_the_history(build: Build) -> None:
    system = await build(speed=60)
    task_id = (await system.imagine("a cat"))["result"]
    await system.until(task_id, lambda task: task["status"] == "IN_PROGRESS")
    await control(system, "refuse-resume", {"value": 1})
    await control(system, "drop", {"code": 4000})
    while running_now(system):
        await breathe()
    task = await system.ended(task_id)
    assert task["status"] == "SUCCESS"


async def test_partial_updates_keep_what_they_do_not_name(build: Build) -> None:
    system = await build(speed=40)
    await control(system, "partial-updates", {"on": True})
    task = await system.ended((await system.imagine("a cat"))["result"])
    assert task["status"] == "SUCCESS"


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_429_is_waited_out_and_makes_no_second_job(
    tmp_path: Path, clock: TurnableClock, as_json: bool
) -> None:
    async with (
        Simulator(speed=float("inf")) as simulator,
        system_at(tmp_path, simulator=simulator, clock=clock) as system,
    ):
        fail = {"route": "POST /interactions", "status": 429, "times": 2, "json": as_json}
        await control(system, "fail", fail)
        task_id = (await system.imagine("a cat"))["result"]
        while (await system.fetch(task_id))["status"] != "SUCCESS":
            clock.turn(0.5)
        assert len(system.jobs()) == 1


async def test_an_answer_of_500_is_never_sent_twice_and_ends_with_its_reason(
    tmp_path: Path, clock: TurnableClock
) -> None:
    async with (
        Simulator(speed=float("inf")) as simulator,
        system_at(tmp_path, simulator=simulator, clock=clock) as system,
    ):
        fail = {"route": "POST /interactions", "status": 500, "times": 1}
        await control(system, "fail", fail)
        task_id = (await system.imagine("a cat"))["result"]
        while not (await system.fetch(task_id))["failReason"]:
            clock.turn(1)
        assert "not known whether Discord took" in (await system.fetch(task_id))["failReason"]
        assert system.jobs() == []


async def test_a_job_that_never_ends_fails_after_a_last_look_and_frees_its_slot(
    tmp_path: Path, clock: TurnableClock
) -> None:
    async with (
        Simulator(speed=0.0001) as simulator,
        system_at(
            tmp_path, simulator=simulator, clock=clock, accounts=[account(core_size=1)]
        ) as system,
    ):
        first = (await system.imagine("a cat"))["result"]
        await system.until(first, lambda task: task["status"] == "SUBMITTED")
        assert (await system.imagine("waits"))["code"] == 22
        while (await system.fetch(first))["status"] != "FAILURE":
            clock.turn(1)
        assert "No sign of life for 300 seconds" in (await system.fetch(first))["failReason"]
        while len(system.jobs()) < 2:
            await breathe()
            clock.turn(0.1)


async def test_a_removed_image_ends_as_moderated(tmp_path: Path, clock: TurnableClock) -> None:
    async with (
        Simulator(speed=1) as simulator,
        system_at(tmp_path, simulator=simulator, clock=clock) as system,
    ):
        task_id = (await system.imagine("a cat"))["result"]
        task = await system.until(task_id, lambda t: bool(t["properties"]["progressMessageId"]))
        simulator.world.delete(
            task["properties"]["discordChannelId"], task["properties"]["progressMessageId"]
        )
        while (await system.fetch(task_id))["status"] != "FAILURE":
            clock.turn(1)
        assert (await system.fetch(task_id))["failReason"].startswith("[Removed]")
