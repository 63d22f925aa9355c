"""Real pictures, drawn from a prompt and a job's id.

A scene is drawn small, with a palette and shapes that come from the words and the id, then
enlarged smoothly: the same job gives the same picture to the last byte, and no two jobs the same
one. A tile is a scene of its own; a grid is its four tiles side by side, and a picture taken from
a grid is that very tile. Each says in its text chunks whose it is, so that a test can prove it.

A file's size must be told before it is drawn, so a size that suffices is promised and the file
padded to it: a PNG with a private chunk that readers skip, a WebP with zeros behind its end.
"""

import math
import struct
import zlib
from colorsys import hls_to_rgb
from functools import partial
from io import BytesIO
from random import Random

from msgspec import Struct
from PIL import Image, ImageDraw, ImageFilter, PngImagePlugin

from athena.simulator.stage import Drawing

Rgb = tuple[int, int, int]

_AREA = 1024 * 1024
_STEP = 16
_SKETCH = 192
"""The longer side of a scene as it is drawn, in pixels."""


class Art(Struct, frozen=True, kw_only=True):
    """Which picture: everything that its pixels depend on.

    `kin` is the id of the first job of a family: variations share its palette and composition.
    """

    prompt: str
    job: str
    kin: str
    ratio: tuple[int, int]


class Label(Struct, frozen=True, kw_only=True):
    """What the file says of itself. `tile` is 1 to 4, 0 for a grid."""

    job: str
    prompt: str
    tile: int
    parent: str
    author: str


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
    return _png(filename, (2 * wide, 2 * high), partial(_grid, art), label)


def single(art: Art, index: int, label: Label, filename: str) -> Drawing:
    """One tile of a job's grid, as its own file."""
    return _png(filename, tile_size(art.ratio), partial(_tile, art, index), label)


def preview(art: Art, percent: int, filename: str) -> Drawing:
    """A grid while it is made: small, and sharper with every per cent."""
    wide, high = tile_size(art.ratio)
    size = (wide // 2, high // 2)
    promised = 24_000 + size[0] * size[1] // 4
    return Drawing(
        filename=filename,
        content_type="image/webp",
        width=size[0],
        height=size[1],
        size=promised,
        draw=partial(_draw_preview, art, percent, size, promised),
    )


# Files


def _png(
    filename: str, size: tuple[int, int], paint: "partial[Image.Image]", label: Label
) -> Drawing:
    promised = 64_000 + len(label.prompt.encode()) * 4 + size[0] * size[1] // 2
    return Drawing(
        filename=filename,
        content_type="image/png",
        width=size[0],
        height=size[1],
        size=promised,
        draw=lambda: _padded_png(_encode_png(paint(), label), promised),
    )


def _encode_png(picture: Image.Image, label: Label) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for name, text in (
        ("Job", label.job),
        ("Tile", str(label.tile)),
        ("Parent", label.parent),
        ("Author", label.author),
        ("Prompt", label.prompt),
        ("Description", f"{label.prompt} Job ID: {label.job}"),
    ):
        chunks.add_itxt(name, text)
    out = BytesIO()
    picture.save(out, "PNG", pnginfo=chunks, compress_level=1)
    return out.getvalue()


def _padded_png(data: bytes, size: int) -> bytes:
    """The same picture in exactly `size` bytes: a chunk `paDd` of zeros before the end."""
    end = data[-12:]
    room = size - len(data) - 12
    if room < 0:
        raise ValueError(f"the picture took {len(data)} bytes, {size} were promised")
    body = b"paDd" + bytes(room)
    chunk = struct.pack(">I", room) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-12] + chunk + end


def _draw_preview(art: Art, percent: int, size: tuple[int, int], promised: int) -> bytes:
    picture = _grid(art).resize(size, Image.Resampling.BILINEAR)
    blurred = picture.filter(ImageFilter.GaussianBlur((100 - percent) / 100 * size[0] / 24))
    out = BytesIO()
    blurred.save(out, "WEBP", quality=40, method=0)
    data = out.getvalue()
    if len(data) > promised:
        raise ValueError(f"the preview took {len(data)} bytes, {promised} were promised")
    return data + bytes(promised - len(data))


# Painting


