"""Connections to the database file, and which versions of it they take."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from athena.errors import SchemaTooOld, StoreError, StoreUnavailable
from athena.store import words
from athena.store.sqlite import migrations

FILE = "athena.db"

_LOCK_WAIT = 3.0
"""Seconds for which a lock of another process is waited for."""

_WAL_LIMIT = 64 * 1024 * 1024
"""Bytes to which the write-ahead log is cut after it was longer."""


def connect_owner(path: Path) -> sqlite3.Connection:
    """The connection that writes tasks, for one thread at a time; it commits by itself. Makes and
    migrates the database.

    Raises:
        SchemaTooNew: a newer Athena made the database.
        StoreError: the file is no database of ours, or could not be migrated.
    """
    connection = _connect(path)
    with _closed_on_error(connection, path):
        had = migrations.migrate(connection)
        _set_up(connection)
        if had:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.create_function("terms_of", 1, _terms_of, deterministic=True)
    return connection


def connect_guest(path: Path) -> sqlite3.Connection:
    """A connection for small reads and writes besides the owner's. It makes a database that is not
    there yet, and never changes the version of one that is.

    Raises:
        SchemaTooOld, SchemaTooNew: only the server migrates.
        StoreError: the file is no database of ours.
    """
    if not path.exists():
        connect_owner(path).close()
    connection = _connect(path)
    with _closed_on_error(connection, path):
        _set_up(connection)
        _require(connection, migrations.newest())
    return connection


def connect_reader(path: Path, *, oldest: int | None = None) -> sqlite3.Connection:
    """A connection that cannot write, for one thread at a time.

    Args:
        oldest: the lowest version that the caller can read; None: only the newest.

    Raises:
        SchemaTooOld, SchemaTooNew: the caller cannot read this version.
        StoreError: the file is no database of ours.
    """
    # Not `mode=ro`: to read a write-ahead log its index has to be made.
    connection = _connect(path)
    with _closed_on_error(connection, path):
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-16000")
        _require(connection, migrations.newest() if oldest is None else oldest)
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=_LOCK_WAIT
        )
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


@contextmanager
def _closed_on_error(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Close a connection that cannot be used; SQLite's errors become a `StoreError`."""
    try:
        yield
    except StoreError:
        connection.close()
        raise
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path}: {error}") from error


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")


def _require(connection: sqlite3.Connection, oldest: int) -> None:
    version = migrations.version_of(connection)
    migrations.refuse_newer(version)
    if version < oldest:
        raise SchemaTooOld(
            f"the database is of version {version}, and this needs {oldest}: "
            "start the server once, which migrates it"
        )


def _terms_of(text: str) -> str:
    return " ".join(words.terms(text))
