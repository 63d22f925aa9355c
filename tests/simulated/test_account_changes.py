"""Accounts that stop, start again, are removed and changed while they have tasks: the whole engine
against the simulator, on a turnable clock, without HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from msgspec import Struct

from athena.clock import TurnableClock
from athena.errors import QueueFull
from athena.server import Runtime, Server, running
from athena.service import drafts
from athena.service.options import SubmitOptions
from athena.settings import AccountSettings
from athena.simulator.app import Simulator
from athena.simulator.bots.index import MIDJOURNEY
from athena.store.account_directory import AccountState
from athena.tasks.model import AccountFilter, Action, Sending, Status, Task
from athena.tasks.requests import Upload
from tests.conftest import WatchedWriter, breathe
from tests.simulated.conftest import account, using_simulator

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
A, B = account(0).channel_id, account(1).channel_id


class World(Struct):
    """A server's engine, its simulator, and the clock of both."""

    server: Server
    simulator: Simulator
    clock: TurnableClock
    http: aiohttp.ClientSession

    async def control(self, act: str, **body: object) -> None:
        url = f"{self.simulator.urls.cdn}/_control/{act}"
        async with self.http.post(url, json=body) as answer:
            assert answer.status == 200

    async def submit(self, prompt: str, account: str = "", images: int = 0) -> Task:
        uploads = [
            Upload(filename=f"{n}.png", content_type="image/png", data=PNG) for n in range(images)
        ]
        options = SubmitOptions()
        if account:
            options = options.bound_to(account)
        draft = drafts.imagine(prompt, uploads)
        return (await self.server.services.tasks.submit(draft, options)).task

    def task(self, task_id: str) -> Task:
        task = self.server.repository.held(task_id)
        assert task is not None
        return task

    async def until(self, done: Callable[[], bool], step: float = 0.1) -> None:
        """Turn the clock until something is so; the test's time-out ends what never is."""
        while not done():
            self.clock.turn(step)
            await breathe()

    async def ended(self, task_id: str, step: float = 0.5) -> Task:
        await self.until(lambda: self.task(task_id).ended, step)
        return self.task(task_id)

    def jobs(self) -> int:
        return len(list(self.simulator.world.players[MIDJOURNEY].state()["jobs"]))

    async def no_slot_is_taken(self) -> None:
        for each in await self.server.services.accounts.all():
            assert (each.running, each.waiting) == (0, 0)

    def stop(self, account: str, reason: str = "Midjourney: [Blocked]") -> None:
        worker = self.server.workers.get(account)
        assert worker is not None
        worker.status.stop(reason)


@asynccontextmanager
async def world(
    folder: Path, *accounts: AccountSettings, speed: float = 20.0
) -> AsyncIterator[World]:
    clock = TurnableClock()
    async with Simulator(speed=speed, clock=clock) as simulator, aiohttp.ClientSession() as http:
        settings = using_simulator(simulator, data_dir=folder, accounts=list(accounts))
        runtime = Runtime(clock=clock, make_writer=WatchedWriter)
        async with running(settings, runtime) as server:
            made = World(server, simulator, clock, http)
            directory = server.workers._environment.directory
            await made.until(
                lambda: all(each.state is not AccountState.CONNECTING for each in directory.all())
            )
            yield made


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_upload_lets_another_account_make_the_task(
    tmp_path: Path, status: int
) -> None:
    async with world(tmp_path, account(0), account(1)) as w:
        await w.control("fail", route="POST /channels/attachments", status=status, times=1)
        task = await w.submit("a cat", images=1)
        assert (await w.ended(task.id)).status is Status.SUCCESS
        assert w.task(task.id).account != task.account
        await w.no_slot_is_taken()
        assert w.jobs() == 1


async def test_an_account_that_stops_during_an_upload_costs_neither_task_nor_slot(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, account(0, core_size=1), account(1, core_size=1)) as w:
        await w.control("fail", route="POST /channels/attachments", way="slow", times=2)
        task = await w.submit("a cat", account="", images=1)
        first = task.account
        worker = w.server.workers.get(first)
        assert worker is not None
        await w.until(lambda: worker.tasks.queue.running_count == 1, step=0.01)
        assert w.task(task.id).sending is Sending.NOT_SENT
        w.stop(first)
        done = await w.ended(task.id)
        assert (done.status, done.account) == (Status.SUCCESS, B if first == A else A)
        await w.until(lambda: worker.tasks.queue.running_count == 0)
        await w.no_slot_is_taken()
        assert w.jobs() == 1


