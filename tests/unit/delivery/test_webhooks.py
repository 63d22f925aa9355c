"""Webhooks over fakes: what is sent, when, and how often; no sockets, no disk."""

import asyncio
import base64
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook
from structlog.testing import capture_logs
from tests.unit.delivery.receiving import HOOK, Change, Setting, ended, running, settle, task

from athena.delivery.delivery_log import DeliveryStatus
from athena.delivery.receivers import ReceiverLimits
from athena.delivery.webhooks import Signer
from athena.tasks.model import Task

HOST = "hooks.example.com"
DAY = 86_400


async def test_visible_changes_of_tasks_with_a_webhook_are_told_new_ones_are_not() -> None:
    setting = Setting()
    async with running(setting):
        (listener,) = setting.outbox.listeners
        listener(Change(None, task("1")))
        listener(Change(task("2"), task("2", 2), visible=False))
        listener(Change(task("3"), replace(task("3", 2), webhook=None)))
        setting.outbox.save(task("4"), task("4", 2))
        await settle()
    assert setting.receivers.bodies() == ["4.2"]
    assert setting.outbox.listeners == []


async def test_only_the_newest_state_is_told_and_the_order_never_goes_back() -> None:
    setting = Setting()
    setting.receivers.hanging = {HOST}
    async with running(setting):
        state = task()
        for revision in range(2, 9):
            state = setting.outbox.save(state, task("1", revision))
            await settle()
        setting.receivers.hanging.clear()
        setting.receivers.released.set()
        await settle()
    assert setting.receivers.bodies() == ["1.2", "1.8"]
    assert setting.outbox.rows == {}


# A receiver that fails


async def test_a_new_state_is_told_at_once_though_its_webhook_waits() -> None:
    """The receiver answers 503 for an hour, then 200, and in that moment the task ends."""
    setting = Setting()
    setting.receivers.always[HOST] = 503
    async with running(setting):
        state = setting.outbox.save(task(), task("1", 2))
        await setting.turn(3600)
        waits = setting.webhooks.delivery(state).next_try_at
        assert waits
        assert waits > setting.clock.now() + 20_000  # else the end would tell nothing
        setting.receivers.always[HOST] = 200
        end, at = setting.outbox.save(state, ended(state)), setting.clock.monotonic()
        await setting.turn(10)
        ((told, body),) = setting.receivers.taken
    assert body == b"1.3"
    assert told - at < 10
    assert setting.webhooks.delivery(end).delivered_revision == 3


async def test_a_new_state_starts_the_pauses_over() -> None:
    setting = Setting(ReceiverLimits(probe_pause=0.1))
    setting.receivers.always[HOST] = 503
    async with running(setting):
        state = setting.outbox.save(task(), task("1", 2))
        await setting.turn(3600)
        before = len(setting.receivers.calls)
        setting.outbox.save(state, ended(state))
        await setting.turn(30)
        tries = len(setting.receivers.calls) - before
    assert 4 <= tries <= 6  # at once, and after about 2, 4, 8 and 16 seconds


async def test_the_pauses_grow_to_ten_minutes() -> None:
    setting = Setting()
    setting.receivers.always[HOST] = 503
    async with running(setting):
        setting.outbox.save(task(), task("1", 2))
        await setting.turn(DAY / 2, step=5)
    moments = [at for at, _, _ in setting.receivers.calls]
    pauses = [after - before for before, after in pairwise(moments)]
    assert 1 <= pauses[0] <= 8
    assert max(pauses) <= 910
    assert min(pauses[-20:]) >= 300


async def test_a_receiver_that_is_up_again_gets_what_waits_for_it() -> None:
    """The first answer of a receiver that was down ends the pauses of all its webhooks."""
    setting = Setting(ReceiverLimits(per_receiver=2))
    setting.receivers.always[HOST] = 503
    async with running(setting):
        states = [setting.outbox.save(task(str(n)), task(str(n), 2)) for n in range(20)]
        await setting.turn(6 * 3600, step=5)
        setting.receivers.always[HOST] = 200
        setting.outbox.save(states[0], ended(states[0]))
        await setting.turn(15)
        assert Counter(setting.receivers.bodies()) == Counter(
            ["0.3", *(f"{n}.2" for n in range(1, 20))]
        )
    assert setting.receivers.most[HOST] <= 2


async def test_a_receiver_that_is_up_and_refuses_is_not_asked_at_once_again() -> None:
    setting = Setting(ReceiverLimits(failures=1, probe_pause=0.1))
    setting.receivers.plan[HOST] = [503, 404, 404]
    async with running(setting):
        setting.outbox.save(task(), task("1", 2))
        await setting.turn(3.5, step=0.5)
        assert setting.webhooks.delivery(task()).last_answer == 404
        assert len(setting.receivers.calls) == 2


