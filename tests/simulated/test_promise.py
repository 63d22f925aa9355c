"""Reliability in detail: idempotency keys, similar tasks, gaps, clean shutdown, old notices."""

import asyncio
from pathlib import Path

import pytest

from athena.clock import TurnableClock
from athena.settings import WebhookSettings
from athena.simulator.app import Simulator
from athena.simulator.bots.index import INSIGHT_FACE
from athena.store.sqlite import open_store
from athena.tasks.model import Sending
from tests.conftest import breathe
from tests.simulated.asking import button, image, submit, text
from tests.simulated.conftest import CHANNEL, Build, Json, System, account, system_at
from tests.simulated.test_first_light import wait_online
from tests.simulated.test_recovery import control

KEY = {"Idempotency-Key": "order-17"}


# Keys


async def test_the_same_key_gets_the_same_answer_and_makes_one_task(build: Build) -> None:
    system = await build(speed=30, accounts=[account(core_size=1)])
    await system.imagine("before")
    body = {"prompt": "a cat", "state": "mine"}
    answers = [await system.post("/mj/submit/imagine", body, **KEY) for _ in range(3)]
    assert answers[0]["code"] == 22
    assert answers[1:] == answers[:1] * 2
    task = await system.ended(answers[0]["result"])
    assert await system.post("/mj/submit/imagine", body, **KEY) == answers[0]
    assert task["status"] == "SUCCESS"
    assert [job["prompt"] for job in system.jobs()] == ["before --v 7.0", "a cat --v 7.0"]


async def test_many_at_once_with_one_key_are_one(system: System) -> None:
    asking = (system.post("/mj/submit/imagine", {"prompt": "a cat"}, **KEY) for _ in range(20))
    answers = await asyncio.gather(*asking)
    assert len({answer["result"] for answer in answers}) == 1
    await system.ended(answers[0]["result"])
    assert len(system.jobs()) == 1


async def test_a_key_with_another_body_or_in_another_mode_is_an_error(system: System) -> None:
    await system.post("/mj/submit/imagine", {"prompt": "a cat"}, **KEY)
    for path, body in (
        ("/mj/submit/imagine", {"prompt": "a dog"}),
        ("/mj-relax/mj/submit/imagine", {"prompt": "a cat"}),
        ("/mj/submit/shorten", {"prompt": "a cat"}),
    ):
        answer = await system.post(path, body, **KEY)
        assert answer["code"] == 4
        assert "Idempotency-Key" in answer["description"]
    refused = await system.post("/v1/api/trigger/imagine", {"prompt": "a cat"}, **KEY)
    assert refused["code"] == 13
    assert "Idempotency-Key" in refused["message"]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_impossible_key_is_refused(system: System, key: str) -> None:
    answer = await system.post(
        "/mj/submit/imagine", {"prompt": "a cat"}, **{"Idempotency-Key": key}
    )
    assert answer["code"] == 4


async def test_what_was_refused_may_be_tried_again(build: Build) -> None:
    system = await build(accounts=[account(core_size=1, queue_size=0)], speed=30)
    first = await system.imagine("first")
    body = {"prompt": "a cat"}
    assert (await system.post("/mj/submit/imagine", body, **KEY))["code"] == 23
    await system.ended(first["result"])
    assert (await system.post("/mj/submit/imagine", body, **KEY))["code"] == 1


async def test_every_kind_of_submit_takes_a_key(system: System) -> None:
    grid = await submit(system, "submit/imagine", prompt="a cat")
    single = await submit(
        system, "submit/action", taskId=grid["id"], customId=button(grid, "MJ::JOB::upsample::1")
    )
    zoom = button(single, "MJ::CustomZoom")
    opened = await system.post("/mj/submit/action", {"taskId": single["id"], "customId": zoom})
    simple = {"content": f"{grid['id']} V2"}
    requests = [
        ("/mj/submit/modal", {"taskId": opened["result"], "prompt": "a cat --zoom 2"}),
        ("/mj/submit/action", {"taskId": single["id"], "customId": zoom}),
        ("/mj/submit/simple-change", simple),
        ("/mj/submit/describe", {"base64": text(image())}),
        ("/mj/submit/blend", {"base64Array": [text(image()), text(image("red"))]}),
        ("/mj/submit/upload-discord-images", {"base64Array": [text(image())]}),
        ("/v1/api/trigger/imagine", {"prompt": "a dog"}),
    ]
    for number, (path, body) in enumerate(requests):
        key = {"Idempotency-Key": f"key {number}"}
        first = await system.post(path, body, **key)
        assert first.get("code", 1) in (1, 21, 22), first
        assert await system.post(path, body, **key) == first, path