async def test_a_moved_task_keeps_to_its_filter(tmp_path: Path) -> None:
    async with world(tmp_path, account(0, core_size=1), account(1), speed=1.0) as w:
        bound = [await w.submit(f"cat {n}", account=A) for n in range(3)]
        free = await w.submit("a dog")
        await w.until(lambda: w.task(bound[0].id).sending is Sending.SENT)
        w.stop(A, "gone")
        for task in bound[1:]:
            done = await w.ended(task.id)
            assert (done.status, done.account) == (Status.FAILURE, A)
            assert done.failure
            assert done.failure.reason == "Its account stopped: gone"
        assert (await w.ended(free.id)).account == B
        assert w.task(free.id).status is Status.SUCCESS
        assert bound[1].accounts == AccountFilter(account=A)


async def test_starting_one_account_leaves_the_others_alone(tmp_path: Path) -> None:
    async with world(tmp_path, account(0), account(1), speed=1.0) as w:
        task = await w.submit("a cat", account=B)
        await w.until(lambda: w.task(task.id).sending is Sending.SENT)
        worker = w.server.workers.get(B)
        assert worker is not None
        await w.server.services.tasks.cancel(task.id)
        await w.until(lambda: not worker.tasks.queue.is_orphaned(task.id), step=1)
        reconnecting = asyncio.create_task(w.server.services.accounts.reconnect(A))
        await w.until(reconnecting.done)
        assert not worker.tasks.queue.is_orphaned(task.id)
        again = await w.submit("a cat", account=B)
        assert (await w.ended(again.id)).status is Status.SUCCESS


async def test_five_reconnects_of_a_stopped_account_leave_nothing_behind(tmp_path: Path) -> None:
    async with world(tmp_path, account(0)) as w:

        def of_account() -> int:
            return sum(task.get_name().startswith(A) for task in asyncio.all_tasks())

        before = of_account()
        for _ in range(5):
            w.stop(A)
            reconnecting = asyncio.create_task(w.server.services.accounts.reconnect(A))
            await w.until(reconnecting.done)
            worker = w.server.workers.get(A)
            assert worker is not None
            await w.until(lambda worker=worker: worker.status.is_online)  # type: ignore[misc]
        await w.until(lambda: of_account() <= before)


@pytest.mark.parametrize("how", ["stopped", "disabled"])
async def test_the_deadline_holds_whatever_the_account_is(tmp_path: Path, how: str) -> None:
    async with world(tmp_path, account(0), speed=0.0001) as w:
        task = await w.submit("a cat")
        await w.until(lambda: w.task(task.id).sending is Sending.SENT)
        if how == "stopped":
            w.stop(A, "Midjourney: [Blocked]")
        else:
            change = w.server.services.accounts.change(A, {"enable": False})
            changing = asyncio.create_task(change)
            await w.until(changing.done)
        done = await w.ended(task.id, step=30)
        assert done.status is Status.FAILURE
        assert done.failure
        assert done.failure.reason.startswith("Its account stopped: ")


async def finished_upscale(w: World, account_id: str) -> Task:
    grid = await w.ended((await w.submit("a castle", account=account_id)).id)
    pressing = w.server.services.buttons.press_numbered(grid.id, Action.UPSCALE, 1)
    return await w.ended((await pressing).task.id)


def zoom_button(task: Task) -> str:
    return next(b.custom_id for b in task.buttons if b.custom_id.startswith("MJ::CustomZoom"))


async def test_a_modal_task_ends_with_its_account_and_can_be_cancelled(tmp_path: Path) -> None:
    async with world(tmp_path, account(0)) as w:
        other = account(1).model_dump()
        await w.server.services.accounts.add(other)
        worker = w.server.workers.get(B)
        assert worker is not None
        await w.until(lambda: worker.status.is_online)
        single = await finished_upscale(w, B)
        opened = [
            (await w.server.services.buttons.press(single.id, zoom_button(single))).task
            for _ in range(2)
        ]
        assert all(task.status is Status.MODAL for task in opened)
        cancelled = await w.server.services.tasks.cancel(opened[0].id)
        assert cancelled.status is Status.CANCEL
        removing = asyncio.create_task(w.server.services.accounts.remove(B))
        await w.until(removing.done)
        done = await w.ended(opened[1].id)
        assert done.failure
        assert done.failure.reason == "Its account was removed."


