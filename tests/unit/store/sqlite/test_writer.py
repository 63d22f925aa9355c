"""Group commit: order during trouble, and a thread that nothing ends."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from athena.errors import Conflict, StoreError, StoreUnavailable
from athena.store.sqlite.connecting import FILE, connect_owner
from athena.store.sqlite.writer import Committer, Execute, Insert, Statement, Write, Writer

ADD = "INSERT INTO records (kind, id, body) VALUES ('k', :id, '')"


class Flaky:
    """A connection whose disk fails with a code of SQLite's until it is mended."""

    def __init__(self, connection: sqlite3.Connection, code: int = 0) -> None:
        self._connection = connection
        self.code = code
        self.executed: list[str] = []

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.executed.append(sql)
        if self.code and not sql.startswith(("BEGIN", "SELECT")):
            error = sqlite3.OperationalError("the disk fails")
            error.sqlite_errorcode = self.code
            raise error
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Bench:
    """A committer over such a connection, and the results that its callers got."""

    def __init__(self, folder: Path, code: int = 0) -> None:
        self.flaky = Flaky(connect_owner(folder / FILE), code)
        self.committer = Committer(cast(sqlite3.Connection, self.flaky))
        self.results: list[tuple[str, bool]] = []
        self.errors: list[StoreError] = []

    def write(self, name: str, *statements: Statement, retried: bool = False) -> Write:
        def on_done(error: StoreError | None) -> None:
            self.results.append((name, error is None))
            if error:
                self.errors.append(error)

        every = statements or (Execute(ADD, {"id": name}),)
        return Write(every, asyncio.get_running_loop(), on_done, retried)

    async def commit(self, *writes: Write, fault: str = "") -> None:
        self.committer.commit(writes, fault=fault)
        await asyncio.sleep(0)

    def written(self) -> list[str]:
        rows = self.flaky._connection.execute("SELECT id FROM records ORDER BY rowid")
        return [row[0] for row in rows]


TROUBLES = [
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_IOERR_WRITE,
]  # fmt: skip


@pytest.mark.parametrize("code", TROUBLES)
async def test_trouble_passes_and_nothing_that_is_retried_is_lost(
    tmp_path: Path, code: int
) -> None:
    bench = Bench(tmp_path, code)
    await bench.commit(bench.write("a", retried=True), bench.write("new"))
    await bench.commit(bench.write("b", retried=True))
    assert bench.committer.write_error
    assert bench.results == [("new", False)]
    bench.flaky.code = 0
    await bench.commit(bench.write("c"))
    assert not bench.committer.write_error
    assert bench.results[1:] == [("a", True), ("b", True), ("c", True)]
    assert bench.written() == ["a", "b", "c"]


