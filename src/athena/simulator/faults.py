"""Faults that a control call asks for: the next answers of a route go wrong on purpose."""

from collections import defaultdict, deque

from aiohttp import web
from msgspec import Struct

from athena.simulator.errors import reply


class Fault(Struct, frozen=True, kw_only=True):
    """One wrong answer. With `json` False it looks like one of the edge before Discord."""

    status: int
    json: bool = True
    retry_after: float = 1.0

    async def answer(self) -> web.Response:
        if not self.json:
            return web.Response(status=self.status, text="error code: 1015")
        if self.status == 429:
            body = {"message": "You are being rate limited.", "retry_after": self.retry_after}
            return reply({**body, "global": False}, 429)
        return reply({"code": 0, "message": f"{self.status}: on request"}, self.status)


class Faults:
    """Planned faults by route, such as `POST /interactions`; also those of the gateway."""

    def __init__(self) -> None:
        self.refuse_resumes = 0
        self.mute_acks = False
        self._planned: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def plan(self, route: str, fault: Fault, times: int) -> None:
        self._planned[route].extend([fault] * times)

    def take(self, route: str) -> Fault | None:
        planned = self._planned.get(route)
        return planned.popleft() if planned else None
