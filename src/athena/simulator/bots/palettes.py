"""Colour palettes, chosen by the words of a prompt."""

import re
from colorsys import hls_to_rgb, rgb_to_hls
from random import Random

from msgspec import Struct, structs

Rgb = tuple[int, int, int]


class Words:
    """The words of a prompt. Latin words match whole, with or without a plural `s`."""

    def __init__(self, prompt: str) -> None:
        self._text = prompt.lower()
        found = re.findall(r"[a-z]+", self._text)
        self._words = {*found, *(word.removesuffix("s") for word in found)}

    def any_of(self, names: tuple[str, ...]) -> bool:
        return any(name in self._words if name.isascii() else name in self._text for name in names)


class Palette(Struct, frozen=True, kw_only=True):
    """From the top of the sky down to the ground in front."""

    zenith: Rgb
    sky: Rgb
    horizon: Rgb
    light: Rgb
    far: Rgb
    near: Rgb
    accent: Rgb
    night: bool = False

    def turned(self, hue: float) -> "Palette":
        """The same colours, their hue rotated by a fraction of the circle."""
        names = ("zenith", "sky", "horizon", "far", "near", "accent")
        colours = {name: _turn(getattr(self, name), hue) for name in names}
        return Palette(light=self.light, night=self.night, **colours)


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """`share` of the second colour, the rest of the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def choose(words: Words, mood: Random) -> Palette:
    """The first palette that matches a word, else a random one."""
    fallback = mood.choice(sorted(_PALETTES))
    named = next((name for name, calls in _CALLS.items() if words.any_of(calls)), fallback)
    palette = _PALETTES[named]
    accent = next((ink for calls, ink in _ACCENTS if words.any_of(calls)), palette.accent)
    return structs.replace(palette, accent=accent)


def _turn(colour: Rgb, hue: float) -> Rgb:
    h, light, strength = rgb_to_hls(*(part / 255 for part in colour))
    red, green, blue = hls_to_rgb((h + hue) % 1.0, light, strength)
    return round(red * 255), round(green * 255), round(blue * 255)


def _of(colours: str, *, night: bool = False) -> Palette:
    names = ("zenith", "sky", "horizon", "light", "far", "near", "accent")
    parts = {}
    for name, text in zip(names, colours.split(), strict=True):
        red, green, blue = bytes.fromhex(text)
        parts[name] = (red, green, blue)
    return Palette(night=night, **parts)


_PALETTES = {
    "dawn": _of("35477d c06c84 f9d5a7 fff4dc a2708a 2a1f3d ff8c61"),
    "noon": _of("1f6c9e 5fb0d3 dff1f5 fffbe8 86b3c4 173f45 f4a261"),
    "dusk": _of("1d1e4b 7b3f8c ff9e6d ffe0b0 7a4f93 140f2d ff5d8f"),
    "night": _of("050a24 14295c 4b6ba8 f2f4ff 34497f 060b1c ffd27a", night=True),
    "aurora": _of("04101f 0b3a4a 3fa796 e6fff4 1f5a66 041218 8affc1", night=True),
    "autumn": _of("5f7a8a d9b98a fbe3b5 fff6dd c9905a 4a2016 d1495b"),
    "winter": _of("5c7ea6 a9c3dd f3f1ee ffffff b7c9da 3a4f68 e0566b"),
    "desert": _of("3a7ca5 f2c9a1 fde8cd fffaf0 dba172 6b2d1c 2a9d8f"),
    "forest": _of("3b6e6f 8fb996 eaf2c9 fffde8 7aa68b 12291f f6bd60"),
    "neon": _of("0c0221 3d0b66 ff3e9d 9ffcff 5a189a 0a0118 00f5d4", night=True),
    "rose": _of("6d597a b56576 f3c3a2 ffefe0 a15c74 2b1d33 ffd6a5"),
}

_CALLS = {
    "neon": ("neon", "cyberpunk", "synthwave", "vaporwave", "赛博朋克", "霓虹"),
    "aurora": ("aurora", "borealis", "极光"),
    "night": ("night", "midnight", "moon", "star", "starry", "dark", "space", "夜", "月", "星"),
    "dusk": ("sunset", "dusk", "evening", "twilight", "日落", "黄昏", "晚霞"),
    "dawn": ("sunrise", "dawn", "morning", "日出", "早晨", "清晨"),
    "winter": ("winter", "snow", "ice", "snowy", "frozen", "冬", "雪", "冰"),
    "autumn": ("autumn", "fall", "pumpkin", "秋"),
    "desert": ("desert", "dune", "sand", "canyon", "沙漠"),
    "forest": ("forest", "jungle", "garden", "wood", "meadow", "green", "森林", "花园", "草"),
    "rose": ("rose", "pink", "cherry", "blossom", "love", "樱", "粉"),
    "noon": ("sea", "ocean", "beach", "island", "sky", "blue", "summer", "海", "夏", "天空"),
}

_ACCENTS: tuple[tuple[tuple[str, ...], Rgb], ...] = (
    (("red", "crimson", "scarlet", "红"), (214, 48, 56)),
    (("orange", "橙"), (243, 132, 46)),
    (("yellow", "gold", "golden", "黄", "金"), (248, 200, 70)),
    (("blue", "蓝"), (66, 122, 222)),
    (("purple", "violet", "lavender", "紫"), (150, 98, 214)),
    (("pink", "粉"), (244, 134, 176)),
    (("white", "白"), (246, 244, 238)),
)
"""Colours that a prompt names, for accents in the image."""
