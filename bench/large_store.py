"""How a store with very many ended tasks behaves: `python -m bench.large_store --tasks 500000`.

The tasks are written with SQL, as migration and indexing would have left them. Then, each against
the same on a fresh store: how long it takes to open, to search for what occurs nowhere or
everywhere, and to fetch old tasks while four clients search and read statistics all the time.
`--version-6` makes the database as it was before version 7, and measures its migration too.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median, quantiles

from msgspec.structs import replace

from athena.errors import SearchTimeout
from athena.store import words
from athena.store.queries import TaskFilter
from athena.store.repository import TaskRepository
from athena.store.sqlite import SqliteRepository, migrations, open_store, rows
from athena.store.sqlite.connecting import FILE, connect_owner
from athena.tasks.model import Action, Button, CorrelationIds, Failure, Image, Status, Task
from athena.tasks.requests import Imagine
from bench.result import Result

_SEED = 1
_NOW = 1_700_000_000_000
_EVERY = 20_000
"""Milliseconds between two tasks."""
_FETCHES = 3_000
_CLIENTS = 4
_DAY = 86_400_000 // _EVERY
"""Tasks of the last day, which a start reads."""

_SEARCHES = {
    "words that occur nowhere": TaskFilter(words="zebra crossing 42"),
    "Chinese that occurs nowhere": TaskFilter(words="龘"),
    "two characters that occur nowhere": TaskFilter(words="qx"),
    "words that occur in every task": TaskFilter(words="imagine"),
    "one letter": TaskFilter(words="a"),
    "a rare Chinese word": TaskFilter(words="丁七"),
    "a state of no task": TaskFilter(status="MODAL"),
    "failures": TaskFilter(status="FAILURE"),
    "an unknown account": TaskFilter(account="9"),
    "an account and a state": TaskFilter(account="2", status="CANCEL"),
    "words, account and state": TaskFilter(words="v 6", account="2", status="FAILURE"),
    "words of an unknown token": TaskFilter(words="a", token="none"),
    "words before a long time": TaskFilter(words="imagine", until=_NOW - 40 * 86_400_000),
}


def main() -> None:
    """Measure and print a table; exits with 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--version-6", action="store_true", help="begin with the former schema")
    parser.add_argument("--folder", type=Path, help="keep the store here, and use it again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary) / "large"
        if not (folder / FILE).exists():
            _make(folder, asked.tasks, version_6=asked.version_6)
        _make(Path(temporary) / "day", _DAY, version_6=False)
        results = asyncio.run(_measure(folder, Path(temporary)))
    print(f"\n{asked.tasks:,} tasks")
    for each in results:
        sign = "" if each.good else "MISSED"
        print(f"  {each.what:42} {each.measured:>12} {each.against:>18} {each.bound:>10} {sign}")
    sys.exit(0 if all(each.good for each in results) else 1)


def _make(folder: Path, count: int, *, version_6: bool) -> None:
    """Tasks that have ended, and a handful that have not."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    path = folder / FILE
    if version_6:
        _make_6(path, count)
    else:
        _make_7(path, count)
    seconds = time.perf_counter() - began
    print(f"made in {seconds:.1f} s, {path.stat().st_size / 1e6:.0f} MB")


def _make_6(path: Path, count: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN")
    for statement in migrations._statements(migrations._scripts()[6]):
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO tasks VALUES (?, ?, ?, ?, ?)",
        ((t.id, t.account, int(t.ended), t.submitted_at, rows.encode(t)) for t in _tasks(count)),
    )
    connection.execute("PRAGMA user_version=6")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _make_7(path: Path, count: int) -> None:
    connection = connect_owner(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")
    connection.execute("BEGIN")
    add = f"{rows._ADD_TASK} VALUES ({', '.join('?' * 11)})"
    for number, task in enumerate(_tasks(count), 1):
        connection.execute(add, rows._row(task))
        if task.ended:
            values = (number, words.of(task))
            connection.execute("INSERT INTO task_texts VALUES (?, ?)", values)
            terms = (number, " ".join(words.terms(values[1])))
            connection.execute("INSERT INTO task_terms (rowid, terms) VALUES (?, ?)", terms)
        if number % 5_000 == 0:
            connection.execute("COMMIT")
            connection.execute("BEGIN")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _tasks(count: int) -> Iterator[Task]:
    random = Random(_SEED)
    letters = "etaoinsrdlcumwfgypbvk"
    english = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(4_000)]
    chinese = [chr(0x4E00 + n) for n in range(3_000)]
    for number in range(count):
        yield _task(number, count, _prompt(random, number, english, chinese), random)


def _prompt(random: Random, number: int, english: list[str], chinese: list[str]) -> str:
    if number % 4 == 0:
        text = "，".join("".join(_some(random, chinese, 6)) for _ in range(6))
    else:
        text = " ".join(_some(random, english, 24))
    return f"{text} --ar 16:9 --v 6.1"


def _some(random: Random, known: list[str], count: int) -> list[str]:
    """Some words are frequent and most are rare, as in any language."""
    return [known[min(int(random.paretovariate(0.6)) - 1, len(known) - 1)] for _ in range(count)]


def _task(number: int, count: int, prompt: str, random: Random) -> Task:
    submitted = _NOW - (count - number) * _EVERY
    task = Task(
        id=f"{submitted}{number % 1000:03}",
        account=str(number % 3),
        request=Imagine(prompt=prompt),
        action=[Action.IMAGINE, Action.UPSCALE, Action.VARIATION][number % 3],
        prompt=prompt,
        final_prompt=prompt,
        description=f"/imagine {prompt}",
        token=f"token-{number % 7}",
        submitted_at=submitted,
        revision=12,
    )
    if count - number <= 20:
        return task
    return _ended(task, number, random)


def _ended(task: Task, number: int, random: Random) -> Task:
    status = Status.FAILURE if number % 10 == 0 else Status.SUCCESS
    if status is Status.FAILURE:
        failure = Failure(reason=f"[Reason {number % 7}] of {number}")
        return replace(task, status=status, failure=failure, finished_at=task.submitted_at + 9_000)
    took = random.randrange(20_000, 90_000)
    url = f"https://cdn.discordapp.com/attachments/1/{number}/{task.prompt or ''}"[:200]
    return replace(
        task,
        status=status,
        finished_at=task.submitted_at + took,
        progress=100,
        image=Image(url=url, filename="a.png", width=2048, height=2048, size=9_000_000),
        buttons=tuple(
            Button(custom_id=f"MJ::JOB::upsample::{n}::{number:036}", label=f"U{n}")
            for n in range(9)
        ),
        ids=CorrelationIds(nonce=f"9{task.id}", message=f"1{task.id}", job=f"{number:036}"),
    )


async def _measure(large: Path, temporary: Path) -> list[Result]:
    migrating = await _opened(large)
    if migrating > 2:
        print(f"the first opening took {migrating:.1f} s")
    stores = (large, temporary / "day", temporary / "fresh")
    whole, day, fresh = [median([await _opened(each) for _ in range(5)]) for each in stores]
    results = [
        Result(
            what="opening, against one day's tasks alone",
            measured=f"{whole * 1000:.0f} ms",
            against=f"{day * 1000:.0f} ms",
            bound="<= 3x",
            good=whole <= 3 * day,
        ),
        Result(
            what="opening an empty store", measured=f"{fresh * 1000:.0f} ms", bound="", good=True
        ),
    ]
    repository = await open_store(large)
    await _indexed(repository)
    results += [await _searched(repository, *each) for each in _SEARCHES.items()]
    results.append(await _counted(repository, 24))
    results.append(await _counted(repository, 168))
    results += await _fetched(repository, large)
    await repository.close()
    return results


async def _opened(folder: Path) -> float:
    """Seconds."""
    began = time.perf_counter()
    repository = await open_store(folder)
    seconds = time.perf_counter() - began
    await repository.close()
    return seconds


async def _indexed(repository: SqliteRepository) -> None:
    began, steps, slowest = time.perf_counter(), 0, 0.0
    while True:
        step = time.perf_counter()
        if not await repository.index_words():
            break
        steps, slowest = steps + 1, max(slowest, time.perf_counter() - step)
    if steps > 1:
        seconds = time.perf_counter() - began
        print(f"indexed in {seconds:.1f} s, {steps} steps, the slowest {slowest * 1000:.0f} ms")


async def _searched(repository: TaskRepository, what: str, wanted: TaskFilter) -> Result:
    times: list[float] = []
    said = ""
    for _ in range(7):
        began = time.perf_counter()
        try:
            said = f"{len(await repository.search(wanted, 100))} found"
        except SearchTimeout:
            said = "stopped"
        times.append((time.perf_counter() - began) * 1000)
    middle = median(times)
    return Result(
        what=what,
        measured=f"{middle:.1f} ms",
        against=said,
        bound="< 100 ms",
        good=middle < 100 and said != "stopped",
    )


async def _counted(repository: TaskRepository, hours: int) -> Result:
    began = time.perf_counter()
    found = await repository.statistics(_NOW, hours)
    spent = (time.perf_counter() - began) * 1000
    total = sum(hour.made + hour.failed + hour.other for hour in found.hours)
    return Result(
        what=f"statistics of {hours} hours",
        measured=f"{spent:.1f} ms",
        against=f"{total:,} tasks",
        bound="< 100 ms",
        good=spent < 100,
    )


async def _fetched(repository: TaskRepository, folder: Path) -> list[Result]:
    ids = _old_ids(folder)
    alone = await _fetch_times(repository, ids)
    clients = [asyncio.create_task(_client(repository, number)) for number in range(_CLIENTS)]
    busy = await _fetch_times(repository, ids)
    for client in clients:
        client.cancel()
    asked = await asyncio.gather(*clients, return_exceptions=True)
    searches = sum(each for each in asked if isinstance(each, int))
    return [
        Result(
            what=f"fetch of an old task, p95, {_CLIENTS} clients",
            measured=f"{_p95(busy):.1f} ms",
            against=f"{_p95(alone):.1f} ms alone",
            bound="< 100 ms",
            good=_p95(busy) < 100,
        ),
        Result(
            what="searches meanwhile",
            measured=f"{searches}",
            against=f"slowest fetch {max(busy):.0f} ms",
            bound="",
            good=True,
        ),
    ]


def _old_ids(folder: Path) -> list[str]:
    with sqlite3.connect(folder / FILE) as connection:
        (last,) = connection.execute("SELECT max(number) FROM tasks").fetchone()
        numbers = Random(_SEED).sample(range(1, last // 2 + 2), min(_FETCHES, last // 2))
        sql = "SELECT id FROM tasks WHERE number IN (SELECT value FROM json_each(?))"
        return [row[0] for row in connection.execute(sql, (json.dumps(numbers),))]


async def _fetch_times(repository: TaskRepository, ids: list[str]) -> list[float]:
    times: list[float] = []
    for task_id in ids:
        began = time.perf_counter()
        assert await repository.find(task_id)
        times.append((time.perf_counter() - began) * 1000)
    return times


async def _client(repository: TaskRepository, number: int) -> int:
    """Searches and reads statistics until it is cancelled; returns how often."""
    done = 0
    searches = list(_SEARCHES.values())
    try:
        while True:
            await repository.search(searches[(number + done) % len(searches)], 100)
            await repository.statistics(_NOW, 168)
            done += 1
    except asyncio.CancelledError:
        return done


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
