"""Finds the button for an action, by its label or by its custom id. Pure.

Buttons differ by model and image; only the buttons that an image has can be pressed.
"""

import re
from collections.abc import Iterable, Sequence

from athena.client.errors import NoSuchButton
from athena.client.server import Button

_SHORT = re.compile(r"(?P<what>[uv])(?P<index>[1-4])|(?P<reroll>r)", re.IGNORECASE)
_SIGNS = {"left": "⬅️", "right": "➡️", "up": "⬆️", "down": "⬇️"}
_ZOOMS = {2.0: "MJ::Outpaint::50::", 1.5: "MJ::Outpaint::75::"}


def upscale(index: int | None, kind: str = "") -> list[str]:
    """U1 to U4 of a grid; for a single image `subtle` or `creative`."""
    if index:
        return [f"MJ::JOB::upsample::{index}::", f"MJ::JOB::video_virtual_upscale::{index}::"]
    return [rf"MJ::JOB::upsample_\w*{re.escape(kind)}::"]


def vary(index: int | None, kind: str = "") -> list[str]:
    """V1 to V4 of a grid; for a single image `subtle` or `strong`."""
    if index:
        return [f"MJ::JOB::variation::{index}::"]
    return [f"MJ::JOB::{'low' if kind == 'subtle' else 'high'}_variation::"]


def reroll() -> list[str]:
    return ["MJ::JOB::reroll::"]


def zoom(factor: float) -> list[str]:
    """2 and 1.5 have their own buttons; other factors use the modal."""
    return [_ZOOMS.get(factor, "MJ::CustomZoom::")]


def square() -> list[str]:
    return ["MJ::Outpaint::100::"]


def pan(direction: str) -> list[str]:
    return [f"MJ::JOB::pan_{re.escape(direction)}::"]


def region() -> list[str]:
    return ["MJ::Inpaint::"]


def animate(motion: str) -> list[str]:
    """`high` or `low`; for a video, its extension."""
    return [rf"MJ::JOB::animate_{re.escape(motion)}(?:_extend)?::"]


def find(buttons: Sequence[Button], forms: Iterable[str], action: str) -> Button:
    """The first button whose custom id matches one of these patterns. `action` names it in the
    error.

    Raises:
        NoSuchButton: there is none; the message lists the buttons.
    """
    for form in forms:
        for button in buttons:
            if re.match(form, button.custom_id):
                return button
    raise NoSuchButton(_none(buttons, action))


def named(buttons: Sequence[Button], name: str) -> Button:
    """The button with a name: its custom id, its label (or the start of it), `u2`, `v3`, `r`, or a
    direction.

    Raises:
        NoSuchButton: there is none, or several labels start with the name.
    """
    name = name.strip()
    for button in buttons:
        if name and name in (button.custom_id, button.label, button.emoji):
            return button
    if short := _SHORT.fullmatch(name):
        index = int(short["index"] or 0)
        forms = reroll() if short["reroll"] else _numbered(short["what"].lower(), index)
        return find(buttons, forms, name)
    if sign := _SIGNS.get(name.lower()):
        return named(buttons, sign)
    start = name.casefold()
    matches = [b for b in buttons if b.label.casefold().startswith(start)] if name else []
    if len(matches) != 1:
        raise NoSuchButton(_none(buttons, name))
    return matches[0]


def _numbered(what: str, index: int) -> list[str]:
    return upscale(index) if what == "u" else vary(index)


def _none(buttons: Sequence[Button], name: str) -> str:
    names = ", ".join(button.name for button in buttons) or "none"
    hint = ""
    if any(button.custom_id.startswith("MJ::JOB::upsample::") for button in buttons):
        hint = " It is a grid: upscale one of its images first."
    return f"This image has no button {name!r}. Its buttons: {names}.{hint}"
