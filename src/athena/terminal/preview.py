"""Images in the terminal, by the best way that it has: its own graphics, or half blocks.

A terminal is asked what it can before anything is drawn, because it answers by keyboard: later its
answers would meet with what is drawn, and with no keyboard there are none.
"""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image as Image
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement
    from rich.segment import Segment

    Form = Callable[[Image, int], RenderableType]
    """Draws an image, so many columns wide."""

_COLOURFUL = ("256", "truecolor")
"""What a terminal must be for half blocks: with sixteen colours they are blotches."""

_CHUNK = 4096
_CELL = 16
"""Pixels that are worth sending for the width of a column."""


class Easel:
    """Shows images on a console. With `wish` False, or where nobody looks, it shows none."""

    def __init__(self, console: Console, wish: bool | None = None) -> None:
        self._console = console
        self._blocks: Form | None = None
        self._best: Form | None = None
        if _is_watched() and _wanted(wish):
            self._ask()

    def small(self, data: bytes, columns: int = 24) -> RenderableType | None:
        """An image that may be drawn over and over; None where there can be none."""
        return _rendered(data, self._blocks, columns)

    def show(self, data: bytes, columns: int = 48) -> None:
        """Show an image, as well as this terminal can."""
        image = _rendered(data, self._best, min(columns, self._console.width - 2))
        if image is not None:
            self._console.print(image)

    @property
    def is_there(self) -> bool:
        return self._best is not None

    def _ask(self) -> None:
        # To import this finds out what the terminal can; to measure, how large its cells are.
        from PIL.Image import new
        from textual_image.renderable import HalfcellImage, Image, TGPImage, UnicodeImage

        self._console.measure(Image(new("RGB", (1, 1)), width=1, height="auto"))
        if self._console.color_system in _COLOURFUL:
            self._blocks = lambda image, columns: HalfcellImage(image, columns, "auto")
        if Image is TGPImage:
            self._best = Placed
        elif Image in (HalfcellImage, UnicodeImage):
            self._best = self._blocks
        else:
            self._best = lambda image, columns: Image(image, columns, "auto")


class Placed:
    """An image by kitty's graphics protocol, put straight where the cursor is. That is all that
    every terminal of this kind can; the library's own way needs newer ones."""

    def __init__(self, image: Image, columns: int) -> None:
        self._image = image
        self._columns = columns

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        return Measurement(self._columns, self._columns)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.control import Control
        from rich.segment import ControlType, Segment

        rows = self._rows()
        yield Segment("\n" * rows)
        yield Control.move(0, -rows).segment
        yield Segment(self._commands(rows), None, [(ControlType.CURSOR_DOWN, 0)])
        yield Control.move(0, rows).segment

    def _rows(self) -> int:
        """As many as keep the image's shape."""
        wide, high = _cell()
        shape = self._image.height / self._image.width
        return max(1, round(self._columns * shape * wide / high))

    def _commands(self, rows: int) -> str:
        """Send it in pieces, over so many cells, without an answer and without a moved cursor."""
        out = BytesIO()
        small = self._image.convert("RGB")
        small.thumbnail((self._columns * _CELL, rows * _CELL * 4))
        small.save(out, "PNG")
        data = b64encode(out.getvalue()).decode()
        pieces = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
        first = f"a=T,f=100,q=2,C=1,c={self._columns},r={rows},"
        return "".join(
            f"\x1b_G{first if number == 0 else ''}m={int(number < len(pieces) - 1)};{piece}\x1b\\"
            for number, piece in enumerate(pieces)
        )


def _is_watched() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _wanted(wish: bool | None) -> bool:
    return "NO_COLOR" not in os.environ if wish is None else wish


def _rendered(data: bytes, form: Form | None, columns: int) -> RenderableType | None:
    from PIL import Image

    if form is None:
        return None
    try:
        image = Image.open(BytesIO(data))
        image.load()
    except (OSError, SyntaxError, ValueError):
        return None
    return form(image, columns)


def _cell() -> tuple[int, int]:
    """A cell's width and height in pixels, as the terminal tells the system."""
    import fcntl
    import struct
    import termios

    told = fcntl.ioctl(sys.stdout, termios.TIOCGWINSZ, bytes(8))
    rows, columns, wide, high = struct.unpack("HHHH", told)
    return (wide // columns, high // rows) if wide and high else (1, 2)
