"""Reports for other processes while the server runs: read-only."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from athena.errors import StoreError
from athena.store.repository import RefusedPrompt
from athena.store.sqlite import migrations, queries
from athena.store.sqlite.connecting import FILE, connect_reader
from athena.store.sqlite.queries import TaskReader
from athena.store.sqlite.reading import Unreadable

T = TypeVar("T")

_OLDEST = 6
"""The version since which what is read here has been the same."""

_LOOKED_AT = 10_000


class Examination(Struct, frozen=True, kw_only=True):
    """The state of a data folder's database."""

    version: int
    fault: str
    """What SQLite's own check found; empty when it is sound."""
    unreadable: tuple[str, ...]
    """Tasks that this version cannot read, among the latest 10,000."""


def refused_prompts(folder: Path) -> list[RefusedPrompt]:
    """All of a data folder, oldest first; none when there is no store yet.

    Raises:
        SchemaTooOld, SchemaTooNew: the database is of a version that cannot be read.
        StoreError: the file is no database of ours.
    """
    return _read(folder, queries.refused_prompts) or []


def examine(folder: Path) -> Examination | None:
    """Examine the database of a data folder; None when there is none yet. Raises as
    `refused_prompts`."""
    return _read(folder, _examine)


def _examine(connection: sqlite3.Connection) -> Examination:
    (said,) = connection.execute("PRAGMA quick_check").fetchone()
    unreadable = Unreadable()
    rows = connection.execute(
        "SELECT id, body FROM tasks ORDER BY submitted_at DESC LIMIT ?", (_LOOKED_AT,)
    )
    TaskReader(unreadable).read(rows)
    return Examination(
        version=migrations.version_of(connection),
        fault="" if said == "ok" else said,
        unreadable=unreadable.ids,
    )


def _read(folder: Path, read: Callable[[sqlite3.Connection], T]) -> T | None:
    path = folder / FILE
    if not path.exists():
        return None
    with _reader(path) as connection:
        try:
            return read(connection)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error


@contextmanager
def _reader(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect_reader(path, oldest=_OLDEST)
    try:
        yield connection
    finally:
        connection.close()
