"""The store on SQLite: one file, one process that writes, any number of threads that read.

`open_store` gives a `SqliteRepository` (see `athena.store.repository` for what it promises).
`SqliteRecords` gives the small records to the server and to the command line. Types and errors of
`sqlite3` do not leave this package.
"""

from athena.store.sqlite.opening import open_store
from athena.store.sqlite.records import SqliteRecords
from athena.store.sqlite.repository import SqliteRepository
from athena.store.sqlite.writer import Committer, StoreWriter, Write, Writer, WriterFactory

__all__ = [
    "Committer",
    "SqliteRecords",
    "SqliteRepository",
    "StoreWriter",
    "Write",
    "Writer",
    "WriterFactory",
    "open_store",
]
