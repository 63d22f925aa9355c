"""Subjects of a landscape as silhouettes: one function each, selected by words of the prompt."""

import math
from collections.abc import Callable
from random import Random

from msgspec import Struct
from PIL import ImageDraw

from athena.simulator.bots.palettes import Palette, Words, mix

Point = tuple[float, float]


class Place(Struct, frozen=True, kw_only=True):
    """Where a subject is drawn. Lengths are pixels; `unit` is the shorter side of the image."""

    pen: ImageDraw.ImageDraw
    width: int
    height: int
    ground: Callable[[float], float]
    """The height of the foreground at a horizontal position."""
    palette: Palette
    random: Random

    @property
    def unit(self) -> float:
        return min(self.width, self.height)

    def blob(self, x: float, y: float, wide: float, high: float, ink: tuple[int, ...]) -> None:
        self.pen.ellipse((x - wide, y - high, x + wide, y + high), ink)

    def somewhere(self) -> Point:
        """A point on the ground, near a line that divides the image well."""
        third = self.random.choice((0.33, 0.5, 0.67)) + self.random.uniform(-0.06, 0.06)
        return third * self.width, self.ground(third * self.width)


def cat(place: Place) -> None:
    """A cat that sits on the hill."""
    x, ground = place.somewhere()
    size = place.unit * place.random.uniform(0.14, 0.18)
    ink = mix(place.palette.near, (0, 0, 0), 0.35)
    y = ground + size * 0.1
    side = place.random.choice((-1, 1))
    tail = [
        (x + side * size * (0.5 + 0.55 * math.sin(t * 2.4)), y - size * (0.15 + 1.1 * t * t))
        for t in (n / 24 for n in range(25))
    ]
    place.pen.line(tail, ink, round(size * 0.16), joint="curve")
    for end in (tail[0], tail[-1]):
        place.blob(*end, size * 0.08, size * 0.08, ink)
    place.blob(x, y - size * 0.55, size * 0.62, size * 0.68, ink)
    place.blob(x - side * size * 0.08, y - size * 1.1, size * 0.4, size * 0.6, ink)
    head = (x - side * size * 0.1, y - size * 1.72)
    place.blob(*head, size * 0.46, size * 0.4, ink)
    for ear in (-1, 1):
        root = head[0] + ear * size * 0.25
        place.pen.polygon(
            [
                (root - size * 0.2, head[1] - size * 0.2),
                (root + ear * size * 0.14, head[1] - size * 0.68),
                (root + size * 0.2, head[1] - size * 0.2),
            ],
            ink,
        )
        eye = head[0] + ear * size * 0.18
        place.blob(eye, head[1] - size * 0.02, size * 0.09, size * 0.075, place.palette.accent)
        place.blob(eye, head[1] - size * 0.02, size * 0.025, size * 0.07, ink)


def pines(place: Place) -> None:
    """Firs in groups, small and large."""
    for _ in range(place.random.randint(14, 26)):
        x = place.random.uniform(-0.02, 1.02) * place.width
        tall = place.unit * place.random.choice((0.08, 0.11, 0.14, 0.2, 0.27))
        foot = place.ground(x) + place.unit * 0.03
        ink = mix(place.palette.near, (0, 0, 0), place.random.uniform(0.0, 0.4))
        tiers = 6
        for tier in range(tiers):
            half = tall * 0.22 * (1 - tier / tiers) + tall * 0.02
            base = foot - tall * (0.1 + 0.82 * tier / tiers)
            sway = place.random.uniform(-0.02, 0.02) * tall
            place.pen.polygon(
                [(x - half, base + sway), (x, base - tall * 0.26), (x + half, base - sway)], ink
            )
        place.pen.rectangle((x - tall * 0.02, foot - tall * 0.12, x + tall * 0.02, foot), ink)


def lone_tree(place: Place) -> None:
    """One old tree with a wide crown."""
    x, y = place.somewhere()
    ink = mix(place.palette.near, (0, 0, 0), 0.25)
    leaf = mix(place.palette.accent, place.palette.near, 0.45)
    _branch(place, (x, y + place.unit * 0.03), -math.pi / 2, place.unit * 0.11, 6, ink, leaf)


