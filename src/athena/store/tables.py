"""The tables, once, for every engine; and the SQL that is made from them.

A task's row holds the whole task as JSON beside the few columns that are searched by.
"""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement, bindparam

VERSION = 6
"""Raised with every change of the tables; a database of a newer version is refused."""

metadata = MetaData()

tasks = Table(
    "tasks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(32), nullable=False),
    Column("ended", Integer, nullable=False),
    Column("submitted_at", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("tasks_unfinished", "ended", "submitted_at"),
    Index("tasks_newest", "submitted_at"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("task_id", String(32), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("filename", String(200), nullable=False),
    Column("content_type", String(100), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("task_id", String(32), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("url", String(2000), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

refused_prompts = Table(
    "refused_prompts",
    metadata,
    Column("task_id", String(32), primary_key=True),
    Column("at", Integer, nullable=False),
    Column("prompt", String, nullable=False),
    Column("said", String, nullable=False),
)


triggers = Table(
    "triggers",
    metadata,
    Column("trigger", String(20), primary_key=True),
    Column("task_id", String(32), primary_key=True),
)

records = Table(
    "records",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

claims = Table(
    "claims",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("at", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Index("claims_oldest", "at"),
)

seen = Table(
    "seen",
    metadata,
    Column("channel", String(32), primary_key=True),
    Column("message", String(32), nullable=False),
)

uploaded = Table(
    "uploaded",
    metadata,
    Column("name", String(400), primary_key=True),
    Column("account", String(32), nullable=False),
    Column("at", Integer, nullable=False),
    Index("brought_oldest", "at"),
)

usage = Table(
    "usage",
    metadata,
    Column("token", String(40), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("tasks", Integer, nullable=False),
)


TOUCH = f"PRAGMA user_version={VERSION}"
"""Writes to the file and changes nothing."""


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))


def _head(table: Table, *, replacing: bool = False) -> str:
    """An INSERT of whole rows up to its values, which are in the order of the columns."""
    statement = insert(table).prefix_with("OR REPLACE") if replacing else insert(table)
    return _sql(statement).split(" VALUES ", 1)[0]


def _create(table: Table) -> list[str]:
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    statements = [_sql(CreateIndex(index, if_not_exists=True)) for index in indexes]
    return [_sql(CreateTable(table, if_not_exists=True)), *statements]


CREATE = tuple(sql for table in metadata.sorted_tables for sql in _create(table))

ADD_TASK = _head(tasks)
SAVE_TASK = _sql(
    update(tasks)
    .where(tasks.c.id == bindparam("of_task"))
    .values(account=bindparam("account"), ended=bindparam("ended"), body=bindparam("body"))
)
TASK = _sql(select(tasks.c.body).where(tasks.c.id == bindparam("of_task")))
UNFINISHED = _sql(
    select(tasks.c.body)
    .where(tasks.c.ended == literal_column("0"))
    .order_by(tasks.c.submitted_at, tasks.c.id)
)
NEWEST = _sql(
    select(tasks.c.body)
    .order_by(tasks.c.submitted_at.desc(), tasks.c.id.desc())
    .limit(bindparam("most"))
    .offset(literal_column("0"))
)

ENDED = _sql(
    select(tasks.c.body)
    .where(tasks.c.ended == literal_column("1"))
    .order_by(tasks.c.submitted_at.desc(), tasks.c.id.desc())
    .limit(bindparam("most"))
    .offset(literal_column("0"))
)

DROP_TASK = _sql(delete(tasks).where(tasks.c.id == bindparam("of_task")))
DROP_TRIGGERS = _sql(delete(triggers).where(triggers.c.task_id == bindparam("of_task")))
DROP_OUTBOX = _sql(delete(outbox).where(outbox.c.task_id == bindparam("of_task")))

ADD_UPLOAD = _head(uploads)
UPLOADS = _sql(
    select(uploads.c.filename, uploads.c.content_type, uploads.c.data)
    .where(uploads.c.task_id == bindparam("of_task"))
    .order_by(uploads.c.position)
)
DROP_UPLOADS = _sql(delete(uploads).where(uploads.c.task_id == bindparam("of_task")))

ADD_REFUSED_PROMPT = _head(refused_prompts)
REFUSED_PROMPTS = _sql(
    select(
        refused_prompts.c.task_id,
        refused_prompts.c.at,
        refused_prompts.c.prompt,
        refused_prompts.c.said,
    ).order_by(refused_prompts.c.at)
)

ADD_TRIGGER = _head(triggers)
BY_TRIGGER = _sql(
    select(tasks.c.body)
    .join(triggers, triggers.c.task_id == tasks.c.id)
    .where(triggers.c.trigger == bindparam("of_trigger"))
    .order_by(tasks.c.submitted_at, tasks.c.id)
)

RECORDS = _sql(
    select(records.c.body).where(records.c.kind == bindparam("of_kind")).order_by(records.c.id)
)
PUT_RECORD = _sql(insert(records).prefix_with("OR REPLACE"))
DROP_RECORD = _sql(
    delete(records).where(
        records.c.kind == bindparam("of_kind"), records.c.id == bindparam("of_id")
    )
)

ADD_CLAIM = _head(claims, replacing=True)
CLAIM = _sql(select(claims).where(claims.c.key == bindparam("of_key")))
DROP_CLAIMS = _sql(delete(claims).where(claims.c.at < bindparam("before")))

SEEN = _sql(select(seen.c.channel, seen.c.message))
SAVE_SEEN = _sql(
    insert(seen)
    .prefix_with("OR REPLACE")
    .values(channel=bindparam("channel"), message=bindparam("message"))
)

ADD_BROUGHT = _head(uploaded, replacing=True)
BROUGHT = _sql(select(uploaded.c.account).where(uploaded.c.name == bindparam("of_name")))
DROP_BROUGHT = _sql(delete(uploaded).where(uploaded.c.at < bindparam("before")))

_counted = sqlite.insert(usage).values(
    token=bindparam("token"), day=bindparam("day"), tasks=literal_column("1")
)
COUNT_TASK = _sql(
    _counted.on_conflict_do_update(
        index_elements=[usage.c.token, usage.c.day],
        set_={"tasks": usage.c.tasks + literal_column("1")},
    )
)
USAGE = _sql(select(usage.c.token, usage.c.tasks).where(usage.c.day == bindparam("of_day")))

ADD_DELIVERY = _head(outbox)
DELIVERIES = _sql(select(outbox.c.url, outbox.c.body).order_by(outbox.c.task_id, outbox.c.revision))
DROP_DELIVERIES = _sql(
    delete(outbox).where(
        outbox.c.task_id == bindparam("of_task"), outbox.c.revision <= bindparam("up_to")
    )
)
