"""What only the store on SQLite promises."""

import asyncio
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from athena.clock import TurnableClock
from athena.errors import Conflict, FolderInUse, SearchTimeout, StoreError, StoreUnavailable
from athena.store.queries import TaskFilter
from athena.store.record_kinds import RecordKind
from athena.store.retention import Retention
from athena.store.sqlite import (
    SqliteRecords,
    SqliteRepository,
    open_store,
    reports,
    rows,
    searching,
)
from athena.store.sqlite.connecting import FILE, connect_owner
from athena.store.sqlite.searching import walk
from athena.store.sqlite.writer import Execute
from athena.tasks.model import Status, Task
from tests.contract.store.making import NOW, changed, ended, make_task, upload


def sql(folder: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / FILE) as connection:
        return connection.execute(statement, values).fetchall()


async def ended_tasks(repository: SqliteRepository, count: int) -> list[Task]:
    tasks = [make_task(n) for n in range(count)]
    await asyncio.gather(*(repository.add(task) for task in tasks))
    done = [ended(task) for task in tasks]
    await asyncio.gather(*map(repository.save, tasks, done))
    return done


# Rows that cannot be read

FOREIGN = b'{"id":"%s","account":"1","request":{"type":"retexture"},"action":"RETEXTURE","x":1}'


@pytest.fixture
async def with_foreign_rows(tmp_path: Path) -> dict[str, bytes]:
    """Rows of a newer version: one unfinished, one ended, one no JSON at all."""
    repository = await open_store(tmp_path)
    await ended_tasks(repository, 3)
    await repository.close()
    bodies = {"f1": FOREIGN % b"f1", "f2": FOREIGN % b"f2", "f3": b"\xff\x00 no JSON"}
    for number, (task_id, body) in enumerate(bodies.items()):
        sql(
            tmp_path,
            "INSERT INTO tasks (id, account, status, action, token, ended, revision, submitted_at,"
            " body) VALUES (?, '1', 'FAILURE', 'RETEXTURE', 't', ?, 7, ?, ?)",
            task_id, int(number > 0), NOW + number, body,
        )  # fmt: skip
    sql(
        tmp_path, "INSERT INTO unindexed (number) SELECT number FROM tasks WHERE id IN ('f2', 'f3')"
    )
    return bodies


async def test_rows_that_cannot_be_read_are_skipped_and_kept(
    tmp_path: Path, with_foreign_rows: dict[str, bytes]
) -> None:
    clock = TurnableClock(NOW + 10_000 * 86_400_000)
    repository = await open_store(tmp_path, retention=Retention(tasks_days=1), clock=clock)
    assert len(repository.recent()) == 3
    assert repository.unfinished() == []
    assert repository.unreadable == 3
    assert set(repository.unreadable_ids) == {"f1", "f2", "f3"}
    assert await repository.find("f1") is None
    for wanted in (TaskFilter(), TaskFilter(words="retex"), TaskFilter(words="cat")):
        found = await repository.search(wanted, 100)
        assert {task.account for task in found} <= {"1"}
        assert len(found) in (0, 3)
    assert await repository.search(TaskFilter(status="FAILURE"), 100) == []
    assert await repository.statistics(NOW, 1)
    while await repository.index_words():
        pass
    while await repository.sweep(1):
        pass
    assert await repository.search(TaskFilter(), 100) == []
    assert repository.unreadable == 3  # each counts once
    await repository.close()
    kept = dict(sql(tmp_path, "SELECT id, body FROM tasks"))
    assert kept == with_foreign_rows
    examined = reports.examine(tmp_path)
    assert examined is not None
    assert set(examined.unreadable) == set(with_foreign_rows)


async def test_a_row_that_can_be_read_again_is_indexed(
    tmp_path: Path, with_foreign_rows: dict[str, bytes]
) -> None:
    repository = await open_store(tmp_path)
    while await repository.index_words():
        pass
    await repository.close()
    task = ended(make_task(0, id="f2", prompt="a zebra"))
    sql(tmp_path, "UPDATE tasks SET body = ? WHERE id = 'f2'", msgspec.json.encode(task))
    repository = await open_store(tmp_path)
    while await repository.index_words():
        pass
    assert await repository.search(TaskFilter(words="zebra"), 9) == [task]
    assert sql(tmp_path, "SELECT id FROM unindexed JOIN tasks USING (number)") == [("f3",)]
    await repository.close()


