"""Random shapes, reproducible from a seed: cloudy surfaces and broken lines.

Both consist of octaves: each one has twice the detail and half the weight of the one before.
"""

from itertools import pairwise
from random import Random

from PIL import Image

Size = tuple[int, int]


def cloudy(random: Random, size: Size, cells: Size, octaves: int = 4) -> Image.Image:
    """A grey surface of soft spots, `cells` of the largest ones across and down."""
    surface = _octave(random, size, cells)
    for octave in range(1, octaves):
        finer = _octave(random, size, (cells[0] << octave, cells[1] << octave))
        surface = Image.blend(surface, finer, 0.5**octave / (2 - 0.5**octave))
    return surface


def broken_line(random: Random, roughness: float, doublings: int = 7) -> list[float]:
    """Heights around 0 of a line of mountains: 0.3 is hills, 0.6 is rocks."""
    line = [random.uniform(-0.5, 0.5) for _ in range(4)]
    swing = 0.5
    for _ in range(doublings - 2):
        swing *= roughness
        finer = [line[0]]
        for left, right in pairwise(line):
            finer += [(left + right) / 2 + random.uniform(-swing, swing), right]
        line = finer
    return line


def smooth(line: list[float], times: int) -> list[float]:
    """The same line with its corners rounded."""
    for _ in range(times):
        inner = [(a + 2 * b + c) / 4 for a, b, c in zip(line, line[1:], line[2:], strict=False)]
        line = [line[0], *inner, line[-1]]
    return line


def _octave(random: Random, size: Size, cells: Size) -> Image.Image:
    spots = Image.frombytes("L", cells, random.randbytes(cells[0] * cells[1]))
    return spots.resize(size, Image.Resampling.BICUBIC)
