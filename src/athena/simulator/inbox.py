"""A receiver of webhooks: requests to `/_hooks/{name}` are stored and can be read there.

It is for clients that have no receiver of their own yet. Like a real receiver it can fail, be slow
or break the connection (see `faults`).
"""

from collections import defaultdict, deque

import msgspec
from aiohttp import web

from athena.clock import Clock
from athena.simulator.errors import reply
from athena.simulator.faults import Faults
from athena.simulator.stage import Json

_KEPT = 10_000


class Inbox:
    """Mount it with `routes()`."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._letters: defaultdict[str, deque[Json]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/_hooks/{name}", self.take), web.get("/_hooks/{name}", self.show)]

    async def take(self, request: web.Request) -> web.Response:
        rates, strikes = self._faults.rates, self._faults.strikes
        if strikes(rates.webhook_broken):
            return web.Response(status=500)
        if strikes(rates.webhook_hanging):
            await self._clock.sleep(rates.hang)
            return web.Response(status=504)
        body = await request.read()
        self._letters[request.match_info["name"]].append(self._letter(request, body))
        if strikes(rates.webhook_cut) and request.transport:
            request.transport.abort()
        return web.Response(status=200)

    async def show(self, request: web.Request) -> web.Response:
        """The requests for a name, oldest first, at most the last ten thousand."""
        return reply(list(self._letters[request.match_info["name"]]))

    def _letter(self, request: web.Request, body: bytes) -> Json:
        try:
            said = msgspec.json.decode(body)
        except msgspec.DecodeError:
            said = body.decode(errors="replace")
        signed = {k: v for k, v in request.headers.items() if k.lower().startswith("webhook-")}
        return {"at": self._clock.now(), "headers": signed, "body": said}
