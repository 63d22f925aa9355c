"""Bodies of the `/mj` dialect's submits (contracts: mj-dialect, section 2)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from athena.tasks.model import Bot

Hook = Annotated[str, Meta(max_length=2000, description="Called with the task at every change.")]
State = Annotated[str, Meta(max_length=255, description="Echoed in the task.")]
Index = Annotated[int, Meta(ge=1, le=4)]


class ImagineBody(Struct, kw_only=True, rename="camel"):
    prompt: str = ""
    bot_type: Literal["MID_JOURNEY", "NIJI_JOURNEY"] | None = None
    base64_array: list[str] | None = None
    base64: str | None = None
    notify_hook: Hook | None = None
    state: State | None = None

    @property
    def bot(self) -> Bot:
        return Bot(self.bot_type or Bot.MIDJOURNEY)

    @property
    def pictures(self) -> list[str]:
        """All pictures; clients send null, empty strings and the old single field too."""
        return [text for text in [*(self.base64_array or ()), self.base64 or ""] if text]


class ActionBody(Struct, kw_only=True, rename="camel"):
    task_id: str
    custom_id: str
    notify_hook: Hook | None = None
    state: State | None = None


class ChangeBody(Struct, kw_only=True, rename="camel"):
    task_id: str
    action: Literal["UPSCALE", "VARIATION", "REROLL"]
    index: Index | None = None
    notify_hook: Hook | None = None
    state: State | None = None


class SimpleChangeBody(Struct, kw_only=True, rename="camel"):
    content: Annotated[str, Meta(description="`<taskId> U2`, `V1` to `V4`, or `R`")]
    notify_hook: Hook | None = None
    state: State | None = None


class ConditionBody(Struct, kw_only=True):
    ids: Annotated[list[str], Meta(max_length=2000)] = []
