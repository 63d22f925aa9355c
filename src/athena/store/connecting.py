"""Opens the database, making its tables when they are not there yet."""

import sqlite3
from pathlib import Path

from athena.store import tables
from athena.store.writer import StoreBroken

_PATIENCE = 3.0
"""Seconds for which a lock of another process is waited for."""


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection for one thread at a time, which commits by itself.

    Raises:
        StoreBroken: the file is no database of ours, or of a newer Athena.
    """
    try:
        connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=_PATIENCE
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if create:
            _prepare(connection)
    except sqlite3.Error as error:
        raise StoreBroken(f"{path}: {error}") from error
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > tables.VERSION:
        raise StoreBroken(f"the database is of a newer Athena (version {version})")
    for statement in tables.CREATE:
        connection.execute(statement)
    connection.execute(tables.TOUCH)
