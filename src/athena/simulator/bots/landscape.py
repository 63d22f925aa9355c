"""A landscape from the words of a prompt: sky, sun or moon, clouds, ridges, water, a subject.

It has two random sources. `mood` belongs to a family of jobs and determines the palette, the
subject and the kind of land, so that variations resemble their parent. `detail` belongs to one tile
and determines the positions.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from athena.simulator.bots import noise, palettes, subjects
from athena.simulator.bots.palettes import Palette, Rgb, Words, mix
from athena.simulator.bots.subjects import Place

_FINE = 2
"""Shapes are drawn larger by this factor and reduced, so that their edges are smooth."""

_WATER = ("sea", "ocean", "lake", "river", "beach", "water", "island", "boat", "ship", "harbor",
          "lighthouse", "海", "湖", "河", "水", "船")  # fmt: skip
_HORIZON = 0.64
"""The top of the water, as a fraction of the height."""


class Landscape:
    """One image of `size` pixels."""

    def __init__(self, prompt: str, mood: Random, detail: Random, size: tuple[int, int]) -> None:
        words = Words(prompt)
        self._size = size
        self._detail = detail
        palette = palettes.choose(words, mood).turned(mood.uniform(-0.03, 0.03))
        self._palette: Palette = palette.turned(detail.uniform(-0.02, 0.02))
        self._subject = subjects.choose(words, mood)
        self._water = words.any_of(_WATER) or self._subject in subjects.SEABORNE
        self._roughness = mood.uniform(0.36, 0.58)
        self._layers = mood.randint(3, 5)
        self._cover = mood.uniform(0.2, 0.9)
        self._sun_across = mood.uniform(0.2, 0.8)

    def paint(self) -> Image.Image:
        image = self._sky()
        if self._palette.night:
            self._stars(image)
        sun = self._light(image)
        self._clouds(image)
        ground = self._ridges(image)
        if self._water:
            image = self._reflected(image, sun)
        self._stand_subject(image, ground)
        self._birds(image)
        return self._vignetted(image)

    # Air

    def _sky(self) -> Image.Image:
        palette = self._palette
        return _gradient(
            self._size, [(0.0, palette.zenith), (0.42, palette.sky), (0.68, palette.horizon)]
        )

    def _stars(self, image: Image.Image) -> None:
        wide, high = self._size
        draw = ImageDraw.Draw(image)
        for _ in range(170):
            x, y = self._detail.randrange(wide), int(self._detail.triangular(0, high * 0.6, 0))
            bright = self._detail.uniform(0.25, 1.0)
            ink = mix(self._palette.sky, (255, 253, 244), bright)
            draw.ellipse((x, y, x + (bright > 0.85), y + (bright > 0.85)), ink)

    def _light(self, image: Image.Image) -> tuple[float, float]:
        """Draw the sun or moon with its halo; returns its position."""
        wide, high = self._size
        unit = min(wide, high)
        across = self._sun_across + self._detail.uniform(-0.14, 0.14)
        x, y = across * wide, self._detail.uniform(0.16, 0.44) * high
        for reach, strength in ((1.5, 0.5), (0.55, 0.7)):
            self._halo(image, (x, y), round(unit * reach), strength)
        radius = unit * self._detail.uniform(0.045, 0.085)
        disc = self._stencil(
            lambda pen: pen.ellipse(
                tuple(_FINE * v for v in (x - radius, y - radius, x + radius, y + radius)), 255
            )
        )
        image.paste(self._palette.light, (0, 0), disc)
        return x, y

    def _halo(
        self, image: Image.Image, at: tuple[float, float], reach: int, strength: float
    ) -> None:
        fall = [round(255 * strength * max(0.0, 1 - step / 180) ** 2.2) for step in range(256)]
        glow = Image.radial_gradient("L").point(fall).resize((2 * reach, 2 * reach))
        image.paste(self._palette.light, (round(at[0]) - reach, round(at[1]) - reach), glow)

    def _clouds(self, image: Image.Image) -> None:
        wide, high = self._size
        band = (wide, round(high * 0.62))
        surface = noise.cloudy(self._detail, band, (3, 5))
        fine = 150 - 40 * self._cover
        strength = 0.35 if self._palette.night else 0.75
        veil = surface.point(
            [round(strength * min(255.0, max(0.0, (v - fine) * 3.2))) for v in range(256)]
        )
        tint = _gradient(
            band, [(0.0, mix(self._palette.sky, self._palette.light, 0.5)),
                   (1.0, mix(self._palette.horizon, self._palette.light, 0.7))],
        )  # fmt: skip
        image.paste(tint, (0, 0), veil)

    # Land

    def _ridges(self, image: Image.Image) -> Callable[[float], float]:
        """Draw ridges, the farthest first, each with mist; returns the height of the nearest."""
        line: list[float] = []
        layers = self._layers - 1 if self._water else self._layers
        for layer in range(layers):
            near = (layer + 1) / self._layers
            line = self._ridge(image, near, rough=self._roughness * (1.1 - 0.6 * near))
        return lambda x: _between(line, x / self._size[0])

    def _ridge(self, image: Image.Image, near: float, rough: float) -> list[float]:
        wide, high = self._size
        low = _HORIZON - 0.03 if self._water else 0.86
        base = high * (0.46 + (low - 0.46) * near)
        swing = high * (0.34 - 0.2 * near)
        raw = noise.smooth(noise.broken_line(self._detail, rough), round(1 + 5 * near))
        line = [base + swing * each for each in raw]
        step = wide / (len(line) - 1)
        edge = [(number * step * _FINE, y * _FINE) for number, y in enumerate(line)]
        corners = [(wide * _FINE, high * _FINE), (0, high * _FINE)]
        shape = self._stencil(lambda pen: pen.polygon([*edge, *corners], 255))
        top, foot = min(line), high * min(1.0, low + 0.1)
        image.paste(self._slope(near, top / high, foot / high), (0, 0), shape)
        return line

    def _slope(self, near: float, top: float, foot: float) -> Image.Image:
        """The colour of a ridge: its own at the top, the mist's at its foot."""
        body = mix(self._palette.far, self._palette.near, near**1.3)
        mist = mix(body, self._palette.horizon, 0.5 * (1 - near) + 0.06)
        return _gradient(self._size, [(top, body), (max(foot, top + 0.05), mist)])

    def _reflected(self, image: Image.Image, sun: tuple[float, float]) -> Image.Image:
        """Draw the reflection of everything above the horizon, darker and with ripples."""
        wide, high = self._size
        shore = round(high * _HORIZON)
        below = high - shore
        above = image.crop((0, shore - below, wide, shore))
        mirror = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        mirror = mirror.filter(ImageFilter.BoxBlur((1, 5)))
        deep = _gradient((wide, below), [(0.0, self._palette.sky), (1.0, self._palette.near)])
        water = Image.blend(mirror, deep, 0.38)
        ripples = noise.cloudy(self._detail, (wide, below), (4, 28), octaves=2)
        dark = ripples.point([round(max(0, 110 - v) * 1.6) for v in range(256)])
        water.paste(mix(self._palette.near, self._palette.sky, 0.25), (0, 0), dark)
        water.paste(self._palette.light, (0, 0), self._glitter(ripples, sun[0]))
        image.paste(water, (0, shore))
        return image

    def _glitter(self, ripples: Image.Image, across: float) -> Image.Image:
        """The glitter of the light on the ripples below the sun."""
        wide, below = ripples.size
        crests = ripples.point([min(255, max(0, v - 132) * 7) for v in range(256)])
        path = Image.radial_gradient("L").point([max(0, 255 - round(v * 1.5)) for v in range(256)])
        reach = round(min(wide, below * 2.6) * 0.3)
        lane = Image.new("L", ripples.size)
        lane.paste(path.resize((2 * reach, 2 * below)), (round(across) - reach, -below // 3))
        return ImageChops.multiply(crests, lane)

    # Subjects

    def _stand_subject(self, image: Image.Image, ground: Callable[[float], float]) -> None:
        wide, high = (side * _FINE for side in self._size)
        layer = Image.new("RGBA", (wide, high))
        self._subject(
            Place(
                pen=ImageDraw.Draw(layer, "RGBA"),
                width=wide,
                height=high,
                ground=lambda x: ground(x / _FINE) * _FINE,
                palette=self._palette,
                random=self._detail,
            )
        )
        small = layer.reduce(_FINE)
        image.paste(small, (0, 0), small)

    def _birds(self, image: Image.Image) -> None:
        wide, high = self._size
        unit = min(wide, high)
        ink = mix(self._palette.near, self._palette.sky, 0.15)
        x, y = self._detail.uniform(0.1, 0.8) * wide, self._detail.uniform(0.12, 0.4) * high
        draw = ImageDraw.Draw(image)
        for _ in range(self._detail.choice((0, 4, 7))):
            span = unit * self._detail.uniform(0.01, 0.022)
            at = (x + self._detail.gauss(0, 0.07) * unit, y + self._detail.gauss(0, 0.04) * unit)
            wings = [(-1, -0.5), (-0.45, -0.55), (0, 0), (0.45, -0.55), (1, -0.5)]
            draw.line([(at[0] + dx * span, at[1] + dy * span) for dx, dy in wings], ink, 2)

    def _vignetted(self, image: Image.Image) -> Image.Image:
        shade = [255 - round(70 * (v / 255) ** 2.4) for v in range(256)]
        veil = Image.radial_gradient("L").point(shade).resize(self._size)
        return ImageChops.multiply(image, Image.merge("RGB", (veil, veil, veil)))

    def _stencil(self, draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
        """A mask of the image's size from shapes drawn `_FINE` times larger."""
        large = Image.new("L", (self._size[0] * _FINE, self._size[1] * _FINE))
        draw(ImageDraw.Draw(large))
        return large.reduce(_FINE)


def _gradient(size: tuple[int, int], stops: list[tuple[float, Rgb]]) -> Image.Image:
    """Colours from top to bottom; `stops` are fractions of the height, in order."""
    rows = 192
    column = Image.new("RGB", (1, rows))
    column.putdata([_at(stops, row / (rows - 1)) for row in range(rows)])
    return column.resize(size, Image.Resampling.BICUBIC)


def _at(stops: list[tuple[float, Rgb]], place: float) -> Rgb:
    for (low, first), (high, second) in pairwise(stops):
        if place < high:
            share = max(0.0, (place - low) / (high - low))
            return mix(first, second, share * share * (3 - 2 * share))
    return stops[-1][1]


def _between(line: list[float], share: float) -> float:
    """The height of a line at a fraction of its length; outside of it, that of its end."""
    place = min(max(share, 0.0), 1.0) * (len(line) - 1)
    left = min(math.floor(place), len(line) - 2)
    return line[left] + (line[left + 1] - line[left]) * (place - left)
