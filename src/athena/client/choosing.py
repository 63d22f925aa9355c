"""Which button is meant: by what is written on it, or by what it does. Pure.

Buttons differ by model and image; only what an image shows can be pressed.
"""

import re
from collections.abc import Iterable, Sequence

from athena.client.errors import NoSuchButton
from athena.client.server import Button

_SHORT = re.compile(r"(?P<what>[uv])(?P<index>[1-4])|(?P<reroll>r)", re.IGNORECASE)
_SIGNS = {"left": "⬅️", "right": "➡️", "up": "⬆️", "down": "⬇️"}
_ZOOMS = {2.0: "MJ::Outpaint::50::", 1.5: "MJ::Outpaint::75::"}


def upscale(index: int | None, way: str = "") -> list[str]:
    """U1 to U4 of a grid; of a single image `subtle` or `creative`."""
    if index:
        return [f"MJ::JOB::upsample::{index}::", f"MJ::JOB::video_virtual_upscale::{index}::"]
    return [rf"MJ::JOB::upsample_\w*{re.escape(way)}::"]


def vary(index: int | None, way: str = "") -> list[str]:
    """V1 to V4 of a grid; of a single image `subtle` or `strong`."""
    if index:
        return [f"MJ::JOB::variation::{index}::"]
    return [f"MJ::JOB::{'low' if way == 'subtle' else 'high'}_variation::"]


def reroll() -> list[str]:
    return ["MJ::JOB::reroll::"]


def zoom(factor: float) -> list[str]:
    """2 and 1.5 have buttons of their own; others go through the modal."""
    return [_ZOOMS.get(factor, "MJ::CustomZoom::")]


def square() -> list[str]:
    return ["MJ::Outpaint::100::"]


def pan(direction: str) -> list[str]:
    return [f"MJ::JOB::pan_{re.escape(direction)}::"]


def region() -> list[str]:
    return ["MJ::Inpaint::"]


def animate(motion: str) -> list[str]:
    """`high` or `low`; of a video its extension."""
    return [rf"MJ::JOB::animate_{re.escape(motion)}(?:_extend)?::"]


def find(buttons: Sequence[Button], forms: Iterable[str], wish: str) -> Button:
    """The button whose id has one of these forms.

    Raises:
        NoSuchButton: there is none; the text names those that there are.
    """
    for form in forms:
        for button in buttons:
            if re.match(form, button.custom_id):
                return button
    raise NoSuchButton(_none(buttons, wish))


def named(buttons: Sequence[Button], name: str) -> Button:
    """The button of a name: its id, what is written on it (or the beginning of that), `u2`, `v3`,
    `r`, or a direction.

    Raises:
        NoSuchButton: there is none, or several begin so.
    """
    wish = name.strip()
    for button in buttons:
        if wish and wish in (button.custom_id, button.label, button.emoji):
            return button
    if short := _SHORT.fullmatch(wish):
        index = int(short["index"] or 0)
        forms = reroll() if short["reroll"] else _numbered(short["what"].lower(), index)
        return find(buttons, forms, wish)
    if sign := _SIGNS.get(wish.lower()):
        return named(buttons, sign)
    begun = [b for b in buttons if b.label.casefold().startswith(wish.casefold())] if wish else []
    if len(begun) != 1:
        raise NoSuchButton(_none(buttons, wish))
    return begun[0]


def _numbered(what: str, index: int) -> list[str]:
    return upscale(index) if what == "u" else vary(index)


def _none(buttons: Sequence[Button], wish: str) -> str:
    names = ", ".join(button.name for button in buttons) or "none"
    hint = ""
    if any(button.custom_id.startswith("MJ::JOB::upsample::") for button in buttons):
        hint = " It is a grid of four: upscale one of them first."
    return f"There is no button {wish!r} on this image. It has: {names}.{hint}"
