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
    """A connection whose disk fails with a code of SQLite's until it is mended."""

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


class Desk:
    """A committer over such a connection, and what its writers were told."""

    def __init__(self, folder: Path, code: int) -> None:
        self.flaky = Flaky(connect(folder / "athena.db", create=True), code)
        self.committer = Committer(cast(sqlite3.Connection, self.flaky))
        self.told: list[tuple[str, bool]] = []

    def write(self, name: str, *, lasting: bool) -> Write:
        def told(error: sqlite3.Error | None) -> None:
            self.told.append((name, error is None))

        statement = Change(ADD, {"id": name})
        return Write((statement,), asyncio.get_running_loop(), told, lasting)

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
    desk = Desk(tmp_path, code)
    await desk.commit(desk.write("a", lasting=True), desk.write("new", lasting=False))
    await desk.commit(desk.write("b", lasting=True))
    assert desk.committer.trouble
    assert desk.told == [("new", False)]
    desk.flaky.code = 0
    await desk.commit(desk.write("c", lasting=False))
    assert not desk.committer.trouble
    assert desk.told[1:] == [("a", True), ("b", True), ("c", True)]
    assert desk.written() == ["a", "b", "c"]


async def test_a_disk_that_nobody_writes_to_is_tried_all_the_same(tmp_path: Path) -> None:
    desk = Desk(tmp_path, sqlite3.SQLITE_FULL)
    await desk.commit(desk.write("new", lasting=False))
    await desk.commit()
    assert desk.committer.trouble
    desk.flaky.code = 0
    await desk.commit()
    assert not desk.committer.trouble


async def test_a_bad_statement_is_told_at_once_however_long_it_should_last(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 0)
    await desk.commit(desk.write("a", lasting=True), desk.write("a", lasting=True))
    assert desk.told == [("a", True), ("a", False)]
    assert not desk.committer.trouble