async def test_a_hanging_receiver_delays_no_other() -> None:
    """140 tasks whose receiver never answers, all of one token; then one with a good receiver."""
    setting = Setting()
    setting.receivers.hanging = {"hangs.example.com"}
    async with running(setting):
        for n in range(140):
            bad = task(f"bad{n}", webhook="https://hangs.example.com/x")
            setting.outbox.save(bad, replace(bad, revision=2))
        await setting.turn(20)
        at = setting.clock.monotonic()
        setting.outbox.save(task("good"), task("good", 2))
        await settle()
        ((told, _),) = setting.receivers.taken
        assert told == at
        await setting.turn(300)
    assert setting.receivers.most["hangs.example.com"] == 8
    assert len([1 for moment, *_ in setting.receivers.calls if moment > 60]) <= 240 / 15 + 1


async def test_an_end_that_was_never_taken_is_dropped_after_a_day() -> None:
    setting = Setting()
    setting.receivers.always[HOST] = 404
    async with running(setting):
        end = setting.outbox.save(task(), ended(task(), setting.clock.now()))
        with capture_logs() as logs:
            await setting.turn(DAY + 1000, step=20)
        assert setting.outbox.rows == {}
        assert setting.webhooks.delivery(end).waiting_revision is None
    assert [each["task"] for each in logs if each["event"] == "webhook.given_up"] == ["1"]


# Faults


async def test_a_worker_that_failed_is_begun_again() -> None:
    faults = 3

    def render(task: Task) -> bytes | None:
        nonlocal faults
        faults -= 1
        if faults >= 0:
            raise KeyError("a fault")
        return b"told"

    setting = Setting(render=render)
    async with running(setting):
        state = setting.outbox.save(task(), task("1", 2))
        with capture_logs() as logs:
            await setting.turn(60)
        assert setting.receivers.bodies() == ["told"]
        assert setting.webhooks.delivery(state).tries == 4
    assert [each["event"] for each in logs].count("webhook.fault") == 3


async def test_a_fault_of_ours_says_nothing_of_the_receiver() -> None:
    def render(task: Task) -> bytes | None:
        if task.id != "good":
            raise KeyError("a fault")
        return b"told"

    setting = Setting(ReceiverLimits(failures=1), render=render)
    async with running(setting):
        setting.outbox.save(task(), task("1", 2))
        await settle()
        setting.outbox.save(task("good"), task("good", 2))
        await settle()
        assert setting.receivers.bodies() == ["told"]


async def test_a_delivery_that_cannot_be_taken_from_the_outbox_is_tried_again() -> None:
    setting = Setting()
    setting.outbox.refusing = 2
    async with running(setting):
        setting.outbox.save(task(), task("1", 2))
        await setting.turn(30)
        assert setting.outbox.rows == {}
    assert setting.receivers.bodies() == ["1.2"] * 3


async def test_what_has_nothing_to_tell_is_dropped() -> None:
    setting = Setting(render=lambda _: None)
    async with running(setting):
        state = setting.outbox.save(task(), task("1", 2))
        await settle()
        assert setting.outbox.dropped == [("1", 2)]
        assert setting.webhooks.delivery(state) == DeliveryStatus(url=HOOK)
    assert setting.receivers.calls == []


# The outbox


async def test_the_row_goes_after_the_delivery_was_taken() -> None:
    """At least once: a process that ends during the POST delivers after its start."""
    setting = Setting()
    setting.receivers.hanging = {HOST}
    async with running(setting):
        setting.outbox.save(task(), task("1", 2))
        await settle()
        assert len(setting.receivers.calls) == 1
        assert setting.outbox.dropped == []
    assert set(setting.outbox.rows) == {"1"}
    setting.receivers.hanging.clear()
    async with running(setting):
        assert setting.receivers.bodies() == ["1.2"]
    assert setting.outbox.rows == {}


async def test_an_outbox_that_cannot_be_read_loses_nothing() -> None:
    """`run` raises, and is run again; what came before, between and after is sent once."""
    setting = Setting()
    setting.outbox.rows["old"] = task("old", 4)
    setting.outbox.reading = [RuntimeError("unreadable"), RuntimeError("unreadable")]
    for _ in range(2):
        with pytest.raises(RuntimeError, match="unreadable"):
            await setting.webhooks.run()
        assert setting.outbox.listeners == []
    setting.outbox.save(task("between"), task("between", 2))
    async with running(setting):
        assert len(setting.outbox.listeners) == 1
        setting.outbox.save(task("after"), task("after", 2))
        await settle()
    assert sorted(setting.receivers.bodies()) == ["after.2", "between.2", "old.4"]


async def test_what_a_run_had_begun_is_done_by_the_next() -> None:
    setting = Setting()
    setting.receivers.always[HOST] = 503
    async with running(setting):
        setting.outbox.save(task(), task("1", 2))
        await setting.turn(3600)
    assert not [each for each in asyncio.all_tasks() if "webhook" in each.get_name()]
    setting.receivers.always[HOST] = 200
    async with running(setting):
        await setting.turn(10)
        assert setting.receivers.bodies() == ["1.2"]


