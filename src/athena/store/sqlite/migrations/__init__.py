"""Brings a database to the version that this program works with.

Each `NNNN_name.sql` leads from the version before it to version NNNN. A new database runs all of
them, so there is one path for new and old. Each file is one transaction, and the version is stamped
in it: one that fails leaves the database as it was.
"""

import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from athena.errors import SchemaTooNew


@cache
def _scripts() -> dict[int, str]:
    scripts = (each for each in files(__name__).iterdir() if each.name.endswith(".sql"))
    by_version = {int(each.name[:4]): each.read_text(encoding="utf-8") for each in scripts}
    return dict(sorted(by_version.items()))


def newest() -> int:
    """The version that this program works with."""
    return max(_scripts())


def version_of(connection: sqlite3.Connection) -> int:
    """The database's version; 0 when it is new."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection) -> int:
    """Bring a database to the newest version. Returns the version that it had.

    Raises:
        SchemaTooNew: a newer Athena made it.
        sqlite3.Error: a script failed; what it did is undone.
    """
    before = version_of(connection)
    refuse_newer(before)
    if before == 0:
        # Only possible before the first table is made.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    for version, script in _scripts().items():
        if version > before:
            _run(connection, version, script)
    return before


def refuse_newer(version: int) -> None:
    """Raises `SchemaTooNew` for a version beyond the newest."""
    if version > newest():
        raise SchemaTooNew(
            f"the database is of a newer Athena (version {version}); "
            f"this program knows up to {newest()}"
        )


def _run(connection: sqlite3.Connection, version: int, script: str) -> None:
    connection.execute("BEGIN EXCLUSIVE")
    try:
        # Another process may have done it while this one waited for the lock.
        if version_of(connection) < version:
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise


def _statements(script: str) -> Iterator[str]:
    """A script's statements. (`executescript` would commit before them.)"""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
