"""Buttons: what pressing one means, read from its custom_id, and how those of one kind begin.

    MJ::JOB::{verb}::{index}::{job}[::SOLO]    upsample, variation, reroll, pan_left, animate_high …
    MJ::Outpaint::{factor}::1::{job}::SOLO     MJ::Inpaint::1::{job}::SOLO    MJ::CustomZoom::{job}
    MJ::Job::PicReader::{n}    MJ::Picread::Retry    MJ::Job::PromptAnalyzer[Extended]::…
    MJ::BOOKMARK::{job}        MJ::CancelJob::ByJobid::{job}

Press only what a message shows; an id is never made up (contracts: midjourney-bot, section 5). So
a caller names a `Form`, the beginning of its id, and looks for it with `first` among
the ids that a message shows. This module alone knows how the ids are written.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from athena.discord import wire
from athena.tasks.model import Action, Button

JOB = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_JOB = re.compile(JOB)
_VERB = "MJ::JOB::"
_OUTPAINT = "MJ::Outpaint::"
_CUSTOM_ZOOM = "MJ::CustomZoom::"
_INPAINT = "MJ::Inpaint::"
_CANCEL = "MJ::CancelJob::ByJobid::"
_CHOICE = "MJ::Job::"
_NO_JOB = (_CHOICE, "MJ::Picread::", "MJ::Prompts::")
_ZOOMS = {2.0: 50, 1.5: 75}


class Meaning(Struct, frozen=True, kw_only=True):
    """What a button does.

    `action` is REROLL for "the parent's action again", None when pressing makes no task.
    """

    action: Action | None
    index: int | None = None
    modal: bool = False
    """It always opens a modal."""
    remix: bool = False
    """It opens one while the account has Remix on (contracts: mj-dialect, section 5)."""
    supported: bool = True


class Form(Struct, frozen=True):
    """How the custom_ids of one kind of button are written."""

    start: str
    """How they begin."""
    way: str = ""
    """How the verb ends where models put words of their own before it: `upsample_v7_2x_subtle`."""

    def fits(self, custom_id: str) -> bool:
        """Whether a custom_id is written so."""
        if not custom_id.startswith(self.start):
            return False
        verb, _, rest = custom_id[len(self.start) :].partition("::")
        return not self.way or (bool(rest) and verb.endswith(self.way))


_UNSUPPORTED = Meaning(action=None, supported=False)

_GRAMMAR: tuple[tuple[re.Pattern[str], Action | None, bool], ...] = tuple(
    (re.compile(pattern), action, modal)
    for pattern, action, modal in (
        (r"MJ::JOB::upsample::([1-4])::", Action.UPSCALE, False),
        (r"MJ::JOB::upsample_", Action.UPSCALE, False),
        (r"MJ::JOB::video_virtual_upscale::([1-4])::", Action.UPSCALE, False),
        (r"MJ::JOB::variation::([1-4])::", Action.VARIATION, False),
        (r"MJ::JOB::(?:low|high)_variation::", Action.VARIATION, False),
        (r"MJ::Inpaint::", Action.VARIATION, True),
        (r"MJ::JOB::reroll::", Action.REROLL, False),
        (r"MJ::JOB::pan_(?:left|right|up|down)::", Action.PAN, False),
        (r"MJ::Outpaint::", Action.ZOOM, False),
        (r"MJ::CustomZoom::", Action.ZOOM, True),
        (r"MJ::JOB::animate_", Action.VIDEO, False),
        (r"MJ::Job::PicReader::([1-4])(?:::|$)", Action.IMAGINE, True),
        (r"MJ::Picread::Retry", Action.DESCRIBE, False),
        (r"MJ::Job::PromptAnalyzer::([1-5])::", Action.IMAGINE, True),
        (r"MJ::Job::PromptAnalyzerExtended::", Action.SHORTEN, False),
    )
)


_REMIXED = tuple(
    _VERB + verb
    for verb in ("variation::", "low_variation::", "high_variation::", "reroll::", "pan_")
)


def meaning(custom_id: str) -> Meaning:
    """What pressing this does; anything unknown is not supported."""
    for pattern, action, modal in _GRAMMAR:
        if found := pattern.match(custom_id):
            index = int(found.group(1)) if found.re.groups else None
            remix = custom_id.startswith(_REMIXED)
            return Meaning(action=action, index=index, modal=modal, remix=remix)
    return _UNSUPPORTED


def needs_mask(custom_id: str) -> bool:
    """Whether the button's modal is the page on which a region is marked."""
    return custom_id.startswith(_INPAINT)


