"""A job: what the bot makes for one request, and everything it must remember of it."""

from enum import StrEnum
from random import Random

from msgspec import Struct

from athena.simulator.bots.prompts import Rewritten
from athena.simulator.pictures import Art
from athena.simulator.stage import Call, Json


class Kind(StrEnum):
    IMAGINE = "imagine"
    UPSCALE = "upscale"
    VARIATION = "variation"
    REROLL = "reroll"


class Parent(Struct, frozen=True, kw_only=True):
    """The job whose picture a button belongs to, and which of its four was meant (1 to 4)."""

    id: str
    prompt: Rewritten
    art: Art
    index: int | None = None


class Job(Struct, frozen=True, kw_only=True):
    """`art` is the grid that it draws, or, for an upscale, the grid that its tile is taken from."""

    id: str
    kind: Kind
    call: Call
    prompt: Rewritten
    art: Art
    parent: Parent | None = None
    form: str = ""
    """What stands between the prompt and the user, e.g. `Variations by `."""

    @property
    def index(self) -> int | None:
        return self.parent.index if self.parent else None

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
    def mode(self) -> str:
        return f"{self.prompt.mode}, stealth" if self.prompt.stealth else self.prompt.mode

    @property
    def is_relaxed(self) -> bool:
        return self.prompt.mode == "relaxed" and self.kind is not Kind.UPSCALE

    def lots(self, purpose: str) -> Random:
        """The job's own dice: what they show depends on nothing but the job."""
        return Random(f"{self.id}/{purpose}")

    def as_parent(self, index: int | None = None) -> Parent:
        return Parent(id=self.id, prompt=self.prompt, art=self.art, index=index)

    def summary(self) -> Json:
        """What tests and people are told of it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "user": self.call.user_id,
            "prompt": self.prompt.shown,
            "parent": self.parent.id if self.parent else None,
            "index": self.index,
            "interaction": self.call.id,
            "nonce": self.call.nonce,
        }


def new_id(random: Random) -> str:
    """A job's uuid (version 4)."""
    bits = random.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | 4 << 76 | 2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def imagine(job_id: str, call: Call, prompt: Rewritten) -> Job:
    art = Art(prompt=prompt.text, job=job_id, kin=job_id, ratio=prompt.ratio)
    return Job(id=job_id, kind=Kind.IMAGINE, call=call, prompt=prompt, art=art)


def upscale(job_id: str, call: Call, parent: Parent) -> Job:
    return Job(
        id=job_id, kind=Kind.UPSCALE, call=call, prompt=parent.prompt, art=parent.art, parent=parent
    )


def variation(job_id: str, call: Call, parent: Parent) -> Job:
    """Looks like its parent: the same family, other details."""
    form = Random(f"{job_id}/form").choice(("Variations (Strong) by ", "Variations by "))
    return _new_grid(Kind.VARIATION, job_id, call, parent, parent.art.kin, form)


def reroll(job_id: str, call: Call, parent: Parent) -> Job:
    return _new_grid(Kind.REROLL, job_id, call, parent, job_id, "")


def _new_grid(kind: Kind, job_id: str, call: Call, parent: Parent, kin: str, form: str) -> Job:
    art = Art(prompt=parent.art.prompt, job=job_id, kin=kin, ratio=parent.art.ratio)
    return Job(
        id=job_id, kind=kind, call=call, prompt=parent.prompt, art=art, parent=parent, form=form
    )
