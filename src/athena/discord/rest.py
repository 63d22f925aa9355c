"""REST: one method for each call that we make (contracts: discord-wire, section 3).

A call that only reads, or that may be made twice without harm, is repeated after a fault with
growing, jittered pauses. One that acts, above all an interaction, is repeated only when it is
certain that it did not take effect: after a 429, or when no connection was made. Lost in between,
it raises `OutcomeUnknown`, and whoever asked must find out by other means.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from athena.clock import Clock
from athena.discord import wire
from athena.discord.errors import (
    DiscordError,
    OutcomeUnknown,
    RateLimited,
    ServerFault,
    Unauthorized,
    Unreachable,
    from_answer,
)
from athena.discord.identity import Endpoints, Identity
from athena.discord.limits import LONGEST_WAIT, Limits

_T = TypeVar("_T")

_TRIES = 4
_FIRST_PAUSE = 0.5
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
_TRANSFER = aiohttp.ClientTimeout(total=300, connect=10)
_INDEX_TRIES = 10


class _Call(Struct, frozen=True, kw_only=True):
    """One call. `route` names its rate-limit class, `major` the parameter that splits it."""

    method: str
    path: str
    route: str
    major: str = ""
    body: Any = None
    repeatable: bool = True


class _Answer(Struct, frozen=True):
    status: int
    body: bytes


class Rest:
    """Discord's REST API for one token. All methods raise `DiscordError`s."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoints: Endpoints,
        identity: Identity,
        clock: Clock,
        random: Random,
        *,
        proxy: str | None = None,
    ) -> None:
        self._session = session
        self._endpoints = endpoints
        self._headers = identity.headers()
        self._clock = clock
        self._random = random
        self._proxy = proxy
        self._limits = Limits(clock)
        self._refused: Unauthorized | None = None

    async def me(self) -> wire.User:
        """The user of the token."""
        call = _Call(method="GET", path="/users/@me", route="GET /users/@me")
        return _decode(await self._ask(call), wire.User)

    async def gateway_url(self) -> str:
        """Where sessions connect."""
        answer = await self._ask(_Call(method="GET", path="/gateway", route="GET /gateway"))
        return _decode(answer, wire.GatewayInfo).url

    async def interact(self, body: Mapping[str, Any]) -> None:
        """Use a command, press a button or submit a modal.

        Raises:
            OutcomeUnknown: the answer was lost; Discord may have taken it.
            InvalidForm: with `stale_command` when the command's version is no longer current.
        """
        await self._ask(
            _Call(
                method="POST",
                path="/interactions",
                route="POST /interactions",
                body=body,
                repeatable=False,
            )
        )

    async def command_index(self, guild_id: str) -> wire.CommandIndex:
        """The commands of all applications in a server. Discord may take a while to build it."""
        call = _Call(
            method="GET",
            path=f"/guilds/{guild_id}/application-command-index",
            route="GET /guilds/application-command-index",
            major=guild_id,
        )
        for _ in range(_INDEX_TRIES):
            answer = await self._ask(call)
            if answer.status != 202:
                return _decode(answer, wire.CommandIndex)
            await self._clock.sleep(_decode(answer, wire.RetryAfter).retry_after)
        raise ServerFault("Discord is still building the command index")

    async def messages(
        self,
        channel_id: str,
        *,
        limit: int = 100,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> tuple[wire.Message, ...]:
        """A page of a channel's history, newest first; `limit` is 1 to 100."""
        bounds = {"before": before, "after": after, "around": around}
        query = "".join(f"&{name}={value}" for name, value in bounds.items() if value)
        call = _Call(
            method="GET",
            path=f"/channels/{channel_id}/messages?limit={limit}{query}",
            route="GET /channels/messages",
            major=channel_id,
        )
        return _decode(await self._ask(call), tuple[wire.Message, ...])

    async def message(self, channel_id: str, message_id: str) -> wire.Message:
        """One message as it is now."""
        call = _Call(
            method="GET",
            path=f"/channels/{channel_id}/messages/{message_id}",
            route="GET /channels/messages/id",
            major=channel_id,
        )
        return _decode(await self._ask(call), wire.Message)

    async def post_message(
        self, channel_id: str, content: str, attachments: Sequence[wire.Uploaded] = ()
    ) -> wire.Message:
        """Say something, with files that were uploaded before."""
        call = _Call(
            method="POST",
            path=f"/channels/{channel_id}/messages",
            route="POST /channels/messages",
            major=channel_id,
            body={"content": content, "attachments": attachments},
            repeatable=False,
        )
        return _decode(await self._ask(call), wire.Message)

    async def upload_slots(
        self, channel_id: str, files: Sequence[Mapping[str, Any]]
    ) -> tuple[wire.UploadSlot, ...]:
        """Announce files ({id, filename, file_size}); where to put their bytes."""
        call = _Call(
            method="POST",
            path=f"/channels/{channel_id}/attachments",
            route="POST /channels/attachments",
            major=channel_id,
            body={"files": files},
        )
        return _decode(await self._ask(call), wire.UploadSlots).attachments

    async def put_bytes(self, url: str, data: bytes, content_type: str) -> None:
        """Put a file where Discord said. The place is signed; no token goes there."""
        headers = {"Content-Type": content_type}
        for last in _tries():
            try:
                async with self._session.put(
                    url, data=data, headers=headers, timeout=_TRANSFER, proxy=self._proxy
                ) as answer:
                    if answer.status < 300:
                        return
                    error: DiscordError = from_answer(answer.status, b"")
            except (aiohttp.ClientError, TimeoutError) as broken:
                error = Unreachable(f"upload failed: {type(broken).__name__}")
            if last or not isinstance(error, ServerFault | Unreachable):
                raise error
            await self._pause(0)

    async def react(self, channel_id: str, message_id: str, emoji: str) -> None:
        """Put a reaction on a message."""
        await self._ask(
            _Call(
                method="PUT",
                path=f"/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
                route="PUT /channels/messages/reactions",
                major=channel_id,
            )
        )

    async def open_dm(self, user_id: str) -> wire.Channel:
        """The direct channel with a user."""
        call = _Call(
            method="POST",
            path="/users/@me/channels",
            route="POST /users/@me/channels",
            body={"recipients": [user_id]},
        )
        return _decode(await self._ask(call), wire.Channel)

    async def refresh_urls(self, urls: Sequence[str]) -> dict[str, str]:
        """Fresh links for old ones, at most 50 at a time."""
        call = _Call(
            method="POST",
            path="/attachments/refresh-urls",
            route="POST /attachments/refresh-urls",
            body={"attachment_urls": urls},
        )
        fresh = _decode(await self._ask(call), wire.RefreshedUrls).refreshed_urls
        return {each.original: each.refreshed for each in fresh}

    async def _ask(self, call: _Call) -> _Answer:
        """Make a call in its turn, and again where that does no harm."""
        if self._refused:
            raise self._refused
        for number, last in enumerate(_tries()):
            try:
                async with self._limits.turn(call.route, call.major):
                    return await self._once(call)
            except RateLimited as error:
                if last or error.seconds > LONGEST_WAIT:
                    raise
            except Unreachable:
                if last:
                    raise
                await self._pause(number)
            except (ServerFault, OutcomeUnknown):
                if last or not call.repeatable:
                    raise
                await self._pause(number)
        raise AssertionError("the last try returns or raises")

    async def _once(self, call: _Call) -> _Answer:
        status, headers, body = await self._exchange(call)
        self._limits.learn(call.route, call.major, headers)
        if status == 429:
            raise RateLimited(self._limits.refused(call.route, call.major, headers, body))
        self._limits.succeeded()
        if status < 400:
            return _Answer(status, body)
        if status in (401, 403):
            self._limits.count_invalid()
        error = from_answer(status, body)
        if isinstance(error, Unauthorized):
            self._refused = error
        if isinstance(error, ServerFault) and not call.repeatable:
            raise OutcomeUnknown(str(error))
        raise error

    async def _exchange(self, call: _Call) -> tuple[int, Mapping[str, str], bytes]:
        headers = dict(self._headers)
        data = None
        if call.body is not None:
            data = msgspec.json.encode(call.body)
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                call.method,
                self._endpoints.api_url + call.path,
                data=data,
                headers=headers,
                timeout=_TIMEOUT,
                proxy=self._proxy,
                allow_redirects=False,
            ) as answer:
                return answer.status, answer.headers, await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"Discord cannot be reached: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OutcomeUnknown(f"Discord's answer was lost: {type(error).__name__}") from error

    async def _pause(self, number: int) -> None:
        await self._clock.sleep(_FIRST_PAUSE * 2**number * (0.5 + self._random.random()))


def _tries() -> list[bool]:
    """For each try, whether it is the last."""
    return [number == _TRIES - 1 for number in range(_TRIES)]


def _decode(answer: _Answer, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.MsgspecError as error:
        raise ServerFault(f"Discord's answer is not understood: {error}") from error
