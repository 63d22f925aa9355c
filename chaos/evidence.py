"""Where the judge's evidence is found: the server's disk and accounts, the simulator's jobs and
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
_UNTOLD = "SELECT count(*) FROM deliveries"


def tasks_on_disk(folder: Path) -> dict[str, Task]:
    """Every task of a data folder."""
    with contextlib.closing(sqlite3.connect(folder / "athena.db")) as connection:
        rows = connection.execute("SELECT body FROM tasks").fetchall()
    tasks = [msgspec.json.decode(body, type=Task) for (body,) in rows]
    return {task.id: task for task in tasks}


def is_settled(folder: Path) -> bool:
    """Whether every task has ended and every webhook was told."""
    with contextlib.closing(sqlite3.connect(folder / "athena.db")) as connection:
        (unfinished,) = connection.execute(_OPEN).fetchone()
        (untold,) = connection.execute(_UNTOLD).fetchone()
    return not unfinished and not untold


def made(states: Iterable[Json]) -> list[Json]:
    """The jobs of all bots, as the simulator tells of them."""
    return [job for state in states for job in state.get("jobs", ())]


def job_in(file: bytes) -> str | None:
    """The job of which an image's file says that it is: the simulator writes it into each."""
    found = _JOB.search(file)
    return found[1].decode() if found else None


async def letters(
    http: aiohttp.ClientSession, webhooks: str, ledger: Ledger
) -> dict[str, list[Json]]:
    """What each inbox was told, oldest first."""
    names = sorted({asked.webhook for asked in ledger.asked if asked.webhook})
    return {name: await fetch(http, f"{webhooks}/{name}") for name in names}


async def held(http: aiohttp.ClientSession, url: str) -> int:
    """Places in the accounts' slots and queues that are taken."""
    accounts = await fetch(http, f"{url}/mj/account/list")
    return sum(each["runningCount"] + each["queueCount"] for each in accounts)


async def fetch(http: aiohttp.ClientSession, url: str) -> Any:
    """The JSON behind a link."""
    async with http.get(url) as answer:
        return await answer.json()
