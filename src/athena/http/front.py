"""The front door: a thin ASGI layer before the framework.

It turns away who may not come in, and answers by itself the two calls that clients repeat all day,
fetch and list-by-condition, from tasks that are kept encoded since their last change. This is the
one place where speed may cost elegance; bench/ measures what it brings. Anything unusual (a task
that is not in memory, a body that is no list of ids) goes on to the dialect, which answers the
same in its own time.
"""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import msgspec

from athena.http.auth import Gate
from athena.http.mj_bodies import ConditionBody
from athena.http.mj_task import render
from athena.store.store import Store
from athena.tasks.model import Task

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_FETCH = re.compile(r"/mj/task/(\d{1,20})/fetch")
_LIST = "/mj/task/list-by-condition"
_DIALECTS = ("/mj/", "/v1/")
_KEPT = 20_000
_SMALL = 64 * 1024
_JSON = (b"content-type", b"application/json")
_UNAUTHORIZED = b'{"code":9,"description":"unauthorized: the API secret is missing or wrong"}'

_decode_ids = msgspec.json.Decoder(ConditionBody).decode


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

    def __init__(self, app: ASGIApp, gate: Gate, store: Store) -> None:
        self._app = app
        self._gate = gate
        self._encoded = Encoded(store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_DIALECTS):
            await self._app(scope, receive, send)
        elif not self._gate.admits(scope["headers"]):
            await _reply(send, 401, _UNAUTHORIZED)
        elif body := self._fetched(scope):
            await _reply(send, 200, body)
        elif scope["path"] == _LIST and scope["method"] == "POST":
            await self._list(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _fetched(self, scope: Scope) -> bytes | None:
        if scope["method"] != "GET":
            return None
        found = _FETCH.fullmatch(scope["path"])
        return self._encoded.get(found.group(1)) if found else None

    async def _list(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        body = self._listed(first)
        if body is None:
            await self._app(scope, _again(first, receive), send)
        else:
            await _reply(send, 200, body)

    def _listed(self, request: Message) -> bytes | None:
        body: bytes = request.get("body", b"")
        if request.get("more_body") or len(body) > _SMALL:
            return None
        try:
            ids = _decode_ids(body).ids
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None
        known = [encoded for task_id in ids if (encoded := self._encoded.get(task_id))]
        return b"[" + b",".join(known) + b"]" if len(known) == len(ids) else None


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
