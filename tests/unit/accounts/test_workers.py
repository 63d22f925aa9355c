"""Whole workers, over fakes of Discord: what the parts promise together, and from one session to
the next."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any, cast

import pytest
from msgspec.structs import replace

from athena.accounts import worker as module
from athena.accounts.unknown_forms import UnknownForms
from athena.accounts.worker import AccountWorker, WorkerEnvironment
from athena.accounts.workers import AccountWorkers
from athena.clock import TurnableClock
from athena.discord import events, wire
from athena.discord.errors import Forbidden, ServerFault, Unauthorized, UnknownObject
from athena.errors import NoAccount, NoAnswer
from athena.midjourney import commands
from athena.settings import AccountSettings
from athena.store.account_directory import AccountState, AccountStatus, LocalDirectory
from athena.store.changes import Change
from athena.tasks import lifecycle
from athena.tasks.bot_events import Profile
from athena.tasks.model import CorrelationIds, Sending, Status, Task
from athena.tasks.requests import Upload
from tests.unit.accounts.assembly import (
    JOB,
    FakeConnection,
    GatedInteractor,
    account_settings,
    finished,
    progress,
)
from tests.unit.discord.settling import settle
from tests.unit.fakes import MemoryRepository, NoTranslation, make_task, sent

READY = events.Ready("session", wire.User(id="7"), True)


class World:
    """Workers of a process, with every session's fakes in the order of their making."""

    def __init__(self, clock: TurnableClock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = clock
        self.repository, self.directory = MemoryRepository(), LocalDirectory()
        self.connections: defaultdict[str, list[FakeConnection]] = defaultdict(list)
        self.interactors: defaultdict[str, list[GatedInteractor]] = defaultdict(list)
        self._numbers = count()
        monkeypatch.setattr(module, "Connection", self._connection)
        monkeypatch.setattr(module, "Interactor", self._interactor)
        nothing = cast(Any, None)
        self.environment = WorkerEnvironment(
            repository=cast(Any, self.repository), directory=self.directory, discord=nothing,
            http=nothing, pacer=nothing, translation=cast(Any, NoTranslation()),
            unknown_forms=UnknownForms(), clock=clock, random=Random(1),
        )  # fmt: skip
        self.workers = AccountWorkers(self.environment, {"5": "40"})

    def _connection(self, http: object, discord: object, settings: AccountSettings,
                    *others: object) -> FakeConnection:  # fmt: skip
        connection = FakeConnection(settings.channel_id)
        self.connections[settings.channel_id].append(connection)
        return connection

    def _interactor(self, connection: FakeConnection, repository: object) -> GatedInteractor:
        interactor = GatedInteractor(self.clock, next(self._numbers))
        self.interactors[connection.channel_id].append(interactor)
        return interactor

    @asynccontextmanager
    async def running(self, *accounts: AccountSettings) -> AsyncIterator[None]:
        async with self.workers.running(accounts):
            for each in accounts:
                if each.enable:
                    await self.tell(READY, each.channel_id)
            yield

    async def tell(self, event: events.Event, account: str = "5") -> None:
        await settle()
        self.connections[account][-1].receive(event)
        await settle()

    async def turn(self, seconds: float) -> None:
        self.clock.turn(seconds)
        await settle()

    def worker(self, account: str = "5") -> AccountWorker:
        worker = self.workers.get(account)
        assert worker is not None
        return worker

    def status(self, account: str = "5") -> AccountStatus:
        status = self.directory.get(account)
        assert status is not None
        return status

    async def submit(self, task: Task) -> Task:
        """As the service does it: the task is stored, and its change tells the worker."""
        await self.repository.add(task)
        await settle()
        return self.now(task)

    async def change(self, task: Task, step: Callable[[Task], Task]) -> Task:
        before = self.now(task)
        await self.repository.save(before, step(before))
        await settle()
        return self.now(task)

    async def cancel(self, task: Task) -> Task:
        return await self.change(task, lambda each: lifecycle.cancel(each, self.clock.now()))

    def now(self, task: Task) -> Task:
        found = self.repository.held(task.id)
        assert found is not None
        return found

    def pressed(self, session: int = -1, account: str = "5") -> list[str]:
        acts = [each for each, _ in self.interactors[account][session].acts]
        return [each.custom_id for each in acts if isinstance(each, commands.PressButton)]

    def used(self, session: int = -1, account: str = "5") -> list[str]:
        acts = [each for each, _ in self.interactors[account][session].acts]
        return [each.name for each in acts if isinstance(each, commands.UseCommand)]


@pytest.fixture
async def world(clock: TurnableClock, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(clock, monkeypatch)


def quiet(account: str = "5", **fields: Any) -> AccountSettings:
    """An account that asks the bot nothing of its own."""
    return account_settings(account, **{"refresh_minutes": 0, **fields})


def running_job(number: int = 1) -> Task:
    """A stored task whose job runs and shows its message."""
    ids = CorrelationIds(nonce="77", job=JOB, message="60", progress_message="60")
    return replace(sent(make_task(number), "77", TurnableClock()), ids=ids)


# At work


async def test_a_task_goes_from_its_request_to_its_image(world: World) -> None:
    async with world.running(quiet()):
        task = await world.submit(make_task())
        assert (task.sending, task.status) == (Sending.SENT, Status.SUBMITTED)
        nonce = world.interactors["5"][0].nonce()
        done = finished(nonce, task, nonce=task.ids.nonce)
        await world.tell(events.MessageCreated(done))
        assert world.now(task).status is Status.SUCCESS
        load = await world.workers.load("5")
        assert (load.running, load.waiting) == (0, 0)
    assert world.status().state is AccountState.CONNECTING


async def test_the_cursor_of_the_channel_goes_from_session_to_session(world: World) -> None:
    async with world.running(quiet()):
        assert world.worker()._cursor.newest == "40"
        await world.tell(events.MessageCreated(progress("50", make_task())))
        await world.workers.reconnect("5")
        assert world.worker()._cursor.newest == "50"


async def test_the_cursor_is_saved_at_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[tuple[str, str]] = []
    monkeypatch.setattr(world.repository, "save_cursor", lambda *each: saved.append(each))
    async with world.running(quiet()):
        await world.tell(events.MessageCreated(progress("50", make_task())))
        await world.tell(events.MessageCreated(progress("51", make_task())))
        assert saved == [("5", "50")]
    assert saved == [("5", "50"), ("5", "51")]


async def test_stored_tasks_are_taken_up_and_first_steps_taken_again(world: World) -> None:
    waiting = make_task(1)
    preparing = lifecycle.begin_preparing(make_task(2), "77", 1)
    for each in (waiting, preparing):
        await world.repository.add(each)
    async with world.running(quiet()):
        assert world.now(waiting).sending is Sending.SENT
        again = world.now(preparing)
        assert (again.sending, again.tries) == (Sending.SENT, 0)
        assert again.ids.nonce != "77"


async def test_a_running_job_is_cancelled_for_its_user(world: World) -> None:
    job = running_job()
    await world.repository.add(job)
    async with world.running(quiet()):
        cancelled = await world.cancel(job)
        assert world.pressed() == [f"MJ::CancelJob::ByJobid::{JOB}"]
        assert not cancelled.cancel_job
        await world.change(job, lambda each: lifecycle.with_seed(each, "1"))
        assert len(world.pressed()) == 1


async def test_a_cancel_whose_job_is_not_known_is_asked_for_once(world: World) -> None:
    """A later change of a task that has ended cancels nothing."""
    async with world.running(quiet()):
        task = await world.cancel(await world.submit(make_task()))
        assert task.cancel_job
        ids = replace(task.ids, job=JOB, progress_message="60")
        await world.change(task, lambda each: replace(each, ids=ids, revision=each.revision + 1))
        assert world.pressed() == []


async def test_a_deleted_task_lets_its_like_go(world: World) -> None:
    """Finding 12."""
    async with world.running(quiet()):
        first = await world.submit(make_task(1, prompt="a cat"))
        await world.cancel(first)
        alike = await world.submit(make_task(2, prompt="a cat"))
        assert alike.sending is Sending.NOT_SENT
        await world.repository.remove(world.now(first))
        await settle()
        assert world.now(alike).sending is Sending.SENT


async def test_a_task_that_moves_is_known_to_its_new_account_alone(world: World) -> None:
    async with world.running(quiet(core_size=1), quiet("6")):
        await world.submit(make_task(1))
        waiting = await world.submit(make_task(2))
        moved = await world.change(waiting, lambda each: lifecycle.move(each, "6"))
        assert moved.sending is Sending.SENT
        assert world.worker("5").tasks.queue.place_of(waiting.id) is None
        assert world.worker("6").tasks.queue.place_of(waiting.id) == "running"
        assert (world.used(account="5"), world.used(account="6")) == (["imagine"], ["imagine"])


async def test_a_change_of_nothing_is_left_alone(world: World) -> None:
    async with world.running(quiet()):
        world.worker().follow(Change(None, None))


async def test_starting_one_account_disturbs_no_other(world: World) -> None:
    """Finding 4: what the other has cancelled and done with does not come back."""
    async with world.running(quiet(), quiet("6")):
        task = await world.cancel(await world.submit(make_task(account="6")))
        assert world.worker("6").tasks.queue.is_orphaned(task.id)
        await world.turn(301)
        assert not world.worker("6").tasks.queue.is_orphaned(task.id)
        sessions = world.connections["6"][0].sessions
        await world.workers.reconnect("5")
        await world.tell(READY)
        assert world.worker("6").tasks.queue.place_of(task.id) is None
        assert world.worker("5").tasks.queue.place_of(task.id) is None
        assert world.connections["6"][0].sessions == sessions
        alike = await world.submit(make_task(2, account="6", prompt=task.prompt or ""))
        assert alike.sending is Sending.SENT


# Faults


async def test_a_fault_of_the_watchdog_costs_one_turn_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 5."""
    async with world.running(quiet()):
        task = await world.submit(make_task())
        queue = world.worker().tasks.queue
        real = queue.wake_delayed
        faults = [KeyError("fault")]

        def wake(now: int) -> bool:
            if faults:
                raise faults.pop()
            return real(now)

        monkeypatch.setattr(queue, "wake_delayed", wake)
        await world.turn(1)
        await world.turn(1)
        assert world.status().problem == ""
        faults.append(KeyError("fault"))
        await world.turn(1)
        assert world.status().problem == "watchdog: KeyError: 'fault'"
        await world.turn(1)
        assert world.status().problem == ""
        await world.turn(400)
        assert world.now(task).status is Status.FAILURE


async def test_a_fault_of_the_session_begins_another(world: World) -> None:
    """Finding 5."""
    async with world.running(quiet()):
        world.connections["5"][0].end(KeyError("fault"))
        await settle()
        assert world.status().state is AccountState.CONNECTING
        await world.turn(2)
        assert world.connections["5"][0].sessions == 2
        await world.tell(READY)
        assert world.status().state is AccountState.ONLINE


async def test_a_fault_of_the_dispatcher_holds_up_its_tasks_for_a_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 5."""
    async with world.running(quiet()):
        queue = world.worker().tasks.queue
        real = queue.next

        def fault(slots: int) -> None:
            monkeypatch.setattr(queue, "next", real)
            raise KeyError("fault")

        monkeypatch.setattr(queue, "next", fault)
        task = await world.submit(make_task())
        assert task.sending is Sending.NOT_SENT
        await world.turn(2)
        assert world.now(task).sending is Sending.SENT


async def test_a_refused_login_stops_the_account_and_deadlines_are_kept(world: World) -> None:
    """Finding 10."""
    async with world.running(quiet()):
        task = await world.submit(make_task())
        world.connections["5"][0].end(Unauthorized("401"))
        await settle()
        assert world.status().state is AccountState.STOPPED
        world.connections["5"][0].errors.append(Unauthorized("401"))
        await world.turn(301)
        failure = world.now(task).failure
        assert failure is not None
        assert failure.reason.startswith("Its account stopped: Discord refused")


async def test_a_disabled_account_keeps_its_deadlines_and_does_nothing_else(
    world: World,
) -> None:
    """Finding 10: its history is read, without a session."""
    task = sent(make_task(), world._interactor(FakeConnection("0"), None).nonce(), world.clock)
    await world.repository.add(task)
    async with world.running(quiet(enable=False)):
        await settle()
        assert (world.status().state, world.status().reason) == (
            AccountState.STOPPED, "The account is disabled."
        )  # fmt: skip
        waiting = await world.submit(make_task(2))
        connection = world.connections["5"][0]
        done = finished(world.interactors["5"][0].nonce(), task, nonce=task.ids.nonce)
        connection.messages_of_channel.append(done)
        await world.turn(301)
        assert world.now(task).status is Status.SUCCESS
        assert (connection.sessions, world.interactors["5"][0].acts) == (0, [])
        assert world.now(waiting).sending is Sending.NOT_SENT


# Between two sessions


async def test_an_end_leaves_no_asyncio_task_behind(world: World) -> None:
    """Finding 9: not even after five new sessions of a stopped account."""
    before = asyncio.all_tasks()
    async with world.running(quiet()):
        world.worker().status.stop("no")
        for _ in range(5):
            await world.workers.reconnect("5")
            await world.tell(READY)
            world.worker().status.stop("no")
        await settle()
        after_five = len(asyncio.all_tasks())
        await world.workers.reconnect("5")
        await world.tell(READY)
        assert len(asyncio.all_tasks()) == after_five
    assert asyncio.all_tasks() == before


async def test_cancels_and_submits_are_not_lost_while_a_worker_is_replaced(
    world: World,
) -> None:
    """Finding 18."""
    job = running_job(1)
    await world.repository.add(job)
    async with world.running(quiet()):
        world.interactors["5"][0].act_gate.clear()
        slow = await world.submit(make_task(2))
        replacing = asyncio.create_task(world.workers.reconnect("5"))
        await settle()
        assert not replacing.done()
        assert world.status().state is AccountState.CONNECTING
        cancelled = await world.cancel(job)
        assert cancelled.cancel_job
        later = await world.submit(make_task(3))
        world.interactors["5"][0].act_gate.set()
        await replacing
        await world.tell(READY)
        assert world.pressed(0) == []
        assert world.pressed(1) == [f"MJ::CancelJob::ByJobid::{JOB}"]
        assert not world.now(job).cancel_job
        assert world.now(slow).sending is Sending.SENT
        assert world.now(later).sending is Sending.SENT
        assert (world.used(0), world.used(1)) == (["imagine"], ["imagine"])


async def test_a_stopped_account_says_why_until_its_next_session_begins(world: World) -> None:
    async with world.running(quiet()):
        heard: list[tuple[AccountState, str]] = []
        world.worker().status.stop("no")
        world.directory.subscribe(lambda each: heard.append((each.state, each.reason)))
        await world.workers.reconnect("5")
        assert heard == [(AccountState.CONNECTING, "")]


async def test_what_is_known_of_an_account_stays_while_it_reconnects(world: World) -> None:
    async with world.running(quiet()):
        world.worker().status.learn(Profile(mode="Fast"))
        heard: list[str | None] = []
        world.directory.subscribe(lambda each: heard.append(each.profile.mode))
        world.worker().status.go_offline()
        await world.workers.reconnect("5")
        assert heard[0] == "Fast"


async def test_live_settings_need_no_new_session(world: World) -> None:
    """Finding 25: dispatcher and refresher read them where they are used."""
    async with world.running(quiet(core_size=1)):
        await world.submit(make_task(1))
        second = await world.submit(make_task(2))
        assert second.sending is Sending.NOT_SENT
        await world.workers.configure(
            quiet(core_size=2, relax_when_exhausted=True, remark="mine", refresh_minutes=1)
        )
        await settle()
        worker = world.worker()
        assert world.now(second).sending is Sending.SENT
        assert worker.refresher.may_relax()
        assert worker.refresher.pause() <= 66
        assert len(world.connections["5"]) == 1


async def test_other_settings_begin_a_new_session(world: World) -> None:
    async with world.running(quiet()):
        await world.workers.configure(quiet(user_agent="other"))
        assert len(world.connections["5"]) == 2
        await world.workers.configure(quiet("6"))
        await world.tell(READY, "6")
        assert world.status("6").state is AccountState.ONLINE


async def test_a_removed_account_is_gone(world: World) -> None:
    before = asyncio.all_tasks()
    async with world.running(quiet()):
        await world.workers.remove("5")
        assert world.directory.all() == []
        assert world.workers.get("5") is None
        assert asyncio.all_tasks() == before
        await world.workers.remove("5")
        with pytest.raises(NoAccount):
            await world.workers.reconnect("5")


async def test_a_caller_that_goes_away_does_not_leave_an_account_without_worker(
    world: World,
) -> None:
    async with world.running(quiet()):
        world.interactors["5"][0].act_gate.clear()
        await world.submit(make_task())
        calls = [asyncio.create_task(world.workers.reconnect("5")) for _ in range(2)]
        await settle()
        for each in calls:
            each.cancel()
        await asyncio.wait(calls)
        world.interactors["5"][0].act_gate.set()
        await settle()
        await settle()
        assert len(world.connections["5"]) == 3
        await world.tell(READY)
        assert world.status().state is AccountState.ONLINE


async def test_every_account_is_known_before_the_first_begins(world: World) -> None:
    known: list[int] = []
    world.directory.subscribe(lambda each: known.append(len(world.directory.all())))
    async with world.workers.running([quiet(), quiet("6")]):
        assert known == [1, 2]


# Commands


async def test_the_profile_is_asked_for_while_the_account_is_online(world: World) -> None:
    async with world.running(quiet()):
        await world.workers.refresh("5")
        assert world.used() == ["info", "settings"]
        world.worker().status.go_offline()
        with pytest.raises(NoAccount, match="not online"):
            await world.workers.refresh("5")
        world.worker().status.stop("why")
        with pytest.raises(NoAccount, match="why"):
            await world.workers.refresh("5")


async def test_a_seed_is_asked_for(world: World) -> None:
    async with world.running(quiet()):
        task = make_task(ids=CorrelationIds(job=JOB, message="60"))
        asking = asyncio.create_task(world.workers.seed(task))
        seed = f"**a cat**\n**Job ID**: {JOB}\n**seed** 42"
        author = progress("1", task).author
        message = wire.Message(id="70", channel_id="6", author=author, content=seed)
        await world.tell(events.MessageCreated(message))
        assert await asking == "42"


IMAGE = Upload(filename="a.png", content_type="image/png", data=b"1")


async def test_files_and_links_go_through_the_account_s_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.running(quiet()):
        interactor, rest = world.interactors["5"][0], world.connections["5"][0]

        def answer(owner: object, name: str) -> None:
            async def call(*given: object) -> tuple[object, ...]:
                if rest.errors:
                    raise rest.errors.pop(0)
                return name, *given

            monkeypatch.setattr(owner, name, call, raising=False)

        for name in ("post_images", "upload", "post_uploaded"):
            answer(interactor, name)
        for name in ("refresh_urls", "message"):
            answer(rest, name)
        workers = cast(Any, world.workers)
        calls = {
            "post_images": ([IMAGE],), "upload": (IMAGE,), "post_uploaded": ("a.png",),
            "refresh_urls": (["link"],), "message": ("60",),
        }  # fmt: skip
        for name, given in calls.items():
            told = await getattr(workers, name)("5", *given)
            assert told == (name, *(("5",) if name == "message" else ()), *given)
            for error in (Forbidden("403"), ServerFault("500")):
                rest.errors.append(error)
                with pytest.raises(NoAnswer, match=str(error)):
                    await getattr(workers, name)("5", *given)
        rest.errors.append(UnknownObject("10008"))
        assert await workers.message("5", "60") is None
        world.worker().status.stop("why")
        for name, given in calls.items():
            with pytest.raises(NoAccount, match="why"):
                await getattr(workers, name)("5", *given)
        with pytest.raises(NoAccount, match="not configured"):
            await workers.load("6")
