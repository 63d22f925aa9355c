"""Tasks in memory: all unfinished ones and the latest ended ones, which are read most.

The cache does not know the disk; the repository fills it. Tasks are indexed by account, so no call
costs more than the tasks that it returns. When there are too many ended tasks, the oldest are
dropped.
"""

from collections import OrderedDict, defaultdict

from athena.tasks.model import Status, Task


class _OfAccount:
    """One account's tasks."""

    __slots__ = ("ended", "modal", "unfinished")

    def __init__(self) -> None:
        self.unfinished: dict[str, Task] = {}
        self.ended: dict[str, Task] = {}
        self.modal = 0


class TaskCache:
    """Tasks by id and by account. Not for several threads."""

    def __init__(self, most_ended: int = 10_000) -> None:
        self._most_ended = most_ended
        self._unfinished: dict[str, Task] = {}
        self._ended: OrderedDict[str, Task] = OrderedDict()
        self._accounts: defaultdict[str, _OfAccount] = defaultdict(_OfAccount)

    def get(self, task_id: str) -> Task | None:
        """A task by its id; None when it is not held."""
        return self._unfinished.get(task_id) or self._ended.get(task_id)

    def put(self, task: Task) -> None:
        """Hold a task, replacing an older state of it."""
        known = self.get(task.id)
        if known is not None and _same_place(known, task):
            self._insert(task)
            return
        if known is not None:
            self.drop(task.id)
        self._insert(task)
        while len(self._ended) > self._most_ended:
            self.drop(next(iter(self._ended)))

    def drop(self, task_id: str) -> None:
        """Stop holding a task, if it is held."""
        task = self._unfinished.pop(task_id, None) or self._ended.pop(task_id, None)
        if task is None:
            return
        of = self._accounts[task.account]
        if of.unfinished.pop(task_id, None) is None:
            del of.ended[task_id]
        elif task.status is Status.MODAL:
            of.modal -= 1
        if not of.unfinished and not of.ended:
            del self._accounts[task.account]

    def unfinished(self, account: str | None = None) -> list[Task]:
        """Tasks that have not ended, of one account or of all, by `submitted_at` and id."""
        tasks = self._unfinished if account is None else self._of(account).unfinished
        return sorted(tasks.values(), key=lambda task: (task.submitted_at, task.id))

    def unfinished_count(self, account: str) -> int:
        """How many unfinished tasks an account has; those in MODAL wait for their user and do not
        count."""
        of = self._of(account)
        return len(of.unfinished) - of.modal

    def recent(self, account: str | None = None) -> list[Task]:
        """The held tasks that have ended, of one account or of all, in the order of their end."""
        return list((self._ended if account is None else self._of(account).ended).values())

    def _of(self, account: str) -> _OfAccount:
        return self._accounts.get(account) or _OfAccount()

    def _insert(self, task: Task) -> None:
        of = self._accounts[task.account]
        if task.ended:
            self._ended[task.id] = of.ended[task.id] = task
            return
        self._unfinished[task.id] = of.unfinished[task.id] = task
        of.modal += task.status is Status.MODAL


def _same_place(known: Task, task: Task) -> bool:
    return (
        known.account == task.account
        and known.ended == task.ended
        and Status.MODAL not in (known.status, task.status)
    )
