"""Speed and image links by path and by token; permissions and quotas of tokens."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from athena.clock import TurnableClock
from athena.settings import ImageSettings
from athena.tasks.model import ImageLinks, Speed
from athena.terminal.app import app
from tests.simulated.asking import submit
from tests.simulated.conftest import Build, Json, System, account

SECRET = "the operator's own"


def make_token(folder: Path, *options: str) -> str:
    """Create a token with the command line, beside the running server."""
    made = CliRunner().invoke(
        app, ["token", "create", "--name", "t", *options, "--data-dir", str(folder)]
    )
    assert made.exit_code == 0, made.output
    return made.stdout.strip()


async def imagine(system: System, prefix: str = "/mj", token: str = "", **body: object) -> Json:
    headers = {"mj-api-secret": token} if token else {}
    answer = await system.post(f"{prefix}/submit/imagine", {"prompt": "a cat", **body}, **headers)
    assert answer["code"] in (1, 22), answer
    while True:
        task = await fetch(system, answer["result"], prefix, token)
        if task["finishTime"]:
            return task


async def fetch(system: System, task_id: str, prefix: str = "/mj", token: str = "") -> Json:
    url = f"{system.url}{prefix}/task/{task_id}/fetch"
    async with system.http.get(url, headers={"mj-api-secret": token}) as answer:
        assert answer.status == 200
        return dict(await answer.json())


def mode(task: Json) -> str:
    return str(task["properties"]["messageContent"].rsplit("(", 1)[1].rstrip(")"))


def kind(task: Json, system: System) -> str:
    url = task["imageUrl"]
    if url.startswith("https://img.example.com/images/attachments/"):
        return "proxy"
    return "relay" if url.startswith(f"{system.url}/mj/image/") else "origin"


HOST = ImageSettings(proxy_host="https://img.example.com/images")
SPEEDS = {"": "fast", "-fast": "fast", "-turbo": "turbo", "-relax": "relaxed"}
KINDS = {"": "origin", "-relay": "relay", "-origin": "origin", "-proxy": "proxy"}


async def test_every_prefix_means_its_speed_and_its_links(build: Build) -> None:
    system = await build(images=HOST, accounts=[account(core_size=12)])
    prefixes = [(f"/mj{s}{k}/mj" if s or k else "/mj", s, k) for s in SPEEDS for k in KINDS]
    tasks = await asyncio.gather(*(imagine(system, prefix) for prefix, _, _ in prefixes))
    for task, (prefix, speed, images) in zip(tasks, prefixes, strict=True):
        assert (mode(task), kind(task, system)) == (SPEEDS[speed], KINDS[images]), prefix
        async with system.http.get(f"{system.url}{prefix}/task/list?size=1") as answer:
            assert answer.status == 200


async def test_token_before_path_before_default(build: Build, tmp_path: Path) -> None:
    system = await build(
        images=ImageSettings(proxy_host="https://other.example", links=ImageLinks.RELAY),
        secret=SECRET,
    )
    folder = tmp_path / "data"
    own = make_token(
        folder, "--mode", "relax", "--images", "proxy", "--images-host", "img.example.com/images"
    )
    plain = make_token(folder)
    for token, prefix, wanted in (
        (own, "/mj-turbo-relay/mj", ("relaxed", "proxy")),
        (own, "/mj", ("relaxed", "proxy")),
        (plain, "/mj-turbo-origin/mj", ("turbo", "origin")),
        (plain, "/mj", ("fast", "relay")),
        (SECRET, "/mj-origin/mj", ("fast", "origin")),
    ):
        task = await imagine(system, prefix, token)
        assert (mode(task), kind(task, system)) == wanted, prefix


async def test_the_body_and_the_account_may_name_a_speed_too(build: Build) -> None:
    system = await build(accounts=[account(mode=Speed.RELAX)])
    assert mode(await imagine(system)) == "relaxed"
    assert mode(await imagine(system, mode="TURBO")) == "turbo"
    assert mode(await imagine(system, "/mj-fast/mj", mode="TURBO")) == "fast"
    assert mode(await imagine(system, prompt="a cat --turbo")) == "turbo"


async def test_tokens_are_kept_as_hashes_and_can_be_taken_back(
    build: Build, tmp_path: Path
) -> None:
    system = await build(secret=SECRET)
    folder = tmp_path / "data"
    token = make_token(folder, "--role", "admin")
    headers = {"Authorization": f"Bearer {token}"}
    assert (await system.get("/mj/token/list", **headers))[0]["role"] == "admin"
    listed = CliRunner().invoke(app, ["token", "list", "--data-dir", str(folder), "--json"])
    assert token not in listed.stdout
    for file in folder.iterdir():
        if file.is_file():
            assert token.encode() not in file.read_bytes()
    token_id = (await system.get("/mj/token/list", **headers))[0]["id"]
    removed = CliRunner().invoke(app, ["token", "remove", token_id, "--data-dir", str(folder)])
    assert removed.exit_code == 0
    while (await system.get("/mj/token/list", **headers)) != UNAUTHORIZED:
        pass


UNAUTHORIZED = {"code": 9, "description": "unauthorized: the API secret is missing or wrong"}


async def test_users_may_not_manage(build: Build, tmp_path: Path) -> None:
    system = await build(secret=SECRET)
    user = {"mj-api-secret": make_token(tmp_path / "data")}
    for path in ("/mj/account/list", "/mj/token/list", "/mj/admin/task/1"):
        async with system.http.get(system.url + path, headers=user) as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, 9)
    made = await system.post("/mj/token/create", {"name": "x", "role": "admin"}, **user)
    assert made["code"] == 9
    assert await system.get("/mj/task/list", **user) == []
    assert await system.get("/mj/task/list") == UNAUTHORIZED


async def test_tokens_made_by_the_endpoints(build: Build) -> None:
    system = await build(secret=SECRET)
    admin = {"Authorization": SECRET}
    made = await system.post("/mj/token/create", {"name": "shop", "images": "relay"}, **admin)
    assert made["code"] == 1
    task = await imagine(system, "/mj-origin/mj", made["result"])
    assert kind(task, system) == "relay"
    listed = await system.get("/mj/token/list", **admin)
    assert [(each["name"], each["usedToday"]) for each in listed] == [("shop", 1)]
    async with system.http.delete(
        f"{system.url}/mj/token/{made['properties']['tokenId']}/delete", headers=admin
    ) as answer:
        assert (await answer.json())["code"] == 1
    assert await system.get("/mj/task/list", **{"mj-api-secret": made["result"]}) == UNAUTHORIZED
    wrong = await system.post("/mj/token/create", {"name": "", "speed": "WARP"}, **admin)
    assert wrong["code"] == 4


@pytest.mark.parametrize("option", ["--rate", "--daily-limit"])
async def test_quotas(build: Build, tmp_path: Path, option: str) -> None:
    clock = TurnableClock()
    system = await build(secret=SECRET, clock=clock, speed=0.01)
    token = {"mj-api-secret": make_token(tmp_path / "data", option, "2")}
    assert (await system.post("/mj/submit/imagine", {"prompt": ""}, **token))["code"] == 4
    if option == "--rate":  # invalid submits count too
        clock.turn(30)
    for _ in range(2):
        assert (await system.post("/mj/submit/imagine", {"prompt": "x"}, **token))["code"] == 1
    url = f"{system.url}/mj/submit/imagine"
    async with system.http.post(url, json={"prompt": "x"}, headers=token) as answer:
        said = await answer.json()
        assert (answer.status, said["code"], said["result"]) == (429, 9, None)
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    clock.turn(60 if option == "--rate" else 86_400)
    assert (await system.post("/mj/submit/imagine", {"prompt": "x"}, **token))["code"] in (1, 22)
    with sqlite3.connect(tmp_path / "data" / "athena.db") as connection:
        assert connection.execute("SELECT sum(tasks) FROM usage").fetchone() == (3,)


async def test_a_day_s_count_outlives_a_restart(tmp_path: Path) -> None:
    from athena.simulator.app import Simulator
    from tests.simulated.conftest import system_at

    async with Simulator(speed=float("inf")) as simulator:
        token = ""
        for expected in (1, 1, 9):
            async with system_at(tmp_path, simulator=simulator, secret=SECRET) as system:
                token = token or make_token(tmp_path, "--daily-limit", "2")
                headers: dict[str, Any] = {"mj-api-secret": token}
                answer = await system.post("/mj/submit/imagine", {"prompt": "x"}, **headers)
                assert answer["code"] == expected


async def test_account_filters(build: Build) -> None:
    accounts = [
        account(0, remark="slow", allow_modes=[Speed.RELAX]),
        account(1, remark="quick", allow_modes=[Speed.FAST, Speed.TURBO]),
    ]
    system = await build(accounts=accounts)
    slow, quick = (each.channel_id for each in accounts)
    homes: list[tuple[Json, str, str]] = [
        ({"remark": "slow"}, slow, "fast"),
        ({"remark": "quick"}, quick, "fast"),
        ({"instanceId": quick}, quick, "fast"),
        ({"channelId": slow}, slow, "fast"),
        ({"modes": ["RELAX", "FAST"]}, slow, "relaxed"),
        ({"modes": ["TURBO", "RELAX"]}, quick, "turbo"),
    ]
    for wanted, home, said in homes:
        task = await submit(system, "submit/imagine", prompt="a cat", accountFilter=wanted)
        assert (task["properties"]["discordInstanceId"], mode(task)) == (home, said), wanted
    unmatched: list[Json] = [{"remark": "none"}, {"instanceId": "1"}, {"remix": True}]
    for wanted in unmatched:
        answer = await system.imagine("a cat", accountFilter=wanted)
        assert answer["code"] == 9
        assert "accountFilter" in answer["description"]
    assert (await system.imagine("a cat", accountFilter={"modes": ["WARP"]}))["code"] == 4
    turbo = await submit(system, "../mj-turbo/mj/submit/imagine", prompt="a cat")
    assert turbo["properties"]["discordInstanceId"] == quick
