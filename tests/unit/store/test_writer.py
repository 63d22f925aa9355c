"""What must last is written in its order when the disk works again; what is new is refused."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from athena.store.connecting import connect
from athena.store.writer import Change, Committer, Write

ADD = "INSERT INTO records (kind, id, body) VALUES ('k', :id, '')"


class Flaky:
    """A connection whose disk fails with a code of SQLite's until it is repaired."""

    def __init__(self, connection: sqlite3.Connection, code: int) -> None:
        self._connection = connection
        self.code = code

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if self.code and not sql.startswith("BEGIN"):
            error = sqlite3.OperationalError("the disk fails")
            error.sqlite_errorcode = self.code
            raise error
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Harness:
    """A committer over such a connection, and what its writers were notified of."""

    def __init__(self, folder: Path, code: int) -> None:
        self.flaky = Flaky(connect(folder / "athena.db", create=True), code)
        self.committer = Committer(cast(sqlite3.Connection, self.flaky))
        self.notified: list[tuple[str, bool]] = []

    def write(self, name: str, *, lasting: bool) -> Write:
        def notify(error: sqlite3.Error | None) -> None:
            self.notified.append((name, error is None))

        statement = Change(ADD, {"id": name})
        return Write((statement,), asyncio.get_running_loop(), notify, lasting)

    async def commit(self, *writes: Write) -> None:
        self.committer.commit(list(writes))
        await asyncio.sleep(0)

    def written(self) -> list[str]:
        return [row[0] for row in self.flaky.execute("SELECT id FROM records ORDER BY rowid")]


TROUBLES = [
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_IOERR_WRITE,
]  # fmt: skip


@pytest.mark.parametrize("code", TROUBLES)
async def test_trouble_passes_and_nothing_that_must_last_is_lost(tmp_path: Path, code: int) -> None:
    harness = Harness(tmp_path, code)
    await harness.commit(harness.write("a", lasting=True), harness.write("new", lasting=False))
    await harness.commit(harness.write("b", lasting=True))
    assert harness.committer.trouble
    assert harness.notified == [("new", False)]
    harness.flaky.code = 0
    await harness.commit(harness.write("c", lasting=False))
    assert not harness.committer.trouble
    assert harness.notified[1:] == [("a", True), ("b", True), ("c", True)]
    assert harness.written() == ["a", "b", "c"]


async def test_a_disk_that_nobody_writes_to_is_tried_all_the_same(tmp_path: Path) -> None:
    harness = Harness(tmp_path, sqlite3.SQLITE_FULL)
    await harness.commit(harness.write("new", lasting=False))
    await harness.commit()
    assert harness.committer.trouble
    harness.flaky.code = 0
    await harness.commit()
    assert not harness.committer.trouble


async def test_a_bad_statement_is_told_at_once_however_long_it_should_last(tmp_path: Path) -> None:
    harness = Harness(tmp_path, 0)
    await harness.commit(harness.write("a", lasting=True), harness.write("a", lasting=True))
    assert harness.notified == [("a", True), ("a", False)]
    assert not harness.committer.trouble
