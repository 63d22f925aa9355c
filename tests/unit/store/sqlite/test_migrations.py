"""Versions of the database: old ones are migrated by the server alone, newer ones refused."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from athena.errors import SchemaTooNew, SchemaTooOld, StoreError
from athena.store.encryption import Encryption
from athena.store.queries import TaskFilter
from athena.store.record_kinds import RecordKind
from athena.store.retention import day_of
from athena.store.sqlite import SqliteRecords, migrations, open_store, reports
from athena.store.sqlite.connecting import FILE, connect_owner
from athena.store.tokens import Role, Token
from athena.tasks.model import Status, Task

V6 = Path(__file__).parents[3] / "data" / "v6"
NOW = 1_700_000_000_000


class Account(Struct):
    id: str
    sealed_token: str
    settings: dict[str, Any]


class Preferences(Struct):
    links: str | None = None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder of version 6."""
    return Path(shutil.copytree(V6, tmp_path / "data"))


def expected() -> list[Task]:
    return msgspec.json.decode((V6 / "tasks.json").read_bytes(), type=list[Task])


def version(folder: Path) -> int:
    with sqlite3.connect(folder / FILE) as connection:
        return migrations.version_of(connection)


def dump(folder: Path) -> list[str]:
    with sqlite3.connect(folder / FILE) as connection:
        return list(connection.iterdump())


async def test_no_field_of_a_stored_task_is_lost(folder: Path) -> None:
    """Field by field and by their stored names: one that is not known any more would read as if it
    had never been there."""
    repository = await open_store(folder)
    for stored in json.loads((V6 / "tasks.json").read_text()):
        task = await repository.find(stored["id"])
        assert task is not None
        read = json.loads(msgspec.json.encode(task))
        assert {name: read.get(name) for name in stored} == stored
    await repository.close()


async def test_nothing_of_version_6_is_lost(folder: Path) -> None:
    repository = await open_store(folder)
    tasks = {task.id: task for task in expected()}
    ended = [task for task in tasks.values() if task.ended]
    assert repository.unreadable == 0
    assert {task.id: task for task in repository.unfinished()} == {
        task.id: task for task in tasks.values() if not task.ended
    }
    assert {task.id for task in repository.recent()} == {task.id for task in ended}
    assert await repository.find_many(tasks) == list(tasks.values())
    assert len(await repository.by_trigger("1234567890")) == 2
    assert {each.task.id[-3:] for each in await repository.pending_deliveries()} == {
        "001", "005", "011",
    }  # fmt: skip
    assert await repository.cursors() == {
        "111111111111111111": "1300000000000000000",
        "222222222222222222": "1300000000000000001",
    }
    assert await repository.usage(day_of(NOW)) == {"00aa11bb22cc": 8}
    assert await repository.uploaded_file("a/one.png") == "111111111111111111"
    assert [each.prompt for each in await repository.refused_prompts()] == ["something moderated"]
    record = await repository.idempotency_record("00aa11bb22cc:key-1")
    assert record is not None
    assert record.task_id == ended[0].id
    links = await repository.idempotency_record("00aa11bb22cc:key-2")
    assert links is not None
    assert links.task_id is None
    await repository.close()


async def test_uploads_of_version_6_are_read(folder: Path) -> None:
    repository = await open_store(folder)
    (waiting,) = (task for task in repository.unfinished() if task.id.endswith("010"))
    one, two = await repository.uploads(waiting.id)
    assert (one.filename, two.filename) == ("one.png", "zwei ü.png")
    assert one.data == two.data[::-1]
    assert one.data.startswith(b"\x89PNG")
    await repository.close()


async def test_the_new_columns_are_filled(folder: Path) -> None:
    repository = await open_store(folder)
    for wanted, number in (
        (TaskFilter(status="FAILURE"), 2),
        (TaskFilter(status="NOT_START"), 1),
        (TaskFilter(action="BLEND"), 1),
        (TaskFilter(account="222222222222222222"), 2),
        (TaskFilter(token="00aa11bb22cc"), 8),
        (TaskFilter(words="霓虹"), 1),
    ):
        assert len(await repository.search(wanted, 100)) == number, wanted
    found = await repository.statistics(NOW, 1)
    assert sorted(found.reasons) == [("[Banned prompt detected]", 1), ("[Invalid parameter]", 1)]
    assert found.median == 60.0
    await repository.close()


async def test_a_save_goes_on_from_version_6(folder: Path) -> None:
    repository = await open_store(folder)
    task = repository.unfinished()[0]
    after = msgspec.structs.replace(task, revision=task.revision + 1, status=Status.CANCEL)
    await repository.save(task, after)
    await repository.close()
    again = await open_store(folder)
    assert await again.find(task.id) == after
    await again.close()


