"""Discord's objects, as far as we read them (contracts: discord-wire, sections 1 to 3).

Every struct names only the fields of use: the decoder skips the rest without building it.
Ids stay the strings that they are on the wire.
"""

import re
from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, structs

UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What decoding raises for JSON that is not what it should be: broken, of another form, nested
too deep, or no UTF-8."""

_SNOWFLAKE = r"^[0-9]{1,20}$"

Snowflake: TypeAlias = Annotated[str, Meta(pattern=_SNOWFLAKE)]
"""An id of which the time and the order are read, so it must be a number."""

EPHEMERAL = 64
"""Message flag: only the user who caused it can see it, and history does not hold it."""

REPLY = 19
COMMAND_RESPONSE = 20


def is_snowflake(text: str) -> bool:
    """Whether a text can be an id."""
    return re.search(_SNOWFLAKE, text) is not None


class User(Struct, frozen=True, kw_only=True):
    id: str
    username: str = ""
    bot: bool = False


class Attachment(Struct, frozen=True, kw_only=True):
    id: str
    filename: str = ""
    url: str = ""
    proxy_url: str = ""
    size: int = 0
    width: int | None = None
    height: int | None = None
    content_type: str | None = None


class EmbedImage(Struct, frozen=True, kw_only=True):
    url: str = ""
    proxy_url: str = ""
    width: int | None = None
    height: int | None = None


class EmbedFooter(Struct, frozen=True, kw_only=True):
    text: str = ""


class Embed(Struct, frozen=True, kw_only=True):
    title: str = ""
    description: str = ""
    color: int | None = None
    image: EmbedImage | None = None
    footer: EmbedFooter | None = None


class Emoji(Struct, frozen=True, kw_only=True):
    name: str | None = None
    id: str | None = None


class MenuOption(Struct, frozen=True, kw_only=True):
    label: str = ""
    value: str = ""
    default: bool = False


class Component(Struct, frozen=True, kw_only=True):
    """A row (type 1) of buttons (2), menus (3) or text inputs (4)."""

    type: int = 0
    components: tuple["Component", ...] = ()
    custom_id: str = ""
    label: str | None = None
    style: int = 0
    emoji: Emoji | None = None
    url: str | None = None
    disabled: bool = False
    value: str | None = None
    options: tuple[MenuOption, ...] = ()


class InteractionRef(Struct, frozen=True, kw_only=True):
    """What caused a message: `interaction` or `interaction_metadata` on it."""

    id: str
    type: int = 0
    name: str = ""
    user: User | None = None
    original_response_message_id: str | None = None
    interacted_message_id: str | None = None


class MessageRef(Struct, frozen=True, kw_only=True):
    message_id: str | None = None
    channel_id: str | None = None
    guild_id: str | None = None


class Message(Struct, frozen=True, kw_only=True):
    """A whole message, as MESSAGE_CREATE and history give it."""

    id: Snowflake
    channel_id: str = ""
    type: int = 0
    content: str = ""
    author: User | None = None
    application_id: str | None = None
    webhook_id: str | None = None
    attachments: tuple[Attachment, ...] = ()
    embeds: tuple[Embed, ...] = ()
    components: tuple[Component, ...] = ()
    flags: int = 0
    nonce: str | int | None = None
    interaction: InteractionRef | None = None
    interaction_metadata: InteractionRef | None = None
    message_reference: MessageRef | None = None
    edited_timestamp: str | None = None


class MessagePatch(Struct, frozen=True, kw_only=True):
    """MESSAGE_UPDATE: an absent field is unchanged."""

    id: Snowflake
    channel_id: str = ""
    type: int | UnsetType = UNSET
    content: str | UnsetType = UNSET
    author: User | UnsetType | None = UNSET
    application_id: str | UnsetType | None = UNSET
    webhook_id: str | UnsetType | None = UNSET
    attachments: tuple[Attachment, ...] | UnsetType = UNSET
    embeds: tuple[Embed, ...] | UnsetType = UNSET
    components: tuple[Component, ...] | UnsetType = UNSET
    flags: int | UnsetType = UNSET
    nonce: str | int | UnsetType | None = UNSET
    interaction: InteractionRef | UnsetType | None = UNSET
    interaction_metadata: InteractionRef | UnsetType | None = UNSET
    message_reference: MessageRef | UnsetType | None = UNSET
    edited_timestamp: str | UnsetType | None = UNSET

    def onto(self, known: Message | None) -> Message:
        """The message as it is now, given what was known of it before."""
        base = known or Message(id=self.id, channel_id=self.channel_id)
        changed = {k: v for k, v in structs.asdict(self).items() if v is not UNSET}
        return structs.replace(base, **changed)


class MessageDelete(Struct, frozen=True, kw_only=True):
    id: str
    channel_id: str = ""


class MessageDeleteBulk(Struct, frozen=True, kw_only=True):
    ids: tuple[str, ...]
    channel_id: str = ""


class InteractionEvent(Struct, frozen=True, kw_only=True):
    """INTERACTION_CREATE, _SUCCESS and _FAILURE."""

    id: str
    nonce: str | int | None = None
    reason_code: int | None = None


class Application(Struct, frozen=True, kw_only=True):
    id: str = ""
    name: str = ""


class ModalCreate(Struct, frozen=True, kw_only=True):
    """INTERACTION_MODAL_CREATE and INTERACTION_IFRAME_MODAL_CREATE."""

    id: str
    channel_id: str = ""
    custom_id: str = ""
    title: str = ""
    application: Application | None = None
    components: tuple[Component, ...] = ()
    nonce: str | int | None = None
    iframe_path: str | None = None


class ReadyState(Struct, frozen=True, kw_only=True):
    """READY: who we are and how to come back."""

    session_id: str
    user: User
    resume_gateway_url: str = ""


class Payload(Struct, frozen=True, kw_only=True):
    """One gateway frame; `d` is decoded only when somebody wants it."""

    op: int
    d: Raw = Raw(b"null")
    s: int | None = None
    t: str | None = None


class CommandOption(Struct, frozen=True, kw_only=True):
    """An option of a command, or one of its sub-commands."""

    name: str = ""
    type: int = 0


class Command(Struct, frozen=True, kw_only=True):
    """One entry of the application command index."""

    id: str
    application_id: str
    version: str
    name: str
    type: int = 1
    options: tuple[CommandOption, ...] | None = None


class CommandIndex(Struct, frozen=True, kw_only=True):
    application_commands: tuple[Command, ...] = ()
    version: str | int | None = None


class UploadSlot(Struct, frozen=True, kw_only=True):
    """Where the bytes of one announced file go, and the name to use afterwards."""

    id: str | int
    upload_url: str
    upload_filename: str


class RefreshedUrl(Struct, frozen=True, kw_only=True):
    original: str
    refreshed: str


class Channel(Struct, frozen=True, kw_only=True):
    id: str
    guild_id: str | None = None
    type: int = 0


class GatewayInfo(Struct, frozen=True, kw_only=True):
    url: str


class Hello(Struct, frozen=True, kw_only=True):
    heartbeat_interval: Annotated[float, Meta(gt=0)]
    """Milliseconds."""


class RetryAfter(Struct, frozen=True, kw_only=True):
    retry_after: float = 1.0
    """Seconds."""


class UploadSlots(Struct, frozen=True, kw_only=True):
    attachments: tuple[UploadSlot, ...] = ()


class Uploaded(Struct, frozen=True, kw_only=True):
    """A file whose bytes are at Discord, as messages and commands name it."""

    id: str
    filename: str
    uploaded_filename: str


class RefreshedUrls(Struct, frozen=True, kw_only=True):
    refreshed_urls: tuple[RefreshedUrl, ...] = ()
