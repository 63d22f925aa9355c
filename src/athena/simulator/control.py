"""Control endpoints of a running simulator: `/_control/…`, JSON requests and responses."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.errors import reply
from athena.simulator.faults import Fault, FaultKind, Faults, rates
from athena.simulator.gateway import Gateway
from athena.simulator.world import World


class CommandVersion(Struct, forbid_unknown_fields=True):
    application_id: str
    name: str
    version: str


class Drop(Struct, forbid_unknown_fields=True):
    code: int = 4000
    user_id: str | None = None


class Fail(Struct, forbid_unknown_fields=True):
    route: str
    way: FaultKind = FaultKind.ANSWER
    status: int = 429
    times: int = 1
    json: bool = True
    retry_after: float = 1.0


class NoticeRequest(Struct, forbid_unknown_fields=True):
    title: str
    """A known title or any other; ` | delivery` after it selects how it is delivered (see
    `bots.notices`)."""
    times: int = 1
    user_id: str | None = None
    application_id: str = MIDJOURNEY


class Number(Struct, forbid_unknown_fields=True):
    value: float


class Switch(Struct, forbid_unknown_fields=True):
    on: bool


class Control:
    """Mount it with `routes()`."""

    def __init__(self, world: World, gateway: Gateway, faults: Faults) -> None:
        self._world = world
        self._gateway = gateway
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        acts: dict[str, tuple[type[Any], Callable[[Any], object]]] = {
            "command-version": (CommandVersion, self._set_version),
            "drop": (Drop, lambda drop: self._gateway.drop(drop.code, drop.user_id)),
            "reconnect": (Switch, lambda _: self._gateway.order_reconnect()),
            "refuse-resume": (Number, self._refuse_resumes),
            "mute-acks": (Switch, lambda switch: setattr(self._faults, "mute_acks", switch.on)),
            "partial-updates": (Switch, self._partial_updates),
            "link-life": (Number, self._set_link_life),
            "modal-life": (Number, self._set_modal_life),
            "window-life": (Number, self._set_modal_life),
            "notice": (NoticeRequest, self._request_notice),
            "fail": (Fail, self._fail),
            "faults": (dict[str, Any], lambda fields: self._faults.set_rates(rates(fields))),
        }
        posts = [web.post(f"/_control/{n}", _handler(*act)) for n, act in acts.items()]
        return [web.get("/_control/state", self.state), *posts]

    async def state(self, request: web.Request) -> web.Response:
        """Sessions, messages, and the state of each bot."""
        world = self._world
        sessions = [
            {"user": session.account.user["username"], "connected": session.write is not None}
            for session in world.sessions.all()
        ]
        messages = {channel: len(held) for channel, held in world.messages.items()}
        bots = {app: player.state() for app, player in world.players.items()}
        return reply({"sessions": sessions, "messages": messages, "bots": bots})

    def _set_version(self, request: CommandVersion) -> None:
        self._world.versions[request.application_id, request.name] = request.version

    def _refuse_resumes(self, request: Number) -> None:
        self._faults.refuse_resumes = int(request.value)

    def _partial_updates(self, request: Switch) -> None:
        self._world.partial_updates = request.on

    def _set_link_life(self, request: Number) -> None:
        self._world.files.link_life = request.value

    def _set_modal_life(self, request: Number) -> None:
        self._world.modal_life = round(request.value * 1000)

    def _request_notice(self, request: NoticeRequest) -> None:
        player = self._world.players.get(request.application_id)
        if player is None:
            raise ValueError("no such bot")
        player.request_notice(request.user_id, request.title, request.times)

    def _fail(self, request: Fail) -> None:
        fault = Fault(
            kind=request.way,
            status=request.status,
            json=request.json,
            retry_after=request.retry_after,
        )
        self._faults.plan(request.route, fault, request.times)


def _handler(
    kind: type[Any], act: Callable[[Any], object]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=kind)
            return reply({"done": act(body)})
        except (msgspec.MsgspecError, ValueError) as error:
            return reply({"error": str(error)}, 400)

    return handle
