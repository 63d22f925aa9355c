"""Pictures in the terminal, by the best way that it has: its own graphics, or half blocks.

What a terminal can is asked of it once, and only where somebody looks at it.
"""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def small(data: bytes, columns: int = 24) -> RenderableType | None:
    """A picture as half blocks, which may be drawn over and over; None when it is none."""
    from textual_image.renderable import HalfcellImage

    return _rendered(data, HalfcellImage, columns)


def show(console: Console, data: bytes, columns: int = 48) -> None:
    """Show a picture, as well as this terminal can."""
    # What terminal this is, is found out by importing it.
    from textual_image.renderable import Image

    picture = _rendered(data, Image, min(columns, console.width - 2))
    if picture is not None:
        console.print(picture)


def wanted(wish: bool | None) -> bool:
    """Whether pictures are to be shown: as wished, else where a terminal looks able to."""
    if wish is not None:
        return wish
    import os

    return sys.stdout.isatty() and sys.stderr.isatty() and "NO_COLOR" not in os.environ


def _rendered(data: bytes, form: type, columns: int) -> RenderableType | None:
    from PIL import Image

    try:
        picture = Image.open(BytesIO(data))
        picture.load()
    except (OSError, SyntaxError, ValueError):
        return None
    rendered: RenderableType = form(picture, width=columns, height="auto")
    return rendered
