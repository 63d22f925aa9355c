"""A job: what the bot makes for one request, and everything it must remember of it."""

from enum import StrEnum
from random import Random

from msgspec import Struct

from athena.simulator.bots.prompts import Rewritten
from athena.simulator.pictures import Art
from athena.simulator.stage import Call


class Kind(StrEnum):
    IMAGINE = "imagine"
    UPSCALE = "upscale"
    VARIATION = "variation"
    REROLL = "reroll"


class Job(Struct, frozen=True, kw_only=True):
    """`art` is the grid that it draws, or, for an upscale, the grid that its tile is taken from."""

    id: str
    kind: Kind
    call: Call
    prompt: Rewritten
    art: Art
    index: int | None = None
    """The picture of the parent's grid, 1 to 4."""
    parent: "Job | None" = None

    @property
    def waiting_lead(self) -> str:
        match self.kind:
            case Kind.UPSCALE:
                return f"Upscaling image #{self.index} with "
            case Kind.VARIATION:
                return f"Making variations for image #{self.index} with prompt "
            case Kind.REROLL:
                return "Rerolling "
            case Kind.IMAGINE:
                return ""

    @property
    def form(self) -> str:
        return "Variations (Strong) by " if self.kind is Kind.VARIATION else ""

    @property
    def mode(self) -> str:
        return f"{self.prompt.mode}, stealth" if self.prompt.stealth else self.prompt.mode


def new_id(random: Random) -> str:
    """A job's uuid (version 4)."""
    bits = random.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | 4 << 76 | 2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def imagine(job_id: str, call: Call, prompt: Rewritten) -> Job:
    art = Art(prompt=prompt.text, job=job_id, kin=job_id, ratio=prompt.ratio)
    return Job(id=job_id, kind=Kind.IMAGINE, call=call, prompt=prompt, art=art)


def upscale(job_id: str, call: Call, parent: Job, index: int) -> Job:
    return Job(
        id=job_id,
        kind=Kind.UPSCALE,
        call=call,
        prompt=parent.prompt,
        art=parent.art,
        index=index,
        parent=parent,
    )


def variation(job_id: str, call: Call, parent: Job, index: int) -> Job:
    """Looks like its parent: the same family, other details."""
    art = Art(prompt=parent.art.prompt, job=job_id, kin=parent.art.kin, ratio=parent.art.ratio)
    return Job(
        id=job_id,
        kind=Kind.VARIATION,
        call=call,
        prompt=parent.prompt,
        art=art,
        index=index,
        parent=parent,
    )


def reroll(job_id: str, call: Call, parent: Job) -> Job:
    art = Art(prompt=parent.art.prompt, job=job_id, kin=job_id, ratio=parent.art.ratio)
    return Job(id=job_id, kind=Kind.REROLL, call=call, prompt=parent.prompt, art=art, parent=parent)
