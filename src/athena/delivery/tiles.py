"""Cuts a 2x2 grid into its four pictures, exactly on its midlines.

A side of odd length gives its middle line to the right or lower tiles, so the four put together
again are the grid, for every size.
"""

import warnings
from io import BytesIO

from PIL import Image, PngImagePlugin

MOST_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded."""


class NotAPicture(ValueError):
    """The bytes are no picture that can be cut; the text says why."""


def split(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The four tiles of a grid as PNG files: upper left, upper right, lower left, lower right.

    Text chunks of the grid are kept, and `Tile` tells the number. Decodes and encodes the whole
    picture: run it in a thread.

    Raises:
        NotAPicture: no picture, a broken one, or one of more than `MOST_PIXELS`.
    """
    grid = opened(data)
    wide, high = grid.size
    left, top = wide // 2, high // 2
    boxes = (
        (0, 0, left, top),
        (left, 0, wide, top),
        (0, top, left, high),
        (left, top, wide, high),
    )
    first, second, third, fourth = (
        _encode(grid.crop(box), _texts(grid), number) for number, box in enumerate(boxes, 1)
    )
    return first, second, third, fourth


def opened(data: bytes) -> Image.Image:
    """A picture, decoded.

    Raises:
        NotAPicture: as `split`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(data))
        if picture.width * picture.height > MOST_PIXELS:
            raise NotAPicture(f"{picture.width}x{picture.height} pixels are too many")
        picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, NotAPicture):
            raise
        raise NotAPicture("this is no picture, or a broken one") from error
    if min(picture.size) < 2:
        raise NotAPicture("the picture is too small to be cut")
    return picture


def _texts(picture: Image.Image) -> dict[str, str]:
    return {str(name): text for name, text in picture.info.items() if isinstance(text, str)}


def _encode(tile: Image.Image, texts: dict[str, str], number: int) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for name, text in {**texts, "Tile": str(number)}.items():
        chunks.add_itxt(name, text)
    out = BytesIO()
    tile.save(out, "PNG", pnginfo=chunks, compress_level=3)
    return out.getvalue()
