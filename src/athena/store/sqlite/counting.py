"""Statistics, counted by SQLite from indexes alone, on a reader's thread."""

import sqlite3

import msgspec

from athena.store.queries import Hour, Statistics
from athena.tasks.model import Millis

HOUR: Millis = 60 * 60 * 1000
_REASONS = 10

_HOURS = """
WITH RECURSIVE hours (begins) AS (
    SELECT :begin UNION ALL SELECT begins + 3600000 FROM hours WHERE begins < :last
)
SELECT begins,
    (SELECT count(*) FROM tasks INDEXED BY tasks_made WHERE status = 'SUCCESS'
        AND submitted_at >= begins AND submitted_at < begins + 3600000),
    (SELECT count(*) FROM tasks INDEXED BY tasks_failed WHERE status = 'FAILURE'
        AND submitted_at >= begins AND submitted_at < begins + 3600000),
    (SELECT count(*) FROM tasks INDEXED BY tasks_newest
        WHERE submitted_at >= begins AND submitted_at < begins + 3600000)
FROM hours
"""
_DURATIONS = """
SELECT json_group_array(finished_at - submitted_at) FROM tasks INDEXED BY tasks_made
WHERE status = 'SUCCESS' AND submitted_at >= :begin AND finished_at > 0
"""
_REASONS_SQL = """
SELECT reason, count(*) AS number FROM tasks INDEXED BY tasks_failed
WHERE status = 'FAILURE' AND submitted_at >= :begin
GROUP BY reason ORDER BY number DESC, max(submitted_at) DESC LIMIT :most
"""


def statistics(connection: sqlite3.Connection, now: Millis, hours: int) -> Statistics:
    """The hour of `now` and those before it."""
    last = now // HOUR * HOUR
    begin = last - (hours - 1) * HOUR
    connection.execute("BEGIN")
    try:
        took = _durations(connection, begin)
        return Statistics(
            hours=_hours(connection, begin, last),
            median=_at(took, 0.5),
            p95=_at(took, 0.95),
            reasons=_reasons(connection, begin),
        )
    finally:
        connection.rollback()


def _hours(connection: sqlite3.Connection, begin: Millis, last: Millis) -> list[Hour]:
    rows = connection.execute(_HOURS, {"begin": begin, "last": last})
    return [Hour(begins, made, failed, all_ - made - failed) for begins, made, failed, all_ in rows]


def _durations(connection: sqlite3.Connection, begin: Millis) -> list[float]:
    """Seconds from request to result, the fastest first. They come as one value: a row each would
    take the interpreter from the event loop as often."""
    (text,) = connection.execute(_DURATIONS, {"begin": begin}).fetchone()
    took = msgspec.json.decode(text, type=list[int])
    took.sort()
    return [each / 1000 for each in took]


def _at(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def _reasons(connection: sqlite3.Connection, begin: Millis) -> list[tuple[str, int]]:
    rows = connection.execute(_REASONS_SQL, {"begin": begin, "most": _REASONS})
    return [(reason or "", number) for reason, number in rows]
