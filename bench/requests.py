"""Task fetch, and durable submits at 100 callers, against a bare ASGI program."""

import json
import urllib.request
from pathlib import Path

from bench.load import request, requests_per_second
from bench.processes import running, server_with_simulator
from bench.result import Result

_SECONDS = 3.0
_ROUNDS = 3


async def measure(folder: Path) -> list[Result]:
    """Each pair is measured in turn, several times; the medians are compared."""
    # Very slow jobs leave the server to the requests.
    serving = server_with_simulator(folder, core_size=1, queue_size=100_000, speed="0.01")
    async with serving as (url, _):
        task_id = _submit(url)
        sample = folder / "task.json"
        sample.write_bytes(_get(f"{url}/mj/task/{task_id}/fetch"))
        async with running("-m", "bench.bare", str(sample), says="bare: .*") as (_, text):
            bare = text.split("bare: ", 1)[1].strip()
            fetch = request("GET", f"/mj/task/{task_id}/fetch")
            fetches = await _pairs(url, bare, fetch, callers=20)
            submits = await _pairs(url, bare, _imagine(), callers=100)
    return [
        _result("task fetch /s", *fetches, bound=0.5),
        _result("durable submits /s, 100 callers", *submits, bound=0.25),
    ]


async def _pairs(ours: str, bare: str, sent: bytes, *, callers: int) -> tuple[float, float]:
    rounds = []
    for _ in range(_ROUNDS):
        pair = [
            await requests_per_second(url, lambda _: sent, callers=callers, seconds=_SECONDS)
            for url in (ours, bare)
        ]
        rounds.append(tuple(pair))
    return sorted(rounds, key=lambda pair: pair[0] / pair[1])[_ROUNDS // 2]  # type: ignore[return-value]


def _imagine() -> bytes:
    return request("POST", "/mj/submit/imagine", b'{"prompt": "a cute cat --ar 3:2"}')


def _submit(url: str) -> str:
    body = json.dumps({"prompt": "a cute cat"}).encode()
    headers = {"Content-Type": "application/json"}
    call = urllib.request.Request(f"{url}/mj/submit/imagine", body, headers)
    return str(json.loads(urllib.request.urlopen(call).read())["result"])


def _get(url: str) -> bytes:
    return bytes(urllib.request.urlopen(url).read())


def _result(what: str, ours: float, bare: float, *, bound: float) -> Result:
    return Result(
        what=what,
        measured=f"{ours:,.0f}",
        against=f"{bare:,.0f} bare ASGI",
        ratio=f"{ours / bare:.2f}",
        bound=f">= {bound}",
        good=ours / bare >= bound,
    )