@pytest.mark.parametrize("waits", [True, False])
async def test_at_start_an_older_state_never_replaces_a_newer(waits: bool) -> None:
    """The newer state came while the outbox was read, and still waits or was already sent."""
    setting = Setting()
    setting.outbox.rows["1"] = task("1", 2)
    if waits:
        setting.receivers.hanging = {HOST}
    happened = asyncio.Event()

    async def read() -> list[Any]:
        rows = await type(setting.outbox).pending_deliveries(setting.outbox)
        setting.outbox.save(task("1", 2), task("1", 5))
        await settle()
        happened.set()
        return rows

    setting.outbox.pending_deliveries = read  # type: ignore[method-assign]
    async with running(setting):
        await happened.wait()
        setting.receivers.hanging.clear()
        setting.receivers.released.set()
        await settle()
    assert [data for _, _, data in setting.receivers.calls] == [b"1.5"]
    assert setting.outbox.dropped == [("1", 5)]


async def test_a_state_of_the_outbox_that_waits_is_replaced_by_a_newer() -> None:
    setting = Setting()
    setting.outbox.rows["1"] = task("1", 2)
    setting.receivers.plan[HOST] = [503]
    async with running(setting):
        setting.outbox.save(task("1", 2), task("1", 3))
        await settle()
    assert setting.receivers.bodies() == ["1.3"]


# Deletion


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_deleted_task_is_delivered_no_more(hangs: bool) -> None:
    setting = Setting()
    setting.receivers.always[HOST] = 503
    setting.receivers.hanging = {HOST} if hangs else set()
    async with running(setting):
        state = setting.outbox.save(task(), task("1", 2))
        await settle()
        calls = len(setting.receivers.calls)
        setting.outbox.remove(state)
        await settle()
        assert setting.receivers.open[HOST] == 0
        setting.receivers.always[HOST] = 200
        setting.receivers.hanging.clear()
        await setting.turn(3600, step=60)
        assert len(setting.receivers.calls) == calls == 1
        assert setting.webhooks.known() == []
        setting.outbox.save(task("2"), task("2", 2))  # its place is free again
        await settle()
    assert setting.receivers.bodies() == ["2.2"]


async def test_a_task_that_was_deleted_while_the_outbox_was_read_is_not_told() -> None:
    setting = Setting()
    setting.outbox.rows |= {"1": task("1", 2), "2": task("2", 2)}
    setting.outbox.reading = [lambda: setting.outbox.remove(task("1", 2))]
    async with running(setting):
        pass
    assert setting.receivers.bodies() == ["2.2"]


# What administrators see


async def test_the_status_of_deliveries() -> None:
    setting = Setting()
    setting.receivers.plan[HOST] = [503, aiohttp.ClientConnectionError("no")]
    async with running(setting):
        state = setting.outbox.save(task(), task("1", 2))
        await settle()
        first = setting.webhooks.delivery(state)
        assert (first.tries, first.last_answer, first.waiting_revision) == (1, 503, 2)
        assert first.next_try_at
        await setting.turn(4)
        second = setting.webhooks.delivery(state)
        assert (second.tries, second.last_answer) == (2, None)
        assert second.last_error == "ClientConnectionError"
        await setting.turn(20)
        setting.outbox.save(task("2"), task("2", 2))
        await settle()
    third = DeliveryStatus(url=HOOK, delivered_revision=2, tries=3, last_answer=200)
    assert setting.webhooks.known() == [
        ("2", DeliveryStatus(url=HOOK, delivered_revision=2, tries=1, last_answer=200)),
        ("1", third),
    ]


async def test_a_state_is_sent_again_on_request() -> None:
    setting = Setting()
    async with running(setting):
        state = setting.outbox.save(task(), task("1", 2))
        await settle()
        setting.webhooks.send_again(state)
        await settle()
        assert setting.receivers.bodies() == ["1.2", "1.2"]
        setting.receivers.plan[HOST] = [503] * 4
        state = setting.outbox.save(state, ended(state))
        await setting.turn(60)
        setting.receivers.plan[HOST] = [503] * 4
        setting.webhooks.send_again(state)
        await settle()
        setting.receivers.plan.clear()
        setting.webhooks.send_again(state)  # though it waits for its next try
        await settle()
    assert setting.receivers.bodies()[-1] == "1.3"
    assert setting.webhooks.delivery(state).waiting_revision is None


# Signatures


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_" + base64.b64encode(b"a secret of ours").decode(), b"a secret of ours"),
        ("hunter22", b"hunter22"),  # happens to be base64
        ("schlüssel", "schlüssel".encode()),
    ],
)
async def test_deliveries_are_signed(secret: str, key: bytes) -> None:
    setting = Setting(signer=Signer(secret))
    setting.receivers.plan[HOST] = [500]
    async with running(setting):
        setting.outbox.save(task(), task("1", 2))
        await setting.turn(10)
    first, second = setting.receivers.headers
    assert first["webhook-id"] == second["webhook-id"] == "1.2"
    seconds = int(second["webhook-timestamp"])
    signed = Webhook(key).sign("1.2", datetime.fromtimestamp(seconds, UTC), "1.2")
    assert second["webhook-signature"] == signed
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_no base64", "whsec_abc"])
def test_secrets_that_cannot_be_used(secret: str) -> None:
    with pytest.raises(ValueError, match="signing secret") as told:
        Signer(secret)
    assert not secret or secret not in str(told.value).replace("whsec_", "", 1)
