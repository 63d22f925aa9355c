"""The bots' iframe modals: the receiver of regions to redraw (discord-wire, 7)."""

import binascii

import msgspec
from aiohttp import web
from msgspec import Struct

from athena.simulator.errors import reply
from athena.simulator.world import World


class Job(Struct, kw_only=True, rename="camel"):
    """The body that the modal sends; the user is `0`."""

    custom_id: str
    mask: str
    prompt: str = ""


class Pages:
    """Mount it with `routes()`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        path = "inpaint/api/submit-job"
        return [web.post(f"/apps/{way}{path}", self.submit) for way in ("", ".proxy/")]

    async def submit(self, request: web.Request) -> web.Response:
        """400 for an invalid body or mask, 404 for a modal that is not open."""
        try:
            job = msgspec.json.decode(await request.read(), type=Job)
            mask = binascii.a2b_base64(job.mask)
        except (msgspec.MsgspecError, ValueError) as error:
            return reply({"error": str(error)}, 400)
        if not mask.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
            return reply({"error": "the mask is no image"}, 400)
        token = job.custom_id.removeprefix("MJ::iframe::")
        players = self._world.players.values()
        if not any(player.page_submitted(token, job.prompt, mask) for player in players):
            return reply({"error": "this page is not open"}, 404)
        return reply({"status": "ok"})
