"""A task: a user's request and everything known about its progress.

Tasks are frozen. A change creates a new task with a higher `revision`, so of two versions the newer
one is known. Names and values follow contracts: mj-dialect, section 6.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field

from athena.tasks.requests import Request

Millis: TypeAlias = int
"""Unix milliseconds. The clock has the same alias; this package imports no other one."""


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
    """The progress of the task's interaction; on disk before each step (see `accounts.sender`)."""

    NOT_SENT = "not_sent"
    PREPARING = "preparing"
    """A first step without effect was sent: a modal is being opened, a face saved."""
    SENDING = "sending"
    """The nonce is on disk and the POST may or may not have happened."""
    SENT = "sent"
    """Discord accepted it."""


class Speed(StrEnum):
    FAST = "FAST"
    RELAX = "RELAX"
    TURBO = "TURBO"


class Api(StrEnum):
    """The API through which a task was submitted; its webhook uses the same format."""

    MJ = "mj"
    TRIGGER = "trigger"


class ImageLinks(StrEnum):
    """What kind of link is given to an image (contracts: mj-dialect, section 1)."""

    ORIGIN = "origin"
    """Discord's own signed link, renewed before it expires."""
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
    """An image at Discord; `url` is signed and expires about a day after the message."""

    url: str
    id: str = ""
    """The attachment's id; empty if the image is no attachment."""
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


class AccountFilter(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What an account must be like to take a task; what is None does not matter."""

    account: str | None = None
    channel: str | None = None
    modes: tuple[Speed, ...] = ()
    """In the order of preference."""
    remark: str | None = None
    remix: bool | None = None
    niji_remix: bool | None = None
    remix_auto_submit: bool | None = None


ANY_ACCOUNT = AccountFilter()


class Failure(Struct, frozen=True, kw_only=True, gc=False):
    """Why a task ended without an image, for people."""

    reason: str
    moderated: bool = False


class Task(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A user's request and its progress. The `name` of a field is its name on disk, from an earlier
    version."""

    id: str
    account: str
    """The account that runs it (its channel's id)."""
    accounts: AccountFilter = ANY_ACCOUNT
    """Which accounts may make it."""
    request: Request
    action: Action
    bot: Bot = Bot.MIDJOURNEY
    status: Status = Status.NOT_START
    sending: Sending = Sending.NOT_SENT
    revision: int = 1

    prompt: str | None = None
    description: str = ""
    state: str | None = None
    """The caller's own value, returned unchanged."""
    webhook: str | None = field(default=None, name="hook")
    api: Api = field(default=Api.MJ, name="dialect")
    trigger: str | None = None
    """The correlation tag: ten digits, sent in the prompt as `<#…#>`, so that a listener that sees
    neither nonces nor interactions can match the task; a button's task has that of its image."""
    speed: Speed | None = None
    """The requested speed; None: the account's speed."""
    image_links: ImageLinks | None = field(default=None, name="images")
    """The kind of image links in its webhook; None: as the server's settings say."""
    image_host: str | None = field(default=None, name="images_host")
    token: str | None = None
    """The id of the token that submitted it."""

    submitted_at: Millis
    started_at: Millis | None = None
    """When its interaction went to Discord."""
    finished_at: Millis | None = None
    idle_timeout: Millis = field(default=300_000, name="patience")
    """How long a sent task may show no activity; six times that in relaxed mode."""
    relaxed: bool = False
    """It runs in relaxed mode, which may take long."""
    deadline: Millis | None = None
    """When it times out, unless it shows activity first."""

    progress: int | None = None
    """Per cent, 0 to 100."""
    image: Image | None = field(default=None, name="picture")
    buttons: tuple[Button, ...] = ()
    failure: Failure | None = None

    ids: CorrelationIds = field(default_factory=CorrelationIds, name="keys")
    content: str = ""
    """The bot's last message about it."""
    final_prompt: str | None = None
    mode: str | None = None
    """The speed that the bot named, e.g. `fast, stealth`."""
    flags: int = 0
    prompt_english: str | None = None
    """The translated prompt that was sent."""
    text_translated: str | None = field(default=None, name="words_translated")
    """The result's text, translated for its user."""
    note: str | None = None
    """A problem that did not affect the result."""
    seed: str | None = None
    """The job's seed; None until it has been requested."""
    cancel_job: bool = False
    """It was cancelled, and its job at Midjourney is still to be cancelled."""
    removed: bool = False
    """Its progress message was deleted and there is no result yet."""
    tries: int = 0
    """How often it was put back to the queue."""
    not_before: Millis | None = None
    """Not to be sent before this moment, after a `Slow Down!` or the like."""

    @property
    def ended(self) -> bool:
        return self.status in ENDS
