"""The simulator's REST API (contracts: discord-wire, sections 3, 4 and 8).

All API versions behave the same. Each handler gets the signed-in account; an `ApiError` that it
raises becomes Discord's JSON.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from athena.simulator import errors, interactions, objects
from athena.simulator.errors import ApiError, reply
from athena.simulator.faults import FaultKind, Faults
from athena.simulator.ratelimits import RateLimits
from athena.simulator.sessions import Account
from athena.simulator.stage import Json
from athena.simulator.world import World

Handler = Callable[[web.Request, Account], Awaitable[web.Response]]

_LARGEST_UPLOAD = 25 * 1024 * 1024


class Rest:
    """Mount it with `routes()`."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.limits = RateLimits(world.clock, enforced=world.config.limits)
        self._world = world
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        api = r"/api/v{version:\d+}"
        table: list[tuple[str, str, str, Handler]] = [
            ("POST", "/interactions", "", self.interact),
            ("GET", "/guilds/{guild}/application-command-index", "guild", self.command_index),
            ("GET", "/channels/{channel}/application-command-index", "channel", self.command_index),
            ("POST", "/channels/{channel}/attachments", "channel", self.announce),
            ("POST", "/channels/{channel}/messages", "channel", self.post_message),
            ("GET", "/channels/{channel}/messages", "channel", self.history),
            ("GET", "/channels/{channel}/messages/{message}", "channel", self.message),
            ("GET", "/channels/{channel}", "channel", self.channel),
            ("GET", "/guilds/{guild}", "guild", self.guild),
            ("GET", "/guilds/{guild}/channels", "guild", self.guild_channels),
            ("POST", "/users/@me/channels", "", self.open_dm),
            ("POST", "/attachments/refresh-urls", "", self.refresh_urls),
            ("GET", "/users/@me", "", self.me),
            ("GET", "/users/{user}", "", self.user),
            ("GET", "/applications/@me", "", self.application),
            ("GET", "/oauth2/applications/@me", "", self.application),
            ("GET", "/gateway/bot", "", self.gateway_bot),
        ]
        react = "/channels/{channel}/messages/{message}/reactions/{emoji}/@me"
        table += [("PUT", react, "channel", self.react), ("DELETE", react, "channel", self.react)]
        routes = [
            web.route(method, api + path, self._signed_in(f"{method} {_plain(path)}", major, do))
            for method, path, major, do in table
        ]
        return [
            web.get(api + "/gateway", self.gateway),
            *routes,
            web.route("*", api + "/{rest:.*}", self.nothing),
        ]

    def _signed_in(self, route: str, major: str, handler: Handler) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self._faults.take(route)
            if fault is None:
                return await answer(request)
            match fault.kind:
                case FaultKind.ANSWER:
                    return fault.answer()
                case FaultKind.SLOW:
                    await self._world.clock.sleep(self._faults.pause())
                    return await answer(request)
                case FaultKind.HANG:
                    await self._world.clock.sleep(self._faults.rates.hang)
                    return _cut(request)
                case FaultKind.LOST:
                    await answer(request)
                    return _cut(request)

        async def answer(request: web.Request) -> web.Response:
            headers: dict[str, str] = {}
            try:
                account = self._account(request)
                turn = self.limits.take(account.token, route, request.match_info.get(major, ""))
                headers = turn.headers
                if turn.allowed:
                    said = await handler(request, account)
                else:
                    said = _limited(turn.retry_after)
            except ApiError as error:
                said = error.answer()
            said.headers.update(headers)
            return said

        return handle

    def _account(self, request: web.Request) -> Account:
        given = request.headers.get("Authorization", "")
        account = self._world.accounts.get(given.removeprefix("Bot "))
        if account is None or account.is_bot is not given.startswith("Bot "):
            raise errors.unauthorized()
        return account

    def _channel(self, request: web.Request, account: Account) -> str:
        channel_id = request.match_info["channel"]
        if channel_id not in self._world.channels:
            raise errors.unknown_channel()
        if not self._world.may_see(account, channel_id):
            raise errors.missing_access()
        return channel_id

    def _message(self, request: web.Request, channel_id: str) -> Json:
        found = self._world.messages[channel_id].get(request.match_info["message"])
        if found is None:
            raise errors.unknown_message()
        return found

    # Calls

    async def interact(self, request: web.Request, account: Account) -> web.Response:
        interactions.take(self._world, account, await _json_body(request))
        return web.Response(status=204)

    async def command_index(self, request: web.Request, account: Account) -> web.Response:
        if "channel" in request.match_info:
            self._channel(request, account)
        elif not self._world.is_member(account, request.match_info["guild"]):
            raise errors.missing_access()
        apps = [objects.application(a, p.username) for a, p in self._world.players.items()]
        commands = self._world.commands()
        version = str(max((int(each["version"]) for each in commands), default=0))
        return reply({"applications": apps, "application_commands": commands, "version": version})

    async def announce(self, request: web.Request, account: Account) -> web.Response:
        channel_id = self._channel(request, account)
        files = msgspec.json.decode(await request.read()).get("files") or []
        slots = []
        for file in files:
            size = int(file.get("file_size", 0))
            if size > _LARGEST_UPLOAD:
                raise ApiError(413, 40005, "Request entity too large")
            name = self._world.files.announce(channel_id, str(file["filename"]), size)
            url = f"{self._world.files.base_url}/upload/{name}"
            slots.append({"id": file.get("id", 0), "upload_url": url, "upload_filename": name})
        return reply({"attachments": slots})

    async def post_message(self, request: web.Request, account: Account) -> web.Response:
        channel_id = self._channel(request, account)
        body = msgspec.json.decode(await _json_body(request), type=dict[str, Any])
        given = body.get("attachments") or []
        files = [interactions.attach(self._world, channel_id, each) for each in given]
        content = str(body.get("content") or "")
        if not content and not files:
            raise ApiError(400, 50006, "Cannot send an empty message")
        return reply(self._world.say(account.user, channel_id, content, files))

    async def history(self, request: web.Request, account: Account) -> web.Response:
        channel_id = self._channel(request, account)
        messages = sorted(self._world.messages[channel_id].values(), key=lambda m: int(m["id"]))
        return reply(_page(messages, request))

    async def message(self, request: web.Request, account: Account) -> web.Response:
        return reply(self._message(request, self._channel(request, account)))

    async def channel(self, request: web.Request, account: Account) -> web.Response:
        return reply(self._world.channels[self._channel(request, account)])

    async def guild(self, request: web.Request, account: Account) -> web.Response:
        return reply(self._guild(request, account))

    async def guild_channels(self, request: web.Request, account: Account) -> web.Response:
        return reply(self._guild(request, account)["channels"])

    def _guild(self, request: web.Request, account: Account) -> Json:
        guild_id = request.match_info["guild"]
        if not self._world.is_member(account, guild_id):
            raise ApiError(404, 10004, "Unknown Guild")
        return self._world.guild(guild_id)

    async def react(self, request: web.Request, account: Account) -> web.Response:
        channel_id = self._channel(request, account)
        message = self._message(request, channel_id)
        player = self._world.players.get(str(message["author"]["id"]))
        if player and request.method == "PUT":
            emoji = request.match_info["emoji"]
            player.reacted(channel_id, str(message["id"]), account.id, emoji)
        return web.Response(status=204)

    async def open_dm(self, request: web.Request, account: Account) -> web.Response:
        body = msgspec.json.decode(await _json_body(request), type=dict[str, Any])
        recipients = body.get("recipients") or [body.get("recipient_id")]
        if str(recipients[0]) not in self._world.players:
            raise errors.invalid_form("recipients", "USER_INVALID", "Unknown recipient")
        channel_id = self._world.direct_channel(str(recipients[0]), account.id)
        return reply(self._world.channels[channel_id])

    async def refresh_urls(self, request: web.Request, account: Account) -> web.Response:
        body = msgspec.json.decode(await _json_body(request), type=dict[str, Any])
        urls = [str(url) for url in body.get("attachment_urls") or []]
        if not 1 <= len(urls) <= 50:
            raise errors.invalid_form(
                "attachment_urls", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 50 in length."
            )
        fresh = [{"original": url, "refreshed": self._fresh(url)} for url in urls]
        return reply({"refreshed_urls": fresh})

    def _fresh(self, url: str) -> str:
        parts = urlsplit(url).path.split("/")
        file = self._world.files.find(parts[-3], parts[-2]) if len(parts) >= 4 else None
        if file is None:
            raise errors.invalid_form("attachment_urls", "URL_INVALID", "Unknown attachment")
        return self._world.files.link(file)

    async def me(self, request: web.Request, account: Account) -> web.Response:
        return reply({**account.user, "email": None, "verified": True, "mfa_enabled": False})

    async def user(self, request: web.Request, account: Account) -> web.Response:
        found = self._world.user(request.match_info["user"])
        if found is None:
            raise ApiError(404, 10013, "Unknown User")
        return reply(found)

    async def application(self, request: web.Request, account: Account) -> web.Response:
        return reply(objects.application(account.id, str(account.user["username"])))

    async def gateway(self, request: web.Request) -> web.Response:
        return reply({"url": self._world.gateway_url})

    async def gateway_bot(self, request: web.Request, account: Account) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}
        return reply({"url": self._world.gateway_url, "shards": 1, "session_start_limit": limit})

    async def nothing(self, request: web.Request) -> web.Response:
        return errors.not_found().answer()