def is_custom_zoom(custom_id: str) -> bool:
    """Whether the button's modal wants a `--zoom`."""
    return custom_id.startswith(_CUSTOM_ZOOM)


def is_choice(custom_id: str) -> bool:
    """Whether the button takes one of the prompts that a describe or a shorten lists."""
    return custom_id.startswith(_CHOICE)


def is_grid(custom_ids: Iterable[str]) -> bool:
    """Whether the image with these buttons holds four: one of them can be upscaled."""
    return first(custom_ids, *map(upsample, range(1, 5))) is not None


def is_video(custom_ids: Iterable[str]) -> bool:
    """Whether the image with these buttons moves: only videos can be extended or taken out."""
    forms = (*map(video_upscale, range(1, 5)), extend("low"), extend("high"))
    return first(custom_ids, *forms) is not None


def job_of(custom_id: str) -> str | None:
    """The job that a button or a link belongs to. What a shorten's buttons hold is none."""
    found = None if custom_id.startswith(_NO_JOB) else _JOB.search(custom_id)
    return found.group() if found else None


def cancelled_job(custom_id: str) -> str | None:
    """The job that a Cancel Job button cancels; None for any other button."""
    return custom_id.removeprefix(_CANCEL) if custom_id.startswith(_CANCEL) else None


def cancel_button(job: str) -> str:
    """The Cancel Job button that every running job's message shows (section 2)."""
    return _CANCEL + job


def shown(message: wire.Message) -> tuple[Button, ...]:
    """The buttons of a message in reading order, link buttons and cancel left out."""
    return tuple(
        Button(
            custom_id=part.custom_id,
            label=part.label or "",
            emoji=(part.emoji.name if part.emoji else None) or "",
            type=part.type,
            style=part.style,
        )
        for row in message.components
        for part in row.components
        if part.custom_id and cancelled_job(part.custom_id) is None
    )


# The forms of buttons


def first(custom_ids: Iterable[str], *forms: Form, job: str | None = None) -> str | None:
    """The custom_id, among those that a message shows, that has one of these forms, an earlier form
    first; None when there is none. `job`: only one that belongs to this job."""
    shown_ids = [each for each in custom_ids if job is None or job_of(each) == job]
    fitting = (each for form in forms for each in shown_ids if form.fits(each))
    return next(fitting, None)


def upsample(index: int) -> Form:
    """U1 to U4 of a grid."""
    return Form(f"{_VERB}upsample::{index}::")


def upscale(way: str = "") -> Form:
    """The upscale of a single image: `subtle`, `creative`, of older models `max`; empty: any."""
    return Form(f"{_VERB}upsample_", way)


def video_upscale(index: int) -> Form:
    """U1 to U4 of a message that shows several videos: one is taken out of them."""
    return Form(f"{_VERB}video_virtual_upscale::{index}::")


def variation(index: int) -> Form:
    """V1 to V4 of a grid; 1 also of a single image of an older model."""
    return Form(f"{_VERB}variation::{index}::")


def low_variation() -> Form:
    """Vary (Subtle) of a single image."""
    return Form(f"{_VERB}low_variation::")


def high_variation() -> Form:
    """Vary (Strong) of a single image."""
    return Form(f"{_VERB}high_variation::")


def reroll() -> Form:
    """The same prompt once more."""
    return Form(f"{_VERB}reroll::")


def zoom(factor: float) -> Form:
    """Zoom out: 2 and 1.5 have buttons of their own, any other factor the custom zoom's."""
    percent = _ZOOMS.get(factor)
    return custom_zoom() if percent is None else outpaint(percent)


def outpaint(percent: int) -> Form:
    """Zoom out to 50 or 75 per cent; 100 makes the image square."""
    return Form(f"{_OUTPAINT}{percent}::")


def custom_zoom() -> Form:
    """Zoom out by a factor that is put into a modal."""
    return Form(_CUSTOM_ZOOM)


def pan(direction: str) -> Form:
    """Extend the image to one side: `left`, `right`, `up` or `down`."""
    return Form(f"{_VERB}pan_{direction}::")


def region() -> Form:
    """Vary a region, which is marked in a modal."""
    return Form(_INPAINT)


def animate(motion: str) -> Form:
    """Make a video of an image; the motion is `low` or `high`."""
    return Form(f"{_VERB}animate_{motion}::")


def extend(motion: str) -> Form:
    """Go on with a video; the motion is `low` or `high`."""
    return Form(f"{_VERB}animate_{motion}_extend::")
