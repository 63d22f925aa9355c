"""The simulator as one server on one port: gateway, REST, CDN, the bots' pages and control."""

from collections.abc import Callable, Sequence
from random import Random

from aiohttp import web
from msgspec import Struct

from athena.clock import Clock, SystemClock
from athena.simulator.bots.faces import InsightFace
from athena.simulator.bots.midjourney import NIJI_FACE, Face, Midjourney
from athena.simulator.cdn import Cdn
from athena.simulator.config import DEMO, Config
from athena.simulator.control import Control
from athena.simulator.gateway import Gateway
from athena.simulator.iframe_modals import Pages
from athena.simulator.inbox import Inbox
from athena.simulator.rest import Rest
from athena.simulator.stage import Player, Stage
from athena.simulator.world import World
from athena.sockets import listen

MakePlayer = Callable[[Stage], Player]

_LARGEST_BODY = 64 * 1024 * 1024


class Urls(Struct, frozen=True, kw_only=True):
    """The base URLs for a client, instead of Discord's."""

    api: str
    gateway: str
    cdn: str
    apps: str


class Simulator:
    """Use it as `async with Simulator(...) as simulator`; port 0 selects a free port.

    `speed` divides the duration of jobs. `players` replaces the Midjourney bots with others.
    """

    def __init__(
        self,
        config: Config = DEMO,
        players: Sequence[MakePlayer] | None = None,
        *,
        speed: float = 1.0,
        clock: Clock | None = None,
        seed: int = 7,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        random = Random(seed)
        self.world = World(config, clock or SystemClock(), random, random.randbytes(32))
        bots = self._bots(speed, seed) if players is None else players
        for make in bots:
            self.world.add_player(make(self.world))
        self.faults = self.world.faults
        self.gateway = Gateway(self.world, self.faults)
        self._rest = Rest(self.world, self.faults)
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self.urls: Urls

    async def __aenter__(self) -> "Simulator":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start listening.

        Raises:
            OSError: the port is taken.
        """
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._runner = runner
        listening = listen(self._host, self._port)
        await web.SockSite(runner, listening).start()
        self._name(f"{self._host}:{listening.getsockname()[1]}")

    async def close(self) -> None:
        """End all jobs and connections."""
        for player in self.world.players.values():
            await player.close()
        self.gateway.drop(1001)
        if self._runner:
            await self._runner.cleanup()

    def _bots(self, speed: float, seed: int) -> list[MakePlayer]:
        def midjourney(face: Face) -> MakePlayer:
            plan_of = self.world.plan_of
            return lambda stage: Midjourney(stage, plan_of, speed=speed, seed=seed, face=face)

        return [
            midjourney(Face()),
            midjourney(NIJI_FACE),
            lambda stage: InsightFace(stage, speed=speed, seed=seed),
        ]

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(Control(self.world, self.gateway, self.faults).routes())
        app.add_routes(Cdn(self.world.files, self.world.clock, self.faults).routes())
        app.add_routes(Inbox(self.world.clock, self.faults).routes())
        app.add_routes(Pages(self.world).routes())
        app.add_routes(self._rest.routes())
        app.add_routes(
            [web.get(path, self.gateway.handle) for path in ("/", "/gateway", "/gateway/")]
        )
        return app

    def _name(self, place: str) -> None:
        http = f"http://{place}"
        self.urls = Urls(
            api=f"{http}/api/v9", gateway=f"ws://{place}/gateway", cdn=http, apps=f"{http}/apps"
        )
        self.world.gateway_url = self.urls.gateway
        self.world.files.base_url = http
