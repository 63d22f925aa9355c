"""The cost of one gateway event, with few and with many running tasks.

It uses the real code without sockets: reader, matching, state machine, store. If the cost grew with
the number of tasks, matching would search instead of looking up. It counts only the CPU time of the
event loop; the store's writer runs in another thread.
"""

import asyncio
import time
from pathlib import Path
from statistics import median

from pydantic import SecretStr

from athena.accounts.account import Account
from athena.accounts.channel_cursor import ChannelCursor
from athena.accounts.receiver import Receiver
from athena.accounts.unknown_forms import UnknownForms
from athena.clock import SystemClock
from athena.discord import wire
from athena.discord.snowflakes import Snowflakes
from athena.midjourney import MIDJOURNEY, buttons
from athena.settings import AccountSettings
from athena.store.store import Store
from athena.tasks import lifecycle
from athena.tasks.model import Action, Task
from athena.tasks.requests import Imagine
from bench.result import Result

_FEW, _MANY = 10, 5_000
_EVENTS = 2_000
_ROUNDS = 11


class _Load:
    """An account with running tasks, and new progress events for them."""

    def __init__(self, store: Store, tasks: list[Task]) -> None:
        self._tasks = tasks
        self._store = store
        settings = AccountSettings(
            token=SecretStr("-"), guild_id="1", channel_id="5", core_size=15, queue_size=0
        )
        self.account = Account(settings, store, SystemClock())
        for task in tasks:
            self.account.adopt(task)
        self.receiver = Receiver(
            self.account,
            _Channel(),  # type: ignore[arg-type]
            SystemClock(),
            UnknownForms(),
            ChannelCursor(settings.channel_id, None, store, SystemClock()),
        )
        self._said = 0

    async def round(self) -> float:
        """Microseconds for each of many events, spread evenly over the tasks."""
        said = [self._progress(n * len(self._tasks) // _EVENTS) for n in range(_EVENTS)]
        began = time.thread_time()
        for message in said:
            self.receiver.read(message)
        spent = time.thread_time() - began
        await self._written()
        return spent / _EVENTS * 1e6

    async def _written(self) -> None:
        """Wait for the store, so that rounds do not affect each other."""
        task = self.account.current(self._tasks[0].id) or self._tasks[0]
        await self._store.save(task, task)

    def _progress(self, number: int) -> wire.Message:
        task = self._tasks[number]
        self._said += 1
        preview = wire.Attachment(id="1", url=f"https://cdn/{self._said}.webp")
        cancel = wire.Component(type=2, custom_id=buttons.cancel_button(_job(number)))
        return wire.Message(
            id=str(int(task.ids.nonce or 0) + 1),
            channel_id="5",
            content=f"**cat {number}** - <@7> ({self._said * 100 // (_EVENTS * 10)}%) (fast)",
            author=wire.User(id=MIDJOURNEY),
            attachments=(preview,),
            components=(wire.Component(type=1, components=(cancel,)),),
        )


class _Channel:
    channel_id = "5"
    user_id = "7"


async def measure(folder: Path) -> list[Result]:
    """Rounds with few and with many tasks in turn; the median ratio counts."""
    store = await Store.open(folder)
    loads = [await _load(store, count) for count in (_FEW, _MANY)]
    rounds = [[await load.round() for load in loads] for _ in range(_ROUNDS + 1)][1:]
    few, many = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(pair[1] / pair[0] for pair in rounds)
    await store.close()
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


async def _load(store: Store, count: int) -> _Load:
    nonces = Snowflakes(SystemClock())
    tasks = [_task(number, count, nonces.nonce()) for number in range(count)]
    await asyncio.gather(*(store.add(task) for task in tasks))
    return _Load(store, tasks)


def _task(number: int, count: int, nonce: str) -> Task:
    now = SystemClock().now()
    task = Task(
        id=f"{count}{number:08}",
        account="5",
        request=Imagine(prompt=f"cat {number}"),
        action=Action.IMAGINE,
        submitted_at=now,
    )
    return lifecycle.mark_sent(lifecycle.begin_sending(task, nonce, now), now)


def _job(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"
