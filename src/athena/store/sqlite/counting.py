"""Statistics, counted by SQLite from indexes alone, on a reader's thread."""

import sqlite3

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
_MADE = """
FROM tasks INDEXED BY tasks_made
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
        return Statistics(
            hours=_hours(connection, begin, last),
            median=_duration(connection, begin, 0.5),
            p95=_duration(connection, begin, 0.95),
            reasons=_reasons(connection, begin),
        )
    finally:
        connection.rollback()


def _hours(connection: sqlite3.Connection, begin: Millis, last: Millis) -> list[Hour]:
    rows = connection.execute(_HOURS, {"begin": begin, "last": last})
    return [Hour(begins, made, failed, all_ - made - failed) for begins, made, failed, all_ in rows]


def _duration(connection: sqlite3.Connection, begin: Millis, share: float) -> float | None:
    """Seconds within which this share of the results came."""
    (count,) = connection.execute(f"SELECT count(*) {_MADE}", {"begin": begin}).fetchone()
    if not count:
        return None
    sql = f"SELECT finished_at - submitted_at AS took {_MADE} ORDER BY took LIMIT 1 OFFSET :at"
    at = min(count - 1, int(count * share))
    (took,) = connection.execute(sql, {"begin": begin, "at": at}).fetchone()
    return float(took) / 1000


def _reasons(connection: sqlite3.Connection, begin: Millis) -> list[tuple[str, int]]:
    rows = connection.execute(_REASONS_SQL, {"begin": begin, "most": _REASONS})
    return [(reason or "", number) for reason, number in rows]
