"""Finds the button for an action, by its label or by its custom id. Pure.

Buttons differ by model and image; only the buttons that an image has can be pressed.
"""

import re
from collections.abc import Sequence

from athena.client.errors import NoSuchButton
from athena.client.server import Button
from athena.midjourney import buttons as forms_of
from athena.midjourney.buttons import Form

_SHORT = re.compile(r"(?P<what>[uv])(?P<index>[1-4])|(?P<reroll>r)", re.IGNORECASE)
_SIGNS = {"left": "⬅️", "right": "➡️", "up": "⬆️", "down": "⬇️"}


def upscale(index: int | None, kind: str = "") -> list[Form]:
    """U1 to U4 of a grid; for a single image `subtle` or `creative`."""
    if index:
        return [forms_of.upsample(index), forms_of.video_upscale(index)]
    return [forms_of.upscale(kind)]


def vary(index: int | None, kind: str = "") -> list[Form]:
    """V1 to V4 of a grid; for a single image `subtle` or `strong`."""
    if index:
        return [forms_of.variation(index)]
    return [forms_of.low_variation() if kind == "subtle" else forms_of.high_variation()]


def reroll() -> list[Form]:
    return [forms_of.reroll()]


def zoom(factor: float) -> list[Form]:
    """2 and 1.5 have their own buttons; other factors use the modal."""
    return [forms_of.zoom(factor)]


def square() -> list[Form]:
    return [forms_of.outpaint(100)]


def pan(direction: str) -> list[Form]:
    return [forms_of.pan(direction)]


def region() -> list[Form]:
    return [forms_of.region()]


def animate(motion: str) -> list[Form]:
    """`high` or `low`; for a video, its extension."""
    return [forms_of.animate(motion), forms_of.extend(motion)]


def is_grid(buttons: Sequence[Button]) -> bool:
    """Whether the image with these buttons is a grid of four."""
    return forms_of.is_grid(button.custom_id for button in buttons)


def find(buttons: Sequence[Button], forms: Sequence[Form], action: str) -> Button:
    """The first button that has one of these forms. `action` names it in the error.

    Raises:
        NoSuchButton: there is none; the message lists the buttons.
    """
    by_id = {button.custom_id: button for button in buttons}
    if custom_id := forms_of.first(by_id, *forms):
        return by_id[custom_id]
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


def _numbered(what: str, index: int) -> list[Form]:
    return upscale(index) if what == "u" else vary(index)


def _none(buttons: Sequence[Button], name: str) -> str:
    names = ", ".join(button.name for button in buttons) or "none"
    hint = " It is a grid: upscale one of its images first." if is_grid(buttons) else ""
    return f"This image has no button {name!r}. Its buttons: {names}.{hint}"
