"""Cuts a 2x2 grid into its four images, exactly on its midlines.

A side of odd length gives its middle line to the right or lower tiles, so the four put together
again are the grid, for every size.
"""

import warnings
from io import BytesIO
from typing import TypeAlias

from PIL import Image, PngImagePlugin

from athena.errors import AthenaError

MOST_PIXELS = 100_000_000
"""Larger images are refused before they are decoded."""


class NotAnImage(AthenaError, ValueError):
    """The bytes are no image that can be cut; the text says why."""


Four: TypeAlias = tuple[bytes, bytes, bytes, bytes]
"""Upper left, upper right, lower left, lower right."""

Box: TypeAlias = tuple[int, int, int, int]


def split(data: bytes) -> Four:
    """The four tiles of a grid as PNG files, in the order of `Four`.

    Text chunks of the grid are kept, and `Tile` tells the number. Decodes and encodes the whole
    image: run it in a thread.

    Raises:
        NotAnImage: no image, a broken one, or one of more than `MOST_PIXELS`.
    """
    grid = opened(data)
    first, second, third, fourth = (_tile(grid, number) for number in range(1, 5))
    return first, second, third, fourth


def cut(data: bytes, number: int) -> bytes:
    """One tile of a grid, 1 to 4, as `split` gives it; raises as `split`."""
    return _tile(opened(data), number)


def _tile(grid: Image.Image, number: int) -> bytes:
    return _encode(grid.crop(_boxes(*grid.size)[number - 1]), _texts(grid), number)


def _boxes(wide: int, high: int) -> tuple[Box, Box, Box, Box]:
    left, top = wide // 2, high // 2
    return (
        (0, 0, left, top),
        (left, 0, wide, top),
        (0, top, left, high),
        (left, top, wide, high),
    )


def opened(data: bytes) -> Image.Image:
    """An image, decoded.

    Raises:
        NotAnImage: as `split`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data))
        if image.width * image.height > MOST_PIXELS:
            raise NotAnImage(f"{image.width}x{image.height} pixels are too many")
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, NotAnImage):
            raise
        raise NotAnImage("this is no image, or a broken one") from error
    if min(image.size) < 2:
        raise NotAnImage("the image is too small to be cut")
    return image


def _texts(image: Image.Image) -> dict[str, str]:
    return {str(name): text for name, text in image.info.items() if isinstance(text, str)}


def _encode(tile: Image.Image, texts: dict[str, str], number: int) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for name, text in {**texts, "Tile": str(number)}.items():
        chunks.add_itxt(name, text)
    out = BytesIO()
    tile.save(out, "PNG", pnginfo=chunks, compress_level=3)
    return out.getvalue()
