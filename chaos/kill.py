"""`python -m chaos.kill`: a real server, a real simulator, real sockets, and kill -9.

The server is killed at random moments under load and started again; the simulator keeps running.
Afterwards the judge of the chaos runs checks the result.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import aiohttp

from athena.clock import SystemClock
from athena.simulator.config import load
from athena.sockets import listen
from chaos import evidence
from chaos.judge import Evidence, Verdict, judge
from chaos.ledger import Ledger
from chaos.prompts import ODD
from chaos.users import Habits, User

_STANDIN = """
[faults]
seed = {seed}
drop_event = 0.003
lose_event = 0.003
delay_event = 0.01
repeat_event = 0.01
close = 0.5
broken = 0.004
lost = 0.008
webhook_broken = 0.03
image_missing = 0.1
image_slow = 0.1
pause = 1.0

[[users]]
name = "ada"
token = "ada-token"
channel = "one"

[[users]]
name = "cleo"
token = "cleo-token"
plan = "pro"
channel = "two"
"""
_HABITS = Habits(
    polls=(0.1, 1.0), idle=(0.0, 1.0), full=(0.5, 2.0), cancel=0.05, abandon=0.0, look=0.1,
    relayed=0.5, restart=0.0, odd_ways=ODD,
)  # fmt: skip
_USERS = 12
_SPEED = 12
_PATIENCE = 400.0
"""Seconds for all tasks and webhooks to complete."""


class KillRun:
    """One run of the kill test."""

    def __init__(self, seed: int, tasks: int, kills: int, folder: Path) -> None:
        self._seed = seed
        self._tasks = tasks
        self._kills = kills
        self._folder = folder
        self._random = Random(f"kill/{seed}")
        self._ledger = Ledger()
        self._simulator, self._url = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
        self._config = folder / "simulator.toml"
        self._config.write_text(_STANDIN.format(seed=seed))
        self._server: asyncio.subprocess.Process

    async def run(self) -> Verdict:
        async with self._process("simulate", "--config", str(self._config), "--speed", str(_SPEED),
                                 "--port", self._simulator.rpartition(":")[2]):  # fmt: skip
            await _up(f"{self._simulator}/_control/state")
            await self._start()
            killing = asyncio.create_task(self._kill())
            await self._live()
            await killing
            await self._settle()
            verdict = judge(await self._evidence())
            self._server.terminate()
            await self._server.wait()
            return verdict

    # The processes

    @contextlib.asynccontextmanager
    async def _process(self, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await self._spawn(*command)
        try:
            yield process
        finally:
            process.terminate()
            await process.wait()

    async def _spawn(self, *command: str) -> asyncio.subprocess.Process:
        with (self._folder / f"{command[0]}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "athena", *command,
                stdout=log, stderr=log, cwd=self._folder, env=self._environment(),
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        config = load(self._config)
        accounts = [
            {"token": user.token, "guild_id": config.guild_of(user), "queue_size": 30,
             "channel_id": config.channel_of(user), "core_size": 3 if user.name == "ada" else 12,
             "timeout_minutes": 0.5, "refresh_minutes": 0}
            for user in config.users
        ]  # fmt: skip
        ways = {
            "API_URL": f"{self._simulator}/api/v9",
            "GATEWAY_URL": f"{self._simulator.replace('http', 'ws')}/gateway",
            "CDN_URL": self._simulator,
            "APPS_URL": f"{self._simulator}/apps",
        }
        return {
            **os.environ,
            **{f"ATHENA_DISCORD__{name}": value for name, value in ways.items()},
            "ATHENA_ACCOUNTS": json.dumps(accounts),
            "ATHENA_HOOKS__URL": f"{self._inboxes}/all",
            "ATHENA_HOOKS__ALLOW_LOOPBACK": "1",
            "ATHENA_LOG__LEVEL": "WARNING",
        }

    @property
    def _inboxes(self) -> str:
        return f"{self._simulator}/_hooks".replace("127.0.0.1", "localhost")

    async def _start(self) -> None:
        port = self._url.rpartition(":")[2]
        self._server = await self._spawn("serve", "--port", port, "--data-dir", str(self._data))

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    async def _kill(self) -> None:
        for _ in range(self._kills):
            await _up(f"{self._url}/health/live")
            await asyncio.sleep(self._random.uniform(0.05, 4.0))
            self._server.send_signal(signal.SIGKILL)
            await self._server.wait()
            await self._start()

    # Users and evidence

    async def _live(self) -> None:
        async with aiohttp.ClientSession() as http:
            users = [
                User(f"user{n}", self._url, self._inboxes, http, SystemClock(), self._ledger,
                     self._seed, _HABITS)
                for n in range(_USERS)
            ]  # fmt: skip
            shares = [self._tasks // _USERS + (n < self._tasks % _USERS) for n in range(_USERS)]
            await asyncio.gather(*(user.live(n) for user, n in zip(users, shares, strict=True)))

    async def _settle(self) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and not evidence.is_settled(self._data):
            await SystemClock().sleep(0.5)

    async def _evidence(self) -> Evidence:
        async with aiohttp.ClientSession() as http:
            state = await evidence.fetch(http, f"{self._simulator}/_control/state")
            deliveries = await evidence.deliveries(http, f"{self._simulator}/_hooks", self._ledger)
            held = await evidence.held(http, self._url)
        config = load(self._config)
        return Evidence(
            ledger=self._ledger,
            tasks=evidence.tasks_on_disk(self._data),
            jobs=evidence.made(state["bots"].values()),
            deliveries=deliveries,
            held=held,
            users={config.channel_of(user): config.id_of(user) for user in config.users},
        )


async def _up(url: str) -> None:
    """Wait until the server responds."""
    async with aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            await SystemClock().sleep(0.05)


def _free_port() -> int:
    with contextlib.closing(listen("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos.kill", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="a folder for the logs and the database")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = args.keep or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        verdict = asyncio.run(KillRun(args.seed, args.tasks, args.kills, kept).run())
    print(verdict)
    took = f"seed {args.seed}, {args.kills} kills, {time.monotonic() - began:.0f} s"
    print(took, *verdict.why, sep="\n  ", file=sys.stderr)
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