async def test_keys_outlive_a_restart_but_not_a_day(tmp_path: Path, clock: TurnableClock) -> None:
    async with Simulator(speed=float("inf")) as simulator:
        async with system_at(tmp_path, simulator=simulator, clock=clock) as system:
            first = await system.post("/mj/submit/imagine", {"prompt": "a cat"}, **KEY)
        async with system_at(tmp_path, simulator=simulator, clock=clock) as system:
            body = {"prompt": "a cat"}
            assert (await system.post("/mj/submit/imagine", body, **KEY)) == first
            clock.turn(25 * 3600)
            again = await system.post("/mj/submit/imagine", body, **KEY)
            assert again["result"] != first["result"]


async def test_what_is_asked_again_is_counted_once(build: Build) -> None:
    system = await build(secret="open sesame")
    operator = {"mj-api-secret": "open sesame"}
    fields = {"name": "shop", "dailyLimit": 2}
    made = await system.post("/mj/token/create", fields, **operator)
    token = {"mj-api-secret": made["result"]}
    for _ in range(3):
        assert (await system.post("/mj/submit/imagine", {"prompt": "a"}, **KEY, **token))[
            "code"
        ] == 1
    assert (await system.get("/mj/me", **token))["usedToday"] == 1


async def test_a_late_job_of_a_cancelled_task_is_cancelled_after_a_restart(tmp_path: Path) -> None:
    async with Simulator(speed=0.5) as simulator:
        async with system_at(tmp_path, simulator=simulator) as system:
            task_id = (await system.imagine("a cat"))["result"]
            await system.until(task_id, lambda task: task["status"] == "SUBMITTED")
            await system.post(f"/mj/task/{task_id}/cancel", {})
        while not system.jobs():
            await breathe()
        async with system_at(tmp_path, simulator=simulator) as system:
            while system.jobs()[0]["end"] is None:
                await breathe()
            assert system.jobs()[0]["end"] == "stopped"
            assert (await system.fetch(task_id))["status"] == "CANCEL"


# Similar tasks


async def test_alike_tasks_go_one_after_another_and_let_others_pass(build: Build) -> None:
    system = await build(speed=30)
    await wait_online(system)
    ids = [(await system.imagine(prompt))["result"] for prompt in ("a cat", "a cat", "a dog")]
    tasks = [await system.ended(task_id) for task_id in ids]
    cat, dog, other = system.jobs()
    assert [job["prompt"] for job in (cat, dog, other)] == [
        "a cat --v 7.0", "a dog --v 7.0", "a cat --v 7.0",
    ]  # fmt: skip
    assert [task["properties"]["messageHash"] for task in tasks] == [
        cat["id"], other["id"], dog["id"],
    ]  # fmt: skip
    shown = system.simulator.world.messages[CHANNEL].values()
    (first,) = [m for m in shown if (m.get("interaction_metadata") or {}).get("id")
                == cat["interaction"]]  # fmt: skip
    assert int(other["interaction"]) > int(cat["interaction"])
    assert first["attachments"]


async def test_one_that_is_given_up_lets_those_behind_it_go(
    tmp_path: Path, clock: TurnableClock
) -> None:
    async with (
        Simulator(speed=float("inf")) as simulator,
        system_at(tmp_path, simulator=simulator, clock=clock) as system,
    ):
        await wait_online(system)
        fail = {"route": "POST /interactions", "status": 500, "times": 1}
        await control(system, "fail", fail)
        lost, follows = [(await system.imagine("a cat"))["result"] for _ in range(2)]
        while (await system.fetch(follows))["status"] != "SUCCESS":
            clock.turn(1)
            await breathe()
        assert (await system.fetch(lost))["status"] == "FAILURE"
        assert len(system.jobs()) == 1


