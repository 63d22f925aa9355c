"""A job: what the bot creates for one request, and everything it must remember about it.

A job's `tiles` are the scenes that it shows: four for a grid, one for a single image. Later jobs on
an image start from these.
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
    Mixed,
    Repainted,
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
    """One image of a grid; immediately available."""
    ENLARGE = "enlarge"
    """An image upscaled again."""
    VARIATION = "variation"
    REROLL = "reroll"
    ZOOM = "zoom"
    PAN = "pan"
    REGION = "region"
    VIDEO = "video"
    VIDEO_UPSCALE = "video_upscale"
    """One video of a grid."""
    """One video of several; immediately available."""


_INSTANT = frozenset({Kind.UPSCALE, Kind.VIDEO_UPSCALE})


class Parent(Struct, frozen=True, kw_only=True):
    """The job whose image a button belongs to, and the number of the image (1 to 4)."""

    job: "Job"
    index: int | None = None

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def scene(self) -> Scene:
        """The image with that number; for a single image, itself."""
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
    """The size of one tile."""
    mode: str = "fast"
    """Speed and visibility as the bot names them: `fast`, `relaxed, stealth` …"""
    parent: Parent | None = None
    lead: str = ""
    """The text before the prompt while the job waits, e.g. `Rerolling `."""
    form: str = ""
    """The text between the prompt and the user, e.g. `Variations by `."""
    running_form: str = ""

    @property
    def index(self) -> int | None:
        return self.parent.index if self.parent else None

    @property
    def speed(self) -> str:
        return self.mode.partition(",")[0]

    @property
    def is_instant(self) -> bool:
        """Whether it needs no slot and shows no progress."""
        return self.kind in _INSTANT

    @property
    def is_relaxed(self) -> bool:
        return self.speed == "relaxed" and not self.is_instant

    @property
    def seed(self) -> str:
        """The seed that an envelope reaction returns."""
        return self.prompt.parameters.get("seed") or str(self.random("seed").getrandbits(32))

    def random(self, purpose: str) -> Random:
        """A random source that depends only on the job and the purpose."""
        return Random(f"{self.id}/{purpose}")

    def summary(self) -> Json:
        """A summary for tests and people."""
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
    """Four images from a prompt, or videos with `--video`; `shown` are its image prompts."""
    if "video" in prompt.parameters:
        first = shown[0] if shown else _sketches(job_id, job_id, prompt)[0]
        return video(job_id, call, prompt, first, None, shown[1] if len(shown) > 1 else None)
    tiles = _sketches(job_id, job_id, prompt)
    weight = float(prompt.parameters.get("iw", "1"))
    for scene in shown:
        tiles = tuple(Mixed(tile, scene, weight / (weight + 0.6)) for tile in tiles)
    return _grid(Kind.IMAGINE, job_id, call, prompt, tiles)


def blend(job_id: str, call: Call, prompt: Rewritten, shown: Sequence[Scene]) -> Job:
    """Four images blended from several."""
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
    """`way` is the bot's name for it: Subtle, Creative, 2x …"""
    made = _single(Kind.ENLARGE, job_id, call, parent, factor)
    return replace(made, form=f"Upscaled ({way}) by ", running_form=f"Upscaling ({way}) by ")


def variation(
    job_id: str, call: Call, parent: Parent, prompt: Rewritten | None = None, way: str = ""
) -> Job:
    """Similar to its parent: the same family, other details. With its own prompt it is a remix."""
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
    """A reroll: `again` is a new job like its parent."""
    return replace(again, kind=Kind.REROLL, parent=parent, lead="Rerolling ")


def zoom(job_id: str, call: Call, parent: Parent, prompt: Rewritten) -> Job:
    """Zoomed out: the image in the middle of a larger one."""
    factor = float(prompt.parameters.get("zoom", "2"))
    inner = in_middle(parent.job.size, tile_size(prompt.ratio), factor)
    return _wider(Kind.ZOOM, job_id, call, parent, prompt, inner, "Zoom Out by ")


def pan(job_id: str, call: Call, parent: Parent, prompt: Rewritten, direction: str) -> Job:
    """Extended by half its size on one side."""
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
    """Repainted where the mask is white."""
    tiles = tuple(
        Repainted(inner=parent.scene, fresh=_sketch(job_id, job_id, n, prompt), mask=mask)
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
    """Videos that start with an image."""
    count = int(prompt.parameters.get("bs") or "4")
    motion = 0.4 if prompt.parameters.get("motion") == "high" else 0.15
    videos = tuple(
        Video(start=start, end=end, motion=motion * (1 + n / 4), loops="loop" in prompt.parameters)
        for n in range(count)
    )
    made = _grid(Kind.VIDEO, job_id, call, prompt, (start,) * count, parent)
    return replace(made, videos=videos, lead="Creating video with prompt ")


def one_video(job_id: str, call: Call, parent: Parent) -> Job:
    """One video of several."""
    place = (parent.index or 1) - 1
    made = _single(Kind.VIDEO_UPSCALE, job_id, call, parent, 1)
    lead = f"Upscaling image #{parent.index} with "
    return replace(made, videos=(parent.job.videos[place],), lead=lead)


def in_middle(inner: Size, outer: Size, factor: float) -> Box:
    """The box of an image in the middle of one that is zoomed out by `factor`."""
    scale = min(outer[0] / inner[0], outer[1] / inner[1]) / factor
    wide, high = inner[0] * scale / outer[0], inner[1] * scale / outer[1]
    return (1 - wide) / 2, (1 - high) / 2, (1 + wide) / 2, (1 + high) / 2


def reduced(wide: int, high: int) -> str:
    """A ratio in its smallest whole numbers."""
    common = gcd(wide, high)
    return f"{wide // common}:{high // common}"


def videoed(prompt: Rewritten, motion: str) -> Rewritten:
    """How animate rewrites a prompt: all parameters are replaced (section 4)."""
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
