"""Modals: remix, custom zoom, regions; opened, filled in, stale, refused."""

import asyncio

from athena.clock import TurnableClock
from tests.conftest import breathe
from tests.simulated.asking import DONE, button, grid_and_single, mask, press, submit, text
from tests.simulated.conftest import Build, Json, System, account
from tests.simulated.test_recovery import control


async def turn_remix_on(system: System) -> None:
    """As its owner would in Discord; the account's session receives the event."""
    for player in system.simulator.world.players.values():
        if hasattr(player, "studio"):
            player.studio.preferences["1100000000000000101"].remix = True


async def test_remix_opens_modals_once_it_is_known(build: Build) -> None:
    system = await build(accounts=[account(refresh_minutes=60)])
    grid = await submit(system, "submit/imagine", prompt="a lighthouse")
    await turn_remix_on(system)
    # Not known yet: the modal is submitted unchanged, and from now on it is known.
    varied = await press(system, grid, button(grid, "MJ::JOB::variation::1"))
    assert system.jobs()[-1]["index"] == 1
    assert varied["properties"]["finalPrompt"] == grid["properties"]["finalPrompt"]
    for start, action in (("MJ::JOB::variation::3", "VARIATION"), ("MJ::JOB::reroll", "IMAGINE")):
        answer = await system.post(
            "/mj/submit/action", {"taskId": grid["id"], "customId": button(grid, start)}
        )
        assert answer["code"] == 21
        assert answer["properties"]["remix"] is True
        assert answer["properties"]["finalPrompt"] == grid["properties"]["finalPrompt"]
        task_id = answer["result"]
        answer = await system.post(
            "/mj/submit/modal", {"taskId": task_id, "prompt": "a windmill --ar 3:2"}
        )
        made = await system.ended(answer["result"])
        assert (made["id"], made["status"], made["action"]) == (task_id, DONE, action)
        assert made["properties"]["finalPrompt"].startswith("a windmill")
    upscaled = await press(system, grid, button(grid, "MJ::JOB::upsample::1"))
    panned = await press(system, upscaled, button(upscaled, "MJ::JOB::pan_up"), prompt="mountains")
    assert panned["properties"]["finalPrompt"].startswith("mountains")


async def test_an_account_may_submit_remix_by_itself(build: Build) -> None:
    system = await build(accounts=[account(remix_auto_submit=True)])
    await turn_remix_on(system)
    grid = await submit(system, "submit/imagine", prompt="a lighthouse")
    for _ in range(2):
        answer = await system.post(
            "/mj/submit/action",
            {"taskId": grid["id"], "customId": button(grid, "MJ::JOB::variation::1")},
        )
        assert answer["code"] == 1
        assert (await system.ended(answer["result"]))["status"] == DONE


async def test_modals_refuse_what_cannot_work_and_stay_open(system: System) -> None:
    single, old = await grid_and_single(system, "a lighthouse")

    async def open_modal(start: str) -> str:
        body = {"taskId": single["id"], "customId": button(single, start)}
        answer = await system.post("/mj/submit/action", body)
        assert answer["code"] == 21
        return str(answer["result"])

    async def fill(task_id: str, **body: object) -> Json:
        return await system.post("/mj/submit/modal", {"taskId": task_id, **body})

    zoom, region = await open_modal("MJ::CustomZoom"), await open_modal("MJ::Inpaint")
    wrong: list[tuple[str, Json, int]] = [
        (zoom, {"prompt": "a lighthouse"}, 4),
        (zoom, {"prompt": "a lighthouse --zoom 3"}, 4),
        (zoom, {"prompt": "gore --zoom 2"}, 24),
        (region, {"prompt": "a boat"}, 4),
        (region, {"maskBase64": "no base64!"}, 4),
        ("1", {}, 3),
        (single["id"], {}, 4),
    ]
    for task_id, body, code in wrong:
        assert (await fill(task_id, **body))["code"] == code, body
    assert {(await system.fetch(each))["status"] for each in (zoom, region)} == {"MODAL"}
    assert (await fill(zoom, prompt="a lighthouse --zoom 1.5"))["code"] == 1
    assert (await fill(zoom))["code"] == 4
    assert (await system.ended(zoom))["status"] == DONE
    cancelled = await system.post(f"/mj/task/{region}/cancel", {})
    assert cancelled["status"] == "CANCEL"
    assert (await fill(region, maskBase64=text(mask(old.size))))["code"] == 4


async def test_modal_tasks_take_no_slot(build: Build) -> None:
    system = await build(accounts=[account(core_size=1, queue_size=0)])
    single, _ = await grid_and_single(system, "a lighthouse")
    zoom = {"taskId": single["id"], "customId": button(single, "MJ::CustomZoom")}
    opened = [await system.post("/mj/submit/action", zoom) for _ in range(5)]
    assert {answer["code"] for answer in opened} == {21}
    await submit(system, "submit/imagine", prompt="another")
    filled = await system.post("/mj/submit/modal", {"taskId": opened[4]["result"]})
    assert (await system.ended(filled["result"]))["status"] == DONE


async def test_a_stale_modal_is_opened_anew(system: System) -> None:
    single, _ = await grid_and_single(system, "a lighthouse")
    world = system.simulator.world
    taken = world.submitted
    stale = iter([True, True])

    def forgetful(interaction_id: str, custom_id: str) -> object:
        modal = taken(interaction_id, custom_id)
        return None if next(stale, False) else modal

    world.submitted = forgetful  # type: ignore[assignment, method-assign]
    await press(system, single, button(single, "MJ::CustomZoom"))
    assert [job["kind"] for job in system.jobs()] == ["imagine", "upscale", "zoom"]


async def test_a_modal_that_opens_twice_is_submitted_once(build: Build) -> None:
    clock = TurnableClock()
    system = await build(speed=5, clock=clock, simulator_clock=clock)
    turning = asyncio.create_task(turn_on(clock))
    single, old = await grid_and_single(system, "a lighthouse")
    await control(system, "faults", {"repeat_event": 1.0, "pause": 2.0})
    region = {"taskId": single["id"], "customId": button(single, "MJ::Inpaint")}
    opened = (await system.post("/mj/submit/action", region))["result"]
    filled = {"taskId": opened, "prompt": "a boat", "maskBase64": text(mask(old.size))}
    assert (await system.post("/mj/submit/modal", filled))["code"] == 1
    assert (await system.ended(opened))["status"] == DONE
    turning.cancel()
    assert [job["kind"] for job in system.jobs()] == ["imagine", "upscale", "region"]


async def turn_on(clock: TurnableClock) -> None:
    while True:
        clock.turn(0.25)
        await breathe()


async def test_region_tasks_of_one_image_do_not_mix(build: Build) -> None:
    system = await build(accounts=[account(core_size=6)])
    single, old = await grid_and_single(system, "a lighthouse")
    region = {"taskId": single["id"], "customId": button(single, "MJ::Inpaint")}
    opened = [(await system.post("/mj/submit/action", region))["result"] for _ in range(6)]
    for number, task_id in enumerate(opened):
        filled = {"taskId": task_id, "prompt": f"boat {number}", "maskBase64": text(mask(old.size))}
        assert (await system.post("/mj/submit/modal", filled))["code"] in (1, 22)
    for number, task_id in enumerate(opened):
        task = await system.ended(task_id)
        assert task["status"] == DONE
        assert task["properties"]["finalPrompt"].startswith(f"boat {number} ")
