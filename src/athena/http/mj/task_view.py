"""A task as the `/mj` API shows it (contracts: mj-dialect, section 6)."""

import msgspec
from msgspec import Struct, field

from athena.http.image_links import Links
from athena.midjourney import buttons, prompts
from athena.tasks.model import Api, Task


class ButtonView(Struct, kw_only=True, rename="camel"):
    custom_id: str
    emoji: str
    label: str
    type: int
    style: int


class TaskView(Struct, kw_only=True, rename="camel"):
    """Times are Unix milliseconds; `progress` is empty before the start."""

    id: str
    action: str
    status: str
    prompt: str | None
    prompt_en: str | None
    description: str
    state: str | None
    submit_time: int
    start_time: int | None
    finish_time: int | None
    progress: str
    image_url: str | None
    image_width: int | None
    image_height: int | None
    fail_reason: str | None
    properties: dict[str, str | int | bool | list[str] | None] = field(default_factory=dict)
    buttons: list[ButtonView] = field(default_factory=list)


encode = msgspec.json.Encoder().encode


def view(task: Task, links: Links) -> TaskView:
    """The task as this API shows it."""
    image = task.image
    return TaskView(
        id=task.id,
        action=task.action,
        status=task.status,
        prompt=task.prompt,
        prompt_en=task.prompt_english or task.prompt,
        description=task.description,
        state=task.state,
        submit_time=task.submitted_at,
        start_time=task.started_at,
        finish_time=task.finished_at,
        progress="" if task.progress is None else f"{task.progress}%",
        image_url=links.image(task),
        image_width=image.width if image else None,
        image_height=image.height if image else None,
        fail_reason=task.failure.reason if task.failure else None,
        properties=_properties(task, links),
        buttons=_buttons(task),
    )


def render(task: Task, links: Links) -> bytes:
    """The task as JSON: the body of a webhook and of a fetch."""
    return encode(view(task, links))


def _properties(task: Task, links: Links) -> dict[str, str | int | bool | list[str] | None]:
    keys = task.ids
    shown = links.image(task)
    return {
        "botType": task.bot,
        "finalPrompt": task.final_prompt,
        "finalZhPrompt": task.text_translated,
        "discordInstanceId": task.account,
        "discordChannelId": task.account,
        "messageId": keys.message,
        "messageHash": keys.job,
        "messageContent": prompts.unmarked(task.content),
        "triggerId": task.trigger if task.api is Api.TRIGGER else None,
        "progressMessageId": keys.progress_message,
        "notifyHook": task.webhook,
        "nonce": keys.nonce,
        "flags": task.flags,
        "imageSeed": task.seed,
        "videoUrls": [shown] if shown and _is_video(task) else None,
        "tileUrls": links.tiles(task),
        "note": task.note,
        "mode": task.mode,
        "moderated": task.failure is not None and task.failure.moderated,
    }


def _is_video(task: Task) -> bool:
    return buttons.is_video(button.custom_id for button in task.buttons)


def _buttons(task: Task) -> list[ButtonView]:
    return [
        ButtonView(
            custom_id=button.custom_id,
            emoji=button.emoji,
            label=button.label,
            type=button.type,
            style=button.style,
        )
        for button in task.buttons
    ]
