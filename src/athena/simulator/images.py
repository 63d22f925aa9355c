"""Real image files of scenes: grids, single images, previews and videos.

A grid is its four tiles side by side, and an image upscaled from a grid is exactly that tile. Each
file names its job in its text chunks (PNG) or its XMP (WebP), so that tests can verify it.
"""

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct
from PIL import Image, ImageFilter

from athena.simulator.bots import encoding
from athena.simulator.bots.encoding import Label
from athena.simulator.scenes import Scene, Size
from athena.simulator.stage import Drawing

__all__ = ["Label", "Video", "grid", "preview", "single", "step", "video"]

_FRAMES = 12
_FRAME_MILLIS = 120
_FILM_AREA = 1 / 9
"""A video's pixels as a fraction of an image's."""


class Video(Struct, frozen=True, kw_only=True):
    """A slow zoom into a scene, with a transition to `end` if there is one."""

    start: Scene
    end: Scene | None = None
    motion: float = 0.3
    """How much closer the last frame is than the first, as a fraction of the image."""
    loops: bool = False
    """It ends with its first frame."""

    def frame(self, number: int, size: Size) -> Image.Image:
        """One of the frames, from 0."""
        way = number / (_FRAMES - 1)
        if self.loops:
            way = 1 - abs(2 * way - 1)
        whole = self.start.paint(size)
        if self.end:
            whole = Image.blend(whole, self.end.paint(size), way)
        inset = self.motion * way / 2
        box = (inset * size[0], inset * size[1], (1 - inset) * size[0], (1 - inset) * size[1])
        return whole.resize(size, Image.Resampling.BICUBIC, box)


def grid(tiles: Sequence[Scene], tile: Size, label: Label, filename: str) -> Drawing:
    """The 2x2 grid of a job; `tile` is the size of one."""
    whole = (2 * tile[0], 2 * tile[1])
    return _png(filename, whole, partial(_grid, tiles, tile), label)


def single(scene: Scene, size: Size, label: Label, filename: str) -> Drawing:
    """One image."""
    return _png(filename, size, partial(scene.paint, size), label)


def preview(tiles: Sequence[Scene], tile: Size, percent: int, filename: str) -> Drawing:
    """A preview of an image or grid: small, and sharper with every per cent."""
    small = (tile[0] // 4, tile[1] // 4)
    size = small if len(tiles) == 1 else (2 * small[0], 2 * small[1])
    promised = encoding.webp_size(size[0] * size[1])
    return _drawing(
        filename,
        "image/webp",
        size,
        promised,
        lambda: encoding.webp(_unfinished(tiles, small, percent), promised),
    )


def video(videos: Sequence[Video], tile: Size, label: Label, filename: str) -> Drawing:
    """One video, or up to four side by side, as an animated WebP."""
    small = _video_size(tile)
    size = small if len(videos) == 1 else (2 * small[0], (1 if len(videos) == 2 else 2) * small[1])
    promised = encoding.video_size(size[0] * size[1], _FRAMES)
    return _drawing(
        filename,
        "image/webp",
        size,
        promised,
        lambda: encoding.video(_frames(videos, small, size), _FRAME_MILLIS, label, promised),
    )


def step(video: Video, tile: Size, number: int, filename: str) -> Drawing:
    """A preview frame of a video."""
    size = _video_size(tile)
    promised = encoding.webp_size(size[0] * size[1])
    return _drawing(
        filename,
        "image/jpeg",
        size,
        promised,
        lambda: encoding.jpeg(video.frame(number % _FRAMES, size), promised),
    )


def _video_size(tile: Size) -> Size:
    scale = _FILM_AREA**0.5
    return max(round(tile[0] * scale), 16), max(round(tile[1] * scale), 16)


def _frames(videos: Sequence[Video], small: Size, size: Size) -> list[Image.Image]:
    frames = []
    for number in range(_FRAMES):
        whole = Image.new("RGB", size)
        for place, each in enumerate(videos):
            at = (place % 2 * small[0], place // 2 * small[1])
            whole.paste(each.frame(number, small), at)
        frames.append(whole)
    return frames


def _png(filename: str, size: Size, paint: Callable[[], Image.Image], label: Label) -> Drawing:
    promised = encoding.png_size(size[0] * size[1], label)
    return _drawing(
        filename, "image/png", size, promised, lambda: encoding.png(paint(), label, promised)
    )


def _drawing(
    filename: str, content_type: str, size: Size, promised: int, draw: Callable[[], bytes]
) -> Drawing:
    return Drawing(
        filename=filename,
        content_type=content_type,
        width=size[0],
        height=size[1],
        size=promised,
        draw=draw,
    )


def _unfinished(tiles: Sequence[Scene], tile: Size, percent: int) -> Image.Image:
    blur = (100 - percent) / 100 * tile[0] / 12
    return _grid(tiles, tile).filter(ImageFilter.GaussianBlur(blur))


def _grid(tiles: Sequence[Scene], tile: Size) -> Image.Image:
    if len(tiles) == 1:
        return tiles[0].paint(tile)
    wide, high = tile
    whole = Image.new("RGB", (2 * wide, 2 * high))
    for index, scene in enumerate(tiles):
        whole.paste(scene.paint(tile), (index % 2 * wide, index // 2 * high))
    return whole
