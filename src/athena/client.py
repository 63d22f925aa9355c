"""The Python library: a running Athena server, from a program.

    async with Athena.connect("http://127.0.0.1:8062") as mj:
        task = await mj.imagine("a cute cat --ar 3:2")
        async for change in mj.follow(task):
            print(change.progress)
        data = await mj.download(change.image_url)

Speaks the server's `/mj` dialect (contracts: mj-dialect) and knows nothing of its inside.
"""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Struct, field

DEFAULT_SERVER = "http://127.0.0.1:8062"

_T = TypeVar("_T")

_ENDS = frozenset({"SUCCESS", "FAILURE", "CANCEL"})
_WAIT = 30
"""Seconds for which the server may hold back its answer until something changes."""

_TAKEN = (1, 21, 22)


class AthenaError(Exception):
    """Base of what can go wrong; the text says what to do."""


class ServerUnreachable(AthenaError):
    """No server answers at the URL, or it speaks another language."""


class Refused(AthenaError):
    """The server did not take the request."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


class TaskFailed(AthenaError):
    """The task ended without a picture; the text is the reason."""


class Button(Struct, frozen=True, kw_only=True, rename="camel"):
    custom_id: str
    label: str = ""
    emoji: str = ""


class Task(Struct, frozen=True, kw_only=True, rename="camel"):
    """A task as the server shows it. Times are Unix milliseconds."""

    id: str
    action: str
    status: str
    prompt: str | None = None
    progress: str = ""
    submit_time: int | None = None
    start_time: int | None = None
    finish_time: int | None = None
    image_url: str | None = None
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
        """Midjourney's id of the job; empty while it has none."""
        return str(self.properties.get("messageHash") or "")


class _Answer(Struct):
    code: int
    description: str = ""
    result: Any = None


class Athena:
    """A server. Make one with `Athena.connect`. Every method may raise `ServerUnreachable`."""

    def __init__(self, http: aiohttp.ClientSession, server: str) -> None:
        self._http = http
        self._server = server.rstrip("/")

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, server: str = DEFAULT_SERVER, secret: str | None = None
    ) -> AsyncIterator["Athena"]:
        """Talk to the server at a base URL, with its API secret if it has one."""
        headers = {"mj-api-secret": secret or "", "Accept-Language": "en"}
        timeout = aiohttp.ClientTimeout(total=120, connect=5)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
            yield cls(http, server)

    async def imagine(self, prompt: str, pictures: Sequence[bytes] = ()) -> Task:
        """Ask for pictures of a text, with pictures put before it.

        Raises:
            Refused: the server did not take it.
        """
        encoded = [base64.b64encode(picture).decode() for picture in pictures]
        return await self._submit("imagine", {"prompt": prompt, "base64Array": encoded})

    async def press(self, task_id: str, custom_id: str) -> Task:
        """Press a button of a finished task.

        Raises:
            Refused: the server did not take it.
        """
        return await self._submit("action", {"taskId": task_id, "customId": custom_id})

    async def fetch(self, task_id: str) -> Task:
        """A task as it is now.

        Raises:
            Refused: there is no such task.
        """
        return await self._call("GET", f"/mj/task/{task_id}/fetch", None, Task)

    async def cancel(self, task_id: str) -> Task:
        """End a task, and its job at Midjourney.

        Raises:
            Refused: there is no such task.
        """
        return await self._call("POST", f"/mj/task/{task_id}/cancel", {}, Task)

    async def follow(self, task: Task) -> AsyncIterator[Task]:
        """The task at each change, until it has ended; the last one is its end."""
        task = await self.fetch(task.id)
        yield task
        while not task.ended:
            seen = (task.status, task.progress)
            path = f"/mj/task/{task.id}/fetch?wait={_WAIT}"
            task = await self._call("GET", path, None, Task)
            if (task.status, task.progress) != seen:
                yield task

    async def result(self, task: Task) -> Task:
        """Wait for the task's end.

        Raises:
            TaskFailed: it ended without a picture.
        """
        last = task
        async for change in self.follow(task):
            last = change
        if last.status != "SUCCESS":
            raise TaskFailed(last.fail_reason or last.status)
        return last

    async def download(self, url: str) -> bytes:
        """The bytes of a task's picture."""
        try:
            async with self._http.get(url, headers={"mj-api-secret": ""}) as answer:
                if answer.status != 200:
                    raise ServerUnreachable(f"the picture's host answered {answer.status}")
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServerUnreachable(f"the picture cannot be downloaded: {error}") from error

    async def _submit(self, what: str, body: Mapping[str, Any]) -> Task:
        answer = await self._call("POST", f"/mj/submit/{what}", body, _Answer)
        if answer.code not in _TAKEN:
            raise Refused(answer.code, answer.description)
        return await self.fetch(str(answer.result))

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, kind: type[_T]
    ) -> _T:
        try:
            async with self._http.request(method, self._server + path, json=body) as answer:
                data = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServerUnreachable(f"no answer from {self._server}: {error}") from error
        if answer.status >= 400:
            raise _refusal(answer.status, data, self._server)
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise ServerUnreachable(f"{self._server} is no Athena server") from error


def _refusal(status: int, data: bytes, server: str) -> AthenaError:
    try:
        said = msgspec.json.decode(data, type=_Answer)
    except msgspec.MsgspecError:
        return ServerUnreachable(f"{server} answered {status}, not as an Athena server does")
    return Refused(said.code, said.description)
