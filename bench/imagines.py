"""Complete imagines, from submit to result, with a simulator whose jobs take no time."""

import asyncio
import time
from pathlib import Path

import aiohttp

from bench.processes import server_with_simulator
from bench.result import Result

_COUNT = 600
_BOUND = 60.0


async def measure(folder: Path) -> list[Result]:
    """The server and the simulator run in separate processes; an imagine includes both."""
    serving = server_with_simulator(folder, core_size=12, queue_size=_COUNT, speed="inf")
    async with serving as (url, _), aiohttp.ClientSession() as http:
        await _make(http, url, 20)
        began = time.perf_counter()
        await _make(http, url, _COUNT)
        rate = _COUNT / (time.perf_counter() - began)
    return [
        Result(
            what="whole imagines /s, job time 0",
            measured=f"{rate:.0f}",
            bound=f">= {_BOUND:.0f}",
            good=rate >= _BOUND,
        )
    ]


async def _make(http: aiohttp.ClientSession, url: str, count: int) -> None:
    waiting = set(await asyncio.gather(*(_submit(http, url) for _ in range(count))))
    while waiting:
        body = {"ids": list(waiting)}
        async with http.post(f"{url}/mj/task/list-by-condition", json=body) as answer:
            for task in await answer.json():
                if task["status"] == "FAILURE":
                    raise RuntimeError(task["failReason"])
                if task["status"] == "SUCCESS":
                    waiting.discard(task["id"])
        await asyncio.sleep(0.05)


async def _submit(http: aiohttp.ClientSession, url: str) -> str:
    async with http.post(f"{url}/mj/submit/imagine", json={"prompt": "a cute cat"}) as answer:
        said = await answer.json()
    if said["code"] not in (1, 22):
        raise RuntimeError(said["description"])
    return str(said["result"])
