"""The web page's calls to the server."""

from pathlib import Path

from athena.clock import TurnableClock
from athena.settings import WebhookSettings
from athena.simulator.app import Simulator
from tests.conftest import breathe
from tests.simulated.asking import submit
from tests.simulated.conftest import Build, Json, System, system_at

PAGE = {"X-Athena-Page": "1"}


async def test_tasks_are_found_by_what_they_are_like(system: System) -> None:
    for number in range(5):
        await submit(system, "submit/imagine", prompt=f"Cat number {number}")
    await system.ended((await system.imagine('x --notice "Banned prompt detected"'))["result"])

    async def found(query: str) -> list[str]:
        page = await system.get(f"/mj/task/search?{query}")
        return [task["prompt"] for task in page["tasks"]]

    assert await found("text=number+3") == ["Cat number 3"]
    assert len(await found("text=CAT&status=SUCCESS")) == 5
    assert len(await found("status=FAILURE&action=IMAGINE")) == 1
    assert await found("action=BLEND") == []
    assert await found("account=none") == []
    assert await found("since=9999999999999") == []
    first = await system.get("/mj/task/search?size=4")
    second = await system.get(f"/mj/task/search?size=4&before={first['next']}")
    assert len(first["tasks"]) + len(second["tasks"]) == 6
    assert second["next"] is None
    assert (await system.get("/mj/task/search?before=nonsense"))["code"] == 4


async def test_figures(system: System) -> None:
    await submit(system, "submit/imagine", prompt="a cat")
    await system.ended((await system.imagine('x --notice "Banned prompt detected"'))["result"])
    stats = await system.get("/mj/stats?hours=3")
    assert len(stats["hours"]) == 3
    assert (stats["hours"][-1]["made"], stats["hours"][-1]["failed"]) == (1, 1)
    assert stats["reasons"] == {"[Banned prompt detected]": 1}
    assert stats["median"] is not None


async def test_forgetting_a_task(build: Build) -> None:
    system = await build(speed=1)
    running = (await system.imagine("a cat"))["result"]
    url = f"{system.url}/mj/task/{running}"
    async with system.http.delete(url) as answer:
        assert "cancel it first" in (await answer.json())["description"]
    await system.post(f"/mj/task/{running}/cancel", {})
    async with system.http.delete(url) as answer:
        assert (await answer.json())["code"] == 1
    async with system.http.get(f"{url}/fetch") as answer:
        assert answer.status == 404


async def test_unchanged_settings_are_not_stored(tmp_path: Path) -> None:
    """The page saves its whole form; unchanged fields still follow the configuration."""
    async with Simulator(speed=float("inf")) as simulator:
        async with system_at(tmp_path, simulator=simulator) as system:
            was = await system.get("/mj/settings")
            async with system.http.put(f"{system.url}/mj/settings", json=was) as answer:
                assert await answer.json() == was
        async with system_at(tmp_path, simulator=simulator, choice={"rule": "Weight"}) as system:
            assert (await system.get("/mj/settings"))["rule"] == "Weight"


async def test_settings_at_run_time_outlive_a_restart(tmp_path: Path) -> None:
    settings = {"rule": "Polling", "links": "relay", "bannedWords": "kumquat\n"}
    async with Simulator(speed=float("inf")) as simulator:
        async with system_at(tmp_path, simulator=simulator) as system:
            url = f"{system.url}/mj/settings"
            was = await system.get("/mj/settings")
            assert was == {"rule": "BestWaitIdle", "links": "origin", "bannedWords": ""}
            for name, value in settings.items():
                async with system.http.put(url, json={name: value}) as answer:
                    assert await answer.json() == (was := {**was, name: value})
            assert (await system.imagine("a kumquat"))["code"] == 24
            for wrong in ({"rule": "Nonsense"}, {"links": "nowhere"}):
                async with system.http.put(url, json=wrong) as answer:
                    assert answer.status == 400
        async with system_at(tmp_path, simulator=simulator) as system:
            assert await system.get("/mj/settings") == settings
            task = await system.ended((await system.imagine("a cat"))["result"])
            assert task["imageUrl"].startswith(f"{system.url}/mj/image/{task['id']}")


async def test_a_webhook_is_told_again(tmp_path: Path, clock: TurnableClock) -> None:
    async with (
        Simulator(speed=float("inf"), clock=clock) as simulator,
        system_at(
            tmp_path,
            simulator=simulator,
            clock=clock,
            webhooks=WebhookSettings(allow_loopback=True),
        ) as system,
    ):
        inbox = f"{simulator.urls.cdn}/_hooks/me".replace("127.0.0.1", "localhost")
        task_id = (await system.imagine("a cat", notifyHook=inbox))["result"]

        async def ends() -> list[Json]:
            async with system.http.get(inbox) as answer:
                letters = await answer.json()
            return [each for each in letters if each["body"]["status"] == "SUCCESS"]

        while not await ends():
            clock.turn(0.1)
            await breathe()
        while (await system.get("/mj/hook/list"))[0]["delivery"]["lastAnswer"] != 200:
            await breathe()  # the receiver knows of it before the answer is read
        (webhook,) = await system.get("/mj/hook/list")
        assert webhook["task"] == task_id
        assert (await system.post(f"/mj/hook/{task_id}/send", {}))["code"] == 1
        while len(await ends()) < 2:
            await breathe()


async def test_signing_in(build: Build) -> None:
    system = await build(secret="open sesame")
    assert (await system.get("/mj/me"))["code"] == 9
    url = f"{system.url}/session"
    async with system.http.post(url, json={"secret": "wrong"}) as answer:
        assert answer.status == 401
    async with system.http.post(url, json={"secret": "open sesame"}) as answer:
        said = answer.headers["Set-Cookie"]
    assert "HttpOnly" in said
    assert "open sesame" not in said
    cookie = {"Cookie": said.partition(";")[0]}
    assert (await system.get("/mj/me", **cookie))["role"] == "admin"
    body = {"prompt": "a cat"}
    assert (await system.post("/mj/submit/imagine", body, **cookie))["code"] == 9
    assert (await system.post("/mj/submit/imagine", body, **cookie, **PAGE))["code"] == 1
    forged = {"Cookie": "athena=gAAAAAnonsense"}
    assert (await system.get("/mj/me", **forged))["code"] == 9


async def test_a_reader_only_looks(build: Build) -> None:
    system = await build(secret="open sesame")
    operator = {"mj-api-secret": "open sesame"}
    made = await system.post("/mj/token/create", {"name": "r", "role": "reader"}, **operator)
    reader = {"mj-api-secret": made["result"]}
    assert (await system.get("/mj/me", **reader))["role"] == "reader"
    assert (await system.get("/mj/task/search", **reader))["tasks"] == []
    for path in ("/mj/submit/imagine", "/v1/api/trigger/imagine", "/mj-fast/mj/submit/imagine"):
        refused = await system.post(path, {"prompt": "a cat"}, **reader)
        assert "only look" in refused["description"]
    url = f"{system.url}/mj/task/list-by-condition"
    async with system.http.post(url, json={"ids": []}, headers=reader) as answer:
        assert answer.status == 200


async def test_the_page_and_its_policy(system: System) -> None:
    async with system.http.get(f"{system.url}/") as answer:
        assert answer.content_type == "text/html"
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name, kind in (("app.js", "text/javascript"), ("style.css", "text/css")):
        async with system.http.get(f"{system.url}/page/{name}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)
    async with system.http.get(f"{system.url}/page/..%2F__init__.py") as answer:
        assert answer.status == 404
