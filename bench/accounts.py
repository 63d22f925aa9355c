"""Many accounts in one process: how soon they are online, what one of them weighs, and whether
imagines over all of them succeed.

Run by itself, as it takes minutes: `python -m bench.accounts --accounts 1000 --imagines 3000`.
The simulator and the server have a process each; this one is only the client.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from msgspec import Struct

from athena.discord.http_sessions import ConnectionLimits
from athena.discord.open_files import ensure_open_files, open_files_needed
from athena.simulator.config import stable_id
from bench.processes import running

_ONLINE_WITHIN = 120.0
_KILOBYTES = 250.0
_SUBMITS_AT_ONCE = 64
_LIST = 500
_SETTLE = 10.0
"""Seconds for which an idle server is left alone before it is weighed."""


class Figures(Struct, frozen=True, kw_only=True):
    """What was measured."""

    accounts: int
    online: int
    online_after: float
    """Seconds from the start of the server's process."""
    idle_bytes: float
    """Resident memory of an idle account."""
    states: Counter[str]
    """How many imagines ended in each state."""
    imagines_took: float

    @property
    def good(self) -> bool:
        return (
            self.online == self.accounts
            and self.online_after <= _ONLINE_WITHIN
            and self.idle_bytes < _KILOBYTES * 1024
            and set(self.states) <= {"SUCCESS"}
        )


async def measure(accounts: int, imagines: int, refresh: float) -> Figures:
    """Weigh a server with one account, then bring up one with all of them and use it."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        async with _server(Path(other), 1, refresh) as (url, pid, _):
            await _online(url, 1)
            await asyncio.sleep(_SETTLE)
            alone = _resident(pid)
        async with _server(Path(folder), accounts, refresh) as (url, pid, began):
            online = await _online(url, accounts)
            online_after = time.perf_counter() - began
            print(f"{online} online after {online_after:.1f} s", flush=True)
            await asyncio.sleep(_SETTLE)
            idle = (_resident(pid) - alone) / max(accounts - 1, 1)
            print(f"{idle / 1024:.0f} kB for each idle account", flush=True)
            began = time.perf_counter()
            states = await _imagine(url, imagines)
            took = time.perf_counter() - began
    return Figures(
        accounts=accounts, online=online, online_after=online_after, idle_bytes=idle,
        states=states, imagines_took=took,
    )  # fmt: skip


@asynccontextmanager
async def _server(
    folder: Path, accounts: int, refresh: float
) -> AsyncIterator[tuple[str, int, float]]:
    """A server over a simulator: its URL, its process id, and when it was started."""
    config, settings = folder / "simulator.toml", folder / "athena.toml"
    config.write_text(_simulator_config(accounts))
    simulate = ("-m", "athena", "simulate", "--port", "0", "--speed", "inf",
                "--config", str(config))  # fmt: skip
    async with running(*simulate, says="# control") as (_, text):
        env = dict(line.split("=", 1) for line in text.splitlines() if line.startswith("ATHENA_"))
        settings.write_text(_server_settings(accounts, refresh))
        env["ATHENA_CONFIG"] = str(settings)
        began = time.perf_counter()
        serve = ("-m", "athena", "serve", "--port", "0", "--data-dir", str(folder / "data"))
        async with running(*serve, says="Athena is ready: .*", env=env) as (process, text):
            found = re.search(r"Athena is ready: (\S+)", text)
            assert found
            yield found[1], process.pid, began


def _simulator_config(accounts: int) -> str:
    """Every account has a server of its own, as people have."""
    guilds = (f'[[guilds]]\nname = "guild {number}"\n' for number in range(accounts))
    users = (
        f'[[users]]\nname = "user {n}"\ntoken = "token-{n}"\nplan = "mega"\n'
        f'guild = "guild {n}"\nchannel = "channel {n}"\n'
        for n in range(accounts)
    )
    return "limits = false\n" + "".join([*guilds, *users])


def _server_settings(accounts: int, refresh: float) -> str:
    return "".join(
        f'[[accounts]]\ntoken = "token-{n}"\nguild_id = "{(guild := stable_id("guild", name))}"\n'
        f'channel_id = "{stable_id("channel", guild, f"channel {n}")}"\n'
        f"core_size = 3\nqueue_size = 20\nrefresh_minutes = {refresh}\n"
        for n in range(accounts)
        for name in [f"guild {n}"]
    )


async def _online(url: str, accounts: int) -> int:
    """Wait until all are online, or twice the time for it is over; how many are."""
    async with _client() as http:
        until = time.perf_counter() + 2 * _ONLINE_WITHIN
        online = 0
        while online < accounts and time.perf_counter() < until:
            await asyncio.sleep(0.5)
            async with http.get(f"{url}/mj/account/list") as answer:
                listed = await answer.json()
            online = sum(each["state"] == "online" for each in listed)
        return online


def _client() -> aiohttp.ClientSession:
    """A connection for each call: one that was kept may be closed just as it is used again."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))


async def _imagine(url: str, count: int) -> Counter[str]:
    async with _client() as http:
        gate = asyncio.Semaphore(_SUBMITS_AT_ONCE)

        async def submit(number: int) -> str:
            body = {"prompt": f"a cat, number {number}"}
            async with gate, http.post(f"{url}/mj/submit/imagine", json=body) as answer:
                said = await answer.json()
            return str(said["result"]) if said["code"] in (1, 22) else ""

        submitted = await asyncio.gather(*(submit(number) for number in range(count)))
        states = Counter({"not accepted": submitted.count("")})
        waiting = {task for task in submitted if task}
        until = time.perf_counter() + 600
        while waiting and time.perf_counter() < until:
            await asyncio.sleep(0.5)
            ended = await _ended(http, url, list(waiting)[:_LIST])
            states.update(ended.values())
            waiting -= ended.keys()
        states["unfinished"] = len(waiting)
        return +states


async def _ended(http: aiohttp.ClientSession, url: str, tasks: list[str]) -> dict[str, str]:
    async with http.post(f"{url}/mj/task/list-by-condition", json={"ids": tasks}) as answer:
        listed = await answer.json()
    over = ("SUCCESS", "FAILURE", "CANCEL")
    return {each["id"]: each["status"] for each in listed if each["status"] in over}


def _resident(pid: int) -> int:
    """Bytes, as the kernel counts them."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:", 1)[1].split()[0]) * 1024


def main() -> None:
    """Measure and print; exits with 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--imagines", type=int, default=3000)
    parser.add_argument("--refresh", type=float, default=360, help="minutes; 0 asks nothing")
    given = parser.parse_args()
    needed = open_files_needed(given.accounts, ConnectionLimits())
    if problem := ensure_open_files(needed):
        sys.exit(problem)
    figures = asyncio.run(measure(given.accounts, given.imagines, given.refresh))
    print(
        f"accounts           {figures.online} of {figures.accounts} online after "
        f"{figures.online_after:.1f} s (bound {_ONLINE_WITHIN:.0f} s)\n"
        f"idle account       {figures.idle_bytes / 1024:.0f} kB (bound {_KILOBYTES:.0f} kB)\n"
        f"imagines           {dict(figures.states)} in {figures.imagines_took:.1f} s\n"
        f"{'good' if figures.good else 'MISSED'}"
    )
    sys.exit(0 if figures.good else 1)


if __name__ == "__main__":
    main()