async def test_a_fault_is_like_a_disk_that_fails(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.commit(bench.write("a", retried=True), bench.write("new"), fault="no power")
    assert bench.committer.write_error == "no power"
    await bench.commit(fault="no power still")
    assert bench.committer.write_error == "no power still"
    assert bench.results == [("new", False)]
    await bench.commit()
    assert bench.written() == ["a"]


async def test_closing_tells_those_whose_writes_are_lost(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sqlite3.SQLITE_FULL)
    await bench.commit(bench.write("a", retried=True))
    bench.committer.close()
    await asyncio.sleep(0)
    assert bench.results == [("a", False)]


async def test_a_bad_statement_is_told_at_once_even_when_it_is_retried(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.commit(bench.write("a", retried=True), bench.write("a", retried=True))
    assert bench.results == [("a", True), ("a", False)]
    assert not bench.committer.write_error


async def test_a_write_that_lost_is_undone_as_a_whole(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    lost = bench.write(
        "lost",
        Execute(ADD, {"id": "lost"}),
        Execute("DELETE FROM records WHERE id = 'none'", {}, conflict="it is gone"),
    )
    await bench.commit(bench.write("a"), lost, bench.write("b"))
    assert bench.results == [("a", True), ("lost", False), ("b", True)]
    assert isinstance(bench.errors[0], Conflict)
    assert bench.written() == ["a", "b"]


@pytest.mark.parametrize("value", ["\ud800", 2**70, object()])
async def test_a_value_that_sqlite_cannot_take_fails_that_write_alone(
    tmp_path: Path, value: object
) -> None:
    bench = Bench(tmp_path)
    bad = bench.write("bad", Insert("INSERT INTO records (kind, id, body)", ("k", value, b"")))
    await bench.commit(bench.write("a"), bad, bench.write("b"))
    assert bench.results == [("a", True), ("bad", False), ("b", True)]
    assert isinstance(bench.errors[0], StoreUnavailable)
    assert not bench.committer.write_error


async def test_neighbouring_rows_become_one_statement(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    head = "INSERT INTO records (kind, id, body)"
    rows = [bench.write(str(n), Insert(head, ("k", str(n), b""))) for n in range(3)]
    await bench.commit(*rows)
    assert [sql.split()[0] for sql in bench.flaky.executed] == ["BEGIN", "INSERT", "COMMIT"]
    assert bench.written() == ["0", "1", "2"]


async def test_the_disk_is_waited_for(tmp_path: Path) -> None:
    """Durable before reported depends on this."""
    connection = connect_owner(tmp_path / FILE)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_a_caller_that_raises_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def raises(_: StoreError | None) -> None:
        raise RuntimeError("a caller's own fault")

    bad = Write((), asyncio.get_running_loop(), raises)
    await bench.commit(bad, bench.write("a"))
    assert bench.results == [("a", True)]


class Deadly(Committer):
    """One whose commit raises what no commit should."""

    def commit(self, batch: Any, *, fault: str = "") -> None:
        raise SystemError("out of luck")


async def test_a_thread_that_ended_refuses_at_once(tmp_path: Path) -> None:
    writer = Writer(Deadly(connect_owner(tmp_path / FILE)))
    told: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
    writer.write(Write((), asyncio.get_running_loop(), told.set_result))
    assert isinstance(await told, StoreUnavailable)
    assert "SystemError" in writer.write_error
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="SystemError"):
            writer.write(Write((), asyncio.get_running_loop(), lambda _: None))
        await writer.close()


async def test_a_closed_writer_refuses_at_once(tmp_path: Path) -> None:
    writer = Writer(Committer(connect_owner(tmp_path / FILE)))
    told: list[StoreError | None] = []
    writer.write(Write((), asyncio.get_running_loop(), told.append))
    await writer.close()
    await asyncio.sleep(0)
    assert told == [None]
    with pytest.raises(StoreUnavailable):
        writer.write(Write((), asyncio.get_running_loop(), told.append))


async def test_writes_that_wait_together_are_committed_together(tmp_path: Path) -> None:
    gate, batches = threading.Event(), list[int]()

    class Slow(Committer):
        def commit(self, batch: Any, *, fault: str = "") -> None:
            gate.wait()
            batches.append(len(batch))
            super().commit(batch, fault=fault)

    writer = Writer(Slow(connect_owner(tmp_path / FILE)))
    bench = asyncio.get_running_loop()
    done = [bench.create_future() for _ in range(10)]
    for each in done:
        writer.write(Write((), bench, each.set_result))
    gate.set()
    await asyncio.gather(*done)
    await writer.close()
    assert sum(batches) == 10
    assert len(batches) <= 2


def transactions(bench: Bench) -> int:
    return bench.flaky.executed.count("BEGIN IMMEDIATE")


async def test_a_write_alone_is_tried_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sqlite3.SQLITE_FULL)
    await bench.commit(bench.write("a"))
    assert transactions(bench) == 1


async def test_after_trouble_nothing_more_is_tried_so_that_the_order_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sqlite3.SQLITE_FULL)
    writes = [bench.write(name, retried=True) for name in "abc"]
    await bench.commit(*writes)
    assert transactions(bench) == 2  # all together, then the first alone
    bench.flaky.code = 0
    await bench.commit()
    assert bench.written() == ["a", "b", "c"]


async def test_trouble_is_over_though_a_statement_of_the_next_batch_is_bad(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sqlite3.SQLITE_FULL)
    await bench.commit(bench.write("a", retried=True))
    bench.flaky.code = 0
    await bench.commit(bench.write("a"), bench.write("b"))
    assert bench.results == [("a", True), ("a", False), ("b", True)]
    assert bench.committer.write_error == ""


async def test_a_bad_statement_alone_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.commit(bench.write("a"))
    await bench.commit(bench.write("a", retried=True))
    assert (bench.results[-1], bench.committer.write_error) == (("a", False), "")


async def test_closing_tries_what_was_kept_a_last_time_and_closes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sqlite3.SQLITE_FULL)
    await bench.commit(bench.write("a", retried=True))
    bench.flaky.code = 0
    bench.committer.close()
    await asyncio.sleep(0)
    assert bench.results == [("a", True)]
    with pytest.raises(sqlite3.ProgrammingError):
        bench.written()
    closed = Bench(tmp_path)
    executed = list(closed.flaky.executed)
    closed.committer.close()
    assert closed.flaky.executed == executed