def _branch(
    place: Place, foot: Point, angle: float, length: float, left: int,
    ink: tuple[int, ...], leaf: tuple[int, ...],
) -> None:  # fmt: skip
    tip = (foot[0] + math.cos(angle) * length, foot[1] + math.sin(angle) * length)
    place.pen.line((foot, tip), ink, max(1, round(length * 0.16)))
    if left <= 2:
        size = length * place.random.uniform(0.5, 0.8)
        shade = place.random.uniform(0.0, 0.35)
        place.blob(*tip, size, size * 0.8, mix((leaf[0], leaf[1], leaf[2]), (0, 0, 0), shade))
    if left:
        for turn in (-1, 1):
            bend = turn * place.random.uniform(0.25, 0.6)
            shorter = length * place.random.uniform(0.68, 0.85)
            _branch(place, tip, angle + bend, shorter, left - 1, ink, leaf)


def towers(place: Place) -> None:
    """A city: dark buildings in front, with light in some windows."""
    for row in range(3):
        ink = mix(place.palette.far, place.palette.near, 0.4 + 0.3 * row)
        x = place.random.uniform(-0.1, 0) * place.width
        while x < place.width:
            wide = place.unit * place.random.uniform(0.05, 0.1)
            middle = 1 - abs(x / place.width - 0.5)
            high = place.unit * place.random.uniform(0.18, 0.55) * middle * (1.05 - 0.25 * row)
            _tower(place, x, place.ground(x) + place.unit * 0.05, wide, high, ink)
            x += wide * place.random.uniform(0.9, 1.5)


def _tower(
    place: Place, x: float, foot: float, wide: float, high: float, ink: tuple[int, ...]
) -> None:
    top = foot - high
    place.pen.rectangle((x, top, x + wide, place.height), ink)
    roof = place.random.random()
    if roof < 0.35:
        place.pen.polygon([(x, top), (x + wide, top), (x + wide / 2, top - wide * 0.9)], ink)
    elif roof < 0.6:
        place.pen.line((x + wide / 2, top, x + wide / 2, top - wide * 0.8), ink, 3)
    lamp = mix(place.palette.accent, place.palette.light, 0.4)
    step = wide / 4
    for down in range(1, int(high / step)):
        for across in range(3):
            if place.random.random() < 0.38:
                left, upper = x + step * (across + 0.7), top + step * down
                place.pen.rectangle((left, upper, left + step * 0.5, upper + step * 0.5), lamp)


def flowers(place: Place) -> None:
    """A meadow of blossoms, larger towards the front."""
    inks = (place.palette.accent, mix(place.palette.accent, place.palette.light, 0.5))
    stem = mix(place.palette.near, place.palette.far, 0.3)
    for number in range(90):
        depth = number / 90
        x = place.random.uniform(0, 1) * place.width
        top = place.ground(x) + depth * (place.height - place.ground(x)) * 0.85
        size = place.unit * (0.006 + 0.03 * depth) * place.random.uniform(0.7, 1.2)
        place.pen.line((x, top, x + size * 0.4, top + size * 5), stem, max(1, round(size * 0.2)))
        ink = mix(place.random.choice(inks), place.palette.near, 0.35 * (1 - depth))
        start = place.random.uniform(0, math.tau)
        for petal in range(6):
            angle = start + petal * math.tau / 6
            at = (x + math.cos(angle) * size * 0.75, top + math.sin(angle) * size * 0.6)
            place.blob(*at, size * 0.5, size * 0.42, ink)
        place.blob(x, top, size * 0.36, size * 0.3, place.palette.light)


