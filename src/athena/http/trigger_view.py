"""A task as the Athena dialect tells of it (contracts: athena-dialect, sections 1 and 2)."""

from typing import Literal

import msgspec

from athena.http.trigger_bodies import (
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
    """The body of a callback; None while there is nothing that this dialect tells."""
    kind = _kind(task)
    if kind is None:
        return None
    return _encode(
        Callback(
            type=kind,
            id=int(task.keys.message or 0),
            content=_content(task),
            attachments=attachments(task),
            embeds=_embeds(task),
            trigger_id=task.trigger or "",
        )
    )


def message(task: Task) -> MessageView:
    """What `getmessage` answers."""
    return MessageView(
        message="success",
        trigger_id=task.trigger or "",
        status=task.status,
        msg_id=task.keys.message,
        msg_hash=task.keys.job,
        content=_content(task),
        attachments=attachments(task),
        buttons=[
            ShownButton(custom_id=each.custom_id, label=each.label, emoji=each.emoji)
            for each in task.buttons
        ],
    )


def attachments(task: Task) -> list[AttachmentView]:
    """The task's picture, as Discord attaches it."""
    picture = task.picture
    if picture is None or not picture.id:
        return []
    return [
        AttachmentView(
            id=int(picture.id),
            url=picture.url,
            proxy_url=picture.proxy_url,
            filename=picture.filename,
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            size=picture.size,
        )
    ]


def _kind(task: Task) -> Kind | None:
    match task.status:
        case Status.SUBMITTED if task.keys.message:
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
    """The bot's words; where there is no picture, why."""
    return task.failure.reason if task.failure else task.content


def _embeds(task: Task) -> list[EmbedView]:
    """A describe's prompts; of other tasks there are none."""
    if task.action is not Action.DESCRIBE or task.final_prompt is None:
        return []
    picture = task.picture
    image = ImageView(url=picture.url, proxy_url=picture.proxy_url) if picture else None
    return [EmbedView(type="rich", description=task.final_prompt, image=image)]