async def _json_body(request: web.Request) -> bytes:
    """The JSON of a body; browser clients also send it as a form's `payload_json`."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    form = await request.post()
    payload = form.get("payload_json")
    if isinstance(payload, web.FileField):
        return payload.file.read()
    return (payload or "{}").encode() if isinstance(payload, str) else bytes(payload or b"{}")


def _page(messages: list[Json], request: web.Request) -> list[Json]:
    """Newest first, as Discord pages a history; `messages` is oldest first."""
    try:
        limit = int(request.query.get("limit", 50))
        bounds = {
            k: int(request.query[k]) for k in ("before", "after", "around") & request.query.keys()
        }
    except ValueError as error:
        raise errors.invalid_form("limit", "NUMBER_TYPE_COERCE", "Not a number.") from error
    if not 1 <= limit <= 100:
        raise errors.invalid_form("limit", "NUMBER_TYPE_MAX", "Must be between 1 and 100.")
    if before := bounds.get("before"):
        messages = [each for each in messages if int(each["id"]) < before]
    if after := bounds.get("after"):
        return [each for each in messages if int(each["id"]) > after][:limit][::-1]
    if around := bounds.get("around"):
        nearest = sorted(messages, key=lambda each: abs(int(each["id"]) - around))[:limit]
        messages = sorted(nearest, key=lambda each: int(each["id"]))
    return messages[-limit:][::-1]


def _cut(request: web.Request) -> web.Response:
    """Break the connection; the response is discarded."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)


def _limited(retry_after: float) -> web.Response:
    body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
    return reply(body, 429)


def _plain(path: str) -> str:
    """A route's name without its parameters; one that ends in a parameter ends in `/id`."""
    parts = path.strip("/").split("/")
    named = [part for part in parts if not part.startswith("{")]
    return "/" + "/".join(named + ["id"] * parts[-1].startswith("{"))
