"""Figures: the same as counting the tasks one by one."""

import os
from collections import Counter
from random import Random

import pytest

from athena.store.queries import Hour, Statistics
from athena.store.repository import TaskRepository
from athena.tasks.model import Failure, Status, Task
from tests.contract.store.making import NOW, ended, make_task

HOUR = 3_600_000
SEED = int(os.environ.get("ATHENA_SEED", "3"))


def counted(tasks: list[Task], now: int, hours: int) -> Statistics:
    """The plain way to count."""
    begin = (now // HOUR - hours + 1) * HOUR
    within = [task for task in tasks if task.submitted_at >= begin]
    made = sorted(
        (task.finished_at - task.submitted_at) / 1000
        for task in within
        if task.status is Status.SUCCESS and task.finished_at
    )

    def at(share: float) -> float | None:
        return made[min(len(made) - 1, int(len(made) * share))] if made else None

    def hour(begins: int) -> Hour:
        states = [t.status for t in within if begins <= t.submitted_at < begins + HOUR]
        good, bad = states.count(Status.SUCCESS), states.count(Status.FAILURE)
        return Hour(begins, good, bad, len(states) - good - bad)

    reasons = Counter(_short(task) for task in within if task.status is Status.FAILURE)
    return Statistics(
        hours=[hour(begin + number * HOUR) for number in range(hours)],
        median=at(0.5),
        p95=at(0.95),
        reasons=reasons.most_common(10),
    )


def _short(task: Task) -> str:
    reason = task.failure.reason if task.failure else ""
    return reason[: reason.index("]") + 1] if reason.startswith("[") else reason[:80]


@pytest.mark.parametrize("hours", [1, 24, 168])
async def test_figures(repository: TaskRepository, hours: int) -> None:
    random, tasks = Random(SEED), []
    for number in range(300):
        task = make_task(number, submitted_at=NOW - random.randrange(30 * HOUR))
        await repository.add(task)
        status = random.choice([*Status])
        if status in (Status.SUCCESS, Status.FAILURE, Status.CANCEL):
            # Every reason another number of times, so that their order is certain.
            kind = min(int(random.expovariate(1)), 4)
            failure = Failure(reason=f"[{kind}] no {number}" if kind else f"{'so ' * 40}{number}")
            end = task.submitted_at + random.randrange(1, 90_000)
            failed = failure if status is Status.FAILURE else None
            await repository.save(
                task, task := ended(task, status, failure=failed, finished_at=end)
            )  # fmt: skip
        tasks.append(task)
    found, plain = await repository.statistics(NOW, hours), counted(tasks, NOW, hours)
    assert found.hours == plain.hours, f"seed {SEED}"
    assert (found.median, found.p95) == (plain.median, plain.p95), f"seed {SEED}"
    assert dict(found.reasons) == dict(plain.reasons), f"seed {SEED}"
    assert sorted(found.reasons, key=lambda each: -each[1]) == found.reasons


async def test_there_may_be_nothing_to_count(repository: TaskRepository) -> None:
    found = await repository.statistics(NOW, 2)
    assert (found.median, found.p95, found.reasons) == (None, None, [])
    assert [hour.made + hour.failed + hour.other for hour in found.hours] == [0, 0]
