"""Small records that people make: tokens, accounts. Few, read often, written seldom.

They stand in one table, as JSON by kind and id, over a connection of their own, so that the command
line can change them while a server runs: `changed` tells when somebody else did. All calls block
for as long as a small query takes.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from athena.store import tables
from athena.store.connecting import connect
from athena.store.writer import StoreBroken

_T = TypeVar("_T", bound=Struct)


class RecordKind(Struct, Generic[_T], frozen=True):
    """A kind of record. `name` is stored: it outlives every renaming of the type."""

    name: str
    type: type[_T]


class Records:
    """The records of a data folder. Make it, use it, `close` it.

    Raises:
        StoreBroken: the folder holds no database of ours.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._connection = connect(folder / "athena.db", create=True)
        self._version: int | None = None

    def changed(self) -> bool:
        """Whether another connection has written since this was last asked."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        before, self._version = self._version, version
        return bool(version != before)

    def all(self, kind: RecordKind[_T]) -> list[_T]:
        """Every record of a kind, in the order of their ids."""
        rows = self._connection.execute(tables.RECORDS, {"of_kind": kind.name}).fetchall()
        return [msgspec.json.decode(body, type=kind.type) for (body,) in rows]

    def put(self, kind: RecordKind[_T], record_id: str, record: _T) -> None:
        """Keep a record, in place of an older one of that id.

        Raises:
            StoreBroken: the disk does not take it.
        """
        values = {
            "kind": kind.name,
            "id": record_id,
            "body": msgspec.json.encode(record),
        }
        self._write(tables.PUT_RECORD, values)

    def remove(self, kind: RecordKind[_T], record_id: str) -> bool:
        """False when there was none. Raises as `put`."""
        values = {"of_kind": kind.name, "of_id": record_id}
        return self._write(tables.DROP_RECORD, values).rowcount > 0

    def _write(self, sql: str, values: Mapping[str, object]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise StoreBroken(str(error)) from error

    def close(self) -> None:
        self._connection.close()
