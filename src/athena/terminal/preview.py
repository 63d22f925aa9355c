"""Shows images in the terminal, with its graphics protocol if it has one, or with half blocks.

The terminal is queried before anything is drawn, because it responds through standard input: later,
its responses would mix with the output. Without a terminal as standard input there is no response.
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
    """Renders an image with a width in columns."""

_COLOURFUL = ("256", "truecolor")
"""Colour systems good enough for half blocks; sixteen colours are not."""

_CHUNK = 4096
_CELL = 16
"""Pixels sent per column of width."""


class Easel:
    """Shows images on a console. It shows none if `enabled` is False or there is no terminal;
    `enabled` None means unless NO_COLOR is set."""

    def __init__(self, console: Console, enabled: bool | None = None) -> None:
        self._console = console
        self._blocks: Form | None = None
        self._best: Form | None = None
        if _is_terminal() and _is_enabled(enabled):
            self._detect()

    def small(self, data: bytes, columns: int = 24) -> RenderableType | None:
        """A small image that can be redrawn; None if the terminal cannot show it."""
        return _rendered(data, self._blocks, columns)

    def show(self, data: bytes, columns: int = 48) -> None:
        """Show an image as well as the terminal supports it."""
        image = _rendered(data, self._best, min(columns, self._console.width - 2))
        if image is not None:
            self._console.print(image)

    @property
    def is_there(self) -> bool:
        return self._best is not None

    def _detect(self) -> None:
        # The import detects what the terminal supports; measuring detects the size of its cells.
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
    """An image in kitty's graphics protocol, placed at the cursor. All terminals with this protocol
    support that; the library's own method needs newer ones."""

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
        """The number of rows that keeps the aspect ratio."""
        wide, high = _cell()
        shape = self._image.height / self._image.width
        return max(1, round(self._columns * shape * wide / high))

    def _commands(self, rows: int) -> str:
        """The escape sequences that send the image in chunks, with no response and no cursor
        move."""
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


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _is_enabled(enabled: bool | None) -> bool:
    return "NO_COLOR" not in os.environ if enabled is None else enabled


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
    """A cell's width and height in pixels, as the terminal reports them."""
    import fcntl
    import struct
    import termios

    size = fcntl.ioctl(sys.stdout, termios.TIOCGWINSZ, bytes(8))
    rows, columns, wide, high = struct.unpack("HHHH", size)
    return (wide // columns, high // rows) if wide and high else (1, 2)
