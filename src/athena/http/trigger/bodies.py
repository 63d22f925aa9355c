"""Bodies and answers of the trigger API (contracts: athena-dialect, section 1)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Trigger = Annotated[str, Meta(pattern=r"^\d{1,20}$", examples=["1234567890"])]
MessageId = Annotated[str | int, Meta(examples=["1105829904790065223"])]
Hash = Annotated[str, Meta(min_length=1, max_length=64)]


class GenerateBody(Struct, kw_only=True):
    prompt: Annotated[str, Meta(examples=["a cute cat"])]
    extra: (
        Annotated[
            str, Meta(description="Parameters, appended to the prompt.", examples=["--ar 9:16"])
        ]
        | None
    ) = None
    picurl: Annotated[str, Meta(description="An image's link, put before the prompt.")] | None = (
        None
    )


class ImageBody(Struct, kw_only=True):
    """An image of the bot's: the message that shows it, and its hash."""

    msg_id: MessageId
    msg_hash: Hash
    trigger_id: Trigger


class NumberedBody(ImageBody, kw_only=True):
    index: Annotated[int, Meta(ge=1, le=4)]


class SoloBody(ImageBody, kw_only=True):
    index: int | None = None


class ZoomBody(ImageBody, kw_only=True):
    zoomout: Annotated[
        Literal[50, 75, 100], Meta(description="50: twice as far, 75: one and a half times.")
    ]


class ExpandBody(ImageBody, kw_only=True):
    direction: Literal["left", "right", "up", "down"]


class DescribeUploadedBody(Struct, kw_only=True):
    upload_filename: Annotated[str, Meta(min_length=1, max_length=500)]
    trigger_id: Trigger


class MessageBody(Struct, kw_only=True):
    upload_filename: Annotated[str, Meta(min_length=1, max_length=500)]


class TriggerBody(Struct, kw_only=True):
    trigger_id: Trigger


class Triggered(Struct, kw_only=True, omit_defaults=True):
    """An accepted trigger; `queue_position` tasks wait before it, if any."""

    message: str
    trigger_id: str
    trigger_type: str
    queue_position: int | None = None


class Uploaded(Struct, kw_only=True):
    message: str
    upload_filename: str
    upload_url: str
    trigger_id: str


class Posted(Struct, kw_only=True):
    message: str
    picurl: str


class Done(Struct, kw_only=True):
    message: str


class Refusal(Struct, kw_only=True):
    """11 missing setting, 12 no answer or no storage, 13 bad request, 14 banned prompt, 15 queue
    full, 16 unknown trigger."""

    code: Annotated[int, Meta(examples=[13])]
    message: str


class AttachmentView(Struct, kw_only=True):
    id: int
    url: str
    proxy_url: str
    filename: str
    content_type: str | None
    width: int | None
    height: int | None
    size: int
    ephemeral: bool = False


class ImageView(Struct, kw_only=True):
    url: str
    proxy_url: str


class EmbedView(Struct, kw_only=True):
    type: str
    description: str
    image: ImageView | None


class ShownButton(Struct, kw_only=True):
    custom_id: str
    label: str
    emoji: str


class MessageView(Struct, kw_only=True):
    """The state of a trigger."""

    message: str
    trigger_id: str
    status: str
    msg_id: str | None
    msg_hash: str | None
    content: str
    attachments: list[AttachmentView]
    buttons: list[ShownButton]


class Callback(Struct, kw_only=True):
    """The body of a callback (section 2). Ids are integers in this API."""

    type: Literal["start", "generating", "end", "error", "banned", "text", "verify"]
    id: int
    content: str
    attachments: list[AttachmentView]
    embeds: list[EmbedView]
    trigger_id: str
