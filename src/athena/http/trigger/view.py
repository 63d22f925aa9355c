"""A task as the trigger API shows it (contracts: athena-dialect, sections 1 and 2)."""

from typing import Literal

import msgspec

from athena.http.trigger.bodies import (
    AttachmentView,
    Callback,
    EmbedView,
    ImageView,
    MessageView,
    ShownButton,
)
from athena.tasks.model import Action, Status, Task

Kind = Literal["start", "generating", "end", "error", "banned", "text", "verify"]

_VERIFIES = ("[Action needed to continue]", "[Action required to continue]")
_FILTERED = "[Request cancelled due to"
_encode = msgspec.json.Encoder().encode


def callback(task: Task) -> bytes | None:
    """The body of a callback; None while there is nothing to report."""
    kind = _kind(task)
    if kind is None:
        return None
    return _encode(
        Callback(
            type=kind,
            id=int(task.ids.message or 0),
            content=_content(task),
            attachments=attachments(task),
            embeds=_embeds(task),
            trigger_id=task.trigger or "",
        )
    )


def message(task: Task) -> MessageView:
    """The response of `getmessage`."""
    return MessageView(
        message="success",
        trigger_id=task.trigger or "",
        status=task.status,
        msg_id=task.ids.message,
        msg_hash=task.ids.job,
        content=_content(task),
        attachments=attachments(task),
        buttons=[
            ShownButton(custom_id=each.custom_id, label=each.label, emoji=each.emoji)
            for each in task.buttons
        ],
    )


def attachments(task: Task) -> list[AttachmentView]:
    """The task's image, as Discord attaches it."""
    image = task.image
    if image is None or not image.id:
        return []
    return [
        AttachmentView(
            id=int(image.id),
            url=image.url,
            proxy_url=image.proxy_url,
            filename=image.filename,
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            size=image.size,
        )
    ]


def _kind(task: Task) -> Kind | None:
    match task.status:
        case Status.SUBMITTED if task.ids.message:
            return "start"
        case Status.IN_PROGRESS:
            return "generating"
        case Status.SUCCESS:
            return "text" if task.action is Action.DESCRIBE else "end"
        case Status.FAILURE:
            return _failure(task)
        case Status.CANCEL:
            return "error"
        case _:
            return None


def _failure(task: Task) -> Kind:
    reason = task.failure.reason if task.failure else ""
    if any(title in reason for title in _VERIFIES):
        return "verify"
    filtered = task.removed or _FILTERED in reason
    return "banned" if filtered else "error"


def _content(task: Task) -> str:
    """The bot's text, or why there is no image."""
    return task.failure.reason if task.failure else task.content


def _embeds(task: Task) -> list[EmbedView]:
    """A describe's prompts; of other tasks there are none."""
    if task.action is not Action.DESCRIBE or task.final_prompt is None:
        return []
    image = task.image
    shown = ImageView(url=image.url, proxy_url=image.proxy_url) if image else None
    return [EmbedView(type="rich", description=task.final_prompt, image=shown)]