async def test_a_step_that_was_held_up_is_not_taken_beside_the_next_try(
    tmp_path: Path, clock: TurnableClock
) -> None:
    """The upload for the second step of a face swap waits until the first is restarted, and then
    completes before that."""
    async with (
        Simulator(speed=1, clock=clock) as simulator,
        system_at(tmp_path, simulator=simulator, clock=clock) as system,
    ):
        await wait_online(system)
        faces = {"sourceBase64": text(image()), "targetBase64": text(image("red"))}
        task_id = (await system.post("/mj/insight-face/swap", faces))["result"]
        await system.until(task_id, lambda task: task["status"] == "SUBMITTED")
        upload: Json = {"route": "POST /channels/attachments", "status": 429}
        await control(system, "fail", {**upload, "retry_after": 29})  # from second 4 to 33
        started = clock.monotonic()
        while clock.monotonic() < started + 31:
            clock.turn(0.25)
            await breathe()
        await control(system, "faults", {"pause": 0.0})
        await control(system, "fail", {**upload, "way": "slow"})  # by no time at all
        await control(system, "fail", {**upload, "retry_after": 2})
        while (await system.fetch(task_id))[
            "finishTime"
        ] is None or clock.monotonic() < started + 90:
            clock.turn(0.25)
            await breathe()
        assert (await system.fetch(task_id))["status"] == "SUCCESS"
        assert simulator.world.players[INSIGHT_FACE].state()["made"] == 1


# Gaps


async def test_numbers_that_jump_are_reason_to_read_the_history(
    tmp_path: Path, clock: TurnableClock
) -> None:
    async with (
        Simulator(speed=float("inf")) as simulator,
        system_at(tmp_path, simulator=simulator, clock=clock) as system,
    ):
        await wait_online(system)
        await control(system, "faults", {"lose_event": 1})
        task_id = (await system.imagine("a cat"))["result"]
        while not system.jobs() or system.jobs()[0]["end"] != "done":
            await breathe()
        await control(system, "faults", {})
        assert (await system.fetch(task_id))["status"] == "SUBMITTED"
        world = simulator.world
        world.say(world.accounts["demo-user-token"].user, CHANNEL, "hello", [])
        while (await system.fetch(task_id))["status"] != "SUCCESS":
            clock.turn(0.1)
            await breathe()
        assert clock.monotonic() < 60


# Shutdown


async def test_a_clean_end_lets_what_is_on_its_way_arrive(tmp_path: Path) -> None:
    async with Simulator(speed=30) as simulator:
        async with system_at(tmp_path, simulator=simulator) as system:
            await wait_online(system)
            await control(system, "faults", {"pause": 10.0})
            await control(system, "fail", {"route": "POST /interactions", "way": "slow"})
            task_id = (await system.imagine("a cat"))["result"]
            await system.until(task_id, lambda task: bool(task["properties"]["nonce"]))
        store = await open_store(tmp_path)
        assert [task.sending for task in store.unfinished()] == [Sending.SENT]
        await store.close()
        assert len(system.jobs()) <= 1


# Old notices


async def test_a_notice_that_was_heeded_stops_nothing_when_it_is_read_again(build: Build) -> None:
    system = await build(speed=1)
    running = (await system.imagine("a cat"))["result"]
    await system.until(running, lambda task: task["status"] == "IN_PROGRESS")
    await control(system, "notice", {"title": "Blocked"})
    await system.imagine("a dog")
    while (await _account(system))["state"] != "stopped":
        await breathe()
    await system.post(f"/mj/account/{CHANNEL}/reconnect", {})
    while (await _account(system))["state"] != "online":
        await breathe()
    for _ in range(20):
        await breathe()
    assert (await _account(system))["state"] == "online"


async def _account(system: System) -> Json:
    (found,) = await system.get("/mj/account/list")
    return dict(found)


# The simulator's own receivers


async def test_the_simulator_takes_webhooks_and_can_refuse_them(build: Build) -> None:
    system = await build(webhooks=WebhookSettings(allow_loopback=True))
    inbox = f"{system.simulator.urls.cdn}/_hooks/me".replace("127.0.0.1", "localhost")
    await control(system, "faults", {"hook_broken": 1})
    refused = (await system.imagine("a cat", notifyHook=inbox))["result"]
    await system.ended(refused)
    assert await _letters(system, inbox) == []
    await control(system, "faults", {})
    task_id = (await system.imagine("a dog", notifyHook=inbox))["result"]
    while not any(each["body"]["id"] == task_id and each["body"]["status"] == "SUCCESS"
                  for each in await _letters(system, inbox)):  # fmt: skip
        await breathe()


async def test_impossible_rates_are_refused(system: System) -> None:
    url = f"{system.simulator.urls.cdn}/_control/faults"
    for body in ({"drop_event": 2}, {"no_such": 1}):
        async with system.http.post(url, json=body) as answer:
            assert answer.status == 400


async def _letters(system: System, inbox: str) -> list[Json]:
    async with system.http.get(inbox) as answer:
        return list(await answer.json())
