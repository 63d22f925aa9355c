"""A task: what a user asked for, and everything that is known of its fate.

Tasks are frozen. A change makes a new task with a higher `revision`, so whoever holds two
versions knows which is newer. Names and values follow contracts: mj-dialect, section 6.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field

from athena.tasks.requests import Request

Millis: TypeAlias = int
"""Unix milliseconds."""


class Bot(StrEnum):
    MIDJOURNEY = "MID_JOURNEY"
    NIJI = "NIJI_JOURNEY"
    INSIGHT_FACE = "INSIGHT_FACE"


class Action(StrEnum):
    """What a task does at Midjourney."""

    IMAGINE = "IMAGINE"
    UPSCALE = "UPSCALE"
    VARIATION = "VARIATION"
    REROLL = "REROLL"
    ZOOM = "ZOOM"
    PAN = "PAN"
    DESCRIBE = "DESCRIBE"
    BLEND = "BLEND"
    SHORTEN = "SHORTEN"
    SWAP_FACE = "SWAP_FACE"
    ACTION = "ACTION"
    SHOW = "SHOW"
    VIDEO = "VIDEO"
    EDIT = "EDIT"


class Status(StrEnum):
    """The public state. Ends (`ENDS`) never change."""

    NOT_START = "NOT_START"
    SUBMITTED = "SUBMITTED"
    MODAL = "MODAL"
    IN_PROGRESS = "IN_PROGRESS"
    FAILURE = "FAILURE"
    SUCCESS = "SUCCESS"
    CANCEL = "CANCEL"


ENDS = frozenset({Status.FAILURE, Status.SUCCESS, Status.CANCEL})


class Sending(StrEnum):
    """How far the task's interaction has come; on disk before each step (see engine.sender)."""

    NOT_SENT = "not_sent"
    PREPARING = "preparing"
    """A first step was sent that makes nothing yet: a modal is being opened, a face saved."""
    SENDING = "sending"
    """The nonce is on disk and the POST may or may not have happened."""
    SENT = "sent"
    """Discord took it."""


class Speed(StrEnum):
    FAST = "FAST"
    RELAX = "RELAX"
    TURBO = "TURBO"


class Api(StrEnum):
    """The API that a task was submitted through; its webhook speaks the same one."""

    MJ = "mj"
    TRIGGER = "trigger"


class ImageLinks(StrEnum):
    """What kind of link is given to an image (contracts: mj-dialect, section 1)."""

    ORIGIN = "origin"
    """Discord's own signed link, renewed before it dies."""
    RELAY = "relay"
    """Served by this server."""
    PROXY = "proxy"
    """Discord's link on the operator's own image host."""


class Button(Struct, frozen=True, kw_only=True, gc=False):
    """A button as the bot's message shows it."""

    custom_id: str
    label: str = ""
    emoji: str = ""
    type: int = 2
    style: int = 2


class Image(Struct, frozen=True, kw_only=True, gc=False):
    """An image at Discord; `url` is signed and dies about a day after the message."""

    url: str
    id: str = ""
    """Of the attachment; empty where the image is none."""
    proxy_url: str = ""
    filename: str = ""
    width: int | None = None
    height: int | None = None
    size: int = 0
    content_type: str | None = None


class CorrelationIds(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The ids by which a bot message can be recognised as this task's. All may be unknown."""

    nonce: str | None = None
    interaction: str | None = None
    message: str | None = None
    """The message that shows the job now: progress, then result."""
    progress_message: str | None = None
    job: str | None = None
    """Midjourney's uuid of the job."""
    parent_message: str | None = None
    """The message whose button was pressed: results reply to it."""
    notice_message: str | None = None
    """The newest notice about it that ended nothing. Not for matching: it tells what is news."""


class Failure(Struct, frozen=True, kw_only=True, gc=False):
    """Why a task ended without an image, for people."""

    reason: str
    moderated: bool = False


class Task(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a user asked for and what became of it. Where a field has a `name`, that is what it is
    called on disk, by an earlier version."""

    id: str
    account: str
    """The account that makes it (its channel's id)."""
    request: Request
    action: Action
    bot: Bot = Bot.MIDJOURNEY
    status: Status = Status.NOT_START
    sending: Sending = Sending.NOT_SENT
    revision: int = 1

    prompt: str | None = None
    description: str = ""
    state: str | None = None
    """The caller's own mark, echoed."""
    webhook: str | None = field(default=None, name="webhook")
    api: Api = field(default=Api.MJ, name="dialect")
    trigger: str | None = None
    """Ten digits that stand as `<#…#>` in the prompt that is sent, so that whoever sees neither
    nonces nor interactions knows the task again; a button's task has that of its image."""
    speed: Speed | None = None
    """What the caller asked for; None leaves it to the account."""
    image_links: ImageLinks | None = field(default=None, name="images")
    """What kind of link its webhook is given; None: as the server's settings say."""
    image_host: str | None = field(default=None, name="image_host")
    token: str | None = None
    """The id of the token that asked for it."""

    submitted_at: Millis
    started_at: Millis | None = None
    """When its interaction went to Discord."""
    finished_at: Millis | None = None
    idle_timeout: Millis = field(default=300_000, name="patience")
    """How long it may give no sign of life once it was sent; six times that in relaxed mode."""
    relaxed: bool = False
    """It waits its turn in relaxed mode, which may take long."""
    deadline: Millis | None = None
    """When it is given up, unless a sign of life comes first."""

    progress: int | None = None
    """Per cent, 0 to 100."""
    image: Image | None = field(default=None, name="image")
    buttons: tuple[Button, ...] = ()
    failure: Failure | None = None

    ids: CorrelationIds = field(default_factory=CorrelationIds, name="keys")
    content: str = ""
    """The bot's last words on it."""
    final_prompt: str | None = None
    mode: str | None = None
    """The speed that the bot named, e.g. `fast, stealth`."""
    flags: int = 0
    prompt_english: str | None = None
    """The prompt as it was translated before it was sent."""
    text_translated: str | None = field(default=None, name="text_translated")
    """The result's words, translated for its user."""
    note: str | None = None
    """Something that went otherwise than wished, without harm to the result."""
    seed: str | None = None
    """The job's seed, once it was asked for."""
    removed: bool = False
    """Its progress message is gone and the result has not come (yet)."""
    tries: int = 0
    """How often it was put back to the queue."""
    not_before: Millis | None = None
    """Not to be sent before this moment, after a `Slow Down!` or the like."""

    @property
    def ended(self) -> bool:
        return self.status in ENDS
