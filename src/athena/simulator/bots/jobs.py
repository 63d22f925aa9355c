"""A job: what the bot makes for one request, and everything it must remember of it.

A job's `tiles` are the scenes that it shows: four for a grid, one for a single image. Whatever a
later job makes of an image starts from those.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import reduce
from math import gcd
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from athena.simulator.bots.prompts import Rewritten, rewrite
from athena.simulator.images import Video
from athena.simulator.scenes import (
    Box,
    Mended,
    Mixed,
    Scene,
    Size,
    Sketch,
    Wider,
    tile_size,
    varied,
)
from athena.simulator.stage import Call, Json


class Kind(StrEnum):
    IMAGINE = "imagine"
    BLEND = "blend"
    UPSCALE = "upscale"
    """One image out of a grid; it is there at once."""
    ENLARGE = "enlarge"
    """An image upscaled again."""
    VARIATION = "variation"
    REROLL = "reroll"
    ZOOM = "zoom"
    PAN = "pan"
    REGION = "region"
    VIDEO = "video"
    VIDEO_UPSCALE = "video_upscale"
    """One video taken out of a grid of several."""
    """One video out of several; it is there at once."""


_INSTANT = frozenset({Kind.UPSCALE, Kind.VIDEO_UPSCALE})


class Parent(Struct, frozen=True, kw_only=True):
    """The job whose image a button belongs to, and which of its images was meant (1 to 4)."""

    job: "Job"
    index: int | None = None

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def scene(self) -> Scene:
        """The image that was meant; of one that stands alone, itself."""
        tiles = self.job.tiles
        return tiles[(self.index or 1) - 1] if len(tiles) > 1 else tiles[0]


class Job(Struct, frozen=True, kw_only=True):
    id: str
    kind: Kind
    call: Call
    prompt: Rewritten
    tiles: tuple[Scene, ...]
    videos: tuple[Video, ...] = ()
    size: Size
    """Of one tile."""
    mode: str = "fast"
    """Speed and visibility as the bot names them: `fast`, `relaxed, stealth` …"""
    parent: Parent | None = None
    lead: str = ""
    """What stands before the prompt while the job waits, e.g. `Rerolling `."""
    form: str = ""
    """What stands between the prompt and the user, e.g. `Variations by `."""
    running_form: str = ""

    @property
    def index(self) -> int | None:
        return self.parent.index if self.parent else None

    @property
    def speed(self) -> str:
        return self.mode.partition(",")[0]

    @property
    def is_instant(self) -> bool:
        """It takes no slot to speak of, and tells no progress."""
        return self.kind in _INSTANT

    @property
    def is_relaxed(self) -> bool:
        return self.speed == "relaxed" and not self.is_instant

    @property
    def seed(self) -> str:
        """What the envelope brings."""
        return self.prompt.parameters.get("seed") or str(self.lots("seed").getrandbits(32))

    def lots(self, purpose: str) -> Random:
        """The job's own dice: what they show depends on nothing but the job."""
        return Random(f"{self.id}/{purpose}")

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


def imagine(job_id: str, call: Call, prompt: Rewritten, shown: Sequence[Scene] = ()) -> Job:
    """Four images of a text, or videos of it with `--video`; `shown` are its image prompts."""
    if "video" in prompt.parameters:
        first = shown[0] if shown else _sketches(job_id, job_id, prompt)[0]
        return video(job_id, call, prompt, first, None, shown[1] if len(shown) > 1 else None)
    tiles = _sketches(job_id, job_id, prompt)
    weight = float(prompt.parameters.get("iw", "1"))
    for scene in shown:
        tiles = tuple(Mixed(tile, scene, weight / (weight + 0.6)) for tile in tiles)
    return _grid(Kind.IMAGINE, job_id, call, prompt, tiles)


def blend(job_id: str, call: Call, prompt: Rewritten, shown: Sequence[Scene]) -> Job:
    """Four images of several."""
    share = 1 / len(shown)

    def mix(whole: Scene, each: Scene) -> Scene:
        return Mixed(whole, each, share)

    mixed = [reduce(mix, [*shown[turn:], *shown[:turn]]) for turn in range(len(shown))]
    tiles = tuple(
        varied(mixed[n % len(mixed)], _sketch(job_id, job_id, n, prompt), 0.15) for n in range(4)
    )
    return _grid(Kind.BLEND, job_id, call, prompt, tiles)


def upscale(job_id: str, call: Call, parent: Parent) -> Job:
    made = _single(Kind.UPSCALE, job_id, call, parent, 1)
    return replace(made, lead=f"Upscaling image #{parent.index} with ")


def enlarge(job_id: str, call: Call, parent: Parent, factor: int, way: str) -> Job:
    """`way` is how the bot names it: Subtle, Creative, 2x …"""
    made = _single(Kind.ENLARGE, job_id, call, parent, factor)
    return replace(made, form=f"Upscaled ({way}) by ", running_form=f"Upscaling ({way}) by ")


def variation(
    job_id: str, call: Call, parent: Parent, prompt: Rewritten | None = None, way: str = ""
) -> Job:
    """Looks like its parent: the same family, other details. A prompt of its own is a remix."""
    prompt, remixed = prompt or parent.job.prompt, prompt is not None
    strength = 0.4 if way == "Subtle" else 0.7
    tiles = tuple(
        varied(parent.scene, _sketch(_kin(parent), job_id, n, prompt), strength) for n in range(4)
    )
    made = _grid(Kind.VARIATION, job_id, call, prompt, tiles, parent)
    name = f"{'Remix' if remixed else 'Variations'}{f' ({way})' if way else ''} by "
    lead = f"Making variations for image #{parent.index} with prompt " if parent.index else ""
    return replace(made, form=name, running_form=name, lead=lead)


