"""Alternatives to polling: waiting for a change, and streams that resume where they broke off."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from athena.clock import TurnableClock
from tests.conftest import breathe
from tests.simulated.conftest import Build, Json, System, system_at

Event = tuple[str, str, Json]


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """(event, id, data) of each event."""
    fields: dict[str, str] = {}
    async for line in answer.content:
        name, _, value = line.decode().strip().partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield fields["event"], fields["id"], json.loads(fields["data"])
            fields = {}


async def test_fetch_waits_for_the_next_change(build: Build) -> None:
    system = await build(speed=40)
    task = await system.fetch((await system.imagine("a cat"))["result"])
    seen = [(task["status"], task["progress"])]
    while task["finishTime"] is None:
        task = await system.get(f"/mj/task/{task['id']}/fetch?wait=30")
        seen.append((task["status"], task["progress"]))
    assert len(seen) == len(set(seen))
    assert task["status"] == "SUCCESS"
    assert (await system.get(f"/mj/task/{task['id']}/fetch?wait=30")) == task


async def test_the_wait_ends_by_itself(build: Build) -> None:
    clock = TurnableClock()
    system = await build(clock=clock, speed=0.001)
    task_id = (await system.imagine("a cat"))["result"]
    await system.until(task_id, lambda task: task["status"] == "SUBMITTED")
    waiting = asyncio.create_task(system.get(f"/mj/task/{task_id}/fetch?wait=5"))
    while not waiting.done():
        clock.turn(0.5)
        await breathe()
    assert (await waiting)["status"] == "SUBMITTED"
    assert clock.monotonic() >= 5
    for wrong in ("-1", "121", "soon"):
        assert (await system.get(f"/mj/task/{task_id}/fetch?wait={wrong}"))["code"] == 4
    assert (await system.get("/mj/task/1/fetch?wait=5"))["code"] == 3


async def test_streams_end_with_the_server(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        async with system_at(tmp_path, speed=0.001) as system:
            task_id = (await system.imagine("a cat"))["result"]
            await system.until(task_id, lambda task: task["status"] == "SUBMITTED")
            one = f"{system.url}/mj/task/{task_id}"
            streams = [await http.get(f"{system.url}/mj/events"), await http.get(f"{one}/events")]
            assert b"SUBMITTED" in await streams[1].content.readuntil(b"\r\n\r\n")
            waiting = asyncio.create_task(http.get(f"{one}/fetch?wait=100"))
            await breathe()
        for stream in streams:
            await stream.read()  # an error if it had been cut off
        assert (await waiting).status == 200


async def test_a_task_s_stream_ends_with_the_task(build: Build) -> None:
    system = await build(speed=40)
    task_id = (await system.imagine("a cat"))["result"]
    async with system.http.get(f"{system.url}/mj/task/{task_id}/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        received = [event async for event in events(answer)]
    assert {event for event, _, _ in received} == {"task"}
    assert {data["id"] for _, _, data in received} == {task_id}
    assert received[-1][2]["status"] == "SUCCESS"
    assert received[-1][2] == await system.fetch(task_id)
    percents = [int(data["progress"].rstrip("%") or 0) for _, _, data in received]
    assert percents == sorted(percents)


async def first(answer: aiohttp.ClientResponse, count: int) -> list[Event]:
    found = []
    async for event in events(answer):
        found.append(event)
        if len(found) == count:
            break
    return found


async def test_the_stream_of_all_goes_on_where_it_broke_off(build: Build) -> None:
    system = await build(speed=100)
    url = f"{system.url}/mj/events"
    async with system.http.get(url) as answer:
        ids = [(await system.imagine(f"cat {n}"))["result"] for n in range(3)]
        before = await first(answer, 5)
    for task_id in ids:
        await system.ended(task_id)
    async with system.http.get(url, headers={"Last-Event-ID": before[-1][1]}) as answer:
        after: list[Event] = []
        async for event in events(answer):
            after.append(event)
            if sum(data.get("status") == "SUCCESS" for _, _, data in before + after) == 3:
                break
    numbers = [int(number) for _, number, _ in before + after]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for task_id in ids:
        received = [data["status"] for _, _, data in before + after if data["id"] == task_id]
        assert received[0] == "NOT_START"
        assert received[-1] == "SUCCESS"


async def test_who_was_away_too_long_is_told_to_read_anew(system: System) -> None:
    headers = {"Last-Event-ID": "17"}
    async with system.http.get(f"{system.url}/mj/events", headers=headers) as answer:
        ((event, _, data),) = await first(answer, 1)
        assert (event, data) == ("sync", {})
        await system.imagine("a cat")
        ((event, _, data),) = await first(answer, 1)
        assert (event, data["status"]) == ("task", "NOT_START")
