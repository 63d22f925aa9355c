"""What one gateway event costs, with few and with many running tasks.

The real path without sockets: reader, matching, state machine, store. If the cost grew with the
number of tasks, matching would be searching instead of looking up. Counted is the event loop's own
processor time; the store's writer works on another thread.
"""

import asyncio
import time
from pathlib import Path
from statistics import median

from pydantic import SecretStr

from athena.accounts.channel_cursor import ChannelCursor
from athena.accounts.ownership import OwnedTasks
from athena.accounts.queue import TaskQueue
from athena.accounts.receiver import Receiver
from athena.accounts.status import WorkerStatus
from athena.accounts.unknown_forms import UnknownForms
from athena.clock import SystemClock
from athena.discord import wire
from athena.discord.snowflakes import Snowflakes
from athena.midjourney import MIDJOURNEY, buttons, commands, prompts
from athena.settings import AccountSettings
from athena.store.account_directory import LocalDirectory
from athena.store.repository import TaskRepository
from athena.store.sqlite import open_store
from athena.tasks import lifecycle
from athena.tasks.matching import TaskIndex
from athena.tasks.model import Action, Task
from athena.tasks.requests import Imagine
from bench.result import Result

_FEW, _MANY = 10, 5_000
_EVENTS = 2_000
_ROUNDS = 11


class _Run:
    """An account with running tasks, and what the bot says about them: always something new."""

    def __init__(self, repository: TaskRepository, account: str, tasks: list[Task]) -> None:
        self._tasks = tasks
        self._repository = repository
        self._said = 0
        settings = AccountSettings(
            token=SecretStr("-"), guild_id="1", channel_id=account, core_size=15, queue_size=0
        )
        clock, index = SystemClock(), TaskIndex(prompts.normalized)
        self._owned = OwnedTasks(account, repository, TaskQueue(index, commands.expected), clock)
        self._owned.load()
        self._receiver = Receiver(
            WorkerStatus(settings, LocalDirectory(), lambda: None),
            self._owned,
            index,
            _Channel(account),  # type: ignore[arg-type]
            _Reactions(),  # type: ignore[arg-type]
            clock,
            UnknownForms(),
            ChannelCursor(account, None, repository, clock),
        )

    async def round(self) -> float:
        """Microseconds for each of many events, spread evenly over the tasks."""
        said = [self._progress(n * len(self._tasks) // _EVENTS) for n in range(_EVENTS)]
        began = time.thread_time()
        for message in said:
            self._receiver.read(message)
        spent = time.thread_time() - began
        await self._repository.written()
        return spent / _EVENTS * 1e6

    def _progress(self, number: int) -> wire.Message:
        task = self._tasks[number]
        self._said += 1
        preview = wire.Attachment(id="1", url=f"https://cdn/{self._said}.webp")
        cancel = wire.Component(type=2, custom_id=buttons.cancel_button(_job(number)))
        return wire.Message(
            id=str(int(task.ids.nonce or 0) + 1),
            channel_id=self._owned.account,
            content=f"**cat {number}** - <@7> ({self._said * 100 // (_EVENTS * 10)}%) (fast)",
            author=wire.User(id=MIDJOURNEY),
            attachments=(preview,),
            components=(wire.Component(type=1, components=(cancel,)),),
        )


class _Channel:
    user_id = "7"

    def __init__(self, channel_id: str) -> None:
        self.channel_id = channel_id


class _Reactions:
    """Progress asks for none."""


async def measure(folder: Path) -> list[Result]:
    """Rounds with few and with many tasks in turn; the median ratio counts."""
    repository = await open_store(folder)
    runs = [await _run(repository, count) for count in (_FEW, _MANY)]
    rounds = [[await run.round() for run in runs] for _ in range(_ROUNDS + 1)][1:]
    few, many = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(pair[1] / pair[0] for pair in rounds)
    await repository.close()
    return [
        Result(
            what=f"one gateway event, {_MANY:,} running tasks",
            measured=f"{many:.0f} µs",
            against=f"{few:.0f} µs with {_FEW}",
            ratio=f"{ratio:.2f}",
            bound="<= 1.25",
            good=ratio <= 1.25,
        )
    ]


async def _run(repository: TaskRepository, count: int) -> _Run:
    nonces = Snowflakes(SystemClock())
    account = f"5{count}"
    tasks = [_task(account, number, count, nonces.nonce()) for number in range(count)]
    await asyncio.gather(*(repository.add(task) for task in tasks))
    return _Run(repository, account, tasks)


def _task(account: str, number: int, count: int, nonce: str) -> Task:
    now = SystemClock().now()
    task = Task(
        id=f"{count}{number:08}",
        account=account,
        request=Imagine(prompt=f"cat {number}"),
        action=Action.IMAGINE,
        submitted_at=now,
    )
    return lifecycle.mark_sent(lifecycle.begin_sending(task, nonce, now), now)


def _job(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"
