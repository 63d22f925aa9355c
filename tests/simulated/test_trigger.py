"""The trigger API: every endpoint to its callback, by the user's and by a bot's session."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from athena.clock import TurnableClock
from athena.settings import WebhookSettings
from athena.simulator.app import Simulator
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.config import DEMO
from tests.conftest import breathe
from tests.simulated.asking import submit
from tests.simulated.conftest import CHANNEL, Build, Json, System, account, system_at

API = "/v1/api/trigger"
LISTENER = DEMO.users[2].token


class Backend:
    """The user's own server behind CALLBACK_URL."""

    def __init__(self) -> None:
        self.received: list[Json] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.received.append(await request.json())
        return web.Response()

    async def end(self, trigger: str, *, kind: str = "end", after: int = 0) -> Json:
        """The callback of this kind for a trigger, after the first `after` callbacks."""
        while True:
            for callback in self.received[after:]:
                if (callback.get("trigger_id"), callback.get("type")) == (trigger, kind):
                    return callback
            await breathe()


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    made = Backend()
    app = web.Application()
    app.router.add_post("/callback", made.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://localhost:{runner.addresses[0][1]}/callback"
    yield made
    await runner.cleanup()


async def built(build: Build, receiver: Backend, listens: str, **more: Any) -> System:
    token: Json = {"bot_token": LISTENER} if listens == "bot" else {}
    return await build(
        accounts=[account(**{**token, **more})],
        webhooks=WebhookSettings(url=receiver.url, allow_loopback=True),
    )


async def trigger(system: System, path: str, **body: object) -> Json:
    answer = await system.post(f"{API}/{path}", body)
    assert answer["message"] == "success", answer
    return answer


def image() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, "PNG")
    return out.getvalue()


async def upload(system: System, data: bytes) -> tuple[int, Json]:
    form = aiohttp.FormData()
    form.add_field("file", data, filename="cat.png", content_type="image/png")
    async with system.http.post(f"{system.url}{API}/upload", data=form) as answer:
        return answer.status, await answer.json()


both = pytest.mark.parametrize("listens", ["user", "bot"])


@both
async def test_every_button_of_the_document_ends_in_its_callback(
    build: Build, listens: str
) -> None:
    async with backend() as receiver:
        system = await built(build, receiver, listens)
        asked = await trigger(
            system, "imagine", prompt="a cute cat", extra="--ar 3:2", picurl="https://x.com/a.png"
        )
        made = asked["trigger_id"]
        assert (len(made), asked["trigger_type"]) == (10, "generate")
        grid = await receiver.end(made)
        assert "<https://s.mj.run/" in grid["content"]
        assert f"<#{made}#>a cute cat --ar 3:2" in grid["content"]
        assert isinstance(grid["id"], int)
        (attached,) = grid["attachments"]
        assert attached.keys() == {
            "id", "url", "proxy_url", "filename", "content_type", "width", "height", "size",
            "ephemeral",
        }  # fmt: skip
        assert attached["width"] > attached["height"]
        name = attached["filename"].rsplit(".", 1)[0].rsplit("_", 1)[-1]
        of_grid: Json = {"msg_id": str(grid["id"]), "msg_hash": name, "trigger_id": made}
        single = await pressed(system, receiver, "upscale", of_grid, index=2)
        of_single: Json = {
            "msg_id": single["id"],
            "msg_hash": single["attachments"][0]["filename"].rsplit(".", 1)[0].rsplit("_", 1)[-1],
            "trigger_id": made,
        }
        for path, body in (
            ("variation", {**of_grid, "index": 3}),
            ("reset", of_grid),
            ("solo_variation", of_single),
            ("solo_low_variation", of_single),
            ("solo_high_variation", {**of_single, "index": 1}),
            ("zoomout", {**of_single, "zoomout": 50}),
            ("zoomout", {**of_single, "zoomout": 75}),
            ("expand", {**of_single, "direction": "left"}),
        ):
            ended = await pressed(system, receiver, path, body)
            assert f"<#{made}#>" in ended["content"]
        kinds = [each["type"] for each in receiver.received]
        assert "end" in kinds
        assert set(kinds) <= {"start", "generating", "end"}
        newest = await system.get(f"{API}/getmessage?trigger_id={made}")
        assert newest["status"] == "SUCCESS"
        assert newest["msg_id"] == str(receiver.received[-1]["id"])


