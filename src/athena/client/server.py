"""Client of a running Athena server's `/mj` API.

Every submit carries its own idempotency key. When a response is lost, the client repeats the
submit, and the server accepts it once. Nothing here knows the server's internals.
"""

import asyncio
import base64
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Struct, field

from athena.client.errors import AthenaError, RequestRefused, ServerUnreachable

DEFAULT_SERVER = "http://127.0.0.1:8062"

_T = TypeVar("_T")

_ENDS = frozenset({"SUCCESS", "FAILURE", "CANCEL"})
_ACCEPTED = (1, 21, 22)
_MODAL = 21
_TRIES = 4
_TIMEOUT = aiohttp.ClientTimeout(total=150, connect=5)

WAIT = 30
"""Seconds that the server may delay its response until something changes."""


class Button(Struct, frozen=True, kw_only=True, rename="camel"):
    custom_id: str
    label: str = ""
    emoji: str = ""

    @property
    def name(self) -> str:
        """Its label or emoji."""
        return self.label or self.emoji


class Snapshot(Struct, frozen=True, kw_only=True, rename="camel"):
    """A task's state at one moment. Times are Unix milliseconds."""

    id: str
    action: str
    status: str
    prompt: str | None = None
    description: str = ""
    progress: str = ""
    submit_time: int | None = None
    start_time: int | None = None
    finish_time: int | None = None
    image_url: str | None = None
    image_width: int | None = None
    image_height: int | None = None
    fail_reason: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status in _ENDS

    @property
    def percent(self) -> int:
        """0 to 100."""
        return int(self.progress.rstrip("%") or 0)

    @property
    def job(self) -> str:
        """Midjourney's id of the job; empty if it has none yet."""
        return str(self.properties.get("messageHash") or "")

    @property
    def final_prompt(self) -> str:
        """The prompt as Midjourney interpreted it; for describe and shorten, the resulting text."""
        return str(self.properties.get("finalPrompt") or self.prompt or "")

    @property
    def seed(self) -> str:
        """The job's seed; empty until it has been requested."""
        return str(self.properties.get("imageSeed") or "")

    @property
    def is_video(self) -> bool:
        return bool(self.properties.get("videoUrls"))


class Submitted(Struct, frozen=True):
    """An accepted task. `modal`: the prompt that its modal proposes; None if it opened no modal."""

    task_id: str
    modal: str | None = None


class Account(Struct, frozen=True, kw_only=True, rename="camel"):
    """One of the server's accounts, with the fields that every user may see."""

    id: str
    guild_id: str = ""
    enable: bool = True
    state: str = ""
    disabled_reason: str | None = None
    remark: str = ""
    core_size: int = 0
    queue_size: int = 0
    running_count: int = 0
    queue_count: int = 0
    properties: dict[str, Any] = field(default_factory=dict)


class _Answer(Struct):
    code: int
    description: str = ""
    result: Any = None
    properties: dict[str, Any] = field(default_factory=dict)


