"""What pressing a finished task's button requests: pure, before anything is stored."""

from collections.abc import Sequence

from msgspec import Struct

from athena.discord.wire import Message
from athena.errors import BadRequest, NotSupported, UnknownButton
from athena.midjourney import buttons, modals
from athena.midjourney.buttons import Form, Meaning
from athena.tasks.bot_events import Profile
from athena.tasks.model import Action, Button, Task
from athena.tasks.requests import Extend, Press, Request


class ButtonAction(Struct, frozen=True, kw_only=True):
    """A press that can be made."""

    request: Request
    action: Action
    prompt: str | None = None
    modal: str | None = None
    """What the modal proposes to its user; None: no modal is to be filled in."""
    remix: bool = False
    """The account's Remix mode opens the modal."""


def of_button(parent: Task, custom_id: str, profile: Profile, *, auto_submit: bool) -> ButtonAction:
    """A button by its id. `auto_submit`: Remix modals are submitted as they are.

    Raises:
        UnknownButton, NotSupported: it cannot be pressed.
    """
    meaning = _meaning(parent, custom_id)
    remix = meaning.remix and bool(profile.remix) and not auto_submit
    return ButtonAction(
        request=_press(parent, custom_id),
        action=_action(meaning, parent),
        prompt=parent.prompt,
        modal=modals.proposal(parent, custom_id) if meaning.modal or remix else None,
        remix=remix,
    )


def numbered(parent: Task, action: Action, index: int | None) -> str:
    """The id of a grid's U, V or reroll button.

    Raises:
        UnknownButton: the task has none.
    """
    for button in parent.buttons:
        meaning = buttons.meaning(button.custom_id)
        if meaning.action is action and meaning.index == index:
            return button.custom_id
    raise UnknownButton(f"the task has no button for {short(action, index)}")


def with_form(shown: Sequence[Button], forms: Sequence[Form], job: str) -> str:
    """The id of a job's button that has one of these forms, among those that a message shows.

    Raises:
        UnknownButton: there is none.
    """
    ids = (button.custom_id for button in shown)
    if custom_id := buttons.first(ids, *forms, job=job):
        return custom_id
    raise UnknownButton(f"the message has no button {forms[0].start!r} of job {job}")


def of_message(message: Message, custom_id: str) -> ButtonAction:
    """A button of a message that belongs to no task of ours.

    Raises:
        NotSupported: pressing it makes no task, or opens a modal.
    """
    meaning = buttons.meaning(custom_id)
    if not meaning.supported or meaning.modal:
        raise NotSupported(f"{custom_id!r} cannot be pressed here")
    press = Press(parent="", message=message.id, custom_id=custom_id, flags=message.flags)
    action = Action.IMAGINE if meaning.action is Action.REROLL else meaning.action
    return ButtonAction(request=press, action=action or Action.ACTION)


def of_video(parent: Task, index: int, motion: str) -> ButtonAction:
    """Extend a video: `index` is its place among those of the task, from 0.

    Raises:
        UnknownButton: there is no such video.
        BadRequest: the motion is neither low nor high.
    """
    if motion not in ("low", "high"):
        raise BadRequest(f"motion: must be low or high, not {motion!r}")
    ids = [button.custom_id for button in parent.buttons]
    extend = buttons.extend(motion)
    if custom_id := buttons.first(ids, extend):
        request: Request = _press(parent, custom_id)
    elif custom_id := buttons.first(ids, buttons.video_upscale(index + 1)):
        request = Extend(
            parent=parent.id,
            message=parent.ids.message or "",
            custom_id=custom_id,
            then=extend.start,
            flags=parent.flags,
        )
    else:
        raise UnknownButton(f"task {parent.id} has no video {index} that can be extended")
    return ButtonAction(request=request, action=Action.VIDEO, prompt=parent.prompt)


def short(action: Action, index: int | None) -> str:
    """`U2`, `V3` or `R`."""
    return {Action.UPSCALE: "U", Action.VARIATION: "V"}.get(action, "R") + str(index or "")


def _press(parent: Task, custom_id: str) -> Press:
    return Press(
        parent=parent.id,
        message=parent.ids.message or "",
        custom_id=custom_id,
        flags=parent.flags,
    )


def _meaning(parent: Task, custom_id: str) -> Meaning:
    if all(button.custom_id != custom_id for button in parent.buttons):
        raise UnknownButton(f"task {parent.id} has no button {custom_id!r}")
    meaning = buttons.meaning(custom_id)
    if not meaning.supported:
        raise NotSupported(f"pressing {custom_id!r} makes no task")
    return meaning


def _action(meaning: Meaning, parent: Task) -> Action:
    """A reroll is its parent's action again; after an upscale, an imagine (mj-dialect, 4)."""
    if meaning.action is not Action.REROLL:
        return meaning.action or Action.ACTION
    return Action.IMAGINE if parent.action is Action.UPSCALE else parent.action
