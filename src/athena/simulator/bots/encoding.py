"""Files of a size that was promised before they were drawn.

A size that suffices is promised and the file padded to it: a PNG with a private chunk that readers
skip, a WebP with zeros behind its end. A picture that does not fit is packed harder until it does.
"""

import struct
import zlib
from io import BytesIO

from msgspec import Struct
from PIL import Image, PngImagePlugin

_CHUNK = 12
"""Bytes of a PNG chunk around its data; the end chunk has no more."""

_PACKINGS = (1, 6, 9)
_QUALITIES = (60, 30, 10, 1)


class Label(Struct, frozen=True, kw_only=True):
    """What a picture's file says of itself. `tile` is 1 to 4, 0 for a grid."""

    job: str
    prompt: str
    tile: int
    parent: str
    author: str


class TooLarge(ValueError):
    """No packing brings the picture under the size that was promised."""


def png_size(pixels: int, label: Label) -> int:
    """Bytes to promise for a PNG of landscapes: they take 0.2 to 0.42 bytes a pixel."""
    said = sum(len(text.encode()) for text in _texts(label).values())
    return 64_000 + said + pixels * 5 // 8


def webp_size(pixels: int) -> int:
    """Bytes to promise for a preview."""
    return 24_000 + pixels // 4


def png(picture: Image.Image, label: Label, size: int) -> bytes:
    """Exactly `size` bytes.

    Raises:
        TooLarge: the picture is no landscape of ours; noise cannot be packed.
    """
    chunks = PngImagePlugin.PngInfo()
    for name, text in _texts(label).items():
        chunks.add_itxt(name, text)
    for packing in _PACKINGS:
        out = BytesIO()
        picture.save(out, "PNG", pnginfo=chunks, compress_level=packing)
        if out.tell() + _CHUNK <= size:
            return _padded(out.getvalue(), size)
    raise TooLarge(f"{size} bytes were promised")


def webp(picture: Image.Image, size: int) -> bytes:
    """Exactly `size` bytes.

    Raises:
        TooLarge: as of `png`.
    """
    for quality in _QUALITIES:
        out = BytesIO()
        picture.save(out, "WEBP", quality=quality, method=0)
        if out.tell() <= size:
            return out.getvalue() + bytes(size - out.tell())
    raise TooLarge(f"{size} bytes were promised")


def _texts(label: Label) -> dict[str, str]:
    return {
        "Job": label.job,
        "Tile": str(label.tile),
        "Parent": label.parent,
        "Author": label.author,
        "Prompt": label.prompt,
        "Description": f"{label.prompt} Job ID: {label.job}",
    }


def _padded(data: bytes, size: int) -> bytes:
    """The same picture with a chunk `paDd` of zeros before its end."""
    room = size - len(data) - _CHUNK
    body = b"paDd" + bytes(room)
    chunk = struct.pack(">I", room) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-_CHUNK] + chunk + data[-_CHUNK:]
