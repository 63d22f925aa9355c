"""What users asked for and were promised, and what they saw of it afterwards."""

from collections import Counter
from enum import StrEnum

from msgspec import Struct, field


class Kind(StrEnum):
    """What was asked for, as far as the judge has to tell."""

    IMAGINE = "imagine"
    PRESS = "press"
    BLEND = "blend"
    SWAP = "swap"
    EXTEND = "extend"
    """Go on with a video that is still in its grid."""
    WORDS = "words"
    """A describe or a shorten: it makes no job."""


class Asked(Struct, kw_only=True):
    """One request that was accepted."""

    kind: Kind
    task: str = ""
    """Its task's id; empty where the dialect tells none."""
    trigger: str = ""
    prompt: str = ""
    """Of an imagine, or as a modal was filled in."""
    parent: str = ""
    """The job whose image's button was pressed."""
    button: str = ""
    index: int | None = None
    """Which video of the parent, 1 to 4."""
    images: tuple[str, ...] = ()
    """Digests of the face, and of the image it goes into."""
    webhook: str = ""
    """The name of the inbox that is told."""
    cancelled: bool = False
    """Its user asked for its end."""
    abandoned: bool = False
    """It has a modal that its user never filled in."""


class Glimpse(Struct, frozen=True):
    """A task as it was seen at one moment."""

    status: str
    progress: int
    revision: int = 0


class Ledger(Struct):
    """Everything that users know."""

    asked: list[Asked] = field(default_factory=list)
    seen: dict[str, list[Glimpse]] = field(default_factory=dict)
    """Tasks by id as their users fetched them, in that order."""
    files: dict[str, str | None] = field(default_factory=dict)
    """Tasks by id whose images were fetched: the job that the file says it is of."""
    refused: Counter[str] = field(default_factory=Counter)
    """Requests that were not accepted, by the answer; nothing was promised."""

    def accept(self, asked: Asked) -> Asked:
        self.asked.append(asked)
        return asked

    def see(self, task: str, glimpse: Glimpse) -> None:
        self.seen.setdefault(task, []).append(glimpse)


def percent(text: str) -> int:
    """The number of `31%`; an empty text is the beginning."""
    return int(text.rstrip("%") or 0)
