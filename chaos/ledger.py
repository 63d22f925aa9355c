"""The accepted requests of all users, and the states that they saw afterwards."""

from collections import Counter
from enum import StrEnum

from msgspec import Struct, field


class Kind(StrEnum):
    """Kinds of requests, as the judge distinguishes them."""

    IMAGINE = "imagine"
    PRESS = "press"
    BLEND = "blend"
    SWAP = "swap"
    EXTEND = "extend"
    """Extend a video that is still in its grid."""
    WORDS = "words"
    """A describe or a shorten: it creates no job."""


class Asked(Struct, kw_only=True):
    """One accepted request."""

    kind: Kind
    task: str = ""
    """Its task's id; empty if the API does not return one."""
    trigger: str = ""
    prompt: str = ""
    """The prompt of an imagine, or of a submitted modal."""
    parent: str = ""
    """The job whose image's button was pressed."""
    button: str = ""
    index: int | None = None
    """The number of the parent's video, 1 to 4."""
    images: tuple[str, ...] = ()
    """Digests of the face and of the target image."""
    webhook: str = ""
    """The name of its webhook inbox."""
    cancelled: bool = False
    """Its user cancelled it."""
    deleted: bool = False
    """Its user deleted it after it ended, so it may be missing."""
    abandoned: bool = False
    """It has a modal that its user did not submit."""
    sure: bool = False
    """Nothing disturbed it: it must succeed."""


class Outage(Struct):
    """A time in which tasks of an account may fail with one of these reasons. One that has not
    `ended` may have its effect at any later moment."""

    account: str
    reasons: tuple[str, ...]
    """What the failures' texts begin with."""
    began: int
    ended: int | None = None

    def explains(self, account: str, reason: str, at: int) -> bool:
        """Whether a failure at that time is one of these."""
        during = self.began <= at and (self.ended is None or at <= self.ended)
        return self.account == account and during and reason.startswith(self.reasons)


class Glimpse(Struct, frozen=True):
    """A task's state at one moment."""

    status: str
    progress: int
    revision: int = 0


class Ledger(Struct):
    """Everything that the users know."""

    asked: list[Asked] = field(default_factory=list)
    seen: dict[str, list[Glimpse]] = field(default_factory=dict)
    """The fetched states of each task, in order."""
    files: dict[str, str | None] = field(default_factory=dict)
    """The job named in the fetched image file of each task."""
    outages: list[Outage] = field(default_factory=list)
    """What was done to accounts."""
    refused: Counter[str] = field(default_factory=Counter)
    """The number of rejected requests by response."""

    def accept(self, asked: Asked) -> Asked:
        self.asked.append(asked)
        return asked

    def see(self, task: str, glimpse: Glimpse) -> None:
        self.seen.setdefault(task, []).append(glimpse)


def percent(text: str) -> int:
    """The number of `31%`; an empty text counts as 0."""
    return int(text.rstrip("%") or 0)
