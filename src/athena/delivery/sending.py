"""One delivery to a webhook: the request, its signature, and what came of it."""

import base64
import binascii
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Protocol

import aiohttp
import structlog
from msgspec import Struct
from standardwebhooks import Webhook

from athena.clock import Clock, Millis
from athena.errors import AthenaError
from athena.tasks.model import Task

log = structlog.get_logger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_ENCODED = "whsec_"
_TOO_MANY = 429


class Answer(Protocol):
    """What counts of a receiver's answer."""

    @property
    def status(self) -> int: ...


class Session(Protocol):
    """The part of `aiohttp.ClientSession` that sends deliveries."""

    def post(
        self,
        url: str,
        *,
        data: bytes,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
        allow_redirects: bool,
    ) -> AbstractAsyncContextManager[Answer]: ...


class BadSigningSecret(AthenaError, ValueError):
    """The signing secret cannot be used; the text says why, without the secret."""


class Signer:
    """Signs deliveries with the three headers of Standard Webhooks.

    A secret that begins with `whsec_` is base64, as that specification says. Any other is plain
    text, and its UTF-8 bytes are the key.
    """

    def __init__(self, secret: str) -> None:
        """Raises:
        BadSigningSecret: empty, or `whsec_` without base64 behind it.
        """
        key = secret.encode()
        if secret.startswith(_ENCODED):
            try:
                key = base64.b64decode(secret.removeprefix(_ENCODED), validate=True)
            except (binascii.Error, ValueError):
                raise BadSigningSecret("the signing secret is no base64 behind whsec_") from None
        if not key:
            raise BadSigningSecret("the signing secret is empty")
        self._webhook = Webhook(key)

    def headers(self, task: Task, body: bytes, now: Millis) -> dict[str, str]:
        """The headers of a delivery. The id is that of the task's state, so it stays the same
        however often the state is sent."""
        name = f"{task.id}.{task.revision}"
        moment = datetime.fromtimestamp(now // 1000, UTC)
        return {
            "webhook-id": name,
            "webhook-timestamp": str(now // 1000),
            "webhook-signature": self._webhook.sign(name, moment, body.decode()),
        }


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a delivery: an answer; the kind of error when there was none; neither when there
    was nothing to tell."""

    answer: int | None = None
    error: str | None = None
    is_fault: bool = False
    """The error is one of this program; the receiver was not asked."""

    @property
    def is_nothing(self) -> bool:
        """There was nothing to tell."""
        return self.answer is None and self.error is None

    @property
    def is_done(self) -> bool:
        """The receiver has it, or need not have it."""
        return self.is_nothing or (self.answer is not None and self.answer < 300)

    @property
    def is_up(self) -> bool | None:
        """Whether the receiver answered as a server that works, even if it refused the delivery;
        None when it was not asked."""
        if self.answer is not None:
            return self.answer < 500 and self.answer != _TOO_MANY
        return None if self.is_fault or self.is_nothing else False


class Sender:
    """Sends a task's state once."""

    def __init__(
        self,
        http: Session,
        clock: Clock,
        render: Callable[[Task], bytes | None],
        signer: Signer | None,
    ) -> None:
        self._http = http
        self._clock = clock
        self._render = render
        self._signer = signer

    async def send(self, task: Task, url: str) -> Outcome:
        """Render and POST a task. Takes 15 seconds at most; redirects are not followed. A fault,
        in rendering say, is logged and returned."""
        try:
            body = self._render(task)
            return Outcome() if body is None else await self._post(task, url, body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("webhook.failed", task=task.id, error=type(error).__name__)
            return Outcome(error=type(error).__name__)
        except Exception as error:
            log.exception("webhook.fault", task=task.id)
            return Outcome(error=type(error).__name__, is_fault=True)

    async def _post(self, task: Task, url: str, body: bytes) -> Outcome:
        headers = {"Content-Type": "application/json"}
        if self._signer:
            headers |= self._signer.headers(task, body, self._clock.now())
        async with self._http.post(
            url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        ) as answer:
            log.info("webhook.sent", task=task.id, status=task.status, answer=answer.status)
            return Outcome(answer=answer.status)