def boat(place: Place) -> None:
    """A sailing boat."""
    x, _ = place.somewhere()
    y = place.height * place.random.uniform(0.74, 0.82)
    size = place.unit * place.random.uniform(0.1, 0.15)
    hull = mix(place.palette.near, (0, 0, 0), 0.3)
    sail = mix(place.palette.light, place.palette.accent, 0.12)
    place.pen.polygon(
        [(x - size, y), (x + size, y), (x + size * 0.7, y + size * 0.3),
         (x - size * 0.75, y + size * 0.3)], hull,
    )  # fmt: skip
    place.pen.line((x, y, x, y - size * 2.1), hull, max(2, round(size * 0.05)))
    place.pen.polygon([(x + 4, y - size * 2), (x + 4, y - size * 0.15),
                       (x + size * 0.95, y - size * 0.2)], sail)  # fmt: skip
    place.pen.polygon([(x - 4, y - size * 1.8), (x - 4, y - size * 0.15),
                       (x - size * 0.65, y - size * 0.2)], mix(sail, hull, 0.2))  # fmt: skip


def lighthouse(place: Place) -> None:
    """A lighthouse on a rock, with a faint beam."""
    x, _ = place.somewhere()
    foot = place.height * 0.8
    size = place.unit * 0.05
    high = place.unit * place.random.uniform(0.36, 0.46)
    rock = mix(place.palette.near, (0, 0, 0), 0.3)
    lamp = (x, foot - high - size * 0.55)
    beam = (*place.palette.light, 46)
    for side in (-1, 1):
        far = x + side * place.width
        place.pen.polygon([lamp, (far, lamp[1] - size * 3.4), (far, lamp[1] + size * 1.4)], beam)
    _rock(place, x, foot + size * 0.15, size * 4.2, rock)
    for band in range(6):
        low, up = foot - high * band / 6, foot - high * (band + 1) / 6
        half, upper = size * (1 - 0.07 * band), size * (1 - 0.07 * (band + 1))
        ink = place.palette.accent if band % 2 else mix(place.palette.light, rock, 0.15)
        place.pen.polygon([(x - half, low), (x + half, low), (x + upper, up), (x - upper, up)], ink)
    place.pen.rectangle((x - size * 0.75, lamp[1] - size * 0.4, x + size * 0.75,
                         foot - high), rock)  # fmt: skip
    place.blob(*lamp, size * 0.4, size * 0.4, (255, 248, 220))
    place.pen.polygon([(x - size * 0.9, lamp[1] - size * 0.4), (x + size * 0.9,
                       lamp[1] - size * 0.4), (x, lamp[1] - size * 1.5)], rock)  # fmt: skip


def _rock(place: Place, x: float, top: float, wide: float, ink: tuple[int, ...]) -> None:
    shares = [number / 8 for number in range(-8, 9)]
    crags = [(1 - abs(share) ** 1.6) * place.random.uniform(0.75, 1.1) for share in shares]
    foot = top + wide * 0.3
    edge = [(x + s * wide, foot - c * wide * 0.32) for s, c in zip(shares, crags, strict=True)]
    place.pen.polygon([(x - wide, foot), *edge, (x + wide, foot)], ink)
    place.blob(x, foot, wide, wide * 0.09, ink)


def house(place: Place) -> None:
    """A small house with light in its windows, between firs."""
    pines(place)
    x, y = place.somewhere()
    size = place.unit * 0.11
    wall = mix(place.palette.near, place.palette.far, 0.2)
    roof = mix(place.palette.near, (0, 0, 0), 0.4)
    y += size * 0.2
    place.pen.rectangle((x - size, y - size, x + size, y + size * 0.4), wall)
    place.pen.rectangle((x + size * 0.4, y - size * 1.9, x + size * 0.65, y - size), roof)
    place.pen.polygon(
        [(x - size * 1.25, y - size * 0.95), (x, y - size * 1.95),
         (x + size * 1.25, y - size * 0.95)], roof,
    )  # fmt: skip
    lamp = mix(place.palette.accent, (255, 236, 170), 0.6)
    for left in (-0.65, 0.25):
        place.pen.rectangle(
            (x + left * size, y - size * 0.65, x + (left + 0.4) * size, y - size * 0.2), lamp
        )