class Server:
    """The server's calls. Every method may raise `ServerUnreachable`, and `RequestRefused` when the
    server rejects the request."""

    def __init__(self, http: aiohttp.ClientSession, url: str, secret: str = "") -> None:
        self._http = http
        self.url = url.rstrip("/")
        self._headers = {"Accept-Language": "en", **({"mj-api-secret": secret} if secret else {})}

    async def submit(self, what: str, body: Mapping[str, Any], key: str | None = None) -> Submitted:
        """Send a submit, such as `submit/imagine`, with an idempotency key (a random one by
        default): a repeated submit with the same key is the same request."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        answer = await self._persist("POST", f"/mj/{what}", body, _Answer, headers)
        if answer.code not in _ACCEPTED:
            raise RequestRefused(answer.code, answer.description)
        proposal = str(answer.properties.get("finalPrompt") or "")
        return Submitted(str(answer.result), proposal if answer.code == _MODAL else None)

    async def fetch(self, task_id: str, wait: float = 0) -> Snapshot:
        """A task's current state, or its state at the next change within `wait` seconds (at most
        120)."""
        query = f"?wait={wait:g}" if wait else ""
        return await self._persist("GET", f"/mj/task/{task_id}/fetch{query}", None, Snapshot)

    async def tasks(self, most: int = 100) -> list[Snapshot]:
        """The latest tasks, newest first."""
        return await self._persist("GET", f"/mj/task/list?size={most}", None, list[Snapshot])

    async def cancel(self, task_id: str) -> Snapshot:
        """Cancel a task, and its job at Midjourney."""
        return await self._persist("POST", f"/mj/task/{task_id}/cancel", {}, Snapshot)

    async def seed(self, task_id: str) -> str:
        """The seed of a finished task's job."""
        answer = await self._persist("GET", f"/mj/task/{task_id}/image-seed", None, _Answer)
        if answer.code not in _ACCEPTED:
            raise RequestRefused(answer.code, answer.description)
        return str(answer.result)

    async def accounts(self) -> list[Account]:
        """The server's accounts."""
        return await self._persist("GET", "/mj/account/list", None, list[Account])

    async def upload(self, images: Sequence[bytes]) -> list[str]:
        """Upload images to Discord and return their links."""
        body = {"base64Array": [text_of(image) for image in images]}
        answer = await self._call("POST", "/mj/submit/upload-discord-images", body, _Answer)
        if answer.code not in _ACCEPTED:
            raise RequestRefused(answer.code, answer.description)
        return [str(link) for link in answer.result]

    async def download(self, url: str) -> bytes:
        """Download an image. The server's secret is sent only to the server itself."""
        headers = self._headers if url.startswith(f"{self.url}/") else {}
        try:
            async with self._http.get(url, headers=headers, timeout=_TIMEOUT) as answer:
                if answer.status != 200:
                    raise ServerUnreachable(
                        f"download failed: HTTP {answer.status} from {answer.url.host}"
                    )
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServerUnreachable(f"download failed: {error}") from error

    async def _persist(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        kind: type[_T],
        headers: Mapping[str, str] | None = None,
    ) -> _T:
        """Make a call that is safe to repeat, and repeat it when the response is lost."""
        for number in range(_TRIES):
            try:
                return await self._call(method, path, body, kind, headers)
            except ServerUnreachable:
                if number == _TRIES - 1 or not await self._is_up(number):
                    raise
        raise AssertionError("the last try returns or raises")

    async def _is_up(self, number: int) -> bool:
        """Whether a server listens at the URL, after a short delay."""
        await asyncio.sleep(0.1 * 3**number)
        try:
            async with self._http.get(f"{self.url}/health/live", timeout=_TIMEOUT) as answer:
                return answer.status < 500
        except (aiohttp.ClientConnectorError, TimeoutError):
            return False
        except aiohttp.ClientError:
            return True

    async def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        kind: type[_T],
        headers: Mapping[str, str] | None = None,
    ) -> _T:
        sent = {**self._headers, **(headers or {})}
        try:
            async with self._http.request(
                method, self.url + path, json=body, headers=sent, timeout=_TIMEOUT
            ) as answer:
                data = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServerUnreachable(f"no response from {self.url}: {error}") from error
        if answer.status >= 400:
            raise _refusal(answer.status, data, self.url)
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise ServerUnreachable(f"{self.url} is not an Athena server") from error


def text_of(image: bytes) -> str:
    """An image encoded for a submit."""
    return base64.b64encode(image).decode()


def _refusal(status: int, data: bytes, server: str) -> AthenaError:
    try:
        said = msgspec.json.decode(data, type=_Answer)
    except msgspec.MsgspecError:
        return ServerUnreachable(f"{server} is not an Athena server: it returned HTTP {status}")
    return RequestRefused(said.code, said.description)
