"""Buttons: what pressing one means, read from its custom_id.

    MJ::JOB::{verb}::{index}::{job}[::SOLO]    upsample, variation, reroll, pan_left, animate_high …
    MJ::Outpaint::{factor}::1::{job}::SOLO     MJ::Inpaint::1::{job}::SOLO    MJ::CustomZoom::{job}
    MJ::Job::PicReader::{n}    MJ::Picread::Retry    MJ::Job::PromptAnalyzer[Extended]::…
    MJ::BOOKMARK::{job}        MJ::CancelJob::ByJobid::{job}

Press only what a message shows; an id is never made up (contracts: midjourney-bot, section 5).
"""

import re

from msgspec import Struct

from athena.discord import wire
from athena.tasks.model import Action, Button

JOB = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_JOB = re.compile(JOB)
_CANCEL = "MJ::CancelJob::ByJobid::"
_NO_JOB = ("MJ::Job::", "MJ::Picread::", "MJ::Prompts::")


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
    f"MJ::JOB::{verb}"
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
    return custom_id.startswith("MJ::Inpaint::")


def is_custom_zoom(custom_id: str) -> bool:
    """Whether the button's modal wants a `--zoom`."""
    return custom_id.startswith("MJ::CustomZoom::")


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
