"""What a change of a task writes: pure functions from tasks to statements.

A task's row holds the whole task as JSON, and the columns that are searched by. A save that
changes no column writes the body alone, so no index is touched.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from athena.store.repository import IdempotencyRecord
from athena.store.retention import day_of
from athena.store.sqlite.writer import Execute, Insert, Statement
from athena.tasks.model import Millis, Status, Task
from athena.tasks.requests import Upload

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Task).decode

_ADD_TASK = (
    "INSERT INTO tasks (id, account, status, action, token, ended, revision, submitted_at,"
    " finished_at, reason, body)"
)
_SAVE_BODY = """
UPDATE tasks SET revision = :revision, body = :body
WHERE id = :id AND revision BETWEEN :durable AND :before
"""
_SAVE_TASK = """
UPDATE tasks SET account = :account, status = :status, action = :action, token = :token,
    ended = :ended, revision = :revision, finished_at = :finished_at, reason = :reason,
    body = :body
WHERE id = :id AND revision BETWEEN :durable AND :before
"""
_UNINDEXED = """
INSERT OR IGNORE INTO unindexed (number) SELECT number FROM tasks WHERE id = :id
"""
_LOST = "the task was changed by another save"

_COUNT_TASK = "INSERT INTO usage (token, day, tasks)"
_ONE_MORE = "ON CONFLICT (token, day) DO UPDATE SET tasks = tasks + 1"
_ADD_TRIGGER = 'INSERT INTO triggers ("trigger", task_id)'

_ADD_DELIVERY = """
INSERT INTO deliveries (task_id, revision, url) VALUES (:id, :revision, :url)
ON CONFLICT (task_id) DO UPDATE SET revision = excluded.revision, url = excluded.url
WHERE excluded.revision > revision
"""
_DELIVERED = "DELETE FROM deliveries WHERE task_id = :id AND revision <= :revision"

_ADD_REFUSED = """
INSERT OR REPLACE INTO refused_prompts (task_id, at, prompt, said)
VALUES (:id, :at, :prompt, :said)
"""

_ADD_UPLOAD = "INSERT OR REPLACE INTO uploads (task_id, position, filename, content_type)"
_DROP_UPLOADS = "DELETE FROM uploads WHERE task_id = :id"

_CLAIM = """
INSERT INTO idempotency_records (key, at, fingerprint, answer, task_id)
VALUES (:key, :at, :fingerprint, :answer, :task_id)
ON CONFLICT (key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint,
    answer = excluded.answer, task_id = excluded.task_id
WHERE at < excluded.at - :life
"""

_KEEP_FILE = "INSERT OR REPLACE INTO uploaded_files (name, account, at)"
_SAVE_CURSOR = "INSERT OR REPLACE INTO channel_cursors (channel, message)"

_REMOVE = (
    """
    INSERT INTO task_terms (task_terms, rowid, terms)
    SELECT 'delete', x.number, terms_of(x.text) FROM task_texts x JOIN tasks t USING (number)
    WHERE t.id = :id
    """,
    "DELETE FROM unindexed WHERE number = (SELECT number FROM tasks WHERE id = :id)",
    "DELETE FROM task_texts WHERE number = (SELECT number FROM tasks WHERE id = :id)",
    "DELETE FROM tasks WHERE id = :id",
    "DELETE FROM triggers WHERE task_id = :id",
    "DELETE FROM deliveries WHERE task_id = :id",
    "DELETE FROM refused_prompts WHERE task_id = :id",
    "DELETE FROM idempotency_records WHERE task_id = :id",
    _DROP_UPLOADS,
)


def webhook_of(task: Task) -> str | None:
    """The address that receives a task's changes."""
    return task.webhook


def reason_of(task: Task) -> str | None:
    """Why a task failed, without what is peculiar to it: a title in brackets, else how the reason
    begins. None when it did not fail."""
    if task.status is not Status.FAILURE:
        return None
    reason = task.failure.reason if task.failure else ""
    end = reason.find("]") if reason.startswith("[") else -1
    return reason[: end + 1] if end > 0 else reason[:80]


def add(
    task: Task, uploads: Sequence[Upload], claim: IdempotencyRecord | None, life: Millis
) -> list[Statement]:
    """A new task. `life` is how long an idempotency key is taken."""
    statements: list[Statement] = [Insert(_ADD_TASK, _row(task)), *_uploads(task.id, uploads)]
    if task.ended:
        statements.append(Execute(_UNINDEXED, {"id": task.id}))
    if claim:
        statements.append(keep_claim(claim, life))
    if task.token:
        row = (task.token, day_of(task.submitted_at), 1)
        statements.append(Insert(_COUNT_TASK, row, _ONE_MORE))
    if task.trigger:
        statements.append(Insert(_ADD_TRIGGER, (task.trigger, task.id)))
    return statements


def save(
    before: Task, after: Task, *, durable: int, chained: bool, visible: bool, uploads: bool
) -> list[Statement]:
    """A change. The row must be of a revision from `durable` to that of `before`: these are the
    states that this process has written, or is about to write and may fail to.

    Args:
        chained: other saves of the task are on their way, so the row's columns are not known.
        visible: the webhook is notified.
        uploads: something was uploaded with it, which is deleted when it has ended.
    """
    statements: list[Statement] = [_update(before, after, durable, chained)]
    url = webhook_of(after)
    if url and visible:
        values = {"id": after.id, "revision": after.revision, "url": url}
        statements.append(Execute(_ADD_DELIVERY, values))
    if after.ended and uploads:
        statements.append(Execute(_DROP_UPLOADS, {"id": after.id}))
    if after.ended and (not before.ended or _words_changed(before, after)):
        statements.append(Execute(_UNINDEXED, {"id": after.id}))
    return statements + _refused(before, after)


def with_save(
    task_id: str, uploads: Sequence[Upload], claim: IdempotencyRecord | None, life: Millis
) -> list[Statement]:
    """What is saved together with a user's request: uploads and an idempotency record."""
    return [*_uploads(task_id, uploads), *([keep_claim(claim, life)] if claim else [])]


def keep_claim(claim: IdempotencyRecord, life: Millis) -> Statement:
    """An idempotency record; a conflict while another of the key is younger than `life`."""
    values = {**msgspec.structs.asdict(claim), "life": life}
    return Execute(_CLAIM, values, conflict="the idempotency key is taken")


def keep_file(name: str, account: str, at: Millis) -> Statement:
    """In which account's channel an uploaded file is."""
    return Insert(_KEEP_FILE, (name, account, at))


def save_cursor(channel: str, message: str) -> Statement:
    """The newest message that was read in a channel."""
    return Insert(_SAVE_CURSOR, (channel, message))


def delivered(task: Task) -> Statement:
    """The webhook knows this state of a task, and all before it."""
    return Execute(_DELIVERED, {"id": task.id, "revision": task.revision})


def remove(task_id: str) -> list[Statement]:
    """Every trace of a task."""
    return [Execute(sql, {"id": task_id}) for sql in _REMOVE]


def _update(before: Task, after: Task, durable: int, chained: bool) -> Statement:
    values: dict[str, Any] = {
        "id": after.id,
        "revision": after.revision,
        "body": encode(after),
        "durable": durable,
        "before": before.revision,
    }
    if not chained and _columns(before) == _columns(after):
        return Execute(_SAVE_BODY, values, conflict=_LOST)
    return Execute(_SAVE_TASK, {**values, **_columns(after)}, conflict=_LOST)


def _columns(task: Task) -> dict[str, object]:
    return {
        "account": task.account,
        "status": task.status,
        "action": task.action,
        "token": task.token,
        "ended": int(task.ended),
        "finished_at": task.finished_at,
        "reason": reason_of(task),
    }


def _words_changed(before: Task, after: Task) -> bool:
    """Whether text changed that may already be indexed."""
    return any(
        getattr(before, name) != getattr(after, name)
        for name in ("prompt", "prompt_english", "final_prompt", "description")
    )


def _row(task: Task) -> tuple[object, ...]:
    return (
        task.id, task.account, task.status, task.action, task.token, int(task.ended),
        task.revision, task.submitted_at, task.finished_at, reason_of(task), encode(task),
    )  # fmt: skip


def _uploads(task_id: str, uploads: Sequence[Upload]) -> list[Statement]:
    return [
        Insert(_ADD_UPLOAD, (task_id, position, upload.filename, upload.content_type))
        for position, upload in enumerate(uploads)
    ]


def _refused(before: Task, after: Task) -> list[Statement]:
    failure = after.failure
    if before.ended or failure is None or not failure.moderated or not after.prompt:
        return []
    values = {
        "id": after.id,
        "at": after.finished_at or after.submitted_at,
        "prompt": after.prompt,
        "said": failure.reason,
    }
    return [Execute(_ADD_REFUSED, values)]