def _grid(art: Art) -> Image.Image:
    wide, high = tile_size(art.ratio)
    whole = Image.new("RGB", (2 * wide, 2 * high))
    for index in range(4):
        whole.paste(_tile(art, index + 1), (index % 2 * wide, index // 2 * high))
    return whole


def _tile(art: Art, index: int) -> Image.Image:
    wide, high = tile_size(art.ratio)
    scale = _SKETCH / max(wide, high)
    sketch = (max(round(wide * scale), 8), max(round(high * scale), 8))
    mood = Random(f"{art.kin}/{art.prompt}")
    detail = Random(f"{art.job}/{art.prompt}/{index}")
    painted = _Scene(sketch, mood, detail, art.prompt.lower()).paint()
    return painted.resize((wide, high), Image.Resampling.BICUBIC)


class _Scene:
    """A landscape: sky, a light in it, far ridges to near ones, and what the words call for."""

    _SCALE = 4
    """Shapes are drawn this much larger and reduced, so that their edges are smooth."""

    def __init__(self, size: tuple[int, int], mood: Random, detail: Random, words: str) -> None:
        self._size = (size[0] * self._SCALE, size[1] * self._SCALE)
        self._final = size
        self._detail = detail
        self._words = words
        self._night = any(w in words for w in ("night", "moon", "star", "dark", "夜")) or (
            mood.random() < 0.3
        )
        self._sea = any(w in words for w in ("sea", "ocean", "boat", "lighthouse", "water", "海"))
        self._hue = mood.random() + detail.uniform(-0.03, 0.03)
        self._drift = mood.uniform(0.08, 0.3)
        self._layers = mood.randint(3, 5)

    def paint(self) -> Image.Image:
        picture = self._sky()
        self._light(picture)
        if self._night:
            self._stars(picture)
        for layer in range(self._layers):
            self._ridge(picture, (layer + 1) / self._layers)
        if self._sea:
            self._waves(picture)
        self._subject(picture)
        return picture.resize(self._final, Image.Resampling.BOX)

    def _colour(self, shift: float, light: float, strength: float = 0.55) -> Rgb:
        red, green, blue = hls_to_rgb((self._hue + shift) % 1.0, light, strength)
        return round(red * 255), round(green * 255), round(blue * 255)

    def _sky(self) -> Image.Image:
        top = self._colour(0.0, 0.12 if self._night else 0.45)
        low = self._colour(self._drift, 0.38 if self._night else 0.82, 0.7)
        mask = Image.linear_gradient("L").resize(self._size)
        return Image.composite(
            Image.new("RGB", self._size, low), Image.new("RGB", self._size, top), mask
        )

    def _light(self, picture: Image.Image) -> None:
        wide, high = self._size
        radius = min(wide, high) * self._detail.uniform(0.06, 0.12)
        x, y = self._detail.uniform(0.15, 0.85) * wide, self._detail.uniform(0.12, 0.42) * high
        core = self._colour(self._drift + 0.05, 0.93, 0.6)
        glow = Image.radial_gradient("L").point(lambda value: max(0, 255 - 2 * value))
        spread = round(radius * 8)
        halo = glow.resize((spread, spread))
        picture.paste(core, (round(x) - spread // 2, round(y) - spread // 2), halo)
        ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), core)

    def _stars(self, picture: Image.Image) -> None:
        draw = ImageDraw.Draw(picture)
        for _ in range(90):
            x = self._detail.randrange(self._size[0])
            y = self._detail.randrange(round(self._size[1] * 0.6))
            radius = self._detail.choice((1, 1, 2))
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), (255, 252, 235))

    def _ridge(self, picture: Image.Image, near: float) -> None:
        wide, high = self._size
        base = high * (0.42 + 0.42 * near)
        swing = high * self._detail.uniform(0.04, 0.12)
        waves = [
            (
                self._detail.uniform(0.6, 4.0),
                self._detail.uniform(0, math.tau),
                self._detail.random(),
            )
            for _ in range(4)
        ]
        edge = [
            (x, base + swing * sum(a * math.sin(f * math.tau * x / wide + p) for f, p, a in waves))
            for x in range(0, wide + 8, 8)
        ]
        light = (0.30 if self._night else 0.62) * (1 - near) + 0.10
        colour = self._colour(self._drift * (1.4 - near), light, 0.45)
        ImageDraw.Draw(picture).polygon([*edge, (wide, high), (0, high)], colour)

    def _waves(self, picture: Image.Image) -> None:
        wide, high = self._size
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, high * 0.8, wide, high), self._colour(0.5, 0.22, 0.5))
        for _ in range(40):
            y = self._detail.uniform(0.81, 0.99) * high
            x, length = self._detail.uniform(0, wide), self._detail.uniform(0.02, 0.12) * wide
            draw.line((x, y, x + length, y), self._colour(0.5, 0.5, 0.4), width=3)

    def _subject(self, picture: Image.Image) -> None:
        draw = ImageDraw.Draw(picture)
        if any(word in self._words for word in ("cat", "kitten", "猫")):
            self._cat(draw)
        elif any(word in self._words for word in ("house", "castle", "tower", "city", "城")):
            self._towers(draw)
        else:
            self._trees(draw)

    def _place(self) -> tuple[float, float, float]:
        wide, high = self._size
        unit = min(wide, high) * self._detail.uniform(0.16, 0.22)
        return self._detail.uniform(0.3, 0.7) * wide, high * self._detail.uniform(0.82, 0.9), unit

    def _cat(self, draw: ImageDraw.ImageDraw) -> None:
        x, y, unit = self._place()
        fur = self._colour(self._detail.uniform(0.3, 0.6), self._detail.uniform(0.2, 0.85), 0.4)
        draw.ellipse((x - unit * 0.7, y - unit * 1.3, x + unit * 0.7, y + unit * 0.5), fur)
        head = (x, y - unit * 1.5)
        draw.ellipse(
            (
                head[0] - unit * 0.6,
                head[1] - unit * 0.5,
                head[0] + unit * 0.6,
                head[1] + unit * 0.5,
            ),
            fur,
        )
        for side in (-1, 1):
            tip = (head[0] + side * unit * 0.5, head[1] - unit * 0.95)
            draw.polygon(
                [tip, (head[0] + side * unit * 0.08, head[1] - unit * 0.4),
                 (head[0] + side * unit * 0.58, head[1] - unit * 0.1)], fur,
            )  # fmt: skip
            eye = (head[0] + side * unit * 0.22, head[1])
            draw.ellipse(
                (
                    eye[0] - unit * 0.11,
                    eye[1] - unit * 0.13,
                    eye[0] + unit * 0.11,
                    eye[1] + unit * 0.13,
                ),
                self._colour(0.45, 0.75, 0.9),
            )
            draw.ellipse(
                (
                    eye[0] - unit * 0.04,
                    eye[1] - unit * 0.1,
                    eye[0] + unit * 0.04,
                    eye[1] + unit * 0.1,
                ),
                (20, 18, 24),
            )
        tail = (x + unit * 0.3, y - unit * 0.9, x + unit * 1.4, y + unit * 0.5)
        draw.arc(tail, 20, 140 + self._detail.randint(0, 60), fur, width=round(unit * 0.18))

    def _towers(self, draw: ImageDraw.ImageDraw) -> None:
        wide, high = self._size
        for _ in range(self._detail.randint(3, 6)):
            x, width = (
                self._detail.uniform(0.05, 0.9) * wide,
                self._detail.uniform(0.04, 0.09) * wide,
            )
            top = high * self._detail.uniform(0.35, 0.65)
            wall = self._colour(self._drift, self._detail.uniform(0.12, 0.3), 0.3)
            draw.rectangle((x, top, x + width, high * 0.95), wall)
            roof = [(x - width * 0.15, top), (x + width * 1.15, top), (x + width / 2, top - width)]
            draw.polygon(roof, self._colour(0.95, 0.4, 0.6))
            for row in range(5):
                y = top + (row + 0.6) * width * 0.7
                lamp = (x + width * 0.35, y, x + width * 0.65, y + width * 0.3)
                draw.rectangle(lamp, (255, 226, 150))

    def _trees(self, draw: ImageDraw.ImageDraw) -> None:
        wide, high = self._size
        for _ in range(self._detail.randint(5, 11)):
            x, foot = self._detail.uniform(0, wide), self._detail.uniform(0.86, 0.99) * high
            tall = self._detail.uniform(0.1, 0.26) * high
            colour = self._colour(self._detail.uniform(0.25, 0.4), self._detail.uniform(0.1, 0.3))
            for part in range(3):
                base = foot - tall * part * 0.28
                half = tall * (0.26 - 0.06 * part)
                crown = (x, base - tall * 0.45)
                draw.polygon([(x - half, base), (x + half, base), crown], colour)
