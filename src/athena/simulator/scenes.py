"""The content of an image: a scene that can be painted at any size.

A job's first images are sketches. Later jobs create scenes that contain other scenes: wider,
blended, repainted in a region, with another face. So an image that was zoomed out contains the
original one pixel for pixel, and the black part of a mask keeps the original image. A scene is
painted at its first download, in a thread; the same scene always has the same pixels.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from random import Random
from typing import Protocol

from msgspec import Struct
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from athena.simulator.bots.landscape import Landscape

Size = tuple[int, int]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the whole, 0 to 1."""

_AREA = 1024 * 1024
_STEP = 16
_SKETCH_AREA = 560 * 560
"""Pixels of a sketch before it is enlarged."""


class Scene(Protocol):
    """Something to paint."""

    def paint(self, size: Size) -> Image.Image:
        """The scene at this size, in colours without transparency."""
        ...


def tile_size(ratio: Size) -> Size:
    """A tile's width and height: about a megapixel, both sides multiples of 16."""
    width, height = ratio
    shape = min(max(width / height, 1 / 14), 14.0)
    wide = max(round(math.sqrt(_AREA * shape) / _STEP), 4) * _STEP
    high = max(round(math.sqrt(_AREA / shape) / _STEP), 4) * _STEP
    return wide, high


class Sketch(Struct, frozen=True, kw_only=True):
    """A landscape from the words of a prompt.

    `kin` is the id of the first job of a family: its members share palette and composition.
    `job` and `index` determine the positions.
    """

    prompt: str
    kin: str
    job: str
    index: int
    ratio: Size = (1, 1)

    def paint(self, size: Size) -> Image.Image:
        return _sketched(self).resize(size, Image.Resampling.BICUBIC)


class Given(Struct, frozen=True):
    """An uploaded or earlier image; `read` returns its file."""

    read: Callable[[], bytes]

    def paint(self, size: Size) -> Image.Image:
        return ImageOps.fit(_opened(self.read()), size, Image.Resampling.BICUBIC)


class Mixed(Struct, frozen=True):
    """A blend of two scenes; `share` of the second, 0 to 1."""

    first: Scene
    second: Scene
    share: float

    def paint(self, size: Size) -> Image.Image:
        return Image.blend(self.first.paint(size), self.second.paint(size), self.share)


class Wider(Struct, frozen=True, kw_only=True):
    """A scene inside a larger one, at `box`, unchanged."""

    inner: Scene
    around: Scene
    box: Box

    def paint(self, size: Size) -> Image.Image:
        left, top, right, bottom = placed(self.box, size)
        inner = self.inner.paint((right - left, bottom - top))
        whole = Image.blend(_spread(inner, size), self.around.paint(size), 0.55)
        whole.paste(inner, (left, top))
        return whole


class Repainted(Struct, frozen=True, kw_only=True):
    """A scene with another where the mask is white."""

    inner: Scene
    fresh: Scene
    mask: bytes

    def paint(self, size: Size) -> Image.Image:
        mask = _opened(self.mask).convert("L").resize(size).point([0] * 128 + [255] * 128)
        return Image.composite(self.fresh.paint(size), self.inner.paint(size), mask)


class Faced(Struct, frozen=True, kw_only=True):
    """A scene with the middle of another where its face would be."""

    target: Scene
    source: Scene

    def paint(self, size: Size) -> Image.Image:
        whole = self.target.paint(size)
        left, top, right, bottom = placed((0.32, 0.22, 0.68, 0.72), size)
        face = self.source.paint(size).crop((left, top, right, bottom))
        oval = Image.new("L", face.size)
        ImageDraw.Draw(oval).ellipse((0, 0, face.width - 1, face.height - 1), 255)
        whole.paste(face, (left, top), oval.filter(ImageFilter.GaussianBlur(face.width / 16)))
        return whole


def placed(box: Box, size: Size) -> tuple[int, int, int, int]:
    """A box in pixels."""
    wide, high = size
    left, top, right, bottom = box
    return round(left * wide), round(top * high), round(right * wide), round(bottom * high)


def varied(scene: Scene, sketch: Sketch, share: float) -> Scene:
    """A variation of a scene: the scene blended with a new sketch of its family."""
    if isinstance(scene, Sketch) and share >= 1:
        return sketch
    return Mixed(scene, sketch, share)


def _spread(inner: Image.Image, size: Size) -> Image.Image:
    """A background in the colours of an image, for the area around it."""
    small = inner.resize((max(size[0] // 32, 1), max(size[1] // 32, 1)))
    return small.filter(ImageFilter.GaussianBlur(2)).resize(size, Image.Resampling.BICUBIC)


@lru_cache(maxsize=32)
def _sketched(sketch: Sketch) -> Image.Image:
    wide, high = tile_size(sketch.ratio)
    scale = math.sqrt(_SKETCH_AREA / (wide * high))
    mood = Random(f"{sketch.kin}/{sketch.prompt}")
    detail = Random(f"{sketch.job}/{sketch.prompt}/{sketch.index}")
    size = (round(wide * scale), round(high * scale))
    return Landscape(sketch.prompt, mood, detail, size).paint()


def _opened(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB")