def reroll(job_id: str, call: Call, parent: Parent, again: "Job") -> Job:
    """The same once more, `again`: a job like its parent, made anew."""
    return replace(again, kind=Kind.REROLL, parent=parent, lead="Rerolling ")


def zoom(job_id: str, call: Call, parent: Parent, prompt: Rewritten) -> Job:
    """Farther away: the image in the middle of a larger one."""
    factor = float(prompt.parameters.get("zoom", "2"))
    inner = in_middle(parent.job.size, tile_size(prompt.ratio), factor)
    return _wider(Kind.ZOOM, job_id, call, parent, prompt, inner, "Zoom Out by ")


def pan(job_id: str, call: Call, parent: Parent, prompt: Rewritten, direction: str) -> Job:
    """Half as much again on one side."""
    third = 1 / 3
    boxes: dict[str, Box] = {
        "left": (third, 0, 1, 1),
        "right": (0, 0, 1 - third, 1),
        "up": (0, third, 1, 1),
        "down": (0, 0, 1, 1 - third),
    }
    form = f"Pan {direction.title()} by "
    return _wider(Kind.PAN, job_id, call, parent, prompt, boxes[direction], form)


def region(job_id: str, call: Call, parent: Parent, prompt: Rewritten, mask: bytes) -> Job:
    """Redrawn where the mask is white."""
    tiles = tuple(
        Mended(inner=parent.scene, fresh=_sketch(job_id, job_id, n, prompt), mask=mask)
        for n in range(4)
    )
    made = _grid(Kind.REGION, job_id, call, prompt, tiles, parent)
    form = "Variations (Region) by "
    return replace(made, size=parent.job.size, form=form, running_form=form)


def video(
    job_id: str,
    call: Call,
    prompt: Rewritten,
    start: Scene,
    parent: Parent | None = None,
    end: Scene | None = None,
) -> Job:
    """Videos that begin with an image."""
    count = int(prompt.parameters.get("bs") or "4")
    motion = 0.4 if prompt.parameters.get("motion") == "high" else 0.15
    videos = tuple(
        Video(start=start, end=end, motion=motion * (1 + n / 4), loops="loop" in prompt.parameters)
        for n in range(count)
    )
    made = _grid(Kind.VIDEO, job_id, call, prompt, (start,) * count, parent)
    return replace(made, videos=videos, lead="Creating video with prompt ")


def one_video(job_id: str, call: Call, parent: Parent) -> Job:
    """One video out of several."""
    place = (parent.index or 1) - 1
    made = _single(Kind.VIDEO_UPSCALE, job_id, call, parent, 1)
    lead = f"Upscaling image #{parent.index} with "
    return replace(made, videos=(parent.job.videos[place],), lead=lead)


def in_middle(inner: Size, outer: Size, factor: float) -> Box:
    """Where an image lies in the middle of another that is `factor` times as far away."""
    scale = min(outer[0] / inner[0], outer[1] / inner[1]) / factor
    wide, high = inner[0] * scale / outer[0], inner[1] * scale / outer[1]
    return (1 - wide) / 2, (1 - high) / 2, (1 + wide) / 2, (1 + high) / 2


def reduced(wide: int, high: int) -> str:
    """A ratio in its smallest whole numbers."""
    common = gcd(wide, high)
    return f"{wide // common}:{high // common}"


def videoed(prompt: Rewritten, motion: str) -> Rewritten:
    """How animate rewrites a prompt: all after the text is new (section 4)."""
    wide, high = prompt.ratio
    raw = "--raw " if "raw" in prompt.parameters else ""
    return rewrite(
        f"{prompt.text} {raw}--motion {motion} --video 1 --ar {wide}:{high}", wordless=True
    )


def _kin(parent: Parent) -> str:
    scene = parent.scene
    return scene.kin if isinstance(scene, Sketch) else parent.id


def _sketch(kin: str, job_id: str, number: int, prompt: Rewritten) -> Sketch:
    return Sketch(prompt=prompt.words, kin=kin, job=job_id, index=number + 1, ratio=prompt.ratio)


def _sketches(kin: str, job_id: str, prompt: Rewritten) -> tuple[Scene, ...]:
    return tuple(_sketch(kin, job_id, number, prompt) for number in range(4))


def _grid(
    kind: Kind,
    job_id: str,
    call: Call,
    prompt: Rewritten,
    tiles: tuple[Scene, ...],
    parent: Parent | None = None,
) -> Job:
    return Job(
        id=job_id, kind=kind, call=call, prompt=prompt, tiles=tiles,
        size=tile_size(prompt.ratio), parent=parent,
    )  # fmt: skip


def _single(kind: Kind, job_id: str, call: Call, parent: Parent, factor: int) -> Job:
    wide, high = parent.job.size
    return Job(
        id=job_id, kind=kind, call=call, prompt=parent.job.prompt, tiles=(parent.scene,),
        size=(wide * factor, high * factor), parent=parent,
    )  # fmt: skip


def _wider(
    kind: Kind, job_id: str, call: Call, parent: Parent, prompt: Rewritten, box: Box, form: str
) -> Job:
    tiles = tuple(
        Wider(inner=parent.scene, around=_sketch(_kin(parent), job_id, n, prompt), box=box)
        for n in range(4)
    )
    made = _grid(kind, job_id, call, prompt, tiles, parent)
    return replace(made, form=form, running_form=form)
