"""What the answer to a delivery says of the delivery and of its receiver."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest
from msgspec import Struct
from standardwebhooks import Webhook
from tests.contract.store.making import make_task

from athena.clock import TurnableClock
from athena.delivery.sending import (
    BadSigningSecret,
    Outcome,
    Signer,
    WebhookResponse,
    WebhookSender,
)
from athena.tasks.model import Task

TASK = make_task(1, revision=3)
URL = "https://receiver"


@pytest.mark.parametrize(
    ("answer", "is_done", "is_up"),
    [
        (200, True, True),
        (204, True, True),
        (299, True, True),
        (300, False, True),
        (302, False, True),
        (404, False, True),
        (410, False, True),
        (429, False, False),
        (499, False, True),
        (500, False, False),
        (503, False, False),
    ],
)
def test_answers(answer: int, is_done: bool, is_up: bool) -> None:
    outcome = Outcome(answer=answer)
    assert (outcome.is_done, outcome.is_up, outcome.is_nothing) == (is_done, is_up, False)


def test_no_answer() -> None:
    unreachable, fault = Outcome(error="TimeoutError"), Outcome(error="KeyError", is_fault=True)
    assert (unreachable.is_done, unreachable.is_up) == (False, False)
    assert (fault.is_done, fault.is_up) == (False, None)


def test_nothing_to_tell() -> None:
    nothing = Outcome()
    assert (nothing.is_done, nothing.is_up, nothing.is_nothing) == (True, None, True)


class Receiver:
    """A session whose receiver answers so, or raises."""

    class Said(Struct):
        status: int

    def __init__(self, answer: int | Exception = 200) -> None:
        self.answer = answer
        self.requests: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.limits: list[tuple[float | None, float | None, bool]] = []

    @asynccontextmanager
    async def post(
        self,
        url: str,
        *,
        data: bytes,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
        allow_redirects: bool,
    ) -> AsyncIterator[WebhookResponse]:
        self.requests.append((url, data, headers))
        self.limits.append((timeout.total, timeout.connect, allow_redirects))
        if isinstance(self.answer, Exception):
            raise self.answer
        yield self.Said(self.answer)


def sender(
    receiver: Receiver, clock: TurnableClock, body: bytes | None = b"{}", secret: str = ""
) -> WebhookSender:
    return WebhookSender(receiver, clock, lambda _: body, Signer(secret) if secret else None)


async def test_a_delivery_is_one_post_with_limits(clock: TurnableClock) -> None:
    receiver = Receiver(204)
    assert await sender(receiver, clock).send(TASK, URL) == Outcome(answer=204)
    assert receiver.requests == [(URL, b"{}", {"Content-Type": "application/json"})]
    assert receiver.limits == [(15, 5, False)]


async def test_what_is_not_told_is_not_sent(clock: TurnableClock) -> None:
    receiver = Receiver()
    assert await sender(receiver, clock, body=None).send(TASK, URL) == Outcome()
    assert receiver.requests == []


@pytest.mark.parametrize(
    "error", [aiohttp.ClientError("no"), ConnectionResetError("no"), TimeoutError()]
)
async def test_a_receiver_that_cannot_be_reached(clock: TurnableClock, error: Exception) -> None:
    outcome = await sender(Receiver(error), clock).send(TASK, URL)
    assert outcome == Outcome(error=type(error).__name__)


async def test_a_fault_of_our_own_is_not_the_receivers(clock: TurnableClock) -> None:
    receiver = Receiver()

    def broken(_: Task) -> bytes:
        raise KeyError("no")

    outcome = await WebhookSender(receiver, clock, broken, None).send(TASK, URL)
    assert outcome == Outcome(error="KeyError", is_fault=True)
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("secret", "key"),
    [("plain text", b"plain text"), ("whsec_" + base64.b64encode(b"x" * 24).decode(), b"x" * 24)],
)
async def test_a_signed_delivery_can_be_checked(
    clock: TurnableClock, secret: str, key: bytes
) -> None:
    receiver = Receiver()
    await sender(receiver, clock, secret=secret).send(TASK, URL)
    ((_, body, headers),) = receiver.requests
    assert headers["webhook-id"] == f"{TASK.id}.3"
    assert headers["webhook-timestamp"] == str(clock.now() // 1000)
    assert headers["Content-Type"] == "application/json"
    moment = Webhook(key).sign(headers["webhook-id"], _moment(clock), body.decode())
    assert headers["webhook-signature"] == moment


def _moment(clock: TurnableClock) -> datetime:
    return datetime.fromtimestamp(clock.now() // 1000, UTC)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "the signing secret is empty"),
        ("whsec_", "the signing secret is empty"),
        ("whsec_no base64", "is no base64 behind whsec_"),
        ("whsec_ü", "is no base64 behind whsec_"),
    ],
)
def test_a_secret_that_cannot_be_used(secret: str, why: str) -> None:
    with pytest.raises(BadSigningSecret, match=why):
        Signer(secret)
