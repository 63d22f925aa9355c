"""Real pictures, drawn from a prompt and a job's id.

A tile is painted small and enlarged smoothly: the same job gives the same picture to the last
byte, and no two jobs the same one. A grid is its four tiles side by side, and a picture taken from
a grid is that very tile. Each says in its text chunks whose it is, so that a test can prove it.
Nothing here knows of messages or queues, only of what a job's picture depends on.
"""

import math
from functools import partial
from random import Random

from msgspec import Struct
from PIL import Image, ImageFilter

from athena.simulator.bots import encoding
from athena.simulator.bots.encoding import Label
from athena.simulator.bots.landscape import Landscape
from athena.simulator.stage import Drawing

__all__ = ["Art", "Label", "grid", "preview", "single", "tile_size"]

_AREA = 1024 * 1024
_STEP = 16
_SKETCH_AREA = 560 * 560
"""Pixels of a tile as it is painted, before it is enlarged."""


class Art(Struct, frozen=True, kw_only=True):
    """Which picture: everything that its pixels depend on.

    `kin` is the id of the first job of a family: variations share its palette and composition.
    """

    prompt: str
    job: str
    kin: str
    ratio: tuple[int, int]


def tile_size(ratio: tuple[int, int]) -> tuple[int, int]:
    """A tile's width and height: about a megapixel, both sides multiples of 16."""
    width, height = ratio
    shape = min(max(width / height, 1 / 14), 14.0)
    wide = max(round(math.sqrt(_AREA * shape) / _STEP), 4) * _STEP
    high = max(round(math.sqrt(_AREA / shape) / _STEP), 4) * _STEP
    return wide, high


def grid(art: Art, label: Label, filename: str) -> Drawing:
    """The 2x2 grid of a job."""
    wide, high = tile_size(art.ratio)
    return _png(filename, (2 * wide, 2 * high), partial(_grid, art, (wide, high)), label)


def single(art: Art, index: int, label: Label, filename: str) -> Drawing:
    """One tile (1 to 4) of a job's grid, as its own file."""
    size = tile_size(art.ratio)
    return _png(filename, size, partial(_tile, art, size, index), label)


def preview(art: Art, percent: int, filename: str) -> Drawing:
    """A grid while it is made: small, and sharper with every per cent."""
    wide, high = tile_size(art.ratio)
    tile = (wide // 4, high // 4)
    promised = encoding.webp_size(4 * tile[0] * tile[1])
    return Drawing(
        filename=filename,
        content_type="image/webp",
        width=2 * tile[0],
        height=2 * tile[1],
        size=promised,
        draw=lambda: encoding.webp(_unfinished(art, tile, percent), promised),
    )


def _png(
    filename: str, size: tuple[int, int], paint: "partial[Image.Image]", label: Label
) -> Drawing:
    promised = encoding.png_size(size[0] * size[1], label)
    return Drawing(
        filename=filename,
        content_type="image/png",
        width=size[0],
        height=size[1],
        size=promised,
        draw=lambda: encoding.png(paint(), label, promised),
    )


def _unfinished(art: Art, tile: tuple[int, int], percent: int) -> Image.Image:
    blur = (100 - percent) / 100 * tile[0] / 12
    return _grid(art, tile).filter(ImageFilter.GaussianBlur(blur))


def _grid(art: Art, tile: tuple[int, int]) -> Image.Image:
    wide, high = tile
    whole = Image.new("RGB", (2 * wide, 2 * high))
    for index in range(4):
        whole.paste(_tile(art, tile, index + 1), (index % 2 * wide, index // 2 * high))
    return whole


def _tile(art: Art, size: tuple[int, int], index: int) -> Image.Image:
    """A tile at any size: it is the same sketch each time."""
    wide, high = tile_size(art.ratio)
    scale = math.sqrt(_SKETCH_AREA / (wide * high))
    mood = Random(f"{art.kin}/{art.prompt}")
    detail = Random(f"{art.job}/{art.prompt}/{index}")
    sketch = Landscape(art.prompt, mood, detail, (round(wide * scale), round(high * scale)))
    return sketch.paint().resize(size, Image.Resampling.BICUBIC)