async def test_modals_are_bounded(tmp_path: Path) -> None:
    async with world(tmp_path, account(0, modal_limit=3)) as w:
        single = await finished_upscale(w, A)
        press = w.server.services.buttons.press
        for _ in range(3):
            await press(single.id, zoom_button(single))
        with pytest.raises(QueueFull):
            await press(single.id, zoom_button(single))


async def test_a_task_like_a_deleted_one_does_not_wait_for_it(tmp_path: Path) -> None:
    async with world(tmp_path, account(0), speed=1.0) as w:
        await w.control("fail", route="POST /interactions", status=500, times=1)
        lost = await w.submit("a cat")
        await w.until(lambda: not w.simulator.faults._planned["POST /interactions"])
        await w.server.services.tasks.cancel(lost.id)
        await w.server.services.tasks.delete(w.task(lost.id))
        again = await w.submit("a cat")
        assert (await w.ended(again.id)).status is Status.SUCCESS


async def test_cancel_and_submit_while_an_account_starts_again(tmp_path: Path) -> None:
    async with world(tmp_path, account(0), speed=1.0) as w:
        task = await w.submit("a cat")
        await w.until(lambda: w.task(task.id).status is Status.IN_PROGRESS)
        await w.control("fail", route="POST /interactions", way="slow", times=1)
        held_up = await w.submit("a dog")
        await w.until(lambda: w.task(held_up.id).ids.nonce is not None, step=0.01)
        reconnecting = asyncio.create_task(w.server.services.accounts.reconnect(A))
        await breathe()
        assert (await w.server.services.tasks.cancel(task.id)).status is Status.CANCEL
        late = await w.submit("a fox")
        await w.until(reconnecting.done)
        assert (await w.ended(late.id)).status is Status.SUCCESS
        assert (await w.ended(held_up.id)).status is Status.SUCCESS
        await w.until(lambda: not w.task(task.id).cancel_job)
        ends = [job["end"] for job in w.simulator.world.players[MIDJOURNEY].state()["jobs"]]
        assert ends.count("stopped") == 1


async def test_live_changes_reach_every_part(tmp_path: Path) -> None:
    async with world(tmp_path, account(0)) as w:
        worker = w.server.workers.get(A)
        assert worker is not None
        assert not worker.refresher.may_relax()
        await w.server.services.accounts.change(
            A, {"relax_when_exhausted": True, "refresh_minutes": 7}
        )
        assert w.server.workers.get(A) is worker
        assert worker.refresher.may_relax()
        assert 7 * 60 * 0.9 <= worker.refresher.pause() <= 7 * 60 * 1.1


async def test_any_change_of_an_account_keeps_its_bot_token(tmp_path: Path) -> None:
    with_bot = account(0, bot_token="demo-bot-token", enable=False)
    async with world(tmp_path, with_bot) as w:
        await w.server.services.accounts.change(A, {"remark": "x"})
    async with world(tmp_path, with_bot) as w:
        worker = w.server.workers.get(A)
        assert worker is not None
        assert worker.settings.remark == "x"
        assert worker.settings.bot_token
        assert worker.settings.bot_token.get_secret_value() == "demo-bot-token"
    assert b"demo-bot-token" not in (tmp_path / "athena.db").read_bytes()


async def test_a_fault_in_a_loop_is_seen_and_harms_one_turn(tmp_path: Path) -> None:
    async with world(tmp_path, account(0)) as w:
        worker = w.server.workers.get(A)
        assert worker is not None
        real = worker._recovery.catch_up

        async def broken() -> bool:
            raise KeyError("odd")

        worker._recovery.catch_up = broken  # type: ignore[method-assign]
        await w.control("fail", route="POST /interactions", status=500, times=1)
        lost = await w.submit("a cat")
        health = w.server.services.health
        await w.until(lambda: bool(health.report().problems), step=1)
        assert not health.report().ready
        assert "KeyError" in health.report().problems[A]
        worker._recovery.catch_up = real  # type: ignore[method-assign]
        assert (await w.ended(lost.id, step=1)).status is Status.FAILURE
        await w.until(lambda: health.report().ready)
        again = await w.submit("a dog")
        assert (await w.ended(again.id)).status is Status.SUCCESS