def person(place: Place) -> None:
    """A standing person."""
    x, y = place.somewhere()
    size = place.unit * place.random.uniform(0.1, 0.13)
    ink = mix(place.palette.near, (0, 0, 0), 0.4)
    y += size * 0.1
    place.blob(x, y - size * 1.95, size * 0.2, size * 0.23, ink)
    coat = [(-0.16, -1.72), (0.16, -1.72), (0.36, -1.5), (0.42, -0.75), (0.3, -0.72),
            (0.34, -0.45), (0.17, -0.45), (0.15, 0.0), (0.02, 0.0), (0.0, -0.45), (-0.02, 0.0),
            (-0.15, 0.0), (-0.17, -0.45), (-0.34, -0.45), (-0.3, -0.72), (-0.42, -0.75),
            (-0.36, -1.5)]  # fmt: skip
    place.pen.polygon([(x + dx * size, y + dy * size) for dx, dy in coat], ink)
    wind = place.random.choice((-1, 1))
    scarf = [(-wind * 0.17, -1.78), (wind * 0.2, -1.76), (wind * 0.45, -1.66),
             (wind * 0.72, -1.72), (wind * 0.68, -1.6), (wind * 0.42, -1.54),
             (wind * 0.17, -1.64), (-wind * 0.17, -1.66)]  # fmt: skip
    place.pen.polygon([(x + dx * size, y + dy * size) for dx, dy in scarf], place.palette.accent)


def balloons(place: Place) -> None:
    """Hot-air balloons, one near and some far."""
    inks = (place.palette.accent, place.palette.light, mix(place.palette.near, (0, 0, 0), 0.1))
    for size in [*sorted(place.random.uniform(0.025, 0.05) for _ in range(3)), 0.12]:
        x = place.random.uniform(0.12, 0.88) * place.width
        y = place.random.uniform(0.14, 0.46) * place.height
        _balloon(place, x, y, size * place.unit, inks)


def _balloon(
    place: Place, x: float, y: float, size: float, inks: tuple[tuple[int, ...], ...]
) -> None:
    first, second, basket = inks
    for side in (-1, 1):
        place.pen.line((x + side * size * 0.55, y + size * 0.75, x + side * size * 0.15,
                        y + size * 1.75), basket, 2)  # fmt: skip
    cone = [(x - size * 0.9, y + size * 0.42), (x + size * 0.9, y + size * 0.42),
            (x + size * 0.22, y + size * 1.4), (x - size * 0.22, y + size * 1.4)]  # fmt: skip
    place.pen.polygon(cone, first)
    for number, wide in enumerate((1.0, 0.66, 0.3)):
        place.blob(x, y, size * wide, size, second if number % 2 else first)
        if number % 2:
            place.pen.polygon([(x - size * 0.58, y + size * 0.42), (x + size * 0.58,
                              y + size * 0.42), (x + size * 0.13, y + size * 1.4),
                              (x - size * 0.13, y + size * 1.4)], second)  # fmt: skip
    place.pen.rectangle((x - size * 0.17, y + size * 1.7, x + size * 0.17, y + size * 2), basket)


Subject = Callable[[Place], None]

_CALLS: tuple[tuple[tuple[str, ...], Subject], ...] = (
    (("cat", "kitten", "tiger", "lion", "fox", "猫", "虎", "狐"), cat),
    (("lighthouse", "灯塔"), lighthouse),
    (("boat", "ship", "sail", "yacht", "船", "帆"), boat),
    (("city", "tower", "castle", "street", "skyline", "tokyo", "town", "城", "塔"), towers),
    (("house", "cabin", "cottage", "home", "village", "房", "屋"), house),
    (("flower", "rose", "tulip", "meadow", "garden", "blossom", "花"), flowers),
    (("balloon", "气球"), balloons),
    (
        ("portrait", "woman", "man", "girl", "boy", "person", "astronaut", "samurai", "wizard",
         "robot", "knight", "hero", "人", "女", "男", "少"), person,
    ),
    (("tree", "oak", "树"), lone_tree),
    (("forest", "wood", "pine", "mountain", "winter", "林", "山"), pines),
)  # fmt: skip

_ANY: tuple[Subject, ...] = (pines, lone_tree, house, balloons, person, flowers)

SEABORNE: tuple[Subject, ...] = (boat, lighthouse)
"""Subjects that need water."""


def choose(words: Words, mood: Random) -> Subject:
    """The subject that matches the words, else a random one."""
    fallback = mood.choice(_ANY)
    return next((subject for calls, subject in _CALLS if words.any_of(calls)), fallback)