async def test_uploads_of_a_row_that_cannot_be_read_are_kept(
    tmp_path: Path, with_foreign_rows: dict[str, bytes]
) -> None:
    for task_id in ("f1", "f2", "unknown"):
        (tmp_path / "uploads" / task_id).mkdir(parents=True)
        (tmp_path / "uploads" / task_id / "0").write_bytes(b"x")
    await (await open_store(tmp_path)).close()
    assert [each.name for each in (tmp_path / "uploads").iterdir()] == ["f1"]


# Two processes


async def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    with pytest.raises(FolderInUse):
        await open_store(tmp_path)
    await repository.close()
    await (await open_store(tmp_path)).close()


async def test_a_state_that_another_wrote_is_taken(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    await repository.add(task := make_task(1))
    theirs = changed(changed(task, note="theirs"))
    sql(
        tmp_path, "UPDATE tasks SET revision = ?, body = ? WHERE id = ?",
        theirs.revision, msgspec.json.encode(theirs), task.id,
    )  # fmt: skip
    mine = repository.save(task, one := changed(task, note="mine"))
    more = repository.save(one, changed(one, note="more"))
    for saving in (mine, more):
        with pytest.raises(Conflict):
            await saving
    assert repository.held(task.id) == theirs
    await repository.save(theirs, changed(theirs, status=Status.SUBMITTED))
    await repository.close()


# Uploads


async def test_uploads_are_files_that_go_with_their_task(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    await repository.add(task := make_task(1), uploads=[upload(data=b"abc")])
    file = tmp_path / "uploads" / task.id / "0"
    assert file.read_bytes() == b"abc"
    await repository.save(task, ended(task))
    await repository.close()
    assert not file.parent.exists()


async def test_uploads_are_on_disk_before_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = await open_store(tmp_path)
    synced: list[str] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        assert sql(tmp_path, "SELECT count(*) FROM tasks") == [(0,)]
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    await repository.add(task := make_task(1), uploads=[upload()])
    assert synced == ["0.part", task.id, "uploads", tmp_path.name]
    await repository.close()


async def test_files_of_a_task_that_was_refused_are_deleted(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    with pytest.raises(StoreUnavailable):
        await repository.add(make_task(1), uploads=[upload("\ud800")])
    await repository.close()
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_uploads_that_cannot_be_written_refuse_the_task(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    (tmp_path / "uploads").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="uploads"):
        await repository.add(task := make_task(1), uploads=[upload()])
    assert repository.held(task.id) is None
    await repository.add(task)
    await repository.close()


async def test_a_lost_upload_is_an_error_of_the_store(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    await repository.add(task := make_task(1), uploads=[upload()])
    (tmp_path / "uploads" / task.id / "0").unlink()
    with pytest.raises(StoreError, match="upload"):
        await repository.uploads(task.id)
    await repository.close()


# Searches


@pytest.mark.parametrize(
    ("wanted", "column", "index"),
    [
        (TaskFilter(), None, "tasks_newest"),
        (TaskFilter(since=1, until=2), None, "tasks_newest"),
        (TaskFilter(status="FAILURE"), "status", "tasks_of_status"),
        (TaskFilter(action="IMAGINE", since=1), "action", "tasks_of_action"),
        (TaskFilter(account="1", status="FAILURE"), "account", "tasks_of_account"),
        (TaskFilter(account="1", status="FAILURE"), "status", "tasks_of_status"),
        (TaskFilter(token="t", words="cat"), "token", "tasks_of_token"),
    ],
)
@pytest.mark.parametrize("before", [None, (NOW, "1")])
async def test_pages_are_walked_along_an_index(
    tmp_path: Path,
    wanted: TaskFilter,
    column: str | None,
    index: str,
    before: tuple[int, str] | None,
) -> None:
    await (await open_store(tmp_path)).close()
    statement, values = walk(wanted, before, column)
    with sqlite3.connect(tmp_path / FILE) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    steps = [row[3] for row in plan]
    assert f"INDEX {index}" in steps[0]
    assert not any("TEMP B-TREE" in step for step in steps)


@pytest.mark.parametrize("few", [0, 3])
@pytest.mark.parametrize("most", [2, 100])
async def test_frequent_words_are_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int, most: int
) -> None:
    monkeypatch.setattr(searching, "_FEW", few)
    repository = await open_store(tmp_path)
    tasks = (await ended_tasks(repository, 20))[::-1]
    while await repository.index_words():
        pass
    for wanted in (
        TaskFilter(words="cat"), TaskFilter(words="c", status="SUCCESS", account="1"),
        TaskFilter(words="cat", since=NOW + 4, until=NOW + 17),
    ):  # fmt: skip
        expected = [task for task in tasks if wanted.matches(task)]
        assert await repository.search(wanted, most) == expected[:most]
        before = (expected[4].submitted_at, expected[4].id)
        assert await repository.search(wanted, most, before) == expected[5:][:most]
    await repository.close()


async def test_a_search_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    repository = await open_store(tmp_path, search_limit=0)
    heavy = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(SearchTimeout, match="narrow"):
        await repository._slow.run(lambda connection: connection.execute(heavy).fetchall())
    assert await repository.search(TaskFilter(), 10) == []
    await repository.close()


async def test_a_commit_in_the_middle_of_a_search_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The query's snapshot is of before the commit, and nothing is on its way after it."""
    repository = await open_store(tmp_path)
    await repository.add(task := make_task(1))
    saving = repository.save(task, done := ended(task, Status.FAILURE))
    run = repository._slow.run

    async def read_first(read: Any) -> Any:
        found: list[Task] = await run(lambda _: [])
        await saving
        return found

    monkeypatch.setattr(repository._slow, "run", read_first)
    assert await repository.search(TaskFilter(status="FAILURE"), 9) == [done]
    await repository.close()


def test_an_older_delivery_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    connection = connect_owner(tmp_path / FILE)
    task = make_task(1, webhook="https://example.com")
    for revision in (5, 3, 4):
        before = replace(task, revision=revision - 1)
        every = rows.save(
            before, replace(before, revision=revision), durable=1, chained=False, visible=True,
            uploads=False,
        )  # fmt: skip
        for each in every:
            assert isinstance(each, Execute)
            connection.execute(each.sql, each.values)
    assert connection.execute("SELECT revision FROM deliveries").fetchall() == [(5,)]
    connection.close()


async def test_small_reads_do_not_wait_behind_searches(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    await repository.add(task := make_task(1, trigger="77"), uploads=[upload()])
    gate = threading.Event()
    searches = [
        asyncio.ensure_future(repository._slow.run(lambda _: gate.wait())) for _ in range(4)
    ]
    assert await repository.find("unknown") is None
    assert await repository.by_trigger("77") == [task]
    assert await repository.uploads(task.id) == (upload(),)
    assert await repository.idempotency_record("k") is None
    assert not any(each.done() for each in searches)
    gate.set()
    await asyncio.gather(*searches)
    await repository.close()


async def test_words_are_indexed_in_the_background(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    done = await ended_tasks(repository, 100)

    def waiting() -> int:
        (row,) = sql(tmp_path, "SELECT count(*) FROM unindexed")
        return int(row[0])

    while waiting() == 100:
        await asyncio.to_thread(int)
    await repository.save(done[0], changed(done[0], note="goes on meanwhile"))
    await repository.close()


async def test_a_disk_that_fails_does_not_end_the_indexing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = await open_store(tmp_path)
    for _ in range(3):
        await asyncio.to_thread(int)

    async def fails(most: int = 0) -> int:
        raise RuntimeError("never mind")

    with monkeypatch.context() as patch:
        patch.setattr(repository._indexer, "step", fails)
        await ended_tasks(repository, 100)
    more = [make_task(n) for n in range(100, 200)]
    await asyncio.gather(*(repository.add(task) for task in more))
    await asyncio.gather(*(repository.save(task, ended(task)) for task in more))
    while sql(tmp_path, "SELECT count(*) FROM task_texts") == [(0,)]:
        await asyncio.to_thread(int)
    await repository.close()


async def test_words_that_change_while_they_are_indexed_are_indexed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = await open_store(tmp_path)
    (done,) = await ended_tasks(repository, 1)
    write = repository._indexer._write
    after = changed(done, prompt_english="later")

    async def change_first(statements: Any) -> None:
        await repository.save(done, after)
        await write(statements)

    with monkeypatch.context() as patch:
        patch.setattr(repository._indexer, "_write", change_first)
        await repository.index_words()
    while await repository.index_words():
        pass
    assert sql(tmp_path, "SELECT * FROM unindexed") == []
    assert await repository.search(TaskFilter(words="later"), 9) == [after]
    await repository.close()


async def test_the_index_is_sound_after_everything(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    done = await ended_tasks(repository, 30)
    while await repository.index_words():
        pass
    for task in done[:10]:
        await repository.remove(task)
    for task in done[10:20]:
        await repository.save(task, changed(task, prompt_english=f"other {task.id}"))
    while await repository.index_words():
        pass
    await repository.close()
    texts = dict(sql(tmp_path, "SELECT number, text FROM task_texts"))
    assert len(texts) == 20
    for number, text in texts.items():
        word = text.split("__")[0]
        found = sql(tmp_path, f"SELECT rowid FROM task_terms WHERE task_terms MATCH '{_all(word)}'")
        assert (number,) in found
    terms = "SELECT count(*) FROM task_terms WHERE task_terms MATCH 'cat'"
    assert sql(tmp_path, terms) == [(20,)]
    assert sql(tmp_path, "PRAGMA integrity_check") == [("ok",)]


def _all(word: str) -> str:
    return " AND ".join(f'"{word[at : at + 3]}"' for at in range(len(word) - 2))


# What a save writes


async def test_a_change_without_new_columns_touches_no_index(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    await repository.add(task := make_task(1))
    await repository.save(task, after := changed(task, progress=1))
    await repository.save(after, done := ended(after))
    while await repository.index_words():
        pass
    await repository.save(done, changed(done, seed="1"))
    assert sql(tmp_path, "SELECT revision, status FROM tasks") == [(4, "SUCCESS")]
    assert sql(tmp_path, "SELECT * FROM unindexed") == []
    await repository.close()


async def test_columns_follow_the_task(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    await repository.add(task := make_task(1))
    moved = changed(task, account="2", status=Status.SUBMITTED)
    first = repository.save(task, moved)
    second = repository.save(moved, changed(moved, progress=3))
    await asyncio.gather(first, second)
    columns = "SELECT account, status, revision FROM tasks"
    assert sql(tmp_path, columns) == [("2", "SUBMITTED", 3)]
    await repository.close()


async def test_pages_are_given_back(tmp_path: Path) -> None:
    clock = TurnableClock(NOW + 10_000 * 86_400_000)
    repository = await open_store(tmp_path, retention=Retention(tasks_days=1), clock=clock)
    tasks = [make_task(n, content="x" * 4000) for n in range(100)]
    await asyncio.gather(*(repository.add(task) for task in tasks))
    await asyncio.gather(*(repository.save(task, ended(task)) for task in tasks))
    (before,) = sql(tmp_path, "PRAGMA page_count")
    while await repository.sweep():
        pass
    await repository.sweep()
    (after,) = sql(tmp_path, "PRAGMA page_count")
    assert after[0] < before[0] / 2
    await repository.close()


# Records


class Thing(msgspec.Struct):
    name: str


THING = RecordKind("thing", Thing)


def test_records(tmp_path: Path) -> None:
    ours, theirs = SqliteRecords(tmp_path), SqliteRecords(tmp_path)
    assert ours.changed()
    assert not ours.changed()
    theirs.put(THING, "b", Thing(name="two"))
    theirs.put(THING, "a", Thing(name="one"))
    assert ours.changed()
    assert [thing.name for thing in ours.all(THING)] == ["one", "two"]
    assert ours.remove(THING, "a")
    assert not ours.remove(THING, "a")
    assert not ours.changed()
    sql(tmp_path, "UPDATE records SET body = x'ff'")
    assert ours.all(THING) == []
    ours.close()
    theirs.close()


async def test_records_stand_beside_a_running_store(tmp_path: Path) -> None:
    repository = await open_store(tmp_path)
    records = SqliteRecords(tmp_path)
    records.put(THING, "a", Thing(name="one"))
    await repository.add(replace(make_task(1)))
    assert [thing.name for thing in records.all(THING)] == ["one"]
    records.close()
    await repository.close()


def test_there_may_be_no_store_yet(tmp_path: Path) -> None:
    assert reports.refused_prompts(tmp_path) == []
    assert reports.examine(tmp_path) is None
    assert not (tmp_path / FILE).exists()
