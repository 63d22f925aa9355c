"""The users' inputs: prompts shared with other users, unique prompts, small images, masks."""

import base64
import hashlib
import io
from collections.abc import Sequence
from random import Random

from PIL import Image, ImageDraw

COMMON = (
    "a cat", "a red house --ar 16:9", "https://example.com/a.png a lighthouse at night", "两只猫"
)  # fmt: skip
ODD = ("Banned prompt detected", "Removed", "Job queued", "Sorry! Could not complete the job!",
       "Invalid parameter")  # fmt: skip
LATER = ("Slow Down!", "Queue full")
"""Notices after which a task is retried for some minutes."""
_WORDS = ("amber", "brook", "cedar", "dune", "ember", "fjord", "grove", "harbour", "isle", "jade")


class PromptSource:
    """The prompts and images of one user."""

    def __init__(self, name: str, random: Random) -> None:
        self._name = name
        self._random = random

    def prompt(self, *, common: float, odd: float, ways: Sequence[str]) -> str:
        """A prompt. `common` is the probability of a prompt that other users use too, `odd` that of
        a prompt that Midjourney answers with one of the notices `ways`."""
        dice = self._random
        if dice.random() < odd:
            return f'{self.unique()} --notice "{dice.choice(ways)}"'
        return dice.choice(COMMON) if dice.random() < common else self.unique()

    def unique(self) -> str:
        """A prompt that no other request uses."""
        words = " ".join(self._random.sample(_WORDS, 3))
        return f"{words} {self._name} {self._random.getrandbits(40)}"

    def image(self) -> bytes:
        """A small image that is almost certainly unique."""
        colours = [self._random.getrandbits(8) for _ in range(3 * 64)]
        return _png(Image.frombytes("RGB", (8, 8), bytes(colours)))

    def mask(self) -> bytes:
        """A white rectangle on black."""
        mask = Image.new("L", (64, 64))
        left, top = self._random.randrange(48), self._random.randrange(48)
        ImageDraw.Draw(mask).rectangle((left, top, left + 15, top + 15), fill=255)
        return _png(mask)


def inline(image: bytes) -> str:
    """An image encoded for a request."""
    return "data:image/png;base64," + base64.b64encode(image).decode()


def digest(image: bytes) -> str:
    """The digest by which images are compared."""
    return hashlib.sha256(image).hexdigest()


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
