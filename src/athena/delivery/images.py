"""Images that this server serves: fetched once, kept, cut and made smaller on request.

They are kept in an object store: a folder, or anything that speaks S3. A finished task's image is
fetched for the first request, and every other request waits for the same fetch; what is made of it
(a thumbnail, the four tiles of one cut) is kept beside it. Decoding happens in threads, never in
the event loop. Only images of tasks are served, so the server is no proxy for others.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from io import BytesIO
from typing import TypeVar

from obstore.store import ObjectStore
from PIL import Image

from athena.delivery import tiles
from athena.delivery.fetching import NoImage
from athena.delivery.image_kinds import kind_of
from athena.delivery.image_store import ImageStore
from athena.delivery.served import Served, Source
from athena.delivery.single_flight import SingleFlight
from athena.delivery.tiles import Four, NotAnImage
from athena.tasks.model import Task

WIDEST = 2048
"""Pixels of the widest thumbnail."""

_WIDTHS = (64, 128, 256, 512, 1024, 2048)
"""Thumbnails are made in these widths; a requested one is rounded up to one of them."""

_Made = TypeVar("_Made", bytes, Four)


class Images:
    """The images of finished tasks, kept in `store`. Methods that serve raise `NoImage`."""

    def __init__(self, store: ObjectStore, source: Source) -> None:
        self._store = ImageStore(store)
        self._source = source
        self._making: SingleFlight[bytes] = SingleFlight()
        self._cutting: SingleFlight[Four] = SingleFlight()

    async def whole(self, task: Task) -> Served:
        """The task's image as Midjourney made it. While it runs, what there is now."""
        return _served(await self._original(task))

    async def thumbnail(self, task: Task, width: int) -> Served:
        """The image, no wider than about `width` pixels, as WebP."""
        wide = _rounded(width)

        async def make() -> bytes:
            return await asyncio.to_thread(_smaller, await self._original(task), wide)

        return _served(await self._made(task, f"w{wide}", make))

    async def tile(self, task: Task, number: int, width: int | None = None) -> Served:
        """One of a grid's four images, 1 to 4, as PNG; with a `width` smaller, as WebP."""
        if width is None:
            return _served(await self._tile(task, number))
        wide = _rounded(width)

        async def make() -> bytes:
            return await asyncio.to_thread(_smaller, await self._tile(task, number), wide)

        return _served(await self._made(task, f"{number}-w{wide}", make))

    async def forget(self, task_id: str) -> None:
        """Delete everything that is kept of a deleted task.

        Raises:
            image_store.ImageNotDeleted: the store failed; call it again later.
        """
        await self._store.forget(task_id)

    async def _original(self, task: Task) -> bytes:
        if task.image is None:
            raise NoImage("the task has no image")
        return await self._made(task, "whole", lambda: self._source(task))

    async def _tile(self, task: Task, number: int) -> bytes:
        if not task.ended:
            data = await self._original(task)
            return await _understood(asyncio.to_thread(tiles.cut, data, number))
        kept = await self._store.read(task.id, str(number))
        if kept is not None:
            return kept
        four = await self._cutting.do(task.id, partial(self._cut, task))
        return four[number - 1]

    async def _cut(self, task: Task) -> Four:
        """All four tiles, kept at once: pages that show one show the others."""
        if four := await self._kept_tiles(task):
            return four
        data = await self._original(task)
        four = await _understood(asyncio.to_thread(tiles.split, data))
        for number, tile in enumerate(four, 1):
            await self._store.keep(task.id, str(number), tile)
        return four

    async def _kept_tiles(self, task: Task) -> Four | None:
        """The tiles that a cut kept which ended just before this one began."""
        first, second, third, fourth = [await self._store.read(task.id, n) for n in "1234"]
        if first is None or second is None or third is None or fourth is None:
            return None
        return first, second, third, fourth

    async def _made(self, task: Task, name: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """What is kept under a name, made first if it is not there; once, however many ask. Of a
        task that runs nothing is kept."""
        if not task.ended:
            return await _understood(make())
        return await self._making.do(f"{task.id}/{name}", partial(self._make, task.id, name, make))

    async def _make(self, task_id: str, name: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        data = await self._store.read(task_id, name)
        if data is None:
            data = await _understood(make())
            await self._store.keep(task_id, name, data)
        return data


async def _understood(making: Awaitable[_Made]) -> _Made:
    try:
        return await making
    except NotAnImage as error:
        raise NoImage(str(error)) from error


def _rounded(width: int) -> int:
    return next((each for each in _WIDTHS if each >= width), WIDEST)


def _served(data: bytes) -> Served:
    kind = kind_of(data)
    content_type = kind.content_type if kind else "application/octet-stream"
    return Served(data, content_type, hashlib.sha256(data).hexdigest()[:32])


def _smaller(data: bytes, width: int) -> bytes:
    image = tiles.opened(data)
    image.thumbnail((width, width * 16), Image.Resampling.LANCZOS)
    out = BytesIO()
    image.convert("RGB").save(out, "WEBP", quality=82, method=2)
    return out.getvalue()
