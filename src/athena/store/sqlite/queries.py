"""What is read from the database besides searches: the fast lane's queries."""

import sqlite3
from collections.abc import Iterable, Sequence

from athena.clock import DAY, Millis
from athena.store.repository import Delivery, IdempotencyRecord, RefusedPrompt
from athena.store.sqlite.reading import Unreadable
from athena.tasks.model import Task

_RECENT_OF_ACCOUNT = 2_000
_RECENT = 10_000
_RECENT_AGE: Millis = DAY

_MANY = 500
"""Ids a query."""


class TaskReader:
    """Tasks by their ids. All methods block; give them a reader's connection."""

    def __init__(self, unreadable: Unreadable) -> None:
        self._unreadable = unreadable

    def find(self, connection: sqlite3.Connection, task_id: str) -> Task | None:
        found = self.find_many(connection, [task_id])
        return found[0] if found else None

    def find_many(self, connection: sqlite3.Connection, task_ids: Sequence[str]) -> list[Task]:
        """In no particular order."""
        found: list[Task] = []
        for start in range(0, len(task_ids), _MANY):
            some = task_ids[start : start + _MANY]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT id, body FROM tasks WHERE id IN ({marks})"  # noqa: S608
            found += self.read(connection.execute(sql, some))
        return found

    def by_trigger(self, connection: sqlite3.Connection, trigger: str) -> list[Task]:
        sql = (
            "SELECT t.id, t.body FROM triggers g JOIN tasks t ON t.id = g.task_id"
            ' WHERE g."trigger" = ? ORDER BY t.submitted_at, t.id'
        )
        return self.read(connection.execute(sql, (trigger,)))

    def unfinished(self, connection: sqlite3.Connection) -> list[Task]:
        sql = (
            "SELECT id, body FROM tasks INDEXED BY tasks_unfinished"
            " WHERE ended = 0 ORDER BY submitted_at, id"
        )
        return self.read(connection.execute(sql))

    def recent(self, connection: sqlite3.Connection) -> list[Task]:
        """The ended tasks of the last day before the newest task, the oldest first: at most 2,000
        an account and 10,000 in all."""
        (newest,) = connection.execute("SELECT max(submitted_at) FROM tasks").fetchone()
        if newest is None:
            return []
        rows: list[tuple[Millis, str, bytes]] = []
        for account in _accounts(connection):
            rows += _recent_of(connection, account, newest - _RECENT_AGE)
        rows.sort(key=lambda row: row[:2])
        return self.read((task_id, body) for _, task_id, body in rows[-_RECENT:])

    def deliveries(self, connection: sqlite3.Connection) -> list[Delivery]:
        sql = (
            "SELECT d.url, t.id, t.body FROM deliveries d JOIN tasks t ON t.id = d.task_id"
            " ORDER BY t.submitted_at, t.id"
        )
        return [
            Delivery(url=url, task=task)
            for url, task_id, body in connection.execute(sql)
            if (task := self._unreadable.decode(task_id, body))
        ]

    def read(self, rows: Iterable[tuple[str, bytes]]) -> list[Task]:
        """The readable rows."""
        return [task for each in rows if (task := self._unreadable.decode(*each))]


def _accounts(connection: sqlite3.Connection) -> list[str]:
    """Every account that has tasks, found by jumping from one to the next in the index."""
    sql = (
        "WITH RECURSIVE a (account) AS (SELECT min(account) FROM tasks UNION ALL"
        " SELECT (SELECT min(t.account) FROM tasks t WHERE t.account > a.account) FROM a"
        " WHERE a.account IS NOT NULL) SELECT account FROM a WHERE account IS NOT NULL"
    )
    return [account for (account,) in connection.execute(sql)]


def _recent_of(
    connection: sqlite3.Connection, account: str, since: Millis
) -> list[tuple[Millis, str, bytes]]:
    sql = (
        "SELECT submitted_at, id, body FROM tasks INDEXED BY tasks_of_account"
        " WHERE account = ? AND submitted_at >= ? AND ended = 1"
        " ORDER BY submitted_at DESC, id DESC LIMIT ?"
    )
    return connection.execute(sql, (account, since, _RECENT_OF_ACCOUNT)).fetchall()


def has_unfinished(connection: sqlite3.Connection, task_ids: Iterable[str]) -> set[str]:
    """Which of these tasks have not ended, readable or not."""
    sql = "SELECT 1 FROM tasks WHERE id = ? AND ended = 0"
    return {each for each in task_ids if connection.execute(sql, (each,)).fetchone()}


def with_uploads(connection: sqlite3.Connection) -> set[str]:
    """The tasks with which something was uploaded."""
    return {each for (each,) in connection.execute("SELECT DISTINCT task_id FROM uploads")}


def uploads(
    connection: sqlite3.Connection, task_id: str
) -> list[tuple[int, str, str, bytes | None]]:
    """Position, file name, content type, and the bytes where a former version kept them here."""
    sql = (
        "SELECT position, filename, content_type, data FROM uploads WHERE task_id = ?"
        " ORDER BY position"
    )
    return connection.execute(sql, (task_id,)).fetchall()


def idempotency_record(connection: sqlite3.Connection, key: str) -> IdempotencyRecord | None:
    sql = "SELECT key, at, fingerprint, answer, task_id FROM idempotency_records WHERE key = ?"
    row = connection.execute(sql, (key,)).fetchone()
    if row is None:
        return None
    key, at, fingerprint, answer, task_id = row
    return IdempotencyRecord(
        key=key, at=at, fingerprint=fingerprint, answer=answer, task_id=task_id
    )


def uploaded_file(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute(
        "SELECT account FROM uploaded_files WHERE name = ?", (name,)
    ).fetchone()
    return str(row[0]) if row else None


def cursors(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT channel, message FROM channel_cursors").fetchall())


def usage(connection: sqlite3.Connection, day: int) -> dict[str, int]:
    return dict(
        connection.execute("SELECT token, tasks FROM usage WHERE day = ?", (day,)).fetchall()
    )


def refused_prompts(connection: sqlite3.Connection) -> list[RefusedPrompt]:
    rows = connection.execute("SELECT task_id, at, prompt, said FROM refused_prompts ORDER BY at")
    return [RefusedPrompt(task_id=i, at=at, prompt=p, said=s) for i, at, p, s in rows]
