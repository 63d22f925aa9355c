"""Tasks belong to the token that asked for them: to act on one takes its owner or an
administrator (finding 32)."""

from typing import Any

import pytest
from msgspec import Struct

from tests.simulated.asking import button
from tests.simulated.conftest import Build, Json, System, account

SECRET = "open sesame"
ADMIN = {"mj-api-secret": SECRET}


class Shop(Struct):
    """A system, and what two tokens send with their calls."""

    system: System
    one: dict[str, str]
    two: dict[str, str]

    async def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, Json]:
        http = self.system.http
        async with http.post(f"{self.system.url}{path}", json=body, headers=headers) as answer:
            return answer.status, dict(await answer.json())

    async def get(self, path: str, **headers: str) -> tuple[int, Json]:
        async with self.system.http.get(f"{self.system.url}{path}", headers=headers) as answer:
            return answer.status, dict(await answer.json())

    async def task(self, task_id: str) -> Json:
        return (await self.get(f"/mj/task/{task_id}/fetch", **ADMIN))[1]

    async def until(self, task_id: str, *statuses: str) -> Json:
        while (task := await self.task(task_id))["status"] not in statuses:
            pass
        return task

    async def submitted(self, path: str, **body: object) -> str:
        """A task of the first token's."""
        _, answer = await self.ask(f"/mj/submit/{path}", body, **self.one)
        assert answer["code"] in (1, 21, 22), answer
        return str(answer["result"])

    async def refuses(self, path: str, body: object = None) -> None:
        """The second token may not do this."""
        status, answer = await self.ask(path, body, **self.two)
        assert (status, answer["code"]) in ((403, 9), (403, 13)), answer


async def opened(build: Build, **settings: Any) -> Shop:
    system = await build(secret=SECRET, **settings)
    made = [
        await system.post("/mj/token/create", {"name": name}, **ADMIN) for name in ("one", "two")
    ]
    one, two = ({"mj-api-secret": str(each["result"])} for each in made)
    return Shop(system, one, two)


@pytest.fixture
async def shop(build: Build) -> Shop:
    return await opened(build)


async def grid(shop: Shop) -> Json:
    return await shop.until(await shop.submitted("imagine", prompt="a cat"), "SUCCESS")


async def test_cancel(build: Build) -> None:
    shop = await opened(build, speed=0.001)
    first, second = [await shop.submitted("imagine", prompt=f"cat {n}") for n in range(2)]
    await shop.refuses(f"/mj/task/{first}/cancel")
    assert (await shop.task(first))["status"] != "CANCEL"
    for task_id, headers in ((first, shop.one), (second, ADMIN)):
        status, task = await shop.ask(f"/mj/task/{task_id}/cancel", **headers)
        assert (status, task["status"]) == (200, "CANCEL")


async def test_a_task_of_the_operator_is_no_tokens(build: Build) -> None:
    shop = await opened(build, speed=0.001)
    _, answer = await shop.ask("/mj/submit/imagine", {"prompt": "a cat"}, **ADMIN)
    await shop.refuses(f"/mj/task/{answer['result']}/cancel")


async def test_actions_and_changes(shop: Shop) -> None:
    task = await grid(shop)
    upscale = button(task, "MJ::JOB::upsample::1")
    await shop.refuses("/mj/submit/action", {"taskId": task["id"], "customId": upscale})
    change = {"taskId": task["id"], "action": "UPSCALE", "index": 1}
    await shop.refuses("/mj/submit/change", change)
    await shop.refuses("/mj/submit/simple-change", {"content": f"{task['id']} U1"})
    await shop.refuses("/mj/submit/video", {"action": "extend", "taskId": task["id"]})
    assert len(shop.system.jobs()) == 1
    action = {"taskId": task["id"], "customId": upscale}
    for headers in (shop.one, ADMIN):
        assert (await shop.ask("/mj/submit/action", action, **headers))[1]["code"] in (1, 22)


async def test_modals(shop: Shop) -> None:
    task = await grid(shop)
    single = await shop.until(
        await shop.submitted(
            "action", taskId=task["id"], customId=button(task, "MJ::JOB::upsample::1")
        ),
        "SUCCESS",
    )
    zoom = {"taskId": single["id"], "customId": button(single, "MJ::CustomZoom")}
    opened_modal = await shop.submitted("action", **zoom)
    filled = {"taskId": opened_modal, "prompt": "a dog --zoom 1.5"}
    await shop.refuses("/mj/submit/modal", filled)
    assert (await shop.task(opened_modal))["status"] == "MODAL"
    assert (await shop.ask("/mj/submit/modal", filled, **shop.one))[1]["code"] in (1, 22)


async def test_modals_are_bounded_and_answered_with_23(build: Build) -> None:
    """Finding 31, through every layer."""
    shop = await opened(build, accounts=[account(modal_limit=2)])
    task = await grid(shop)
    pressed = {"taskId": task["id"], "customId": button(task, "MJ::JOB::upsample::1")}
    single = await shop.until(await shop.submitted("action", **pressed), "SUCCESS")
    zoom = {"taskId": single["id"], "customId": button(single, "MJ::CustomZoom")}
    codes = [(await shop.ask("/mj/submit/action", zoom, **shop.one))[1]["code"] for _ in range(4)]
    assert codes == [21, 21, 23, 23]


async def test_seeds_and_deletion(shop: Shop) -> None:
    task = await grid(shop)
    seed = f"/mj/task/{task['id']}/image-seed"
    status, said = await shop.get(seed, **shop.two)
    assert (status, said["code"]) == (403, 9)
    assert (await shop.get(seed, **shop.one))[1]["code"] == 1
    url = f"{shop.system.url}/mj/task/{task['id']}"
    for headers, expected in ((shop.two, 403), (shop.one, 200), (ADMIN, 404)):
        async with shop.system.http.delete(url, headers=headers) as answer:
            assert answer.status == expected


PATHS = [
    ("upscale", {"index": 1}),
    ("variation", {"index": 1}),
    ("reset", {}),
]


async def test_triggers(shop: Shop) -> None:
    _, answer = await shop.ask("/v1/api/trigger/imagine", {"prompt": "a cat"}, **shop.one)
    named = {"trigger_id": answer["trigger_id"]}
    said: Json = {"status": ""}
    while said["status"] != "SUCCESS":
        _, said = await shop.ask("/v1/api/trigger/getmessage", named, **shop.one)
    await shop.refuses("/v1/api/trigger/getmessage", named)
    path = f"/v1/api/trigger/getmessage?trigger_id={named['trigger_id']}"
    assert (await shop.get(path, **shop.two))[0] == 403
    await shop.refuses("/v1/api/trigger/queue/release", named)
    image = {**named, "msg_id": said["msg_id"], "msg_hash": said["msg_hash"]}
    for name, more in PATHS:
        await shop.refuses(f"/v1/api/trigger/{name}", {**image, **more})
    assert (await shop.ask("/v1/api/trigger/queue/release", named, **shop.one))[0] == 200
    assert (await shop.ask("/v1/api/trigger/getmessage", named, **ADMIN))[0] == 200


async def test_nobody_puts_a_task_into_anothers_trigger(shop: Shop) -> None:
    """Its owner could not look at the trigger any more: a task of somebody else's is in it."""
    _, answer = await shop.ask("/v1/api/trigger/imagine", {"prompt": "a cat"}, **shop.one)
    named = {"trigger_id": answer["trigger_id"]}
    await shop.refuses("/v1/api/trigger/describe", {**named, "upload_filename": "x/one.png"})
    assert (await shop.ask("/v1/api/trigger/getmessage", named, **shop.one))[0] == 200
