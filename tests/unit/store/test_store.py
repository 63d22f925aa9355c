"""The store: durable, in order, reported after the commit."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.conftest import breathe

from athena.store import tables
from athena.store.changes import Change
from athena.store.store import FolderInUse, Store
from athena.store.writer import StoreBroken
from athena.tasks.model import Action, Status, Task
from athena.tasks.requests import Imagine, Upload


def make_task(number: int, **fields: object) -> Task:
    task = Task(
        id=f"{number:016}",
        account="1",
        request=Imagine(prompt=f"cat {number}"),
        action=Action.IMAGINE,
        submitted_at=number,
    )
    return replace(task, **fields)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path)
    yield store
    await store.close()


def on_disk(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "athena.db") as connection:
        return connection.execute(sql).fetchall()


async def test_what_was_added_is_on_disk_and_comes_back(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    tasks = [make_task(n) for n in range(200)]
    await asyncio.gather(*(store.add(task) for task in tasks))
    assert on_disk(tmp_path, "SELECT count(*) FROM tasks") == [(200,)]
    done = replace(tasks[7], status=Status.SUCCESS, revision=2)
    await store.save(tasks[7], done)
    await store.close()
    again = await Store.open(tmp_path)
    assert again.unfinished() == [*tasks[:7], *tasks[8:]]
    assert await again.find(done.id) == done
    assert await again.find_many([tasks[3].id, "unknown", done.id]) == [tasks[3], done]
    assert [task.id for task in await again.newest(2)] == [tasks[199].id, tasks[198].id]
    await again.close()


async def test_listeners_hear_of_a_change_when_it_is_on_disk(store: Store, tmp_path: Path) -> None:
    heard: list[tuple[Change, int]] = []

    def listen(change: Change) -> None:
        (row,) = on_disk(tmp_path, "SELECT count(*) FROM tasks")
        heard.append((change, int(str(row[0]))))

    store.changes.subscribe(listen)
    task = make_task(1)
    await store.add(task)
    assert heard == [(Change(None, task), 1)]


async def test_a_caller_who_goes_away_changes_nothing(store: Store, tmp_path: Path) -> None:
    committed: list[bool] = []
    for number in (1, 1):
        store.add(make_task(number), kept=committed.append).cancel()
    while len(committed) < 2:
        await breathe()
    assert committed == [True, False]
    assert on_disk(tmp_path, "SELECT count(*) FROM tasks") == [(1,)]


async def test_uploads_live_as_long_as_their_task_needs_them(store: Store) -> None:
    uploads = [Upload(filename=f"{n}.png", content_type="image/png", data=b"x") for n in range(2)]
    task = make_task(1)
    await store.add(task, uploads)
    assert list(await store.uploads(task.id)) == uploads
    await store.save(task, replace(task, status=Status.FAILURE, revision=2))
    assert await store.uploads(task.id) == ()


async def test_the_outbox_is_written_with_the_change_and_only_for_visible_ones(
    store: Store, tmp_path: Path
) -> None:
    task = make_task(1, webhook="https://example.com/hook")
    await store.add(task)
    invisible = replace(task, content="words", revision=2)
    await store.save(task, invisible)
    assert await store.deliveries() == []
    visible = replace(invisible, progress=31, revision=3)
    await store.save(invisible, visible)
    end = replace(visible, status=Status.SUCCESS, revision=4)
    await store.save(visible, end)
    assert [delivery.task for delivery in await store.deliveries()] == [visible, end]
    await store.delivered(visible)
    assert [delivery.task for delivery in await store.deliveries()] == [end]


async def test_one_bad_write_harms_nobody_else(store: Store) -> None:
    task = make_task(1)
    results = await asyncio.gather(
        store.add(task), store.add(task), store.add(make_task(2)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == [
        "NoneType", "NoneType", "StoreBroken",
    ]  # fmt: skip


async def test_a_change_that_could_not_be_written_is_taken_back(
    store: Store, tmp_path: Path
) -> None:
    task = make_task(1)
    await store.add(task)
    with sqlite3.connect(tmp_path / "athena.db") as connection:
        connection.execute("DROP TABLE tasks")
    with pytest.raises(StoreBroken):
        await store.save(task, replace(task, progress=31, revision=2))
    assert store.held(task.id) == task


async def test_a_folder_belongs_to_one_process(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FolderInUse):
        await Store.open(tmp_path)


async def test_what_is_no_database_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "athena.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreBroken):
        await Store.open(tmp_path)
    (tmp_path / "athena.db").unlink()
    with sqlite3.connect(tmp_path / "athena.db") as connection:
        connection.execute(f"PRAGMA user_version={tables.VERSION + 1}")
    with pytest.raises(StoreBroken, match="newer Athena"):
        await Store.open(tmp_path)
