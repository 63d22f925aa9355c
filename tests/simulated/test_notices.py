"""Every notice of the bot, from its message to its effect on task and account."""

from typing import Any

import pytest

from athena.clock import TurnableClock
from athena.simulator.bots import notices
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.bots.notices import Delivery
from athena.simulator.config import DEMO
from tests.conftest import breathe
from tests.simulated.asking import DONE, button, submit
from tests.simulated.conftest import Build, Json, System, account

FAILS = [
    "Invalid parameter", "Invalid prompt", "Empty prompt", "Invalid link",
    "Could not validate this link", "Failed to process your command", "Internal error",
    "Sorry! Could not complete the job!", "Sorry, something went wrong",
    "Duplicate images detected", "Job action restricted", "Failed to request upscale",
    "Something never seen before",
]  # fmt: skip
MODERATES = [
    "Banned prompt", "Banned prompt detected", "Request cancelled due to output filters",
    "Request cancelled due to image filters", "Action needed to continue",
]  # fmt: skip
RETRIES = ["Queue full", "Slow Down!", "Crowded channel"]
STOPS = [
    "Action required to continue", "Credits exhausted", "Subscription required",
    "Subscription paused", "Plan Cancelled", "Pending mod message", "Blocked", "Tos not accepted",
    "You have been blocked from accessing Midjourney",
]  # fmt: skip


def test_the_simulator_knows_them_all() -> None:
    here = {*FAILS, *MODERATES, *RETRIES, *STOPS, "Job queued", "Removed"}
    assert {*notices.known()} == here - {"Something never seen before"}


async def ask(system: System, title: str, prompt: str = "a cat") -> str:
    answer = await system.imagine(f'{prompt} --notice "{title}"')
    assert answer["code"] in (1, 22), answer
    return str(answer["result"])


async def request_notice(system: System, title: str, **more: Any) -> None:
    url = f"{system.simulator.urls.cdn}/_control/notice"
    async with system.http.post(url, json={"title": title, **more}) as answer:
        assert answer.status == 200, await answer.text()


async def turn_until_ended(system: System, clock: TurnableClock, task_id: str) -> Json:
    while (task := await system.fetch(task_id))["finishTime"] is None:
        clock.turn(0.5)
        await breathe()
    return task


WAYS = [
    (title, way)
    for title in FAILS + MODERATES
    for way in ("", " | fresh", " | edit", " | reply", " | plain")
    if (title, way) != (FAILS[-1], " | plain")  # an unknown plain text is no notice
]


@pytest.mark.parametrize(("title", "way"), WAYS)
async def test_the_task_fails_with_its_words(system: System, title: str, way: str) -> None:
    task = await system.ended(await ask(system, title + way))
    assert task["status"] == "FAILURE"
    assert task["failReason"].startswith(f"[{title}]")
    assert len(task["failReason"]) > len(title) + 3
    assert task["properties"]["moderated"] is (title in MODERATES)
    await submit(system, "submit/imagine", prompt="the account works on")


async def test_the_buttons_of_a_moderation_question_stay(system: System) -> None:
    task = await system.ended(await ask(system, "Action needed to continue"))
    assert [each["label"] for each in task["buttons"]] == ["Appeal", "Acknowledge"]
    pressed = {"taskId": task["id"], "customId": task["buttons"][0]["customId"]}
    assert (await system.post("/mj/submit/action", pressed))["code"] == 4


async def test_a_job_that_is_queued_comes(system: System) -> None:
    task = await system.ended(await ask(system, "Job queued"))
    assert task["status"] == DONE


@pytest.mark.parametrize("title", RETRIES)
async def test_what_shall_come_later_does(build: Build, title: str) -> None:
    clock = TurnableClock()
    system = await build(clock=clock)
    await request_notice(system, title)
    task_id = (await system.imagine("a cat"))["result"]
    task = await turn_until_ended(system, clock, task_id)
    assert (task["status"], len(system.jobs())) == (DONE, 1)
    assert clock.monotonic() >= 30


async def test_tries_are_bounded(build: Build) -> None:
    clock = TurnableClock()
    system = await build(clock=clock)
    task = await turn_until_ended(system, clock, await ask(system, "Slow Down!"))
    assert task["status"] == "FAILURE"
    assert task["failReason"].startswith("[Slow Down!]")
    assert clock.monotonic() >= 30 + 60 + 120
    assert system.jobs() == []


@pytest.mark.parametrize("title", STOPS)
async def test_the_account_is_paused_with_the_reason(build: Build, title: str) -> None:
    system = await build(accounts=[account(core_size=1)])
    task_id = await ask(system, title)
    waiting = (await system.imagine("waits behind it"))["result"]
    for each in (task_id, waiting):
        task = await system.ended(each)
        assert task["status"] == "FAILURE"
        assert f"[{title}]" in task["failReason"]
    answer = await system.imagine("another")
    assert answer["code"] == 9
    assert f"[{title}]" in answer["description"]
    if title == "Action required to continue":
        assert "https://discord.com/channels/" in answer["description"]
    assert system.jobs() == []


@pytest.mark.parametrize("title", STOPS)
async def test_its_tasks_move_to_another_account(build: Build, title: str) -> None:
    system = await build(accounts=[account(0, core_size=1), account(1)])
    await request_notice(system, title, user_id=DEMO.users[0].id)
    answers = [await system.imagine(f"cat {n}") for n in range(6)]
    tasks = [await system.ended(answer["result"]) for answer in answers]
    assert [task["failReason"] for task in tasks] == [None] * 6
    homes = {task["properties"]["discordInstanceId"] for task in tasks}
    assert homes == {DEMO.users[1].channel_id}


async def test_exhausted_hours_may_be_answered_by_relaxed_mode(build: Build) -> None:
    system = await build(accounts=[account(relax_when_exhausted=True, core_size=2)])
    await request_notice(system, "Credits exhausted", times=2)
    answers = [await system.imagine(f"cat {n}") for n in range(4)]
    tasks = [await system.ended(answer["result"]) for answer in answers]
    assert [task["failReason"] for task in tasks] == [None] * 4
    bot: Any = system.simulator.world.players[MIDJOURNEY]
    assert bot.studio.preferences[DEMO.users[0].id].mode == "relaxed"
    assert "relaxed" in tasks[3]["properties"]["messageContent"]


async def test_a_job_that_is_removed_without_a_word(build: Build) -> None:
    clock = TurnableClock()
    system = await build(clock=clock)
    task = await turn_until_ended(system, clock, await ask(system, "Removed"))
    assert task["status"] == "FAILURE"
    assert task["properties"]["moderated"] is True
    assert clock.monotonic() >= 60


@pytest.mark.parametrize("title", ["Job action restricted", "Failed to request upscale"])
async def test_a_button_that_cannot_be_pressed_again(system: System, title: str) -> None:
    grid = await submit(system, "submit/imagine", prompt="a cat")
    await request_notice(system, title)
    body = {"taskId": grid["id"], "customId": button(grid, "MJ::JOB::upsample::1")}
    task = await system.ended((await system.post("/mj/submit/action", body))["result"])
    assert task["failReason"].startswith(f"[{title}]")


async def test_unknown_notices_are_rejected(system: System) -> None:
    url = f"{system.simulator.urls.cdn}/_control/notice"
    for body in ({"title": "Blocked | by smoke"}, {"title": "x", "application_id": "1"}, {}):
        async with system.http.post(url, json=body) as answer:
            assert answer.status == 400
    assert Delivery("plain") is Delivery.PLAIN
