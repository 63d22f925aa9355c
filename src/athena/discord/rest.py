"""REST: one method for each call that we make (contracts: discord-wire, section 3).

A call that only reads, or that may be made twice without harm, is repeated after a fault with
growing, jittered pauses. One that acts, above all an interaction, is repeated only when it is
certain that it did not take effect: after a 429, or when no connection was made. Lost in between,
it raises `OutcomeUnknown`, and the caller must find out by other means.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeVar

import msgspec
import structlog
from msgspec import Struct

from athena.backoff import Backoff
from athena.clock import Clock
from athena.discord import routes, wire
from athena.discord.errors import (
    DiscordError,
    OutcomeUnknown,
    RateLimited,
    ServerFault,
    Unauthorized,
    Unreachable,
    from_answer,
)
from athena.discord.history import MessagePage, UnreadableMessage, read_page
from athena.discord.identity import Endpoints, Identity
from athena.discord.limits import LONGEST_WAIT, Limits
from athena.discord.routes import CompiledRoute
from athena.discord.transport import HttpRequest, HttpResponse, Transport

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_TRIES = 4
_PAUSES = (0.5, 8.0)
_TRANSFER = 300.0
_INDEX_TRIES = 10
_MOST_REPORTED = 1_000
"""Unreadable messages whose ids are kept, so that each is logged once."""


class _Call(Struct, frozen=True, kw_only=True):
    """One call. `repeatable`: made twice it does no harm."""

    to: CompiledRoute
    query: str = ""
    body: Any = None
    repeatable: bool = True


class _Answer(Struct, frozen=True):
    status: int
    body: bytes


class Rest:
    """Discord's REST API for one token. All methods raise `DiscordError`s.

    `storage` transfers file bytes, to the host that Discord names; None: as `transport`.
    """

    def __init__(
        self,
        transport: Transport,
        endpoints: Endpoints,
        identity: Identity,
        clock: Clock,
        random: Random,
        *,
        storage: Transport | None = None,
    ) -> None:
        self._transport = transport
        self._storage = storage or transport
        self._endpoints = endpoints
        self._headers = identity.headers()
        self._clock = clock
        self._random = random
        self._limits = Limits(clock)
        self._refused: Unauthorized | None = None
        self._reported: OrderedDict[str, None] = OrderedDict()

    async def me(self) -> wire.User:
        """The user of the token."""
        return _decode(await self._ask(_Call(to=routes.GET_ME.compile())), wire.User)

    async def gateway_url(self) -> str:
        """Where sessions connect."""
        answer = await self._ask(_Call(to=routes.GET_GATEWAY.compile()))
        return _decode(answer, wire.GatewayInfo).url

    async def interact(self, body: Mapping[str, Any]) -> None:
        """Use a command, press a button or submit a modal.

        Raises:
            OutcomeUnknown: the answer was lost; Discord may have taken it.
            InvalidForm: with `stale_command` when the command's version is no longer current.
        """
        await self._ask(_Call(to=routes.POST_INTERACTION.compile(), body=body, repeatable=False))

    async def command_index(self, guild_id: str) -> wire.CommandIndex:
        """The commands of all applications in a server. Discord may take a while to build it."""
        call = _Call(to=routes.GET_COMMAND_INDEX.compile(guild=guild_id))
        for _ in range(_INDEX_TRIES):
            answer = await self._ask(call)
            if answer.status != 202:
                return _decode(answer, wire.CommandIndex)
            pause = _decode(answer, wire.RetryAfter).retry_after
            await self._clock.sleep(min(pause, LONGEST_WAIT))
        raise ServerFault("Discord is still building the command index")

    async def messages(
        self,
        channel_id: str,
        *,
        limit: int = 100,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> MessagePage:
        """A page of a channel's history, newest first; `limit` is 1 to 100.

        Messages that cannot be decoded stand beside the others; each is logged once.
        """
        bounds = {"before": before, "after": after, "around": around}
        query = "".join(f"&{name}={value}" for name, value in bounds.items() if value)
        to = routes.GET_MESSAGES.compile(channel=channel_id)
        answer = await self._ask(_Call(to=to, query=f"?limit={limit}{query}"))
        try:
            page = read_page(answer.body, limit)
        except wire.UNREADABLE as error:
            raise _not_understood(error) from error
        for message in page.unreadable:
            self._report(channel_id, message)
        return page

    async def message(self, channel_id: str, message_id: str) -> wire.Message:
        """One message as it is now."""
        to = routes.GET_MESSAGE.compile(channel=channel_id, message=message_id)
        return _decode(await self._ask(_Call(to=to)), wire.Message)

    async def post_message(
        self, channel_id: str, content: str, attachments: Sequence[wire.Uploaded] = ()
    ) -> wire.Message:
        """Say something, with files that were uploaded before."""
        call = _Call(
            to=routes.POST_MESSAGE.compile(channel=channel_id),
            body={"content": content, "attachments": attachments},
            repeatable=False,
        )
        return _decode(await self._ask(call), wire.Message)

    async def upload_slots(
        self, channel_id: str, files: Sequence[Mapping[str, Any]]
    ) -> tuple[wire.UploadSlot, ...]:
        """Announce files ({id, filename, file_size}); where to put their bytes."""
        to = routes.POST_ATTACHMENTS.compile(channel=channel_id)
        answer = await self._ask(_Call(to=to, body={"files": files}))
        return _decode(answer, wire.UploadSlots).attachments

    async def put_bytes(self, url: str, data: bytes, content_type: str) -> None:
        """Put a file where Discord said. The place is signed; no token goes there."""
        headers = {"Content-Type": content_type}
        request = HttpRequest(method="PUT", url=url, headers=headers, body=data, timeout=_TRANSFER)
        pauses = self._pauses()
        for last in _tries():
            try:
                await self._put(request)
            except (ServerFault, Unreachable):
                if last:
                    raise
                await self._clock.sleep(pauses.next())
            else:
                return

    async def _put(self, request: HttpRequest) -> None:
        try:
            answer = await self._storage.exchange(request)
        except OutcomeUnknown as error:
            # The same bytes at the same place: putting them there again does no harm.
            raise Unreachable(f"upload failed: {error}") from error
        if answer.status >= 300:
            raise from_answer(answer.status, b"")

    async def react(self, channel_id: str, message_id: str, emoji: str) -> None:
        """Put a reaction, a Unicode emoji (URL-encoded or not), on a message."""
        to = routes.PUT_REACTION.compile(channel=channel_id, message=message_id, emoji=emoji)
        await self._ask(_Call(to=to))

    async def open_dm(self, user_id: str) -> wire.Channel:
        """The direct channel with a user."""
        call = _Call(to=routes.POST_CHANNEL.compile(), body={"recipients": [user_id]})
        return _decode(await self._ask(call), wire.Channel)

    async def refresh_urls(self, urls: Sequence[str]) -> dict[str, str]:
        """Fresh links for old ones, at most 50 at a time."""
        call = _Call(to=routes.POST_REFRESH_URLS.compile(), body={"attachment_urls": urls})
        fresh = _decode(await self._ask(call), wire.RefreshedUrls).refreshed_urls
        return {each.original: each.refreshed for each in fresh}

    async def _ask(self, call: _Call) -> _Answer:
        """Make a call in its turn, and again where that does no harm."""
        if self._refused:
            raise self._refused
        pauses = self._pauses()
        for last in _tries():
            try:
                async with self._limits.turn(call.to.route.name, call.to.major):
                    return await self._once(call)
            except RateLimited as error:
                if last or error.seconds > LONGEST_WAIT:
                    raise
            except Unreachable:
                if last:
                    raise
                await self._clock.sleep(pauses.next())
            except (ServerFault, OutcomeUnknown):
                if last or not call.repeatable:
                    raise
                await self._clock.sleep(pauses.next())
        raise AssertionError("the last try returns or raises")

    async def _once(self, call: _Call) -> _Answer:
        answer = await self._transport.exchange(self._request(call))
        status, route, major = answer.status, call.to.route.name, call.to.major
        self._limits.learn(route, major, answer.headers)
        if status == 429:
            raise RateLimited(self._limits.refused(route, major, answer.headers, answer.body))
        self._limits.succeeded()
        if status < 400:
            return _Answer(status, answer.body)
        raise self._error(call, answer)

    def _error(self, call: _Call, answer: HttpResponse) -> DiscordError:
        if answer.status in (401, 403):
            self._limits.count_invalid()
        error = from_answer(answer.status, answer.body)
        if isinstance(error, Unauthorized):
            self._refused = error
        if isinstance(error, ServerFault) and not call.repeatable:
            return OutcomeUnknown(str(error))
        return error

    def _request(self, call: _Call) -> HttpRequest:
        url = self._endpoints.api_url + call.to.path + call.query
        method = call.to.route.method
        if call.body is None:
            return HttpRequest(method=method, url=url, headers=self._headers)
        headers = {**self._headers, "Content-Type": "application/json"}
        body = msgspec.json.encode(call.body)
        return HttpRequest(method=method, url=url, headers=headers, body=body)

    def _report(self, channel_id: str, message: UnreadableMessage) -> None:
        key = message.id or f"{hash(message.raw)}"
        if key in self._reported:
            return
        self._reported[key] = None
        if len(self._reported) > _MOST_REPORTED:
            self._reported.popitem(last=False)
        log.warning("message.unreadable", channel=channel_id, message=message.id,
                    error=message.error)  # fmt: skip

    def _pauses(self) -> Backoff:
        return Backoff(*_PAUSES, self._random)


def _tries() -> list[bool]:
    """For each try, whether it is the last."""
    return [number == _TRIES - 1 for number in range(_TRIES)]


def _decode(answer: _Answer, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except wire.UNREADABLE as error:
        raise _not_understood(error) from error


def _not_understood(error: Exception) -> ServerFault:
    return ServerFault(f"Discord's answer is not understood: {error}")
