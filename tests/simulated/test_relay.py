"""ImageLinks that the server relays, and links of Discord's that it keeps alive."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from athena.clock import TurnableClock
from athena.settings import ImageSettings
from athena.simulator.app import Simulator
from athena.simulator.config import DEMO
from athena.tasks.model import ImageLinks
from tests.simulated.asking import button, press, submit, tile
from tests.simulated.conftest import Build, Json, System, system_at

RELAY = ImageSettings(links=ImageLinks.RELAY)


async def load(system: System, url: str, **headers: str) -> tuple[int, Any, bytes]:
    async with system.http.get(url, headers=headers) as answer:
        return answer.status, answer.headers, await answer.read()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


async def test_a_relayed_image_with_its_tiles_and_thumbnails(build: Build) -> None:
    system = await build(images=RELAY)
    task = await submit(system, "submit/imagine", prompt="a cat --ar 3:2")
    assert task["imageUrl"] == f"{system.url}/mj/image/{task['id']}"
    status, headers, data = await load(system, task["imageUrl"])
    grid = opened(data)
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert "immutable" in headers["Cache-Control"]
    assert grid.info["Job"] == task["properties"]["messageHash"]
    links = task["properties"]["tileUrls"]
    assert links == [f"{system.url}/mj/image/{task['id']}/{n}" for n in range(1, 5)]
    for number, link in enumerate(links, 1):
        cut = opened((await load(system, link))[2])
        assert cut.tobytes() == tile(grid, number).tobytes()
    _, headers, data = await load(system, task["imageUrl"] + "?w=500")
    assert (headers["Content-Type"], opened(data).width) == ("image/webp", 512)
    assert opened((await load(system, links[0] + "?w=100"))[2]).width == 128
    single = await press(system, task, button(task, "MJ::JOB::upsample::1"))
    assert single["properties"]["tileUrls"] is None
    assert (await load(system, f"{system.url}/mj/image/{single['id']}/1"))[0] == 404
    for wrong in ("/5", "/0", "/x", "?w=0", "?w=9999", "?w=x"):
        status, _, data = await load(system, task["imageUrl"] + wrong)
        assert b'"code":' in data, wrong


async def test_ranges_etags_and_heads(build: Build) -> None:
    system = await build(images=RELAY)
    task = await submit(system, "submit/imagine", prompt="a cat")
    url = task["imageUrl"]
    _, headers, whole = await load(system, url)
    etag = headers["ETag"]
    for asked, part in (
        ("bytes=0-99", whole[:100]),
        ("bytes=100-", whole[100:]),
        ("bytes=-50", whole[-50:]),
        (f"bytes=10-{10**12}", whole[10:]),
    ):
        status, headers, data = await load(system, url, Range=asked)
        assert (status, data) == (206, part), asked
        assert headers["Content-Range"].endswith(f"/{len(whole)}")
    for impossible in (f"bytes={len(whole)}-", "bytes=5-4", "bytes=-", "lines=1-2"):
        assert (await load(system, url, Range=impossible))[0] == 416
    status, _, data = await load(system, url, **{"If-None-Match": etag})
    assert (status, data) == (304, b"")
    status, _, data = await load(system, url, Range="bytes=0-9", **{"If-Range": '"other"'})
    assert (status, data) == (200, whole)
    async with system.http.head(url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(whole)))


async def test_only_images_of_tasks_are_relayed(build: Build) -> None:
    system = await build()
    for path in ("1", "1111111111111111", "https://example.com/a.png", "..%2f..%2fetc"):
        status, _, data = await load(system, f"{system.url}/mj/image/{path}")
        assert status == 404, path
        assert b'"code":' in data
    task_id = (await system.imagine("a cat"))["result"]
    await system.ended(task_id)


async def test_an_image_is_fetched_once_for_all_callers(build: Build, tmp_path: Path) -> None:
    system = await build(images=RELAY)
    task = await submit(system, "submit/imagine", prompt="a cat")
    reads: list[str] = []
    files = system.simulator.world.files
    read = files.read

    async def counted(file: Any) -> bytes:
        reads.append(file.filename)
        return await read(file)

    files.read = counted  # type: ignore[method-assign]
    urls = [task["imageUrl"]] * 5 + task["properties"]["tileUrls"] + [task["imageUrl"] + "?w=64"]
    await asyncio.gather(*(load(system, url) for url in urls))
    assert len(reads) == 1
    assert (tmp_path / "data" / "images" / task["id"] / "whole").exists()


async def test_a_signed_link_opens_its_image_and_nothing_else(build: Build) -> None:
    system = await build(images=RELAY, secret="s")
    secret = {"mj-api-secret": "s"}
    ids = [(await system.post("/mj/submit/imagine", {"prompt": "x"}, **secret))["result"]] * 2
    ids[1] = (await system.post("/mj/submit/imagine", {"prompt": "x"}, **secret))["result"]
    tasks: list[Json] = []
    for task_id in ids:
        while not (task := await system.get(f"/mj/task/{task_id}/fetch", **secret))["finishTime"]:
            pass
        tasks.append(task)
    first, second = (task["imageUrl"] for task in tasks)
    assert (await load(system, first))[0] == 200
    assert (await load(system, tasks[0]["properties"]["tileUrls"][3]))[0] == 200
    signature = first.partition("?")[2]
    assert (await load(system, f"{second.partition('?')[0]}?{signature}"))[0] == 401
    assert (await load(system, first.partition("?")[0]))[0] == 401
    assert (await load(system, f"{system.url}/mj/task/{ids[0]}/fetch?{signature}"))[0] == 401


async def test_origin_links_always_download(tmp_path: Path) -> None:
    config = DEMO.__class__(users=DEMO.users, link_life=2.0)
    async with (
        Simulator(config, speed=float("inf")) as simulator,
        system_at(tmp_path, simulator=simulator) as system,
    ):
        task = await submit(system, "submit/imagine", prompt="a cat")
        first, seen = task["imageUrl"], set[str]()
        while len(seen) < 3:  # over several lives of a link
            fetched = await system.fetch(task["id"])
            assert (await load(system, fetched["imageUrl"]))[0] == 200
            (listed,) = await system.listed([task["id"]])
            assert (await load(system, listed["imageUrl"]))[0] == 200
            seen.add(fetched["imageUrl"])
        assert (await load(system, first))[0] == 404


async def test_a_month_old_task_has_a_living_link(tmp_path: Path) -> None:
    clock = TurnableClock()
    async with Simulator(speed=float("inf"), clock=clock) as simulator:
        async with system_at(tmp_path, simulator=simulator, clock=clock) as system:
            done = asyncio.create_task(submit(system, "submit/imagine", prompt="a cat"))
            while not done.done():
                clock.turn(0.05)
                await asyncio.to_thread(int)
            task = await done
        simulator.world.sessions.__init__(clock, simulator.world.random, simulator.faults)  # type: ignore[misc]
        clock.turn(30 * 86_400)
        assert (await _status(task["imageUrl"])) == 404
        async with system_at(tmp_path, simulator=simulator, clock=clock) as system:
            asking = asyncio.create_task(system.fetch(task["id"]))
            while not asking.done():
                clock.turn(0.05)
                await asyncio.to_thread(int)
            fetched = await asking
            assert fetched["imageUrl"] != task["imageUrl"]
            assert (await load(system, fetched["imageUrl"]))[0] == 200


async def _status(url: str) -> int:
    import aiohttp

    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status


@pytest.mark.parametrize("size", [(3000, 3000)])
async def test_what_is_no_image_is_said_so(build: Build, size: tuple[int, int]) -> None:
    system = await build(images=RELAY)
    task = await submit(system, "submit/imagine", prompt="a cat")

    async def broken(file: Any) -> bytes:
        return b"this is no image"

    system.simulator.world.files.read = broken  # type: ignore[method-assign]
    status, _, data = await load(system, task["imageUrl"] + "?w=64")
    assert status == 404
    assert b"no image" in data
