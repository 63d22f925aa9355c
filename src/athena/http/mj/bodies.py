"""Bodies of the `/mj` API's submits (contracts: mj-dialect, section 2)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from athena.tasks.model import ANY_ACCOUNT, AccountFilter, Bot, Speed

Webhook = Annotated[
    str,
    Meta(
        max_length=2000,
        description="Called with the task at every change.",
        examples=["https://example.com/hook"],
    ),
]
State = Annotated[
    str, Meta(max_length=255, description="Echoed in the task.", examples=["order 17"])
]
Prompt = Annotated[str, Meta(examples=["a cute cat --ar 3:2"])]
TaskId = Annotated[str, Meta(examples=["1795229866049104"])]
Index = Annotated[int, Meta(ge=1, le=4)]
Mode = Literal["FAST", "RELAX", "TURBO"]
BotType = Literal["MID_JOURNEY", "NIJI_JOURNEY"]
Image = Annotated[str, Meta(description="A data URL, or its base64 alone: PNG, JPEG, WebP, GIF.")]


class FilterBody(Struct, kw_only=True, rename="camel"):
    """Which accounts may take the task."""

    instance_id: str | None = None
    channel_id: str | None = None
    modes: list[Mode] | None = None
    remark: str | None = None
    remix: bool | None = None
    niji_remix: bool | None = None
    remix_auto_considered: bool | None = None

    def to_filter(self) -> AccountFilter:
        return AccountFilter(
            account=self.instance_id or None,
            channel=self.channel_id or None,
            modes=tuple(Speed(mode) for mode in self.modes or ()),
            remark=self.remark or None,
            remix=self.remix,
            niji_remix=self.niji_remix,
            remix_auto_submit=self.remix_auto_considered,
        )


class Submit(Struct, kw_only=True, rename="camel"):
    """Fields of every submit."""

    notify_hook: Webhook | None = None
    state: State | None = None
    bot_type: BotType | None = None
    account_filter: FilterBody | None = None
    mode: Mode | None = None

    @property
    def requested_speed(self) -> Speed | None:
        return Speed(self.mode) if self.mode else None

    @property
    def accounts(self) -> AccountFilter:
        return self.account_filter.to_filter() if self.account_filter else ANY_ACCOUNT

    @property
    def bot(self) -> Bot:
        return Bot(self.bot_type or Bot.MIDJOURNEY)


class ImagineBody(Submit, kw_only=True, rename="camel"):
    prompt: Prompt = ""
    base64_array: list[Image] | None = None
    base64: Image | None = None

    @property
    def images(self) -> list[str]:
        """All images; clients send null, empty strings and the old single field too."""
        return [text for text in [*(self.base64_array or ()), self.base64 or ""] if text]


class BlendBody(Submit, kw_only=True, rename="camel"):
    base64_array: list[Image] = []
    dimensions: Literal["PORTRAIT", "SQUARE", "LANDSCAPE"] | None = None


class DescribeBody(Submit, kw_only=True, rename="camel"):
    base64: Image | None = None
    link: str | None = None
    language: str | None = None


class ShortenBody(Submit, kw_only=True, rename="camel"):
    prompt: Prompt


class ShowBody(Submit, kw_only=True, rename="camel"):
    job_id: Annotated[str, Meta(description="A job's uuid, or an image's URL that holds it.")]


class ActionBody(Submit, kw_only=True, rename="camel"):
    task_id: TaskId
    custom_id: Annotated[str, Meta(examples=["MJ::JOB::upsample::2::0f3b1c9e-…"])]
    enable_remix: Annotated[
        bool | None, Meta(description="With Remix on: whether you fill in its modal.")
    ] = None
    choose_same_channel: bool | None = None


class ModalBody(Struct, kw_only=True, rename="camel"):
    task_id: TaskId
    prompt: Annotated[str, Meta(description="Empty: the original one.")] | None = None
    mask_base64: Annotated[str, Meta(description="Black, and white where to redraw.")] | None = None


class ChangeBody(Submit, kw_only=True, rename="camel"):
    task_id: TaskId
    action: Literal["UPSCALE", "VARIATION", "REROLL"]
    index: Index | None = None


class SimpleChangeBody(Submit, kw_only=True, rename="camel"):
    content: Annotated[str, Meta(description="`<taskId> U2`, `V1` to `V4`, or `R`")]


class UploadBody(Struct, kw_only=True, rename="camel"):
    base64_array: list[Image]


class EditsBody(Submit, kw_only=True, rename="camel"):
    prompt: Prompt
    image: Annotated[str, Meta(description="A link, a data URL or base64.")]
    mask_base64: str | None = None


class VideoBody(Submit, kw_only=True, rename="camel"):
    prompt: str | None = None
    image: Annotated[str, Meta(description="The first frame: a link, a data URL or base64.")] | (
        None
    ) = None
    end_image: Annotated[str, Meta(description="The last frame, in the same forms.")] | None = None
    motion: Literal["low", "high"] | None = None
    loop: bool | None = None
    batch_size: Literal[1, 2, 4] | None = None
    action: Annotated[str, Meta(description="`extend`: extend a video of `taskId`.")] | (
        None
    ) = None
    task_id: str | None = None
    index: Annotated[int, Meta(ge=0, le=3, description="Which video, with `extend`.")] | None = None


class SwapBody(Submit, kw_only=True, rename="camel"):
    source_base64: Image | None = None
    target_base64: Image | None = None
    source_url: str | None = None
    target_url: str | None = None


class ConditionBody(Struct, kw_only=True):
    ids: Annotated[list[str], Meta(max_length=2000)] = []