async def pressed(system: System, receiver: Backend, path: str, body: Json, **more: object) -> Json:
    before = len(receiver.received)
    answer = await trigger(system, path, **body, **more)
    assert (answer["trigger_id"], answer["trigger_type"]) == (body["trigger_id"], path)
    return await receiver.end(body["trigger_id"], after=before)


async def test_the_kinds_come_in_order(build: Build) -> None:
    async with backend() as receiver:
        system = await build(
            speed=40, webhooks=WebhookSettings(url=receiver.url, allow_loopback=True)
        )
        made = (await trigger(system, "imagine", prompt="a cat"))["trigger_id"]
        await receiver.end(made)
        kinds = [each["type"] for each in receiver.received]
        assert list(dict.fromkeys(kinds)) == ["start", "generating", "end"]
        assert kinds.count("generating") > 1
        assert all(each["id"] > 0 for each in receiver.received)


@both
async def test_upload_describe_and_message(build: Build, listens: str) -> None:
    async with backend() as receiver:
        system = await built(build, receiver, listens)
        uploads = [await upload(system, image()) for _ in range(3)]
        for status, answer in uploads:
            assert (status, answer["message"]) == (200, "success")
            assert answer["upload_filename"].endswith(f"/{answer['trigger_id']}.png")
        names = [answer["upload_filename"] for _, answer in uploads]
        ids = [answer["trigger_id"] for _, answer in uploads]
        for name, made in zip(names, ids, strict=True):
            await trigger(system, "describe", upload_filename=name, trigger_id=made)
        for made in ids:
            text = await receiver.end(made, kind="text")
            (embed,) = text["embeds"]
            assert embed["description"].startswith("1️⃣")
            assert f"/{made}.png" in embed["image"]["url"]
        posted = await system.post(f"{API}/message", {"upload_filename": names[0]})
        assert posted["message"] == "success"
        async with system.http.get(posted["picurl"]) as link:
            assert await link.read() == image()


async def test_a_brought_file_is_used_where_it_is_after_a_restart_too(tmp_path: Path) -> None:
    settings: Json = {"accounts": [account(0), account(1)], "choice": {"rule": "Polling"}}
    async with Simulator(speed=float("inf")) as simulator:
        async with system_at(tmp_path, simulator=simulator, **settings) as system:
            uploaded = [(await upload(system, image()))[1] for _ in range(2)]
        for each, home in zip(reversed(uploaded), (account(1), account(0)), strict=True):
            async with system_at(tmp_path, simulator=simulator, **settings) as system:
                names = {name: each[name] for name in ("upload_filename", "trigger_id")}
                await trigger(system, "describe", **names)
                (task,) = await system.get("/mj/task/list?size=1")
                assert task["properties"]["discordInstanceId"] == home.channel_id


@both
async def test_fifty_at_once_with_equal_prompts(build: Build, listens: str) -> None:
    async with backend() as receiver:
        system = await built(build, receiver, listens, core_size=12)
        answers = await asyncio.gather(
            *(system.post(f"{API}/imagine", {"prompt": "the very same"}) for _ in range(50))
        )
        ids = {answer["trigger_id"] for answer in answers}
        assert len(ids) == 50
        images = set()
        for made in ids:
            ended = await receiver.end(made)
            assert f"<#{made}#>the very same" in ended["content"]
            images.add(ended["attachments"][0]["filename"])
        assert len(images) == 50


@both
async def test_both_apis_see_all_tasks(build: Build, listens: str) -> None:
    async with backend() as receiver:
        system = await built(build, receiver, listens)
        made = (await trigger(system, "imagine", prompt="a cat"))["trigger_id"]
        grid = await receiver.end(made)
        (task,) = await system.get("/mj/task/list")
        assert task["properties"]["triggerId"] == made
        assert task["properties"]["finalPrompt"] == "a cat --v 7.0"
        assert "<#" not in str(task)
        other = await submit(system, "submit/imagine", prompt="a dog")
        assert "<#" not in str(other)
        assert other["properties"]["triggerId"] is None
        before = len(receiver.received)
        body = {
            "msg_id": other["properties"]["messageId"],
            "msg_hash": other["properties"]["messageHash"],
            "trigger_id": made,
        }
        await trigger(system, "upscale", **body, index=1)
        single = await receiver.end(made, after=before)
        assert "Image #1" in single["content"]
        assert grid["id"] != single["id"]


