"""Image files whose size is announced before they are drawn.

The announced size is large enough, and the file is padded to it: a PNG with a private chunk that
readers skip, a WebP or JPEG with zeros after its end. An image that does not fit is compressed
more, and finally reduced in quality.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from html import escape
from io import BytesIO

from msgspec import Struct
from PIL import Image, ImageOps, PngImagePlugin

_CHUNK = 12
"""Bytes of a PNG chunk around its data; the end chunk has no more."""

_PACKINGS = ((8, 1), (8, 6), (8, 9), (6, 6), (5, 6), (4, 6), (3, 6), (2, 6), (1, 6))
"""Bits per colour, and compression level."""

_QUALITIES = (60, 30, 10, 1)


class Label(Struct, frozen=True, kw_only=True):
    """The metadata of an image file. `tile` is 1 to 4, 0 for a grid."""

    job: str
    prompt: str
    tile: int
    parent: str
    author: str


class TooLarge(ValueError):
    """The image cannot be compressed to the announced size."""


def png_size(pixels: int, label: Label) -> int:
    """Bytes to announce for a PNG of landscapes: they need 0.2 to 0.42 bytes per pixel."""
    said = sum(len(text.encode()) for text in _texts(label).values())
    return 64_000 + said + pixels * 5 // 8


def webp_size(pixels: int) -> int:
    """Bytes to announce for a preview."""
    return 24_000 + pixels // 4


def video_size(pixels: int, frames: int) -> int:
    """Bytes to announce for a video."""
    return 64_000 + frames * pixels // 6


def png(image: Image.Image, label: Label, size: int) -> bytes:
    """Exactly `size` bytes.

    Raises:
        TooLarge: it does not fit even at the lowest quality.
    """
    chunks = PngImagePlugin.PngInfo()
    for name, text in _texts(label).items():
        chunks.add_itxt(name, text)
    for bits, packing in _PACKINGS:
        out = BytesIO()
        coarse = image if bits == 8 else ImageOps.posterize(image, bits)
        coarse.save(out, "PNG", pnginfo=chunks, compress_level=packing)
        if out.tell() + _CHUNK <= size:
            return _padded(out.getvalue(), size)
    raise TooLarge(f"{size} bytes were promised")


def webp(image: Image.Image, size: int) -> bytes:
    """Exactly `size` bytes. Raises as `png`."""
    return _fitting(lambda out, q: image.save(out, "WEBP", quality=q, method=0), size)


def jpeg(image: Image.Image, size: int) -> bytes:
    """Exactly `size` bytes. Raises as `png`."""
    return _fitting(lambda out, q: image.save(out, "JPEG", quality=q), size)


def video(frames: Sequence[Image.Image], millis: int, label: Label, size: int) -> bytes:
    """An animated WebP of exactly `size` bytes with its metadata in XMP. Raises as `png`.

    `millis` is the duration of each frame.
    """
    first, *others = frames

    def save(out: BytesIO, quality: int) -> None:
        first.save(
            out, "WEBP", save_all=True, append_images=others, duration=millis, loop=0,
            quality=quality, method=0, xmp=_xmp(label),
        )  # fmt: skip

    return _fitting(save, size)


def _fitting(save: Callable[[BytesIO, int], object], size: int) -> bytes:
    for data in _tries(save):
        if len(data) <= size:
            return data + bytes(size - len(data))
    raise TooLarge(f"{size} bytes were promised")


def _tries(save: Callable[[BytesIO, int], object]) -> Iterator[bytes]:
    for quality in _QUALITIES:
        out = BytesIO()
        save(out, quality)
        yield out.getvalue()


def _texts(label: Label) -> dict[str, str]:
    return {
        "Job": label.job,
        "Tile": str(label.tile),
        "Parent": label.parent,
        "Author": label.author,
        "Prompt": label.prompt,
        "Description": f"{label.prompt} Job ID: {label.job}",
    }


def _xmp(label: Label) -> bytes:
    said = " ".join(f'mj:{name}="{escape(text)}"' for name, text in _texts(label).items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f'xmlns:mj="https://www.midjourney.com/" {said}/></rdf:RDF></x:xmpmeta>'
    ).encode()


def _padded(data: bytes, size: int) -> bytes:
    """The same image with a chunk `paDd` of zeros before its end."""
    room = size - len(data) - _CHUNK
    body = b"paDd" + bytes(room)
    chunk = struct.pack(">I", room) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-_CHUNK] + chunk + data[-_CHUNK:]