async def test_a_disk_is_probed_by_a_write_that_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.commit()
    assert bench.flaky.executed[-1].startswith("PRAGMA user_version=")
    assert bench.committer.write_error == ""
    bench.flaky.code = sqlite3.SQLITE_FULL
    await bench.commit()
    assert bench.committer.write_error == "the disk fails"
    bench.flaky.code = 0
    await bench.commit()
    assert bench.committer.write_error == ""


async def test_trouble_and_its_end_are_logged_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with capture_logs() as logs:
        await bench.commit(bench.write("a"))
        for fault in ("no power", "no power still"):
            await bench.commit(fault=fault)
        for _ in range(2):
            await bench.commit()
    assert [each["event"] for each in logs] == ["store.write_failing", "store.write_recovered"]
    assert logs[0]["error"] == "no power"


async def test_a_rollback_that_fails_is_trouble_of_the_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def rollback() -> None:
        raise sqlite3.OperationalError("nor can it go back")

    bench.flaky.rollback = rollback  # type: ignore[attr-defined]
    await bench.commit(bench.write("a", Execute("BAD", {})))
    assert bench.committer.write_error.endswith("; nor can it go back")
    assert bench.results == [("a", False)]


async def test_the_thread_does_not_keep_a_process_alive(tmp_path: Path) -> None:
    writer = Writer(Committer(connect_owner(tmp_path / FILE)))
    assert writer._thread.daemon
    assert writer._thread.name == "store-writer"
    await writer.close()


async def test_an_abandoned_committer_tells_all_and_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sqlite3.SQLITE_FULL)
    await bench.commit(bench.write("kept", retried=True))
    bench.committer.abandon([bench.write("new")], "it ended")
    await asyncio.sleep(0)
    assert bench.results == [("kept", False), ("new", False)]
    assert bench.committer.write_error == "it ended"
    assert {str(each) for each in bench.errors} == {"it ended"}


async def test_only_a_statement_that_must_change_a_row_can_lose(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    change = "UPDATE records SET body = 'x' WHERE id = :id"
    await bench.commit(bench.write("a"))
    await bench.commit(bench.write("it does", Execute(change, {"id": "a"}, conflict="gone")))
    await bench.commit(bench.write("it need not", Execute(change, {"id": "none"})))
    assert bench.results == [("a", True), ("it does", True), ("it need not", True)]


async def test_a_pragma_is_run_to_its_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    connection = bench.flaky._connection
    connection.execute("CREATE TABLE large AS SELECT randomblob(200000) AS data")
    connection.execute("DROP TABLE large")
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    vacuum = Execute("PRAGMA incremental_vacuum(1)", {})
    await bench.commit(bench.write("a", vacuum, vacuum))
    assert connection.execute("PRAGMA freelist_count").fetchone() == (free - 2,)


async def test_a_closed_writer_has_closed_its_connection(tmp_path: Path) -> None:
    connection = connect_owner(tmp_path / FILE)
    await Writer(Committer(connection)).close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


async def test_a_thread_that_ends_tells_all_that_wait(tmp_path: Path) -> None:
    begun, gate = threading.Event(), threading.Event()

    class Late(Deadly):
        def commit(self, batch: Any, *, fault: str = "") -> None:
            begun.set()
            gate.wait()
            super().commit(batch, fault=fault)

    writer = Writer(Late(connect_owner(tmp_path / FILE)))
    loop = asyncio.get_running_loop()
    taken, waiting = loop.create_future(), loop.create_future()
    writer.write(Write((), loop, taken.set_result))
    await asyncio.to_thread(begun.wait)
    writer.write(Write((), loop, waiting.set_result))
    gate.set()
    assert [type(each) for each in await asyncio.gather(taken, waiting)] == [StoreUnavailable] * 2
    await writer.close()
