"""The simulator's CDN: takes uploads and serves images (contracts: discord-wire, section 5)."""

import asyncio
from io import BytesIO

from aiohttp import web
from PIL import Image

from athena.clock import Clock
from athena.simulator.faults import Faults
from athena.simulator.files import Files, StoredFile

_GONE = "This content is no longer available."


class Cdn:
    """Mount it with `routes()`."""

    def __init__(self, files: Files, clock: Clock, faults: Faults) -> None:
        self._files = files
        self._clock = clock
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        place = "attachments/{channel}/{file}/{name}"
        return [
            web.put("/upload/{key}/{name}", self.put),
            web.get(f"/{place}", self.get),
            web.get(f"/media/{place}", self.get_scaled),
        ]

    async def put(self, request: web.Request) -> web.Response:
        announced = self._files.announced.get(
            f"{request.match_info['key']}/{request.match_info['name']}"
        )
        if announced is None:
            return web.Response(status=404, text="no such upload")
        if self._faults.strikes(self._faults.rates.upload_slow):
            await self._clock.sleep(self._faults.pause())
        announced.data = await request.read()
        return web.Response(status=200)

    async def get(self, request: web.Request) -> web.Response:
        file = await self._found(request)
        if file is None:
            return web.Response(status=404, text=_GONE)
        return _image(await self._files.read(file), file.content_type, file.id)

    async def get_scaled(self, request: web.Request) -> web.Response:
        """The media proxy: another size or format."""
        file = await self._found(request)
        if file is None:
            return web.Response(status=404, text=_GONE)
        data = await self._files.read(file)
        wanted = {name: request.query.get(name, "") for name in ("width", "height", "format")}
        if not any(wanted.values()):
            return _image(data, file.content_type, file.id)
        kind = wanted["format"] or file.content_type.removeprefix("image/")
        try:
            scaled = await asyncio.to_thread(_scale, data, wanted["width"], wanted["height"], kind)
        except (ValueError, KeyError, OSError):
            return web.Response(status=400, text="cannot scale the image")
        return _image(scaled, f"image/{kind}", file.id)

    async def _found(self, request: web.Request) -> StoredFile | None:
        rates = self._faults.rates
        if self._faults.strikes(rates.image_slow):
            await self._clock.sleep(self._faults.pause())
        return None if self._faults.strikes(rates.image_missing) else self._find(request)

    def _find(self, request: web.Request) -> StoredFile | None:
        info, query = request.match_info, request.query
        file = self._files.find(info["channel"], info["file"])
        if file is None or file.filename != info["name"]:
            return None
        link = (query.get("ex", ""), query.get("is", ""), query.get("hm", ""))
        return file if self._files.is_valid(file, *link) else None


def _image(data: bytes, content_type: str, file_id: str) -> web.Response:
    headers = {"ETag": f'"{file_id}"', "Cache-Control": "public, max-age=31536000"}
    return web.Response(body=data, content_type=content_type, headers=headers)


def _scale(data: bytes, width: str, height: str, kind: str) -> bytes:
    with Image.open(BytesIO(data)) as image:
        bound = (int(width or image.width), int(height or image.height))
        image.thumbnail((min(bound[0], 4096), min(bound[1], 4096)))
        out = BytesIO()
        image.save(out, "JPEG" if kind == "jpg" else kind.upper())
        return out.getvalue()
