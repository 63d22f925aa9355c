"""Tasks and what comes with them, for tests of the store."""

from msgspec.structs import replace

from athena.store.repository import IdempotencyRecord
from athena.tasks.model import Action, Status, Task
from athena.tasks.requests import Imagine, Upload

NOW = 1_700_000_000_000


def make_task(number: int, **fields: object) -> Task:
    """A new task, submitted `number` milliseconds after `NOW`."""
    task = Task(
        id=f"{number:016}",
        account="1",
        request=Imagine(prompt=f"cat {number}"),
        action=Action.IMAGINE,
        prompt=f"cat {number}",
        submitted_at=NOW + number,
    )
    return replace(task, **fields)


def changed(task: Task, **fields: object) -> Task:
    """The task's next revision."""
    return replace(task, revision=task.revision + 1, **fields)


def ended(task: Task, status: Status = Status.SUCCESS, **fields: object) -> Task:
    """The task's next revision, in which it has ended."""
    fields = {"finished_at": task.submitted_at + 1000, **fields}
    return changed(task, status=status, **fields)


def upload(name: str = "one.png", data: bytes = b"x") -> Upload:
    return Upload(filename=name, content_type="image/png", data=data)


def claim_for(task: Task, key: str = "key", at: int = NOW) -> IdempotencyRecord:
    return IdempotencyRecord(
        key=key, at=at, fingerprint="f", answer=task.id.encode(), task_id=task.id
    )
