"""How the deliveries to webhooks go, for administrators."""

from msgspec import Struct
from msgspec.structs import replace

from athena.bounded import BoundedDict
from athena.clock import Millis
from athena.delivery.sending import Outcome
from athena.tasks.model import Task

_REMEMBERED = 10_000


class DeliveryStatus(Struct, frozen=True, kw_only=True):
    """How the delivery of one task's states goes."""

    url: str | None = None
    delivered_revision: int | None = None
    waiting_revision: int | None = None
    tries: int = 0
    """Of the state that waits now."""
    last_answer: int | None = None
    """The HTTP status of the last try."""
    last_error: str | None = None
    """The kind of error of the last try, when there was no answer."""
    next_try_at: Millis | None = None


class DeliveryLog:
    """The status of the tasks whose deliveries changed last, 10,000 at most."""

    def __init__(self) -> None:
        self._known: BoundedDict[str, DeliveryStatus] = BoundedDict(_REMEMBERED)

    def of(self, task: Task) -> DeliveryStatus:
        """A task's status; only its URL when nothing is known."""
        return self._known.get(task.id) or DeliveryStatus(url=task.webhook)

    def latest(self) -> list[tuple[str, DeliveryStatus]]:
        """All that are known with their tasks' ids, the last changed first."""
        return [(task_id, self._known[task_id]) for task_id in reversed(self._known)]

    def waits(self, task: Task) -> None:
        """A state is to be delivered."""
        self._change(task, waiting_revision=task.revision, tries=0, next_try_at=None)

    def tried(self, task: Task, outcome: Outcome) -> None:
        """A state was sent."""
        self._change(
            task,
            tries=self.of(task).tries + 1,
            last_answer=outcome.answer,
            last_error=outcome.error,
            next_try_at=None,
        )

    def waits_until(self, task: Task, at: Millis) -> None:
        """A state is sent again at this time."""
        self._change(task, next_try_at=at)

    def delivered(self, task: Task) -> None:
        """The receiver has a state."""
        self._change(task, delivered_revision=task.revision, waiting_revision=self._newer(task))

    def dropped(self, task: Task) -> None:
        """A state is not sent any more: there was nothing to tell, or it is too old."""
        self._change(task, waiting_revision=self._newer(task), next_try_at=None)

    def forget(self, task_id: str) -> None:
        """Drop what is known of a deleted task."""
        self._known.pop(task_id, None)

    def _newer(self, task: Task) -> int | None:
        """The revision of a newer state that waits."""
        waiting = self.of(task).waiting_revision
        return waiting if waiting is not None and waiting > task.revision else None

    def _change(self, task: Task, **changes: object) -> None:
        self._known[task.id] = replace(self.of(task), **changes)
