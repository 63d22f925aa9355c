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
    """A first step was sent that makes nothing yet: a window is being opened, a face saved."""
    SENDING = "sending"
    """The nonce is on disk and the POST may or may not have happened."""
    SENT = "sent"
    """Discord took it."""


class Speed(StrEnum):
    FAST = "FAST"
    RELAX = "RELAX"
    TURBO = "TURBO"


class Dialect(StrEnum):
    """The face of the server that a task was asked for by; its hook is told in that language."""

    MJ = "mj"
    TRIGGER = "trigger"


class Images(StrEnum):
    """What kind of link is given to a picture (contracts: mj-dialect, section 1)."""

    ORIGIN = "origin"
    """Discord's own signed link, renewed before it dies."""
    RELAY = "relay"
    """Served by this server."""
    PROXY = "proxy"
    """Discord's link on the operator's own picture host."""


class Button(Struct, frozen=True, kw_only=True, gc=False):
    """A button as the bot's message shows it."""

    custom_id: str
    label: str = ""
    emoji: str = ""
    type: int = 2
    style: int = 2


class Picture(Struct, frozen=True, kw_only=True, gc=False):
    """A picture at Discord; `url` is signed and dies about a day after the message."""

    url: str
    id: str = ""
    """Of the attachment; empty where the picture is none."""
    proxy_url: str = ""
    filename: str = ""
    width: int | None = None
    height: int | None = None
    size: int = 0
    content_type: str | None = None


class Keys(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
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


class Failure(Struct, frozen=True, kw_only=True, gc=False):
    """Why a task ended without a picture, for people."""

    reason: str
    moderated: bool = False


class Task(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
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
    hook: str | None = None
    dialect: Dialect = Dialect.MJ
    trigger: str | None = None
    """Ten digits that stand as `<#…#>` in the prompt that is sent, so that whoever sees neither
    nonces nor interactions knows the task again; a button's task has that of its picture."""
    speed: Speed | None = None
    """What the caller asked for; None leaves it to the account."""
    images: Images | None = None
    """What kind of link its hook is given; None: as the server's settings say."""
    images_host: str | None = None
    token: str | None = None
    """The id of the token that asked for it."""

    submitted_at: Millis
    started_at: Millis | None = None
    """When its interaction went to Discord."""
    finished_at: Millis | None = None
    patience: Millis = 300_000
    """How long it may give no sign of life once it was sent; six times that in relaxed mode."""
    relaxed: bool = False
    """It waits its turn in relaxed mode, which may take long."""
    deadline: Millis | None = None
    """When it is given up, unless a sign of life comes first."""

    progress: int | None = None
    """Per cent, 0 to 100."""
    picture: Picture | None = None
    buttons: tuple[Button, ...] = ()
    failure: Failure | None = None

    keys: Keys = field(default_factory=Keys)
    content: str = ""
    """The bot's last words on it."""
    final_prompt: str | None = None
    mode: str | None = None
    """The speed that the bot named, e.g. `fast, stealth`."""
    flags: int = 0
    prompt_english: str | None = None
    """The prompt as it was translated before it was sent."""
    words_translated: str | None = None
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
