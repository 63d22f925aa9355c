"""Deadlines: what is overdue is looked for in the history before it ends."""

from typing import Any, cast

import pytest

from athena.accounts.ownership import OwnedTasks
from athena.accounts.queue import TaskQueue
from athena.accounts.recovery import Recovery
from athena.accounts.status import WorkerStatus
from athena.accounts.watchdog import UNREADABLE, Watchdog
from athena.clock import TurnableClock
from athena.midjourney import commands, prompts
from athena.settings import AccountSettings
from athena.store.account_directory import LocalDirectory
from athena.store.repository import TaskRepository
from athena.tasks import lifecycle
from athena.tasks.bot_events import Evidence, Finished, MessageContent, Progress, Removed
from athena.tasks.matching import TaskIndex
from athena.tasks.model import Image, Status, Task
from tests.unit.fakes import MemoryRepository, make_task


class History:
    """A history that cannot be read `failures` times, and then shows an image."""

    def __init__(self, tasks: OwnedTasks, clock: TurnableClock, failures: int) -> None:
        self._tasks = tasks
        self._clock = clock
        self._failures = failures
        self.token_refused = False

    async def catch_up(self) -> bool:
        self._failures -= 1
        if self._failures >= 0:
            return False
        shown = MessageContent(image=Image(url="", filename="a.png"))
        done = Finished(evidence=Evidence(message="9", job="j"), shown=shown)
        now = self._clock.now()
        for task in self._tasks.unfinished():
            self._tasks.apply(task.id, lambda each: lifecycle.advance(each, done, now))
        return True


class Watched:
    """A watchdog over one task whose first message was removed, while its result went lost."""

    def __init__(self, *, failures: int, stopped: bool) -> None:
        self.clock = TurnableClock()
        self.repository = MemoryRepository()
        settings = AccountSettings(token=cast(Any, "t"), guild_id="1", channel_id="5")
        self.task = _removed(make_task(1), self.clock.now())
        queue = TaskQueue(TaskIndex(prompts.normalized), commands.expected)
        self.repository.add(self.task)
        stored = cast(TaskRepository, self.repository)
        tasks = OwnedTasks(self.task.account, stored, queue, self.clock)
        tasks.load()
        status = WorkerStatus(settings, LocalDirectory(), lambda: None)
        if stopped:
            status.stop("[Blocked]")
        history = cast(Recovery, History(tasks, self.clock, failures))
        self._watchdog = Watchdog(status, tasks, history, (), self.clock)

    async def after(self, minutes: int) -> Task:
        """The task after so many minutes, with a turn in each second."""
        for _ in range(minutes * 60):
            self.clock.turn(1.0)
            await self._watchdog.turn()
        held = self.repository.held(self.task.id)
        assert held is not None
        return held


def _removed(task: Task, now: int) -> Task:
    task = lifecycle.mark_sent(lifecycle.begin_sending(task, str(1 << 60), now), now)
    running = Progress(evidence=Evidence(message="8"), shown=MessageContent(), percent=93)
    task = lifecycle.advance(task, running, now)
    return lifecycle.advance(task, Removed(evidence=Evidence(message="8")), now)


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("failures", [0, 1, 19])
async def test_a_history_that_cannot_be_read_is_tried_again(failures: int, stopped: bool) -> None:
    """An account that is stopped still shows the images that were made for it."""
    assert (await Watched(failures=failures, stopped=stopped).after(8)).status is Status.SUCCESS


@pytest.mark.parametrize(
    ("stopped", "reason"), [(False, UNREADABLE), (True, "Its account stopped: [Blocked]")]
)
async def test_a_history_that_stays_closed_ends_the_task(stopped: bool, reason: str) -> None:
    """It does not say that Midjourney removed the image, which nobody knows."""
    task = await Watched(failures=99, stopped=stopped).after(8)
    assert task.failure is not None
    assert (task.failure.reason, task.failure.moderated) == (reason, False)
