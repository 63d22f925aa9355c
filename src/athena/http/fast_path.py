"""The fast path: a thin ASGI layer before the framework.

It removes a path's prefix, authenticates the call, and answers the most frequent calls itself:
fetch and list-by-condition, from tasks that stay encoded until they change, and the submit of an
imagine, which would cost three times the durable write in the framework. Only here may speed cost
elegance; bench/ measures the gain. Anything unusual (a task that is not in memory, a link that
expires soon, a large or malformed body) goes on to the framework, which gives the same answer.
"""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from athena.errors import AthenaError
from athena.http import path_options
from athena.http.auth import Caller
from athena.http.calls import KEY, Call, Services, base_of, key_of, language_of
from athena.http.image_links import Links
from athena.http.mj import responses
from athena.http.mj.bodies import ConditionBody, ImagineBody
from athena.http.mj.submits import take_imagine
from athena.http.mj.task_view import render
from athena.http.page.session import Sessions
from athena.http.path_options import PathOptions
from athena.service.link_renewal import fresh_until
from athena.store.tokens import Role
from athena.tasks.model import Millis, Task

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_FETCH = re.compile(r"/mj/task/(\d{1,20})/fetch")
_IMAGE = re.compile(r"/mj/image/(\d{1,20})(?:/[1-4])?")
_LIST = ("/mj/task/list-by-condition", "/mj/task/list-by-ids")
_IMAGINE = "/mj/submit/imagine"
_API_PATHS = ("/mj/", "/v1/")
_KEPT = 20_000
_SMALL = 64 * 1024
_JSON = (b"content-type", b"application/json")
_UNAUTHORIZED = b'{"code":9,"description":"unauthorized: the API secret is missing or wrong"}'
_READER = b'{"code":9,"description":"this token may only look: it is a reader\'s"}'
_GUEST = Caller(Role.USER)

_decode_ids = msgspec.json.Decoder(ConditionBody).decode
_decode_imagine = msgspec.json.Decoder(ImagineBody).decode
_encode = msgspec.json.Encoder().encode


class _Kept(Struct):
    task: Task
    body: bytes
    until: Millis | None
    """When its link must be renewed."""


class Encoded:
    """Tasks as JSON, encoded once for each state and kind of link."""

    def __init__(self, services: Services) -> None:
        self._queries = services.queries
        self._clock = services.clock
        self._kept: OrderedDict[tuple[str, Links], _Kept] = OrderedDict()

    def get(self, task_id: str, links: Links) -> bytes | None:
        """The task's JSON; None when it is not in memory, or its link is near its end."""
        task = self._queries.held(task_id)
        if task is None:
            return None
        key = (task_id, links)
        kept = self._kept.get(key)
        if kept is None or kept.task is not task:
            kept = self._kept[key] = _Kept(task, render(task, links), fresh_until(task))
        self._kept.move_to_end(key)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        if kept.until is not None and self._clock.now() >= kept.until:
            return None
        return kept.body


class FastPath:
    """An ASGI application around the framework's."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._authenticator = services.authenticator
        self._sessions = Sessions(lambda: services.encryption)
        self._services = services
        self._encoded = Encoded(services)
        self._short_cuts = {**dict.fromkeys(_LIST, self._list), _IMAGINE: self._imagine}
        self._links: dict[tuple[PathOptions, str], Links] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, options = path_options.of_path(scope["path"])
        if not path.startswith(_API_PATHS):
            await self._app(scope, receive, send)
            return
        if path is not scope["path"]:
            scope = {**scope, "path": path, "raw_path": path.encode()}
        caller = await self._caller(scope)
        if caller is None:
            await _reply(send, 401, _UNAUTHORIZED)
            return
        if caller.only_reads and not _is_reading(scope):
            await _reply(send, 403, _READER)
            return
        call = self._call(scope, caller, options)
        scope[KEY] = call
        await self._answer(scope, receive, send, call)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, call: Call) -> None:
        if scope["method"] == "POST" and scope["path"] in self._short_cuts:
            await self._post(scope, receive, send, call)
        elif body := self._encoded_task(scope, call):
            await _reply(send, 200, body)
        else:
            await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        """Who calls. An unknown token may have been made a moment ago by the command line."""
        headers = scope["headers"]
        if secret := self._sessions.secret(headers, scope["method"]):
            headers = [*headers, (b"mj-api-secret", secret)]
        caller = self._authenticator.admit(headers)
        if caller is None and _opens_image(scope, self._services):
            return _GUEST
        if caller is None:
            await self._services.token_registry.look()
            caller = self._authenticator.admit(headers)
        return caller

    def _call(self, scope: Scope, caller: Caller, of_path: PathOptions) -> Call:
        headers = scope["headers"]
        options = caller.options.over(of_path)
        return Call(
            caller=caller,
            path_options=options,
            links=self._links_for(options, base_of(headers, scope.get("scheme", "http"))),
            language=language_of(headers),
            key=key_of(headers),
        )

    def _links_for(self, options: PathOptions, base: str) -> Links:
        """The same object for the same options, because encoded tasks are kept by it."""
        key = (options, base)
        links = self._links.get(key)
        if links is None:
            if len(self._links) > 1_000:
                self._links.clear()
            links = self._links[key] = self._services.links(options, base)
        return links

    def _encoded_task(self, scope: Scope, call: Call) -> bytes | None:
        if scope["method"] != "GET" or scope["query_string"]:
            return None
        found = _FETCH.fullmatch(scope["path"])
        return self._encoded.get(found.group(1), call.links) if found else None

    async def _post(self, scope: Scope, receive: Receive, send: Send, call: Call) -> None:
        first = await receive()
        body: bytes = first.get("body", b"")
        answer = None
        if not first.get("more_body") and len(body) <= _SMALL:
            answer = await self._short_cuts[scope["path"]](body, call)
        if answer is None:
            await self._app(scope, _replayed(first, receive), send)
        else:
            await _reply(send, 200, answer)

    async def _list(self, body: bytes, call: Call) -> bytes | None:
        try:
            ids = _decode_ids(body).ids
        except msgspec.MsgspecError:
            return None
        links = call.links
        known = [encoded for task_id in ids if (encoded := self._encoded.get(task_id, links))]
        return b"[" + b",".join(known) + b"]" if len(known) == len(ids) else None

    async def _imagine(self, body: bytes, call: Call) -> bytes | None:
        try:
            data = _decode_imagine(body)
        except msgspec.MsgspecError:
            return None
        try:
            return _encode(await take_imagine(self._services, call, data))
        except AthenaError as error:
            found = responses.of_error(error, call.language)
            # What needs another status or a header is answered by the framework's handler.
            return _encode(found.answer) if found.status == 200 else None


def _is_reading(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") or scope["path"] in _LIST


def _opens_image(scope: Scope, services: Services) -> bool:
    """Whether an image's link carries the signature that opens it."""
    found = _IMAGE.fullmatch(scope["path"])
    if found is None:
        return False
    given = parse_qs(scope["query_string"].decode("latin-1")).get("s", [""])[0]
    return services.encryption.is_signed(found[1], given)


def _replayed(first: Message, receive: Receive) -> Receive:
    """A `receive` that returns what was already read, then the rest."""
    taken = [first]

    async def receive_again() -> Message:
        return taken.pop() if taken else await receive()

    return receive_again


async def _reply(send: Send, status: int, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
