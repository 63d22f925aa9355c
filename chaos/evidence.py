"""Collects the evidence for the judge: the server's disk and accounts, the simulator's jobs and
inboxes."""

import contextlib
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from athena.tasks.model import Task
from chaos.ledger import Ledger

Json = dict[str, Any]

_OPEN = "SELECT count(*) FROM tasks WHERE ended = 0"
_JOB = re.compile(rb"Job ID: ([0-9a-f-]{36})")
_UNDELIVERED = "SELECT count(*) FROM deliveries WHERE url NOT LIKE '%/deaf'"
"""A receiver that never answers is not waited for."""


def tasks_on_disk(folder: Path) -> dict[str, Task]:
    """Every task of a data folder."""
    with contextlib.closing(sqlite3.connect(folder / "athena.db")) as connection:
        rows = connection.execute("SELECT body FROM tasks").fetchall()
    tasks = [msgspec.json.decode(body, type=Task) for (body,) in rows]
    return {task.id: task for task in tasks}


def is_settled(folder: Path) -> bool:
    """Whether every task has ended and every webhook was delivered."""
    with contextlib.closing(sqlite3.connect(folder / "athena.db")) as connection:
        (unfinished,) = connection.execute(_OPEN).fetchone()
        (undelivered,) = connection.execute(_UNDELIVERED).fetchone()
    return not unfinished and not undelivered


def made(states: Iterable[Json]) -> list[Json]:
    """The jobs of all bots, from the simulator's state."""
    return [job for state in states for job in state.get("jobs", ())]


def job_in(file: bytes) -> str | None:
    """The job named in an image file's metadata, which the simulator writes."""
    found = _JOB.search(file)
    return found[1].decode() if found else None


async def deliveries(
    http: aiohttp.ClientSession, webhooks: str, ledger: Ledger
) -> dict[str, list[Json]]:
    """The requests to each inbox, oldest first."""
    names = sorted({asked.webhook for asked in ledger.asked if asked.webhook})
    return {name: await fetch(http, f"{webhooks}/{name}") for name in names}


async def held(http: aiohttp.ClientSession, url: str) -> int:
    """The number of occupied slots and queue places of all accounts."""
    accounts = await fetch(http, f"{url}/mj/account/list")
    return sum(each["runningCount"] + each["queueCount"] for each in accounts)


async def fetch(http: aiohttp.ClientSession, url: str) -> Any:
    """The JSON at a URL."""
    async with http.get(url) as answer:
        return await answer.json()
