"""What retention deletes: the queries of `SqliteRepository.sweep`, each for a bounded number."""

import sqlite3

from msgspec import Struct

from athena.store.retention import Cutoffs
from athena.store.sqlite.queries import TaskReader
from athena.store.sqlite.writer import Execute, Statement
from athena.tasks.model import Task

_PAGES = 500
"""Free pages of the file that are given back in one step (2 MB)."""

_TABLES = (
    ("refused_prompts", "at", "task_id", "refused_prompts"),
    ("usage", "day", "rowid", "usage_day"),
    ("idempotency_records", "at", "key", "claims"),
    ("uploaded_files", "at", "name", "uploaded_files"),
)
"""Table, column of the age, key, and the cutoff's name."""


class Doomed(Struct, frozen=True):
    """What is deleted in one step."""

    tasks: list[Task]
    statements: list[Statement]
    rows: int
    """How many those delete."""


def doomed(
    connection: sqlite3.Connection,
    reader: TaskReader,
    cutoffs: Cutoffs,
    most_tasks: int | None,
    step: int,
) -> Doomed:
    """What can be deleted, at most `step` of each kind."""
    statements: list[Statement] = []
    rows = 0
    for table, age, key, name in _TABLES:
        cutoff = getattr(cutoffs, name)
        values = {"cutoff": cutoff, "step": step}
        chosen = f"SELECT {key} FROM {table} WHERE {age} < :cutoff LIMIT :step"  # noqa: S608
        (count,) = connection.execute(f"SELECT count(*) FROM ({chosen})", values).fetchone()  # noqa: S608
        if count:
            statements.append(Execute(f"DELETE FROM {table} WHERE {key} IN ({chosen})", values))  # noqa: S608
            rows += count
    return Doomed(_tasks(connection, reader, cutoffs.tasks, most_tasks, step), statements, rows)


def give_back(free: int) -> list[Statement]:
    """Give some of the file's free pages back to the system. One statement is one page: it returns
    after each, and the driver does not go on with what has no columns."""
    return [Execute("PRAGMA incremental_vacuum(1)", {})] * min(free, _PAGES)


def free_pages(connection: sqlite3.Connection) -> int:
    """Pages that can be given back: none where the database was made without `auto_vacuum`, as
    those before version 7 were. There they are used again for new rows."""
    (mode,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(free) if mode else 0


def _tasks(
    connection: sqlite3.Connection,
    reader: TaskReader,
    cutoff: int | None,
    most: int | None,
    step: int,
) -> list[Task]:
    """Ended tasks, the oldest first: those before the cutoff, and those beyond the number."""
    beyond = 0
    if most is not None:
        (ended,) = connection.execute("SELECT count(*) FROM tasks WHERE ended = 1").fetchone()
        beyond = max(ended - most, 0)
    rows = connection.execute(
        "SELECT id, body, submitted_at FROM tasks INDEXED BY tasks_newest WHERE ended = 1"
        " AND number NOT IN (SELECT number FROM unindexed WHERE unreadable = 1)"
        " ORDER BY submitted_at, id LIMIT ?",
        (step,),
    )
    go = [
        (task_id, body)
        for at, (task_id, body, submitted_at) in enumerate(rows)
        if at < beyond or (cutoff is not None and submitted_at < cutoff)
    ]
    return reader.read(go)
