"""The files of the simulator's CDN: uploads, images drawn by the bots, and signed links.

A link contains its expiry (`ex`), its start (`is`) and a signature over both (`hm`), as
Discord's links do (contracts: discord-wire, section 5), so links are checked without stored state.
Images are drawn at their first download.
"""

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import quote

from msgspec import Struct

from athena.clock import Clock
from athena.discord.snowflakes import Snowflakes
from athena.simulator.stage import Drawing, Json

_KEPT_DRAWINGS = 64


class StoredFile(Struct, kw_only=True):
    id: str
    channel_id: str
    filename: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    make: Callable[[], bytes]


class Announced(Struct):
    """An announced upload; `data` is set when the bytes have been uploaded."""

    channel_id: str
    filename: str
    size: int
    data: bytes | None = None


class Files:
    """All files, and the links to them. `link_life` is in seconds and can be changed."""

    def __init__(self, clock: Clock, ids: Snowflakes, link_life: float, key: bytes) -> None:
        self.link_life = link_life
        self.base_url = ""
        self.announced: dict[str, Announced] = {}
        self._clock = clock
        self._ids = ids
        self._key = key
        self._files: dict[tuple[str, str], StoredFile] = {}
        self._drawn: OrderedDict[str, bytes] = OrderedDict()

    def add_drawing(self, channel_id: str, drawing: Drawing) -> StoredFile:
        return self._add(
            StoredFile(
                id=str(self._ids.make()),
                channel_id=channel_id,
                filename=drawing.filename,
                content_type=drawing.content_type,
                size=drawing.size,
                width=drawing.width,
                height=drawing.height,
                make=drawing.draw,
            )
        )

    def add_bytes(
        self, channel_id: str, filename: str, data: bytes, size: tuple[int, int] | None, kind: str
    ) -> StoredFile:
        return self._add(
            StoredFile(
                id=str(self._ids.make()),
                channel_id=channel_id,
                filename=filename,
                content_type=kind,
                size=len(data),
                width=size[0] if size else None,
                height=size[1] if size else None,
                make=lambda: data,
            )
        )

    def announce(self, channel_id: str, filename: str, size: int) -> str:
        """Announce an upload; returns the name to use afterwards."""
        name = f"{hashlib.sha256(str(self._ids.make()).encode()).hexdigest()[:32]}/{filename}"
        self.announced[name] = Announced(channel_id, filename, size)
        return name

    def find(self, channel_id: str, file_id: str) -> StoredFile | None:
        return self._files.get((channel_id, file_id))

    async def read(self, file: StoredFile) -> bytes:
        """The file's bytes; drawn in a thread unless cached."""
        if (known := self._drawn.get(file.id)) is not None:
            return known
        data = await asyncio.to_thread(file.make)
        self._drawn[file.id] = data
        if len(self._drawn) > _KEPT_DRAWINGS:
            self._drawn.popitem(last=False)
        return data

    def attachment(self, file: StoredFile) -> Json:
        """The attachment object, with new links."""
        url = self.link(file)
        return {
            "id": file.id,
            "filename": file.filename,
            "size": file.size,
            "url": url,
            "proxy_url": url.replace("/attachments/", "/media/attachments/", 1),
            "width": file.width,
            "height": file.height,
            "content_type": file.content_type,
            "placeholder_version": 1,
        }

    def link(self, file: StoredFile) -> str:
        path = f"/attachments/{file.channel_id}/{file.id}/{quote(file.filename)}"
        begin = self._clock.now() // 1000
        end = int(begin + self.link_life)
        return f"{self.base_url}{path}?ex={end:x}&is={begin:x}&hm={self._sign(file, end, begin)}&"

    def is_valid(self, file: StoredFile, ex: str, since: str, signature: str) -> bool:
        """Whether a link has a valid signature and has not expired."""
        try:
            end, begin = int(ex, 16), int(since, 16)
        except ValueError:
            return False
        right = hmac.compare_digest(self._sign(file, end, begin), signature)
        return right and self._clock.now() < end * 1000

    def _sign(self, file: StoredFile, end: int, begin: int) -> str:
        text = f"{file.channel_id}/{file.id}/{file.filename}/{end:x}/{begin:x}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _add(self, file: StoredFile) -> StoredFile:
        self._files[file.channel_id, file.id] = file
        return file
