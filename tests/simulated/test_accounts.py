"""Administration of accounts on a running server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from athena.simulator.app import Simulator
from athena.simulator.config import DEMO
from tests.simulated.asking import submit
from tests.simulated.conftest import GUILD, Build, Json, System, account, system_at

FIRST, SECOND = DEMO.users[0], DEMO.users[1]


def second(**changes: object) -> Json:
    return {
        "guildId": GUILD,
        "channelId": SECOND.channel_id,
        "userToken": SECOND.token,
        "refreshMinutes": 0,
        **changes,
    }


async def ask(system: System, method: str, path: str, body: object = None) -> Any:
    async with system.http.request(method, f"{system.url}/mj/account/{path}", json=body) as answer:
        return await answer.json()


async def shown(system: System, account_id: str = SECOND.channel_id) -> Json:
    return dict(await ask(system, "GET", f"{account_id}/fetch"))


async def made_by(system: System, **body: object) -> str:
    task = await submit(system, "submit/imagine", prompt="a cat", **body)
    return str(task["properties"]["discordInstanceId"])


ONLY_SECOND = {"accountFilter": {"instanceId": SECOND.channel_id}}


async def test_an_account_is_added_changed_and_removed(build: Build, tmp_path: Path) -> None:
    system = await build()
    assert (await ask(system, "POST", "create", second(remark="two")))["code"] == 1
    assert await made_by(system, **ONLY_SECOND) == SECOND.channel_id
    account_view = await shown(system)
    assert (account_view["remark"], account_view["state"], account_view["coreSize"]) == (
        "two",
        "online",
        3,
    )
    assert SECOND.token not in str(await ask(system, "GET", "list"))
    for file in (tmp_path / "data").iterdir():
        if file.is_file():
            assert SECOND.token.encode() not in file.read_bytes()
    changed = {"coreSize": 7, "weight": 3, "remark": "new", "timeoutMinutes": 9.5}
    assert (await ask(system, "PUT", f"{SECOND.channel_id}/update", changed))["code"] == 1
    account_view = await shown(system)
    assert {name: account_view[name] for name in changed} == changed
    assert (await ask(system, "DELETE", f"{SECOND.channel_id}/delete"))["code"] == 1
    assert (await ask(system, "GET", f"{SECOND.channel_id}/fetch"))["code"] == 3
    assert (await system.imagine("a cat", **ONLY_SECOND))["code"] == 9
    assert await made_by(system) == FIRST.channel_id


async def test_added_and_changed_accounts_outlive_a_restart(tmp_path: Path) -> None:
    async with Simulator(speed=float("inf")) as simulator:
        async with system_at(tmp_path, simulator=simulator) as system:
            await ask(system, "POST", "create", second())
            await ask(system, "PUT", f"{FIRST.channel_id}/update", {"remark": "mine"})
        async with system_at(tmp_path, simulator=simulator) as system:
            assert await made_by(system, **ONLY_SECOND) == SECOND.channel_id
            assert (await shown(system, FIRST.channel_id))["remark"] == "mine"


async def test_disabling_moves_what_waits_and_enabling_brings_it_back(build: Build) -> None:
    system = await build(accounts=[account(0, core_size=1), account(1, enable=False)], speed=5)
    waiting = [(await system.imagine(f"cat {n}"))["result"] for n in range(4)]
    first = {"accountFilter": {"instanceId": FIRST.channel_id}}
    bound = (await system.imagine("a dog", **first))["result"]
    await ask(system, "PUT", f"{SECOND.channel_id}/update", {"enable": True})
    await ask(system, "PUT", f"{FIRST.channel_id}/update", {"enable": False})
    account_view = await shown(system, FIRST.channel_id)
    assert (account_view["enable"], account_view["disabledReason"]) == (
        False,
        "The account is disabled.",
    )
    assert (await system.ended(bound))["failReason"] == (
        "Its account stopped: The account is disabled."
    )
    homes = [(await system.ended(each))["properties"]["discordInstanceId"] for each in waiting[1:]]
    assert set(homes) == {SECOND.channel_id}
    assert await made_by(system) == SECOND.channel_id
    await ask(system, "PUT", f"{FIRST.channel_id}/update", {"enable": True})
    assert (await system.ended(waiting[0]))["status"] == "SUCCESS"
    assert await made_by(system, **first) == FIRST.channel_id


async def test_a_new_token_heals_an_account_that_was_refused(build: Build) -> None:
    system = await build(accounts=[account(0, token="wrong")])
    while (await shown(system, FIRST.channel_id))["state"] != "stopped":
        pass
    assert "token" in (await shown(system, FIRST.channel_id))["disabledReason"]
    await ask(system, "PUT", f"{FIRST.channel_id}/update", {"userToken": FIRST.token})
    assert await made_by(system) == FIRST.channel_id


async def test_reconnect_and_sync(build: Build) -> None:
    system = await build()
    await made_by(system)
    assert (await ask(system, "POST", f"{FIRST.channel_id}/reconnect"))["code"] == 1
    assert await made_by(system) == FIRST.channel_id
    assert (await shown(system, FIRST.channel_id))["properties"]["plan"] is None
    assert (await ask(system, "POST", f"{FIRST.channel_id}/sync"))["code"] == 1
    while (account_view := await shown(system, FIRST.channel_id))["properties"]["version"] is None:
        pass
    assert account_view["properties"]["plan"] == "Standard"
    assert account_view["properties"]["fastTimeTotal"] == 15.0


async def test_running_tasks_outlive_a_reconnect(build: Build) -> None:
    system = await build(speed=60)
    ids = [(await system.imagine(f"cat {n}"))["result"] for n in range(6)]
    await system.until(ids[0], lambda task: task["status"] == "IN_PROGRESS")
    await ask(system, "POST", f"{FIRST.channel_id}/reconnect")
    tasks = [await system.ended(each) for each in ids]
    assert [task["failReason"] for task in tasks] == [None] * 6
    assert len(system.jobs()) == 6


WRONG: list[tuple[str, str, object, int]] = [
    ("POST", "create", {}, 4),
    ("POST", "create", second(guildId="x"), 4),
    ("POST", "create", second(coreSize=0), 4),
    ("POST", "create", second(mode="WARP"), 4),
    ("POST", "create", second(channelId=FIRST.channel_id), 4),
    ("PUT", f"{FIRST.channel_id}/update", {"queueSize": -1}, 4),
    ("PUT", f"{FIRST.channel_id}/update", {"channelId": "5"}, 4),
    ("DELETE", f"{FIRST.channel_id}/delete", None, 4),
    ("PUT", "1/update", {"remark": "x"}, 3),
    ("DELETE", "1/delete", None, 3),
    ("POST", "1/sync", None, 3),
    ("POST", "1/reconnect", None, 3),
    ("GET", "1/fetch", None, 3),
]


@pytest.mark.parametrize(("method", "path", "body", "code"), WRONG)
async def test_bad_wishes(system: System, method: str, path: str, body: object, code: int) -> None:
    answer = await ask(system, method, path, body)
    assert answer["code"] == code, answer
    assert SECOND.token not in str(answer)


@pytest.mark.parametrize("rule", ["Random", "Weight", "Polling", "BestWaitIdle"])
async def test_choice_rules(build: Build, rule: str) -> None:
    accounts = [account(0, weight=1, core_size=12), account(1, weight=1000, core_size=12)]
    system = await build(accounts=accounts, choice={"rule": rule}, speed=0.01)
    homes = [
        (await system.imagine(f"cat {n}"))["properties"]["discordInstanceId"] for n in range(12)
    ]
    share = homes.count(SECOND.channel_id)
    match rule:
        case "Polling" | "BestWaitIdle":
            assert share == 6
        case "Weight":
            assert share > 9
        case _:
            assert 0 < share < 12


async def test_what_is_accepted_while_an_account_starts_anew_is_made_once(build: Build) -> None:
    system = await build(accounts=[account(core_size=12)])
    submits = (system.imagine(f"cat {n}") for n in range(8))
    changes = (ask(system, "POST", f"{FIRST.channel_id}/reconnect") for _ in range(4))
    answers = (await asyncio.gather(*submits, *changes))[:8]
    tasks = [await system.ended(each["result"]) for each in answers if each["result"]]
    assert {task["status"] for task in tasks} == {"SUCCESS"}
    assert len(system.jobs()) == len(tasks)
