"""Searches, on a reader's thread.

Each way to search walks an index newest first and stops when the page is full. With several filters
the rarest is walked, and the others are looked at in passing; so a search costs at most what its
rarest filter holds. Words are found by their terms (see `athena.store.words`): candidates from the
full-text index, then the text itself. Words that are in very many tasks are walked in the order in
which tasks were stored, which differs from that of `submitted_at` by moments.

Unfinished tasks, whose words are not indexed, are not found by words here: they are all in memory,
and the repository adds them. Ended tasks that wait to be indexed are read one by one.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from athena.store import words
from athena.store.queries import Cursor, TaskFilter
from athena.store.sqlite.reading import Unreadable
from athena.tasks.model import Task

_FEW = 2_000
"""Rows that are cheap to look at one by one."""

_COUNTED = 10_000
"""Rows up to which filters are counted to find the rarest: some milliseconds."""

_SLACK = 1_000
"""How far the order of storing may differ from that of `submitted_at`, in tasks."""

_EQUAL = ("token", "status", "account", "action")
"""The filters that have an index; of several frequent ones the first is walked."""

_NEWEST_FIRST = "ORDER BY t.submitted_at DESC, t.id DESC"
_WAITS = "EXISTS (SELECT 1 FROM unindexed u WHERE u.number = t.number)"
_IN_TEXT = "instr((SELECT x.text FROM task_texts x WHERE x.number = t.number), :w) > 0"

_Values: TypeAlias = dict[str, Any]


class Search:
    """One search over one connection, in one transaction."""

    def __init__(
        self, connection: sqlite3.Connection, wanted: TaskFilter, unreadable: Unreadable
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._unreadable = unreadable

    def page(self, most: int, before: Cursor | None) -> list[Task]:
        """At most so many tasks, newest first, from behind `before` on."""
        if self._wanted.words and not words.normalized(self._wanted.words).strip("_"):
            return []
        self._connection.execute("BEGIN")
        try:
            found = self._find(most, before)
        finally:
            self._connection.rollback()
        found.sort(key=lambda task: (task.submitted_at, task.id), reverse=True)
        return found[:most]

    def _find(self, most: int, before: Cursor | None) -> list[Task]:
        column, rarest = self._rarest()
        if rarest == 0:
            return []
        if not self._wanted.words:
            return self._take(*walk(self._wanted, before, column), most)
        if rarest is not None and rarest <= _FEW:
            return self._take(*walk(self._wanted, before, column), most)
        return [*self._indexed(most, before), *self._waiting(most, before)]

    def _rarest(self) -> tuple[str | None, int | None]:
        """The filter with the fewest tasks, and how many these are where that was counted."""
        given = [name for name in _EQUAL if getattr(self._wanted, name) is not None]
        if not given or (len(given) == 1 and not self._wanted.words):
            return (given[0] if given else None), None
        counts = {name: self._count(name) for name in given}
        rarest = min(given, key=lambda name: counts[name])
        return rarest, counts[rarest]

    def _count(self, column: str) -> int:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM tasks WHERE {column} = ? LIMIT {_COUNTED})"  # noqa: S608
        (count,) = self._connection.execute(sql, (getattr(self._wanted, column),)).fetchone()
        return int(count)

    def _indexed(self, most: int, before: Cursor | None) -> list[Task]:
        match = matching(self._wanted.words or "")
        numbers = self._connection.execute(
            "SELECT rowid FROM task_terms WHERE task_terms MATCH ? ORDER BY rowid DESC LIMIT ?",
            (match, _FEW + 1),
        ).fetchall()
        if len(numbers) <= _FEW:
            return self._take(*among(self._wanted, before, [n for (n,) in numbers]), most)
        lowest, highest = self._numbers(before)
        if lowest is None or highest is None:
            return []
        values = {"match": match, "lowest": lowest, "highest": highest}
        return self._take(*through(self._wanted, before, values), most)

    def _numbers(self, before: Cursor | None) -> tuple[int | None, int | None]:
        """Bounds of the numbers of tasks between `since` and `until` or `before`; None where there
        is no such task."""
        since, until = self._wanted.since, self._wanted.until
        lowest = self._bound("min", ">=", "ASC", since) if since is not None else 0
        ends = [moment for moment in (until, before[0] if before else None) if moment is not None]
        highest = self._bound("max", "<=", "DESC", min(ends)) if ends else 2**62
        return lowest, highest

    def _bound(self, which: str, sign: str, order: str, moment: int) -> int | None:
        sql = (
            f"SELECT {which}(number) FROM (SELECT number FROM tasks"  # noqa: S608
            f" WHERE submitted_at {sign} ? ORDER BY submitted_at {order}, id {order} LIMIT ?)"
        )
        (number,) = self._connection.execute(sql, (moment, _SLACK)).fetchone()
        return None if number is None else int(number)

    def _waiting(self, most: int, before: Cursor | None) -> list[Task]:
        """Those that wait to be indexed; normally few."""
        where, values = conditions(self._wanted, before, None)
        sql = (
            "SELECT t.id, t.body FROM unindexed u CROSS JOIN tasks t ON t.number = u.number"  # noqa: S608
            f" WHERE u.unreadable = 0 AND {where} ORDER BY u.number DESC"
        )
        return self._take(sql, values, most)

    def _take(self, sql: str, values: _Values, most: int) -> list[Task]:
        """The first readable tasks that match; what the SQL left unsure is decided here."""
        found: list[Task] = []
        for task in self._read(self._connection.execute(sql, values)):
            if self._wanted.matches(task):
                found.append(task)
            if len(found) == most:
                break
        return found

    def _read(self, rows: Iterable[tuple[str, bytes]]) -> Iterator[Task]:
        for task_id, body in rows:
            if task := self._unreadable.decode(task_id, body):
                yield task


def walk(wanted: TaskFilter, before: Cursor | None, column: str | None) -> tuple[str, _Values]:
    """The index of a column, newest first; of `submitted_at` when it is None."""
    where, values = conditions(wanted, before, column)
    if wanted.words:
        where += f" AND (t.ended = 0 OR {_IN_TEXT} OR {_WAITS})"
        values["w"] = words.normalized(wanted.words).strip("_")
    return f"SELECT t.id, t.body FROM tasks t WHERE {where} {_NEWEST_FIRST}", values  # noqa: S608


def among(wanted: TaskFilter, before: Cursor | None, numbers: list[int]) -> tuple[str, _Values]:
    """These candidates, newest first."""
    where, values = conditions(wanted, before, None)
    values |= {
        "numbers": msgspec.json.encode(numbers).decode(),
        "w": words.normalized(wanted.words or "").strip("_"),
    }
    # First the order, from the index's columns alone; then the bodies of those that are taken.
    sql = (
        "SELECT t.id, t.body FROM json_each(:numbers) n"  # noqa: S608
        " CROSS JOIN tasks t ON t.number = n.value"
        f" WHERE {where} AND {_IN_TEXT} AND NOT {_WAITS} {_NEWEST_FIRST}"
    )
    return sql, values


def through(wanted: TaskFilter, before: Cursor | None, values: _Values) -> tuple[str, _Values]:
    """All that the full-text index finds, in the order of their numbers."""
    where, more = conditions(wanted, before, None)
    more["w"] = words.normalized(wanted.words or "").strip("_")
    sql = (
        "SELECT t.id, t.body FROM task_terms f CROSS JOIN tasks t ON t.number = f.rowid"  # noqa: S608
        " WHERE f.task_terms MATCH :match AND f.rowid >= :lowest AND f.rowid <= :highest"
        f" AND {where} AND {_IN_TEXT} AND NOT {_WAITS} ORDER BY f.rowid DESC"
    )
    return sql, {**values, **more}


def matching(wanted: str) -> str:
    """The full-text query for words: all of their trigrams, or a term's beginning."""
    text = words.normalized(wanted).strip("_")
    if len(text) < 3:
        return f'"{text}" *'
    trigrams = sorted({text[at : at + 3] for at in range(len(text) - 2)})
    return " AND ".join(f'"{trigram}"' for trigram in trigrams)


def conditions(
    wanted: TaskFilter, before: Cursor | None, column: str | None
) -> tuple[str, _Values]:
    """The WHERE of all filters but words. Only `column` may use its index."""
    parts, values = ["1"], {}
    for name in _EQUAL:
        if (value := getattr(wanted, name)) is not None:
            parts.append(f"{'' if name == column else '+'}t.{name} = :{name}")
            values[name] = value
    if wanted.since is not None:
        parts.append("t.submitted_at >= :since")
        values["since"] = wanted.since
    if wanted.until is not None:
        parts.append("t.submitted_at < :until")
        values["until"] = wanted.until
    if before is not None:
        parts.append("(t.submitted_at, t.id) < (:before_at, :before_id)")
        values |= {"before_at": before[0], "before_id": before[1]}
    return " AND ".join(parts), values
