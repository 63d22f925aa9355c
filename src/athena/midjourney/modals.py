"""Modals that a button opens: text inputs, or an iframe modal.

A modal is submitted with its own ids and inputs only (contracts: midjourney-bot, section 6). An
input that the user leaves empty keeps the value that the modal proposes.
"""

import re
from collections.abc import Iterator

from athena.discord import wire
from athena.midjourney import buttons, prompts
from athena.midjourney.notices import Said, of_embed
from athena.midjourney.prompts import BadPrompt
from athena.tasks.model import Speed, Task
from athena.tasks.requests import ModalReply

_TEXT_INPUT = 4
_PAGE = "MJ::iframe::"
_NUMBERED = re.compile(r"^\s*(?P<number>[1-9])(?:\ufe0f?\u20e3|[.)])\s*(?P<prompt>.+?)\s*$", re.M)
_SHORTENED = "## Shortened prompts"


def filled(
    modal: wire.ModalCreate, reply: ModalReply | None, speed: Speed | None = None
) -> dict[str, str]:
    """A modal's inputs by their ids: the prompt, with the task's speed, goes into the first, the
    others stay."""
    values = {part.custom_id: part.value or "" for part in _inputs(modal)}
    for first in list(values)[:1]:
        prompt = reply.prompt if reply and reply.prompt else values[first]
        values[first] = prompts.with_speed(prompt, speed)
    return values


def page_token(modal: wire.ModalCreate) -> str | None:
    """The token of the iframe modal for a region; None for a modal with text inputs."""
    if not modal.custom_id.startswith(_PAGE):
        return None
    return modal.custom_id.removeprefix(_PAGE)


def notice(modal: wire.ModalCreate) -> Said | None:
    """The notice in a modal: a human check is an iframe modal (discord-wire, 7)."""
    return of_embed(wire.Embed(title=modal.title))


def proposal(parent: Task, custom_id: str) -> str:
    """The prompt that a button's modal will propose, as far as the finished task shows it."""
    prompt = parent.final_prompt or parent.prompt or ""
    index = buttons.meaning(custom_id).index
    if buttons.is_choice(custom_id):
        listed = _NUMBERED.finditer(prompt.split(_SHORTENED)[-1])
        choices = {int(found["number"]): str(found["prompt"]) for found in listed}
        return choices.get(index or 0, "")
    return f"{prompt} --zoom 2" if buttons.is_custom_zoom(custom_id) else prompt


def check(custom_id: str, reply: ModalReply) -> None:
    """Reject input that the modal would reject.

    Raises:
        BadPrompt: a parameter is invalid, or the zoom or the mask is missing.
    """
    prompts.check_parameters(reply.prompt)
    zoom = prompts.value_of(reply.prompt, "zoom")
    if buttons.is_custom_zoom(custom_id) and reply.prompt and zoom is None:
        raise BadPrompt("a custom zoom needs --zoom with a number from 1 to 2", "zoom")
    if buttons.needs_mask(custom_id) and not reply.mask:
        raise BadPrompt("a region needs a mask: black, white where to redraw", "maskBase64")


def _inputs(modal: wire.ModalCreate) -> Iterator[wire.Component]:
    for row in modal.components:
        parts = row.components or (row,)
        yield from (part for part in parts if part.type == _TEXT_INPUT)
