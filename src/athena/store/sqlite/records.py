"""The small records on SQLite, over a connection of their own, so that the command line can change
them while a server runs: `changed` says whether another process changed something."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from athena.errors import StoreError, StoreUnavailable
from athena.store.record_kinds import RecordKind, T
from athena.store.sqlite.connecting import FILE, connect_guest

log = structlog.get_logger(__name__)

_ALL = "SELECT id, body FROM records WHERE kind = :kind ORDER BY id"
_PUT = "INSERT OR REPLACE INTO records (kind, id, body) VALUES (:kind, :id, :body)"
_REMOVE = "DELETE FROM records WHERE kind = :kind AND id = :id"


class SqliteRecords:
    """Implements `athena.store.record_kinds.Records`. Make it, use it, `close` it.

    Raises:
        SchemaTooOld, SchemaTooNew: the folder's database is of another version; only the server
            migrates it.
        StoreError: the folder holds no database of ours.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._connection = connect_guest(folder / FILE)
        self._version: int | None = None

    def changed(self) -> bool:
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"the store could not read: {error}") from error
        before, self._version = self._version, version
        return bool(version != before)

    def all(self, kind: RecordKind[T]) -> list[T]:
        try:
            rows = self._connection.execute(_ALL, {"kind": kind.name}).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the store could not read: {error}") from error
        found = (_decoded(kind, record_id, body) for record_id, body in rows)
        return [record for record in found if record is not None]

    def put(self, kind: RecordKind[T], record_id: str, record: T) -> None:
        body = msgspec.json.encode(record)
        self._write(_PUT, {"kind": kind.name, "id": record_id, "body": body})

    def remove(self, kind: RecordKind[T], record_id: str) -> bool:
        return self._write(_REMOVE, {"kind": kind.name, "id": record_id}) > 0

    def close(self) -> None:
        self._connection.close()

    def _write(self, sql: str, values: Mapping[str, object]) -> int:
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the store could not write: {error}") from error


def _decoded(kind: RecordKind[T], record_id: str, body: bytes) -> T | None:
    """The record; None when it is unreadable, for example from a newer version."""
    try:
        return msgspec.json.decode(body, type=kind.type)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.error("record.unreadable", kind=kind.name, record=record_id, error=str(error))
        return None
