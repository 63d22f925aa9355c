"""The front door: a thin ASGI layer before the framework.

It turns away who may not come in, and answers by itself the calls that clients repeat all day:
fetch and list-by-condition, from tasks that are kept encoded since their last change, and the
submit of an imagine, whose way through the framework would cost three times what the durable write
itself costs. This is the one place where speed may cost elegance; bench/ measures what it brings.
Anything unusual (a task that is not in memory, a large or malformed body) goes on to the
framework, which answers the same in its own time.
"""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import msgspec

from athena.engine.desk import Desk
from athena.engine.refusals import Refused
from athena.http import mj_words as words
from athena.http.auth import Gate
from athena.http.mj_bodies import ConditionBody, ImagineBody
from athena.http.mj_submits import take_imagine
from athena.http.mj_task import render
from athena.http.mj_words import Language
from athena.settings import HookSettings
from athena.store.store import Store
from athena.tasks.model import Task

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_FETCH = re.compile(r"/mj/task/(\d{1,20})/fetch")
_LIST = "/mj/task/list-by-condition"
_IMAGINE = "/mj/submit/imagine"
_DIALECTS = ("/mj/", "/v1/")
_KEPT = 20_000
_SMALL = 64 * 1024
_JSON = (b"content-type", b"application/json")
_UNAUTHORIZED = b'{"code":9,"description":"unauthorized: the API secret is missing or wrong"}'

_decode_ids = msgspec.json.Decoder(ConditionBody).decode
_decode_imagine = msgspec.json.Decoder(ImagineBody).decode
_encode = msgspec.json.Encoder().encode


class Encoded:
    """Tasks as JSON, encoded once for each state."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[str, tuple[Task, bytes]] = OrderedDict()

    def get(self, task_id: str) -> bytes | None:
        """The task's JSON; None when it is not in memory."""
        task = self._store.held(task_id)
        if task is None:
            return None
        kept = self._kept.get(task_id)
        if kept and kept[0] is task:
            return kept[1]
        body = render(task)
        self._kept[task_id] = (task, body)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return body


class Front:
    """An ASGI application around the framework's."""

    def __init__(self, app: ASGIApp, gate: Gate, desk: Desk, hooks: HookSettings) -> None:
        self._app = app
        self._gate = gate
        self._desk = desk
        self._hooks = hooks
        self._encoded = Encoded(desk.store)
        self._short_cuts = {_LIST: self._listed, _IMAGINE: self._imagined}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_DIALECTS):
            await self._app(scope, receive, send)
        elif not self._gate.admits(scope["headers"]):
            await _reply(send, 401, _UNAUTHORIZED)
        elif scope["method"] == "POST" and scope["path"] in self._short_cuts:
            await self._post(scope, receive, send)
        elif body := self._fetched(scope):
            await _reply(send, 200, body)
        else:
            await self._app(scope, receive, send)

    def _fetched(self, scope: Scope) -> bytes | None:
        if scope["method"] != "GET":
            return None
        found = _FETCH.fullmatch(scope["path"])
        return self._encoded.get(found.group(1)) if found else None

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        body: bytes = first.get("body", b"")
        answer = None
        if not first.get("more_body") and len(body) <= _SMALL:
            answer = await self._short_cuts[scope["path"]](body, scope)
        if answer is None:
            await self._app(scope, _again(first, receive), send)
        else:
            await _reply(send, 200, answer)

    async def _listed(self, body: bytes, scope: Scope) -> bytes | None:
        try:
            ids = _decode_ids(body).ids
        except msgspec.MsgspecError:
            return None
        known = [encoded for task_id in ids if (encoded := self._encoded.get(task_id))]
        return b"[" + b",".join(known) + b"]" if len(known) == len(ids) else None

    async def _imagined(self, body: bytes, scope: Scope) -> bytes | None:
        try:
            data = _decode_imagine(body)
        except msgspec.MsgspecError:
            return None
        language = _language(scope)
        try:
            return _encode(await take_imagine(self._desk, self._hooks, data, language))
        except Refused as refused:
            return _encode(words.refused(refused, language))


def _language(scope: Scope) -> Language:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    wish = next((value for name, value in headers if name == b"accept-language"), b"")
    return Language.of(wish.decode("latin-1"))


def _again(first: Message, receive: Receive) -> Receive:
    """A `receive` that gives what was read already, then the rest."""
    taken = [first]

    async def receive_again() -> Message:
        return taken.pop() if taken else await receive()

    return receive_again


async def _reply(send: Send, status: int, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
