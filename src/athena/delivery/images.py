"""Images that this server serves: fetched once, kept, cut and made smaller on request.

They are kept in an object store: a folder, or anything that speaks S3. A finished task's image is
fetched by whoever asks first, everybody else waits for the same fetch; what is made of it (a
thumbnail, a tile) is kept beside it. Decoding happens in threads, never in the event loop. Only
images of tasks are served, so nobody can make a proxy of it.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import TypeVar

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import ObjectStore
from PIL import Image

from athena.delivery import tiles
from athena.delivery.fetching import NoImage
from athena.delivery.served import Served, Source
from athena.delivery.tiles import NotAImage
from athena.tasks.model import Task

WIDEST = 2048
"""Pixels of the widest thumbnail."""

_WIDTHS = (64, 128, 256, 512, 1024, 2048)
"""Thumbnails are made in these widths; a wish is rounded up to one of them."""

_T = TypeVar("_T")
_KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


class Images:
    """The images of finished tasks, kept in `store`. Methods raise `NoImage`."""

    def __init__(self, store: ObjectStore, source: Source) -> None:
        self._store = store
        self._source = source
        self._making: dict[str, asyncio.Task[bytes]] = {}

    async def whole(self, task: Task) -> Served:
        """The task's image as Midjourney made it. While it runs, what there is now."""
        return _served(await self._original(task))

    async def thumbnail(self, task: Task, width: int) -> Served:
        """The image, no wider than about `width` pixels, as WebP."""
        wide = next((each for each in _WIDTHS if each >= width), WIDEST)

        async def make() -> bytes:
            return await asyncio.to_thread(_smaller, await self._original(task), wide)

        return _served(await self._made(task, f"w{wide}", make))

    async def tile(self, task: Task, number: int, width: int | None = None) -> Served:
        """One of a grid's four images, 1 to 4, as PNG; with a `width` smaller, as WebP."""

        async def cut() -> bytes:
            data = await self._original(task)
            four = await asyncio.to_thread(tiles.split, data)
            return four[number - 1]

        data = await self._made(task, str(number), cut)
        if width is None:
            return _served(data)
        wide = next((each for each in _WIDTHS if each >= width), WIDEST)

        async def make() -> bytes:
            return await asyncio.to_thread(_smaller, data, wide)

        return _served(await self._made(task, f"{number}-w{wide}", make))

    async def _original(self, task: Task) -> bytes:
        if task.image is None:
            raise NoImage("the task has no image")
        if not task.ended:
            return await self._source(task)
        return await self._made(task, "whole", lambda: self._source(task))

    async def _made(self, task: Task, name: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """What is kept under a name, made first if it is not there; once, whoever asks."""
        if not task.ended:
            return await _understood(make())
        key = f"{task.id}/{name}"
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.create_task(self._make(key, make))
            making.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(making)

    async def _make(self, key: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            kept = await obstore.get_async(self._store, key)
            return bytes(await kept.bytes_async())
        except (NotFoundError, FileNotFoundError):
            data = await _understood(make())
            await obstore.put_async(self._store, key, data)
            return data


async def _understood(making: Awaitable[bytes]) -> bytes:
    try:
        return await making
    except NotAImage as error:
        raise NoImage(str(error)) from error


def _served(data: bytes) -> Served:
    return Served(data, _kind(data), hashlib.sha256(data).hexdigest()[:32])


def _kind(data: bytes) -> str:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    found = (kind for start, kind in _KINDS.items() if data.startswith(start))
    return next(found, "application/octet-stream")


def _smaller(data: bytes, width: int) -> bytes:
    image = tiles.opened(data)
    image.thumbnail((width, width * 16), Image.Resampling.LANCZOS)
    out = BytesIO()
    image.convert("RGB").save(out, "WEBP", quality=82, method=2)
    return out.getvalue()
