"""Opens the store of a data folder, which belongs to one process at a time."""

import asyncio
import fcntl
from pathlib import Path
from typing import IO

from athena.clock import Clock, SystemClock
from athena.errors import FolderInUse
from athena.store.retention import Retention
from athena.store.sqlite.loading import load
from athena.store.sqlite.repository import SqliteRepository
from athena.store.sqlite.writer import Writer, WriterFactory

_SEARCH_LIMIT = 2.0
"""Seconds."""


async def open_store(
    folder: Path,
    *,
    make_writer: WriterFactory = Writer,
    retention: Retention | None = None,
    clock: Clock | None = None,
    search_limit: float = _SEARCH_LIMIT,
) -> SqliteRepository:
    """Open the store of a data folder, creating or migrating the database if needed.

    Args:
        make_writer: makes what calls the committer; tests and the chaos run give their own.
        retention: what `sweep` deletes.
        search_limit: seconds that a search may take.

    Raises:
        FolderInUse: another process has it open.
        SchemaTooNew: the database is of a newer Athena.
        StoreError: the file is no database of ours.
    """
    loop = asyncio.get_running_loop()
    lock = _lock(folder)
    try:
        opened = await loop.run_in_executor(None, load, folder, search_limit)
    except BaseException:
        lock.close()
        raise
    writer = make_writer(opened.committer)
    return SqliteRepository(opened, writer, lock, retention or Retention(), clock or SystemClock())


def _lock(folder: Path) -> IO[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "athena.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise FolderInUse(f"another Athena uses {folder}") from error
    return lock
