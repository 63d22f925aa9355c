"""An account's profile, seeds through the direct channel, and messages of unknown forms."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from athena.clock import TurnableClock
from athena.midjourney.commands import Switch
from athena.server import Runtime, running
from athena.simulator.app import Simulator
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.config import DEMO
from athena.simulator.stage import Draft
from athena.tasks.bot_events import Profile
from athena.terminal.app import app
from tests.conftest import breathe
from tests.simulated.asking import DONE, button, press, submit
from tests.simulated.conftest import CHANNEL, Build, System, account, system_at, using_simulator


async def test_info_and_settings_become_the_account_s_profile(tmp_path: Path) -> None:
    clock = TurnableClock()
    async with Simulator(speed=float("inf")) as simulator:
        bot: Any = simulator.world.players[MIDJOURNEY]
        own = bot.studio.preferences[DEMO.users[0].id]
        own.remix, own.mode, own.stealth, own.fast_minutes = True, "turbo", True, 3
        settings = using_simulator(
            simulator, data_dir=tmp_path, accounts=[account(refresh_minutes=2)]
        )
        async with running(settings, Runtime(clock=clock)) as server:
            worker = server.workers.get(CHANNEL)
            assert worker is not None
            found = worker.status
            while found.profile.plan is None or found.profile.version is None:
                clock.turn(0.1)
                await breathe()
            profile = found.profile
            assert (profile.plan, profile.concurrent) == ("Standard", 3)
            assert (profile.fast_left, profile.fast_total) == (14.95, 15.0)
            assert (profile.mode, profile.visibility, profile.remix) == ("Turbo", "Stealth", True)
            assert profile.version == "Midjourney Model V7"
            refresher = worker.refresher
            for switch, told in (
                (Switch.REMIX, {"remix": False}),
                (Switch.FAST, {"mode": "Fast"}),
                (Switch.RELAX, {"mode": "Relaxed"}),
                (Switch.PUBLIC, {"visibility": "Public"}),
                (Switch.STEALTH, {"visibility": "Stealth"}),
                (Switch.TURBO, {"mode": "Turbo"}),
                (Switch.REMIX, {"remix": True}),
            ):
                turning = asyncio.create_task(refresher.use_switch(switch))
                while found.profile != found.profile.updated(Profile(**told)):
                    clock.turn(0.1)
                    await breathe()
                await turning
            own.remix, own.mode = False, "fast"
            while found.profile.remix or found.profile.mode == "Turbo":
                clock.turn(1)
                await breathe()
            assert clock.monotonic() >= 0.9 * 120


async def test_a_seed_by_way_of_the_direct_channel(build: Build) -> None:
    clock = TurnableClock()
    system = await build(clock=clock)
    task = await submit(system, "submit/imagine", prompt="a cat --seed 7")
    bot: Any = system.simulator.world.players[MIDJOURNEY]
    reacted, bot.reacted = bot.reacted, lambda *_: None
    asking = asyncio.create_task(system.get(f"/mj/task/{task['id']}/image-seed"))
    while clock.monotonic() < 20:
        clock.turn(0.5)
        await breathe()
    bot.reacted = reacted
    while not asking.done():
        clock.turn(0.1)
        await breathe()
    assert (await asking)["result"] == "7"


async def test_no_seed_is_said_plainly(build: Build) -> None:
    clock = TurnableClock()
    system = await build(clock=clock)
    task = await submit(system, "submit/imagine", prompt="a cat")
    bot: Any = system.simulator.world.players[MIDJOURNEY]
    bot.reacted = lambda *_: None
    asking = asyncio.create_task(system.get(f"/mj/task/{task['id']}/image-seed"))
    while not asking.done():
        clock.turn(0.5)
        await breathe()
    told = await asking
    assert (told["code"], told["result"]) == (9, None)
    assert "seed" in told["description"]


async def test_an_unknown_form_is_kept_once_for_a_report(build: Build, tmp_path: Path) -> None:
    system = await build()
    await submit(system, "submit/imagine", prompt="a cat")
    for number in range(5):
        said = f"Behold {number} new things, <@{number}>"
        system.simulator.world.post(MIDJOURNEY, CHANNEL, Draft(content=said))
    await submit(system, "submit/imagine", prompt="another")
    file = tmp_path / "data" / "unknown-forms.jsonl"
    (line,) = file.read_text().splitlines()
    assert msgspec.json.decode(line)["content"] == "Behold 0 new things, <@0>"
    told = CliRunner().invoke(app, ["read", str(file)])
    assert (told.exit_code, told.stdout) == (0, '{"state": "unknown"}\n')


async def test_what_the_bot_refused_is_reported_and_can_be_listed(
    system: System, tmp_path: Path
) -> None:
    for prompt in ("a gloomy teapot", "the gloomy teapot, again"):
        answer = await system.imagine(f'{prompt} --notice "Banned prompt detected"')
        await system.ended(answer["result"])
    run = CliRunner().invoke
    folder = ["--data-dir", str(tmp_path / "data")]
    while "teapot: in 2 of them, not blocked" not in (  # the end is seen before it is on disk
        report := run(app, ["moderation", "report", *folder]).stdout
    ):
        await breathe()
    assert report.count("[Banned prompt detected]") == 2
    assert run(app, ["moderation", "add", "teapot", *folder]).exit_code == 0
    while (await system.imagine("a teapot"))["code"] != 24:
        pass  # the list is looked at every second
    assert "teapot: in 2" not in run(app, ["moderation", "report", *folder]).stdout


async def test_open_modals_outlive_a_restart(tmp_path: Path) -> None:
    async with Simulator(speed=float("inf")) as simulator:
        async with system_at(tmp_path, simulator=simulator) as system:
            opened = await open_zoom(system)
        async with system_at(tmp_path, simulator=simulator) as system:
            assert (await system.fetch(opened))["status"] == "MODAL"
            await system.post("/mj/submit/modal", {"taskId": opened})
            assert (await system.ended(opened))["status"] == DONE


async def open_zoom(system: System) -> str:
    grid = await submit(system, "submit/imagine", prompt="a cat")
    single = await press(system, grid, button(grid, "MJ::JOB::upsample::1"))
    body = {"taskId": single["id"], "customId": button(single, "MJ::CustomZoom")}
    return str((await system.post("/mj/submit/action", body))["result"])


async def test_a_modal_that_nobody_confirms_ends(build: Build) -> None:
    clock = TurnableClock()
    system = await build(clock=clock)
    opened = await open_zoom(system)
    while (task := await system.fetch(opened))["status"] == "MODAL":
        clock.turn(20)
        await breathe()
    assert task["status"] == "FAILURE"
    assert "modal" in task["failReason"]
