"""Webhooks: every visible change, in order, the end for certain."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ThreadedResolver, web
from pydantic import SecretStr
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from athena.clock import TurnableClock
from athena.settings import WebhookSettings
from athena.simulator.app import Simulator
from tests.conftest import breathe
from tests.simulated.conftest import Build, Json, account, system_at

LOCAL = WebhookSettings(allow_loopback=True)


class Receiver:
    """A user's own server. It answers with the planned statuses, then with 200."""

    def __init__(self) -> None:
        self.bodies: list[Json] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.url = ""
        self.released: asyncio.Event | None = None
        """Before that no answer is given."""
        self.open = self.most = 0
        """Requests at the same time."""

    async def take(self, request: web.Request) -> web.Response:
        status = self.statuses.pop(0) if self.statuses else 200
        body = await request.read()
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            if self.released:
                await self.released.wait()
        finally:
            self.open -= 1
        self.calls.append((dict(request.headers), body))
        if status == 200:
            self.bodies.append(msgspec.json.decode(body))
        return web.Response(status=status)

    async def until_ended(self) -> None:
        while not (self.bodies and self.bodies[-1]["status"] in ("SUCCESS", "FAILURE")):
            await breathe()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://localhost:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def test_changes_come_in_order_and_the_end_comes(build: Build) -> None:
    async with receiving() as receiver:
        system = await build(speed=40, webhooks=LOCAL)
        answer = await system.imagine("a cat", notifyHook=receiver.url, state="mine")
        await receiver.until_ended()
    last = receiver.bodies[-1]
    assert (last["id"], last["status"], last["state"]) == (answer["result"], "SUCCESS", "mine")
    assert len(last["buttons"]) == 9
    percents = [int(body["progress"].rstrip("%") or 0) for body in receiver.bodies]
    assert percents == sorted(percents)
    assert len(receiver.bodies) >= 3
    assert last == await system.fetch(answer["result"])


async def test_a_failed_delivery_is_tried_again(build: Build) -> None:
    async with receiving() as receiver:
        receiver.statuses = [500, 503, 302]
        system = await build(webhooks=LOCAL)
        await system.imagine("a cat", notifyHook=receiver.url)
        await receiver.until_ended()
    assert receiver.bodies[-1]["status"] == "SUCCESS"


async def test_a_hanging_receiver_has_eight_connections_and_delays_no_other(
    build: Build,
) -> None:
    """Thirty tasks whose receiver accepts and never answers; then one with a good receiver."""
    system = await build(accounts=[account(core_size=15, queue_size=100)], webhooks=LOCAL)
    async with receiving() as hanging, receiving() as good:
        hanging.released = asyncio.Event()
        submits = (system.imagine("a cat", notifyHook=hanging.url) for _ in range(30))
        await asyncio.gather(*submits)
        while hanging.most < 8:
            await breathe()
        await system.imagine("a dog", notifyHook=good.url)
        await good.until_ended()
        assert (hanging.most, hanging.bodies) == (8, [])
        hanging.released.set()


async def test_the_global_webhook_and_one_s_own(build: Build) -> None:
    async with receiving() as everyone, receiving() as mine:
        system = await build(webhooks=WebhookSettings(url=everyone.url, allow_loopback=True))
        first = await system.imagine("a cat")
        second = await system.imagine("a dog", notifyHook=mine.url)
        await everyone.until_ended()
        await mine.until_ended()
    assert {body["id"] for body in everyone.bodies} == {first["result"]}
    assert {body["id"] for body in mine.bodies} == {second["result"]}


async def test_an_end_that_was_not_taken_is_told_after_a_restart(tmp_path: Path) -> None:
    async with Simulator(speed=float("inf")) as simulator, receiving() as receiver:
        receiver.statuses = [500] * 1000
        async with system_at(tmp_path, simulator=simulator, webhooks=LOCAL) as system:
            task_id = (await system.imagine("a cat", notifyHook=receiver.url))["result"]
            await system.ended(task_id)
        assert receiver.bodies == []
        receiver.statuses = []
        async with system_at(tmp_path, simulator=simulator, webhooks=LOCAL):
            await receiver.until_ended()
    assert [body["id"] for body in receiver.bodies] == [task_id]


async def test_signed_webhooks_are_verified_by_the_public_library(build: Build) -> None:
    secret = "whsec_" + base64.b64encode(b"a secret of ours").decode()
    async with receiving() as receiver:
        webhooks = WebhookSettings(allow_loopback=True, signing_secret=SecretStr(secret))
        system = await build(webhooks=webhooks)
        receiver.statuses = [500]
        await system.imagine("a cat", notifyHook=receiver.url)
        await receiver.until_ended()
    webhook = Webhook(secret)
    for headers, body in receiver.calls:
        assert webhook.verify(body, headers)["id"]
        with pytest.raises(WebhookVerificationError):
            webhook.verify(body + b" ", headers)


async def test_how_a_webhook_fares_is_shown_to_administrators(build: Build) -> None:
    clock = TurnableClock()
    async with receiving() as receiver:
        system = await build(webhooks=LOCAL, clock=clock)
        receiver.statuses = [503] * 1000
        task_id = (await system.imagine("a cat", notifyHook=receiver.url))["result"]
        await system.ended(task_id)
        while (told := await system.get(f"/mj/admin/task/{task_id}"))["hook"]["nextTryAt"] is None:
            await breathe()
        webhook = told["hook"]
        assert (webhook["url"], webhook["lastAnswer"]) == (receiver.url, 503)
        assert webhook["waitingRevision"]
        receiver.statuses = []
        # The end is seen a moment before it is on disk and told: wait for it, not for a pause.
        while webhook["deliveredRevision"] != told["revision"]:
            clock.turn(1)
            await breathe()
            webhook = (await system.get(f"/mj/admin/task/{task_id}"))["hook"]
        assert webhook["waitingRevision"] is None


async def test_names_that_lead_inside_are_refused_at_submit(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = await build()
    leads = {"inside.example.com": "10.1.2.3", "here.example.com": "127.0.0.1"}
    resolve = ThreadedResolver.resolve

    async def resolved(self: ThreadedResolver, host: str, *more: Any) -> Any:
        if host not in leads:
            return await resolve(self, host, *more)
        return [{"hostname": host, "host": leads[host], "port": 0, "family": 2,
                 "proto": 0, "flags": 0}]  # fmt: skip

    monkeypatch.setattr(ThreadedResolver, "resolve", resolved)
    for host in leads:
        answer = await system.imagine("a cat", notifyHook=f"http://{host}/hook")
        assert answer["code"] == 4
        assert "private" in answer["description"]
    answer = await system.imagine("a cat", notifyHook="http://unknown.example.invalid/hook")
    assert answer["code"] == 1
