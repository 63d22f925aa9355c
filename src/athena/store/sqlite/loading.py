"""Opens a repository's parts: connections, and the tasks that are in memory at the start."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from athena.errors import StoreError
from athena.store.cache import TaskCache
from athena.store.sqlite import indexing, queries
from athena.store.sqlite.connecting import FILE, connect_owner, connect_reader
from athena.store.sqlite.queries import TaskReader
from athena.store.sqlite.reading import Lane, Unreadable
from athena.store.sqlite.uploads import UploadFolder
from athena.store.sqlite.writer import Committer

_SEARCHES = 2
"""Searches at the same time."""


class Opened(Struct, frozen=True):
    """The parts of a repository."""

    committer: Committer
    fast: Lane
    slow: Lane
    cache: TaskCache
    unreadable: Unreadable
    upload_folder: UploadFolder
    with_uploads: set[str]
    """Tasks with which something was uploaded."""


def load(folder: Path, search_limit: float) -> Opened:
    """Open a data folder's database, creating or migrating it if needed. Blocks.

    Raises:
        SchemaTooNew: a newer Athena made it.
        StoreError: the file is no database of ours.
    """
    path = folder / FILE
    with ExitStack() as stack:
        owner = connect_owner(path)
        stack.callback(owner.close)
        fast = Lane(path, "reader", 1)
        stack.callback(fast.close)
        slow = Lane(path, "searcher", _SEARCHES, search_limit)
        stack.callback(slow.close)
        unreadable, uploads = Unreadable(), UploadFolder(folder)
        reader = connect_reader(path)
        stack.callback(reader.close)
        try:
            owner.execute(indexing.TRY_AGAIN)
            cache = _fill(reader, unreadable)
            kept = queries.has_unfinished(reader, uploads.tasks())
            with_uploads = kept | queries.with_uploads(reader)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error
        uploads.remove(uploads.tasks() - kept)
        stack.pop_all()
        reader.close()
    return Opened(Committer(owner), fast, slow, cache, unreadable, uploads, with_uploads)


def _fill(reader: sqlite3.Connection, unreadable: Unreadable) -> TaskCache:
    """Load what a start needs: unfinished tasks, and recent ones that may still get messages."""
    cache, tasks = TaskCache(), TaskReader(unreadable)
    for task in [*tasks.recent(reader), *tasks.unfinished(reader)]:
        cache.put(task)
    return cache
