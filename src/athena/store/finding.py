"""Tasks by what they are like, page by page, newest first; and what became of all of them lately.

What is searched by stands in the task's JSON, which SQLite reads by itself: some thousand tasks
cost a few milliseconds, on the reader's thread.
"""

from collections import Counter

from msgspec import Struct

from athena.store.store import Store
from athena.tasks.model import Millis, Status, Task

_HOUR: Millis = 60 * 60 * 1000
_MOST_COUNTED = 20_000

_SEARCH = """
SELECT body FROM tasks
WHERE (:before IS NULL OR (submitted_at, id) < (:before_at, :before))
  AND (:account IS NULL OR account = :account)
  AND (:since IS NULL OR submitted_at >= :since)
  AND (:until IS NULL OR submitted_at < :until)
  AND (:status IS NULL
       OR coalesce(json_extract(CAST(body AS TEXT), '$.status'), 'NOT_START') = :status)
  AND (:action IS NULL OR json_extract(CAST(body AS TEXT), '$.action') = :action)
  AND (:words IS NULL
       OR instr(lower(coalesce(json_extract(CAST(body AS TEXT), '$.prompt'), '')
                      || ' ' || json_extract(CAST(body AS TEXT), '$.description')
                      || ' ' || id), lower(:words)) > 0)
ORDER BY submitted_at DESC, id DESC
LIMIT :most
"""


class Wish(Struct, frozen=True, kw_only=True):
    """What tasks are to be like; what is None does not matter."""

    status: str | None = None
    action: str | None = None
    account: str | None = None
    words: str | None = None
    """In the prompt, the description or the id."""
    since: Millis | None = None
    until: Millis | None = None


class Hour(Struct, frozen=True):
    """What became of the tasks that were asked for in one hour."""

    begins: Millis
    made: int
    failed: int
    other: int


class Summary(Struct, frozen=True, kw_only=True):
    """Some hours in figures. Times are seconds from the request to the image."""

    hours: list[Hour]
    median: float | None
    slowest: float | None
    """95 of 100 were faster."""
    reasons: list[tuple[str, int]]
    """Why tasks failed, the most frequent first."""


async def search(
    store: Store, wish: Wish, most: int, before: tuple[Millis, str] | None = None
) -> list[Task]:
    """The newest tasks that are so; `before` is the moment and the id of one that was seen."""
    values: dict[str, object] = {
        "status": wish.status,
        "action": wish.action,
        "account": wish.account,
        "words": wish.words or None,
        "since": wish.since,
        "until": wish.until,
        "before": before[1] if before else None,
        "before_at": before[0] if before else None,
        "most": most,
    }
    await store.written()
    return await store.query_tasks(_SEARCH, values)


async def summary(store: Store, now: Millis, hours: int) -> Summary:
    """The last hours, the oldest first."""
    begin = (now // _HOUR - hours + 1) * _HOUR
    tasks = await search(store, Wish(since=begin), _MOST_COUNTED)
    made = sorted(
        (task.finished_at - task.submitted_at) / 1000
        for task in tasks
        if task.status is Status.SUCCESS and task.finished_at
    )
    reasons = Counter(_short(task) for task in tasks if task.status is Status.FAILURE)
    return Summary(
        hours=[_hour(tasks, begin + number * _HOUR) for number in range(hours)],
        median=_at(made, 0.5),
        slowest=_at(made, 0.95),
        reasons=reasons.most_common(10),
    )


def _hour(tasks: list[Task], begin: Millis) -> Hour:
    within = [t.status for t in tasks if begin <= t.submitted_at < begin + _HOUR]
    made, failed = within.count(Status.SUCCESS), within.count(Status.FAILURE)
    return Hour(begin, made, failed, len(within) - made - failed)


def _short(task: Task) -> str:
    """A reason without what is peculiar to its task."""
    reason = task.failure.reason if task.failure else ""
    title = reason.partition("]")[0]
    return f"{title}]" if reason.startswith("[") else reason[:80]


def _at(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