async def test_records_keep_their_content_under_fixed_names(folder: Path) -> None:
    await (await open_store(folder)).close()
    records = SqliteRecords(folder)
    tokens = records.all(RecordKind("token", Token))
    assert [(token.name, token.role) for token in tokens] == [
        ("first", Role.ADMIN), ("second", Role.USER),
    ]  # fmt: skip
    (account,) = records.all(RecordKind("account", Account))
    assert Encryption(folder).decrypt(account.sealed_token) == "a Discord token"
    assert records.all(RecordKind("preferences", Preferences)) == [Preferences(links="proxy")]
    records.close()


async def test_a_new_database_is_like_a_migrated_one(tmp_path: Path, folder: Path) -> None:
    def schema(where: Path) -> set[tuple[str, str]]:
        with sqlite3.connect(where / FILE) as connection:
            rows = connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_master")
            return {(name, " ".join(sql.split())) for name, sql in rows}

    for where in (tmp_path / "new", folder):
        await (await open_store(where)).close()
    assert schema(tmp_path / "new") == schema(folder)
    assert version(folder) == version(tmp_path / "new") == migrations.newest()


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(folder)
    scripts = {**migrations._scripts(), 99: "DROP TABLE tasks;\nINSERT INTO nothing VALUES (1);"}
    scripts[7] += "\nINSERT INTO nothing VALUES (1);"
    monkeypatch.setattr(migrations, "_scripts", lambda: scripts)
    with pytest.raises(StoreError, match="nothing"):
        connect_owner(folder / FILE)
    assert version(folder) == 6
    assert dump(folder) == before


def test_a_migration_that_fails_ends_its_transaction(
    empty: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_scripts", lambda: {6: "INSERT INTO nothing VALUES (1);"})
    with pytest.raises(sqlite3.Error):
        migrations.migrate(empty)
    assert not empty.in_transaction


def test_what_was_migrated_before_the_failure_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = migrations.newest()
    scripts = {**migrations._scripts(), 99: "DROP TABLE tasks;\nINSERT INTO nothing VALUES (1);"}
    monkeypatch.setattr(migrations, "_scripts", lambda: scripts)
    with pytest.raises(StoreError, match="nothing"):
        connect_owner(folder / FILE)
    assert version(folder) == newest


async def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    await (await open_store(tmp_path)).close()
    newer = migrations.newest() + 2
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute(f"PRAGMA user_version={newer}")
    said = rf"newer Athena \(version {newer}\); this program knows up to {migrations.newest()}"
    with pytest.raises(SchemaTooNew, match=said):
        await open_store(tmp_path)
    with pytest.raises(SchemaTooNew, match=said):
        SqliteRecords(tmp_path)
    with pytest.raises(SchemaTooNew, match=said):
        reports.refused_prompts(tmp_path)
    assert version(tmp_path) == newer


async def test_other_openers_neither_migrate_nor_stamp(folder: Path) -> None:
    """As a newer command line beside an older server."""
    with pytest.raises(SchemaTooOld, match="start the server"):
        SqliteRecords(folder)
    assert [each.said for each in reports.refused_prompts(folder)] == [
        "[Banned prompt detected] no"
    ]
    examined = reports.examine(folder)
    assert examined is not None
    assert (examined.version, examined.fault, examined.unreadable) == (6, "", ())
    assert version(folder) == 6


def test_the_command_line_makes_a_database_that_is_not_there(tmp_path: Path) -> None:
    SqliteRecords(tmp_path / "new").close()
    assert version(tmp_path / "new") == migrations.newest()


async def test_what_is_no_database_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"something else entirely" * 100)
    for opener in (SqliteRecords, reports.examine, reports.refused_prompts):
        with pytest.raises(StoreError, match=r"athena\.db"):
            opener(tmp_path)
    for _ in range(2):  # the lock was let go
        with pytest.raises(StoreError, match=r"athena\.db"):
            await open_store(tmp_path)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    yield connection
    connection.close()


def test_two_that_migrate_at_once_do_it_once(folder: Path) -> None:
    """The second finds, behind the lock, that it is done."""
    first = sqlite3.connect(folder / FILE, isolation_level=None)
    second = sqlite3.connect(folder / FILE, isolation_level=None)
    script = migrations._scripts()[7]
    migrations._run(first, 7, script)
    migrations._run(second, 7, script)
    assert migrations.version_of(second) == 7
    first.close()
    second.close()


def test_a_new_database_can_give_pages_back(empty: sqlite3.Connection) -> None:
    migrations.migrate(empty)
    assert empty.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_the_version_from_before_is_told(empty: sqlite3.Connection) -> None:
    assert migrations.migrate(empty) == 0
    assert migrations.migrate(empty) == migrations.newest()


def test_a_database_that_is_up_to_date_is_not_touched(empty: sqlite3.Connection) -> None:
    migrations.migrate(empty)
    said: list[str] = []
    empty.set_trace_callback(said.append)
    migrations.migrate(empty)
    assert said == ["PRAGMA user_version"]


def test_the_migration_itself_refuses_a_newer_database(empty: sqlite3.Connection) -> None:
    empty.execute(f"PRAGMA user_version={migrations.newest() + 1}")
    with pytest.raises(SchemaTooNew, match=f"knows up to {migrations.newest()}"):
        migrations.migrate(empty)
