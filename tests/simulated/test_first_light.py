"""The complete path from a request to its image, over real sockets."""

import asyncio
import io
from collections import Counter

from PIL import Image

from athena.clock import TurnableClock
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.config import DEMO
from tests.conftest import breathe
from tests.simulated.conftest import Build, Json, System, account

SIZES = {"a cute cat --ar 3:2": (2496, 1664), "a cute cat": (2048, 2048)}


async def download(system: System, task: Json) -> Image.Image:
    async with system.http.get(task["imageUrl"]) as answer:
        assert answer.status == 200
        data = await answer.read()
    return Image.open(io.BytesIO(data))


async def test_imagine_then_u2(build: Build) -> None:
    system = await build(speed=40)
    answer = await system.imagine("a cute cat --ar 3:2", state="mine")
    assert (answer["code"], answer["description"]) == (1, "提交成功")
    seen: list[tuple[str, str, bool]] = []

    def watch(task: Json) -> bool:
        state = (task["status"], task["progress"], bool(task["imageUrl"]))
        if not seen or seen[-1] != state:
            seen.append(state)
        return bool(task["status"] == "SUCCESS")

    task = await system.until(answer["result"], watch)
    statuses = [status for status, _, _ in seen]
    assert sorted(set(statuses), key=statuses.index) == [
        "NOT_START", "SUBMITTED", "IN_PROGRESS", "SUCCESS",
    ]  # fmt: skip
    percents = [int(progress[:-1]) for _, progress, _ in seen if progress]
    assert percents == sorted(percents)
    assert any(0 < int(p[:-1]) < 100 and image for _, p, image in seen if p)
    assert (task["state"], task["progress"], len(task["buttons"])) == ("mine", "100%", 9)
    grid = await download(system, task)
    assert grid.size == SIZES["a cute cat --ar 3:2"] == (task["imageWidth"], task["imageHeight"])
    assert grid.info["Job"] == task["properties"]["messageHash"]

    u2 = next(button for button in task["buttons"] if button["label"] == "U2")
    pressed = await system.post(
        "/mj/submit/action", {"taskId": task["id"], "customId": u2["customId"]}
    )
    assert pressed["code"] == 1
    single = await system.ended(pressed["result"])
    assert (single["status"], single["action"]) == ("SUCCESS", "UPSCALE")
    tile = await download(system, single)
    assert (tile.info["Tile"], tile.info["Parent"]) == ("2", grid.info["Job"])
    box = (grid.width // 2, 0, grid.width, grid.height // 2)
    assert tile.tobytes() == grid.crop(box).tobytes()


async def test_thirty_at_once_with_three_slots(build: Build) -> None:
    system = await build(speed=400)
    await wait_online(system)
    answers = await asyncio.gather(*(system.imagine(f"cat number {n}") for n in range(30)))
    assert Counter(answer["code"] for answer in answers) == {1: 3, 22: 27}
    ahead = [a["properties"]["numberOfQueues"] for a in answers if a["code"] == 22]
    assert sorted(ahead) == list(range(27))
    tasks = await asyncio.gather(*(system.ended(answer["result"]) for answer in answers))
    for number, task in enumerate(tasks):
        assert task["status"] == "SUCCESS", task["failReason"]
        assert task["properties"]["finalPrompt"] == f"cat number {number} --v 7.0"
    assert len({task["properties"]["messageHash"] for task in tasks}) == 30
    image = await download(system, tasks[17])
    assert image.info["Prompt"] == "cat number 17 --v 7.0"
    assert most_running(system) == 3


async def test_equal_prompts_get_their_own_images(system: System) -> None:
    answers = await asyncio.gather(*(system.imagine("the very same") for _ in range(12)))
    tasks = await asyncio.gather(*(system.ended(answer["result"]) for answer in answers))
    made = {job["id"]: job["nonce"] for job in system.jobs()}
    assert len(made) == 12
    for task in tasks:
        properties = task["properties"]
        assert made[properties["messageHash"]] == properties["nonce"]


async def test_what_midjourney_queues_is_waited_for(build: Build) -> None:
    system = await build(speed=200, accounts=[account(core_size=13)])
    await wait_online(system)
    answers = await asyncio.gather(*(system.imagine(f"cat {n}") for n in range(13)))
    tasks = await asyncio.gather(*(system.ended(answer["result"]) for answer in answers))
    assert [task["status"] for task in tasks] == ["SUCCESS"] * 13
    assert most_running(system) == 3


async def test_what_midjourney_has_no_room_for_comes_back_to_our_queue(build: Build) -> None:
    clock = TurnableClock()
    system = await build(speed=50, accounts=[account(core_size=14)], clock=clock)
    await wait_online(system)
    answers = await asyncio.gather(*(system.imagine(f"cat {n}") for n in range(14)))
    while len(ended := await finished(system, answers)) < 13:
        assert clock.monotonic() == 0
    while len(system.jobs()) < 14:
        clock.turn(0.1)
        await breathe()
    while len(ended) < 14:
        ended = await finished(system, answers)
    assert [task["failReason"] for task in ended] == [None] * 14
    assert clock.monotonic() >= 30


async def finished(system: System, answers: list[Json]) -> list[Json]:
    body = {"ids": [answer["result"] for answer in answers]}
    url = f"{system.url}/mj/task/list-by-condition"
    async with system.http.post(url, json=body) as answer:
        return [task for task in await answer.json() if task["finishTime"]]


async def test_the_queue_has_an_end(build: Build) -> None:
    system = await build(speed=0.01)
    answers = [await system.imagine(f"cat {n}") for n in range(53)]
    assert [answer["code"] for answer in answers[:4]] == [1, 1, 1, 22]
    assert {answer["code"] for answer in answers[3:]} == {22}
    full = await system.imagine("one too many")
    assert (full["code"], full["result"]) == (23, None)
    assert full["properties"] == {"discordInstanceId": DEMO.users[0].channel_id}
    await system.post(f"/mj/task/{answers[52]['result']}/cancel", {})
    assert (await system.imagine("room again"))["code"] == 22


async def test_an_account_with_a_wrong_token_stops_and_the_other_works_on(build: Build) -> None:
    system = await build(accounts=[account(0, token="wrong"), account(1)])
    answers = await asyncio.gather(*(system.imagine(f"cat {n}") for n in range(8)))
    tasks = await asyncio.gather(*(system.ended(answer["result"]) for answer in answers))
    assert {task["status"] for task in tasks} == {"SUCCESS"}
    assert {task["properties"]["discordInstanceId"] for task in tasks} == {DEMO.users[1].channel_id}


async def test_only_a_wrong_token_is_said_plainly(build: Build) -> None:
    system = await build(accounts=[account(0, token="wrong")])
    first = await system.imagine("a cat")
    if first["code"] != 9:  # it was accepted before Discord's refusal arrived
        task = await system.ended(first["result"])
        assert "refused this account's token" in task["failReason"]
        first = await system.imagine("a cat")
    assert first["code"] == 9
    assert "refused this account's token" in first["description"]
    assert "wrong" not in first["description"]


async def test_variation_reroll_and_the_older_forms(system: System) -> None:
    task = await system.ended((await system.imagine("a lighthouse"))["result"])
    submits: list[tuple[str, Json, str]] = [
        ("change", {"taskId": task["id"], "action": "VARIATION", "index": 3}, "VARIATION"),
        ("change", {"taskId": task["id"], "action": "REROLL"}, "IMAGINE"),
        ("simple-change", {"content": f"{task['id']} V1"}, "VARIATION"),
        ("simple-change", {"content": f"{task['id']} R"}, "IMAGINE"),
        ("simple-change", {"content": f"{task['id']} U4"}, "UPSCALE"),
    ]
    for path, body, action in submits:
        answer = await system.post(f"/mj/submit/{path}", body)
        assert answer["code"] == 1, answer
        made = await system.ended(answer["result"])
        assert (made["status"], made["action"]) == ("SUCCESS", action), made["failReason"]
        assert made["properties"]["messageHash"] != task["properties"]["messageHash"]
    parents = [job["parent"] for job in system.jobs()[1:]]
    assert parents == [task["properties"]["messageHash"]] * 5


async def test_pressing_two_buttons_of_one_grid_at_once(system: System) -> None:
    task = await system.ended((await system.imagine("a lighthouse"))["result"])
    buttons = [button["customId"] for button in task["buttons"]] * 2
    answers = await asyncio.gather(
        *(system.post("/mj/submit/action", {"taskId": task["id"], "customId": b}) for b in buttons)
    )
    tasks = await asyncio.gather(*(system.ended(answer["result"]) for answer in answers))
    made = {job["id"]: job["nonce"] for job in system.jobs()}
    for each in tasks:
        assert each["status"] == "SUCCESS"
        assert made[each["properties"]["messageHash"]] == each["properties"]["nonce"]


async def test_cancel_while_it_runs_and_while_it_waits(build: Build) -> None:
    system = await build(speed=0.5, accounts=[account(core_size=1)])
    running, waiting = [(await system.imagine(f"cat {n}"))["result"] for n in range(2)]
    await system.until(running, lambda task: bool(task["properties"]["messageHash"]))
    cancelled = await system.post(f"/mj/task/{waiting}/cancel", {})
    assert cancelled["status"] == "CANCEL"
    cancelled = await system.post(f"/mj/task/{running}/cancel", {})
    assert (cancelled["status"], cancelled["id"]) == ("CANCEL", running)
    while running_now(system):
        await system.fetch(running)
    assert len(system.jobs()) == 1
    third = await system.imagine("another")
    assert third["code"] == 1


async def test_cancel_before_the_job_exists_cancels_the_job_when_it_comes(build: Build) -> None:
    system = await build(speed=0.5)
    task_id = (await system.imagine("a cat"))["result"]
    await system.until(task_id, lambda task: task["status"] == "SUBMITTED")
    await system.post(f"/mj/task/{task_id}/cancel", {})
    while not system.jobs() or running_now(system):
        await system.fetch(task_id)
    assert (await system.fetch(task_id))["status"] == "CANCEL"


async def test_a_new_command_version_costs_one_more_call(system: System) -> None:
    await system.ended((await system.imagine("before"))["result"])
    async with system.http.post(
        f"{system.simulator.urls.cdn}/_control/command-version",
        json={"application_id": "936929561302675456", "name": "imagine", "version": "42"},
    ) as answer:
        assert answer.status == 200
    task = await system.ended((await system.imagine("after"))["result"])
    assert task["status"] == "SUCCESS"


async def wait_online(system: System) -> None:
    """Wait for the account's session, so that submitted tasks start immediately."""
    while not system.simulator.world.sessions.all():
        await system.http.get(f"{system.url}/openapi.json")


def running_now(system: System) -> int:
    bot = system.simulator.world.players[MIDJOURNEY]
    return sum(bot.state()["running"].values())


def most_running(system: System) -> int:
    bot = system.simulator.world.players[MIDJOURNEY]
    return int(max(bot.state()["most_running"].values()))
