"""What a sweep takes: so many of each kind, the oldest tasks, nothing that is still wanted."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from athena.store.retention import Cutoffs
from athena.store.sqlite import rows, sweeping
from athena.store.sqlite.connecting import FILE, connect_owner
from athena.store.sqlite.queries import TaskReader
from athena.store.sqlite.reading import Unreadable
from athena.store.sqlite.sweeping import Doomed
from athena.store.sqlite.writer import Execute, Insert, Statement
from athena.tasks.model import Failure, Status, Task
from tests.contract.store.making import NOW, claim_for, ended, make_task

NOTHING = Cutoffs(tasks=None, refused_prompts=None, usage_day=None, claims=0, uploaded_files=0)


class Database(Struct):
    """A new one."""

    connection: sqlite3.Connection

    def run(self, statements: Sequence[Statement]) -> None:
        for each in statements:
            if isinstance(each, Insert):
                marks = ", ".join("?" * len(each.row))
                sql = f"{each.head} VALUES ({marks}) {each.tail}"
                self.connection.execute(sql, each.row).fetchall()
            elif isinstance(each, Execute):
                self.connection.execute(each.sql, each.values).fetchall()

    def add(self, *tasks: Task) -> None:
        for task in tasks:
            self.run(rows.add(task, [], None, 0))

    def doomed(
        self, cutoffs: Cutoffs = NOTHING, most_tasks: int | None = None, step: int = 10
    ) -> Doomed:
        reader = TaskReader(Unreadable())
        return sweeping.doomed(self.connection, reader, cutoffs, most_tasks, step)

    def swept(self, cutoffs: Cutoffs, step: int = 10) -> int:
        found = self.doomed(cutoffs, step=step)
        self.run(found.statements)
        return found.rows

    def column(self, sql: str) -> list[object]:
        return [value for (value,) in self.connection.execute(sql)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    connection = connect_owner(tmp_path / FILE)
    yield Database(connection)
    connection.close()


def old(number: int) -> Task:
    return ended(make_task(number))


def test_ended_tasks_before_the_cutoff_go_the_oldest_first(database: Database) -> None:
    database.add(old(3), old(1), make_task(0), old(2))
    cutoffs = Cutoffs(
        tasks=NOW + 3, refused_prompts=None, usage_day=None, claims=0, uploaded_files=0
    )
    assert [task.id for task in database.doomed(cutoffs).tasks] == [old(1).id, old(2).id]
    assert [task.id for task in database.doomed(cutoffs, step=1).tasks] == [old(1).id]
    assert database.doomed().tasks == []


def test_ended_tasks_beyond_the_number_go(database: Database) -> None:
    database.add(*(old(number) for number in range(4)), make_task(9))
    assert [task.id for task in database.doomed(most_tasks=3).tasks] == [old(0).id]
    assert database.doomed(most_tasks=4).tasks == []
    assert database.doomed(most_tasks=9).tasks == []
    assert len(database.doomed(most_tasks=1, step=2).tasks) == 2


def test_a_task_that_cannot_be_read_stays(database: Database) -> None:
    database.add(old(1), old(2))
    database.connection.execute("UPDATE unindexed SET unreadable = 1 WHERE number = 1")
    assert [task.id for task in database.doomed(most_tasks=0).tasks] == [old(2).id]


def test_each_kind_has_a_cutoff_of_its_own(database: Database) -> None:
    refused = Failure(reason="no", moderated=True)
    for number in (1, 2):
        task = make_task(number, token=str(number), submitted_at=NOW + number * 86_400_000)
        database.run([rows.keep_claim(claim_for(task, str(number), number), 0)])
        database.run([rows.keep_file(str(number), "5", number)])
        database.add(task)
        end = ended(task, Status.FAILURE, failure=refused, finished_at=number)
        database.run(rows.save(task, end, durable=1, chained=False, visible=True, uploads=False))
    day = NOW // 86_400_000
    kinds = {
        "SELECT key FROM idempotency_records": {"claims": 2},
        "SELECT name FROM uploaded_files": {"uploaded_files": 2},
        "SELECT token FROM usage": {"usage_day": day + 2},
        "SELECT CAST(at AS TEXT) FROM refused_prompts": {"refused_prompts": 2},
    }
    for sql, cutoff in kinds.items():
        assert database.column(sql) == ["1", "2"], sql
        wanted = replace(NOTHING, **cutoff)
        assert database.swept(wanted) == 1
        assert database.column(sql) == ["2"], sql
        assert database.doomed(wanted).statements == []


def test_at_most_a_step_of_each_kind_goes(database: Database) -> None:
    for number in range(5):
        database.run([rows.keep_file(str(number), "5", number)])
    cutoffs = Cutoffs(tasks=None, refused_prompts=None, usage_day=None, claims=0, uploaded_files=9)
    assert [database.swept(cutoffs, step=2) for _ in range(4)] == [2, 2, 1, 0]


def test_free_pages_are_counted_and_given_back(database: Database) -> None:
    connection = database.connection
    assert sweeping.free_pages(connection) == 0
    assert sweeping.give_back(0) == []
    connection.execute("CREATE TABLE large AS SELECT randomblob(200000) AS data")
    connection.execute("DROP TABLE large")
    free = sweeping.free_pages(connection)
    assert free > 40
    database.run(sweeping.give_back(3))
    assert sweeping.free_pages(connection) == free - 3
    assert len(sweeping.give_back(501)) == 500


def test_where_pages_cannot_be_given_back_none_are_free() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE large AS SELECT randomblob(200000) AS data")
    connection.execute("DROP TABLE large")
    assert sweeping.free_pages(connection) == 0
    connection.close()