async def test_moderation_failure_and_release(build: Build) -> None:
    async with backend() as receiver:
        system = await built(build, receiver, "user", core_size=1)
        banned = await system.post(f"{API}/imagine", {"prompt": "a nude"})
        assert banned["code"] == 14
        made = await trigger(system, "imagine", prompt='x --notice "Internal error"')
        failed = await receiver.end(made["trigger_id"], kind="error")
        assert "Internal error" in failed["content"]
        asked = 'x --notice "Request cancelled due to output filters"'
        made = await trigger(system, "imagine", prompt=asked)
        await receiver.end(made["trigger_id"], kind="banned")
        asked = 'x --notice "Action needed to continue"'
        made = await trigger(system, "imagine", prompt=asked)
        await receiver.end(made["trigger_id"], kind="verify")


async def test_queue_positions_and_a_full_queue(build: Build) -> None:
    system = await build(accounts=[account(core_size=1, queue_size=2)], speed=0.01)
    first = await trigger(system, "imagine", prompt="one")
    assert "queue_position" not in first
    assert (await trigger(system, "imagine", prompt="two"))["queue_position"] == 0
    assert (await trigger(system, "imagine", prompt="three"))["queue_position"] == 1
    assert (await system.post(f"{API}/imagine", {"prompt": "four"}))["code"] == 15
    assert len(await system.get("/mj/task/list")) == 3
    await trigger(system, "queue/release", trigger_id=first["trigger_id"])
    message = await system.post(f"{API}/getmessage", {"trigger_id": first["trigger_id"]})
    assert message["status"] == "FAILURE"
    assert "by hand" in message["content"]
    assert (await trigger(system, "imagine", prompt="four"))["queue_position"] == 1


WRONG: list[tuple[str, Json, int, int]] = [
    ("imagine", {}, 400, 13),
    ("imagine", {"prompt": ""}, 400, 13),
    ("imagine", {"prompt": "x", "extra": "--ar 0:1"}, 400, 13),
    ("upscale", {"index": 5, "msg_id": "1", "msg_hash": "x", "trigger_id": "1"}, 400, 13),
    ("upscale", {"index": 1, "msg_id": "1", "msg_hash": "x", "trigger_id": "1"}, 400, 13),
    ("zoomout", {"zoomout": 60, "msg_id": "1", "msg_hash": "x", "trigger_id": "1"}, 400, 13),
    ("expand", {"direction": "in", "msg_id": "1", "msg_hash": "x", "trigger_id": "1"}, 400, 13),
    ("message", {"upload_filename": "nothing/here.png"}, 200, 12),
    ("queue/release", {"trigger_id": "1234567890"}, 404, 16),
    ("getmessage", {"trigger_id": "1234567890"}, 404, 16),
    ("queue/release", {}, 400, 13),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), WRONG)
async def test_errors(system: System, path: str, body: Json, status: int, code: int) -> None:
    async with system.http.post(f"{system.url}{API}/{path}", json=body) as answer:
        said = await answer.json()
        assert (answer.status, said["code"]) == (status, code), said
        assert said["message"]


async def test_what_is_no_image_is_said_in_the_old_words(system: System) -> None:
    assert await upload(system, b"no image") == (400, {"message": "must image"})


async def test_a_message_that_no_task_of_ours_made(build: Build) -> None:
    async with backend() as receiver:
        system = await built(build, receiver, "user")
        task = await submit(system, "submit/imagine", prompt="a cat")
        job = task["properties"]["messageHash"]
        row = {"type": 1, "components": [{"type": 2, "style": 2, "label": "U1",
               "custom_id": f"MJ::JOB::upsample::1::{job}"}]}  # fmt: skip
        from athena.simulator.stage import Draft

        strange = system.simulator.world.post(
            MIDJOURNEY, CHANNEL, Draft(content="an old one", components=(row,))
        )
        body = {"msg_id": strange["id"], "msg_hash": job, "trigger_id": "1234567890"}
        await trigger(system, "upscale", **body, index=1)
        assert (await receiver.end("1234567890"))["attachments"]


async def test_a_image_that_is_removed_while_it_runs_is_banned(build: Build) -> None:
    clock = TurnableClock()
    async with backend() as receiver:
        system = await build(
            webhooks=WebhookSettings(url=receiver.url, allow_loopback=True), clock=clock
        )
        made = (await trigger(system, "imagine", prompt='x --notice "Removed"'))["trigger_id"]
        ended = asyncio.create_task(receiver.end(made, kind="banned"))
        while not ended.done():
            clock.turn(0.5)
            await breathe()
        assert (await ended)["id"] > 0
