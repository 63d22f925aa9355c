"""Two workers, a disk, Discord and a service that cancels, moves and deletes, in any order:

* a task becomes at most one interaction, whoever had it meanwhile;
* it has one place, at its own account, and an ended one holds no slot;
* when all is well again, every task ends and nothing is left behind.
"""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from structlog.testing import capture_logs

from athena.accounts import dispatcher
from athena.clock import TurnableClock
from athena.discord import events
from athena.discord.errors import (
    DiscordError,
    Forbidden,
    OutcomeUnknown,
    RequestRejected,
    ServerFault,
)
from athena.store.account_directory import AccountState
from athena.tasks import lifecycle
from athena.tasks.model import Sending, Task
from tests.unit.accounts.assembly import finished, progress
from tests.unit.accounts.test_workers import READY, World, quiet
from tests.unit.discord.settling import settle
from tests.unit.fakes import make_task

SLOTS = 2
ACCOUNTS = ("5", "6")
ERRORS: list[type[DiscordError]] = [ServerFault, Forbidden, RequestRejected, OutcomeUnknown]

accounts = st.sampled_from(ACCOUNTS)


class Workers(RuleBasedStateMachine):
    """Every rule lets all happen that needs no time."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = pytest.MonkeyPatch()
        self.patches.setattr(dispatcher, "_DRAIN", 0)
        self.logs = capture_logs()
        self.logs.__enter__()
        self.runner = asyncio.Runner()
        self.ids: list[str] = []
        self.numbers = count(1)
        self.stack = AsyncExitStack()
        self.runner.run(self._begin())

    async def _begin(self) -> None:
        self.world = World(TurnableClock(), self.patches)
        self.repository = self.world.repository
        self.before = asyncio.all_tasks()
        wanted = (quiet(each, core_size=SLOTS) for each in ACCOUNTS)
        await self.stack.enter_async_context(self.world.running(*wanted))

    def _settle(self) -> None:
        self.runner.run(settle())

    @property
    def tasks(self) -> list[Task]:
        return [task for each in self.ids if (task := self.repository.held(each))]

    def _pick(self, data: st.DataObject, *, unsent: bool = False) -> Task | None:
        found = [task for task in self.tasks if not task.ended]
        if unsent:
            found = [task for task in found if task.sending is Sending.NOT_SENT]
        return data.draw(st.sampled_from(found)) if found else None

    def _save(self, before: Task, after: Task) -> None:
        async def save() -> None:
            self.repository.save(before, after)
            await settle()

        self.runner.run(save())

    # The service

    @rule(account=accounts, prompt=st.sampled_from(["a cat", "a dog"]))
    def submit(self, account: str, prompt: str) -> None:
        async def submit() -> None:
            task = make_task(next(self.numbers), account, prompt)
            self.ids.append(task.id)
            self.repository.add(task)
            await settle()

        self.runner.run(submit())

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if task := self._pick(data):
            self._save(task, lifecycle.cancel(task, self.world.clock.now()))

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        if task := self._pick(data, unsent=True):
            other = ACCOUNTS[1 - ACCOUNTS.index(task.account)]
            self._save(task, lifecycle.move(task, other))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if task := self._pick(data):

            async def delete() -> None:
                await self.repository.remove(task)
                await settle()

            self.runner.run(delete())

    @rule(account=accounts)
    def reconnect(self, account: str) -> None:
        async def reconnect() -> None:
            await self.world.workers.reconnect(account)
            await self.world.tell(READY, account)

        self.runner.run(reconnect())

    # Disk, Discord and time

    @rule(held_up=st.booleans())
    def disk(self, held_up: bool) -> None:
        self.repository.is_held_up = held_up
        if not held_up:
            self.runner.run(self._release())

    async def _release(self) -> None:
        self.repository.release()
        await settle()

    @rule(account=accounts, acts=st.booleans(), uploads=st.booleans())
    def gates(self, account: str, acts: bool, uploads: bool) -> None:
        interactor = self.world.interactors[account][-1]
        for gate, is_open in ((interactor.act_gate, acts), (interactor.upload_gate, uploads)):
            gate.set() if is_open else gate.clear()
        self._settle()

    @rule(account=accounts, error=st.sampled_from(ERRORS), upload=st.booleans())
    def refuse(self, account: str, error: type[DiscordError], upload: bool) -> None:
        interactor = self.world.interactors[account][-1]
        errors = interactor.upload_errors if upload else interactor.errors
        errors.append(error("no"))

    @rule(data=st.data(), is_done=st.booleans())
    def show(self, data: st.DataObject, is_done: bool) -> None:
        task = self._pick(data)
        if task is None or task.sending is not Sending.SENT:
            return
        number = self.world.interactors[task.account][-1].nonce()
        made = finished if is_done else progress
        message = made(number, task, nonce=task.ids.nonce, channel_id=task.account)
        self.runner.run(self.world.tell(events.MessageCreated(message), task.account))

    @rule(seconds=st.sampled_from([1, 6, 301]))
    def pass_time(self, seconds: int) -> None:
        self.runner.run(self.world.turn(seconds))

    # What holds

    @invariant()
    def a_task_becomes_one_interaction_at_most(self) -> None:
        tasks = {task.ids.nonce: task.id for task in self.repository.saved}
        acts = [nonce for each in self.world.interactors.values() for one in each
                for _, nonce in one.acts if nonce in tasks]  # fmt: skip
        assert all(number == 1 for number in Counter(tasks[each] for each in acts).values())

    @invariant()
    def every_task_has_one_place(self) -> None:
        if self.repository.is_held_up:
            return
        for account in ACCOUNTS:
            queue = self.world.worker(account).tasks.queue
            assert queue.running_count <= SLOTS
            for task in self.tasks:
                place = queue.place_of(task.id)
                if task.account != account:
                    assert place is None
                elif task.ended:
                    assert place in (None, "orphaned")
                else:
                    assert place is not None

    def teardown(self) -> None:
        self.runner.run(self._end())
        self.runner.close()
        self.logs.__exit__(None, None, None)
        self.patches.undo()

    async def _end(self) -> None:
        await self._release()
        for account in ACCOUNTS:
            await self.world.workers.reconnect(account)
            await self.world.tell(READY, account)
            assert self.world.status(account).state is AccountState.ONLINE
        for _ in range(4 * len(self.ids) + 4):
            await self.world.turn(301)
        assert [task for task in self.tasks if not task.ended] == []
        for account in ACCOUNTS:
            load = await self.world.workers.load(account)
            assert (load.running, load.waiting) == (0, 0)
            assert not self.world.worker(account).tasks.queue._tasks
        await self.stack.aclose()
        assert asyncio.all_tasks() - {asyncio.current_task()} <= self.before


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
