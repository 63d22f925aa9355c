"""Servers in separate processes, so that the load comes from another core."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PIPE = asyncio.subprocess.PIPE


@asynccontextmanager
async def running(
    *command: str, says: str, env: dict[str, str] | None = None
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A process, and what it printed up to the first line that matches `says`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "ATHENA_LOG__LEVEL": "ERROR", **(env or {})},
    )  # fmt: skip
    try:
        yield process, await _read_until(process, says)
    finally:
        process.terminate()
        await process.communicate()


async def _read_until(process: asyncio.subprocess.Process, pattern: str) -> str:
    assert process.stdout is not None
    text = ""
    while not re.search(pattern, text):
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process ended: {text}")
        text += line.decode()
    return text


@asynccontextmanager
async def server_with_simulator(
    folder: Path, *, core_size: int, queue_size: int, speed: str
) -> AsyncIterator[tuple[str, int]]:
    """A server over a simulator, each its own process: the server's URL and process id."""
    config = folder / "simulator.toml"
    config.write_text(_CONFIG)
    simulate = (
        "-m",
        "athena",
        "simulate",
        "--port",
        "0",
        "--speed",
        speed,
        "--config",
        str(config),
    )
    async with running(*simulate, says="# control") as (_, text):
        env = dict(line.split("=", 1) for line in text.splitlines() if line.startswith("ATHENA_"))
        ids = re.search(r"GUILD_ID=(\d+) CHANNEL_ID=(\d+)", text)
        assert ids
        env |= {
            "USER_TOKEN": "bench-token",
            "GUILD_ID": ids[1],
            "CHANNEL_ID": ids[2],
            "CONCUR_SIZE": str(core_size),
            "WAIT_SIZE": str(queue_size),
        }
        serve = ("-m", "athena", "serve", "--port", "0", "--data-dir", str(folder / "data"))
        async with running(*serve, says="Athena is ready: .*", env=env) as (process, text):
            found = re.search(r"Athena is ready: (\S+)", text)
            assert found
            yield found[1], process.pid


_CONFIG = """
limits = false

[[users]]
name = "bench"
token = "bench-token"
plan = "mega"
"""
