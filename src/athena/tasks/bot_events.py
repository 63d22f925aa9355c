"""Bot events: the meaning of a bot's message or a Discord event, before it is matched to a task.

`evidence` holds every id of the message; matching uses these, and the prompt only when no id fits.
`athena.midjourney.reader` translates messages into bot events.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from athena.tasks.model import Action, Bot, Button, Image


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """Ids and texts by which a bot event can be matched to a task."""

    message: str | None = None
    nonce: str | None = None
    interaction: str | None = None
    parent_message: str | None = None
    job: str | None = None
    bot: Bot | None = None
    user: str | None = None
    """The user that the message mentions or that caused it."""
    action: Action | None = None
    prompt: str | None = None
    """As the bot wrote it, without the correlation tag."""
    trigger: str | None = None
    """The correlation tag in the prompt."""
    file: str | None = None
    """The name of the file that a text answer is about."""
    index: int | None = None
    """The image of the parent's grid, 1 to 4."""
    own: bool = True
    """False when the message names another user as its cause."""


class MessageContent(Struct, frozen=True, kw_only=True, gc=False):
    """The content of the message."""

    content: str = ""
    image: Image | None = None
    buttons: tuple[Button, ...] = ()
    flags: int = 0
    mode: str | None = None


class Acknowledged(Struct, frozen=True, kw_only=True, gc=False):
    """Discord gave the interaction an id, or the bot accepted it."""

    evidence: Evidence


class Rejected(Struct, frozen=True, kw_only=True, gc=False):
    """The bot did not answer the interaction (INTERACTION_FAILURE)."""

    evidence: Evidence
    reason_code: int | None = None


class Waiting(Struct, frozen=True, kw_only=True, gc=False):
    """The job exists and is waiting to start."""

    evidence: Evidence
    shown: MessageContent


class Progress(Struct, frozen=True, kw_only=True, gc=False):
    """The job is running; `percent` is None if it is paused or not given."""

    evidence: Evidence
    shown: MessageContent
    percent: int | None = None


class Finished(Struct, frozen=True, kw_only=True, gc=False):
    """The job is done and this is its result."""

    evidence: Evidence
    shown: MessageContent
    text: str | None = None
    """The result itself where it is text: the prompts of a describe or a shorten."""
    translated: str | None = None
    """The translated text; empty if the translation failed."""


class Stopped(Struct, frozen=True, kw_only=True, gc=False):
    """The job was cancelled at Midjourney."""

    evidence: Evidence
    shown: MessageContent


class Verdict(StrEnum):
    """What a notice means for the task and the account (contracts: midjourney-bot, section 8)."""

    FAILED = "failed"
    MODERATED = "moderated"
    HUMAN_CHECK = "human_check"
    NOTICE = "notice"
    RETRY = "retry"
    ACCOUNT_DOWN = "account_down"


class Notice(Struct, frozen=True, kw_only=True, gc=False):
    """A message of the bot about a request or an account, instead of or in addition to a job."""

    evidence: Evidence
    verdict: Verdict
    title: str
    description: str = ""
    shown: MessageContent = field(default_factory=MessageContent)

    @property
    def reason(self) -> str:
        """The text for a task's failReason (contracts: mj-dialect, section 6)."""
        return f"[{self.title}] {self.description}".strip() if self.title else self.description


class Profile(Struct, frozen=True, kw_only=True, gc=False):
    """An account's data from `/info`, `/settings` and its switches. None: unknown."""

    plan: str | None = None
    """Basic, Standard, Pro or Mega."""
    concurrent: int | None = None
    """The plan's concurrent jobs."""
    renews: str | None = None
    """The bot's text about the plan, with its state and end."""
    fast_left: float | None = None
    """Hours of fast time left."""
    fast_total: float | None = None
    mode: str | None = None
    """Fast, Relaxed or Turbo."""
    visibility: str | None = None
    """Public or Stealth."""
    remix: bool | None = None
    """Whether pressing opens a modal with the prompt first."""
    version: str | None = None
    """The default model, in the bot's wording."""
    queued_fast: int | None = None
    queued_relax: int | None = None
    lifetime: str | None = None

    def updated(self, newer: "Profile") -> "Profile":
        """This profile, updated with every known field of a newer one."""
        said = {name: value for name, value in asdict(newer).items() if value is not None}
        return replace(self, **said)


class AccountInfo(Struct, frozen=True, kw_only=True, gc=False):
    """The bot sent information about the account."""

    evidence: Evidence
    profile: Profile


class SeedInfo(Struct, frozen=True, kw_only=True, gc=False):
    """The bot sent the seed of a job, in its direct channel."""

    evidence: Evidence
    job: str
    seed: str


class Removed(Struct, frozen=True, kw_only=True, gc=False):
    """A message was deleted."""

    evidence: Evidence


class Unknown(Struct, frozen=True, kw_only=True, gc=False):
    """A form that no reader understands. It is counted and logged, never interpreted."""

    evidence: Evidence
    content: str = ""


BotEvent: TypeAlias = (
    Acknowledged
    | Rejected
    | Waiting
    | Progress
    | Finished
    | Stopped
    | Notice
    | AccountInfo
    | SeedInfo
    | Removed
    | Unknown
)
