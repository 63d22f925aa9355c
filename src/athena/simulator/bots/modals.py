"""The modals that the bot opens, and their submitted content (midjourney-bot, sections 6, 7)."""

import re

from msgspec import Struct

from athena.simulator.bots import forms
from athena.simulator.bots.jobs import Job
from athena.simulator.stage import Call, Stage

_JOB = "(?P<job>[0-9a-f-]{36})"


class Opening(Struct, frozen=True, kw_only=True):
    """A modal to open: its ids, its title, and the prompt that it proposes."""

    custom_id: str
    input_id: str
    title: str
    prompt: str

    def open(self, stage: Stage, call: Call) -> None:
        field = forms.text_input(self.input_id, "Prompt", self.prompt)
        stage.open_modal(call, self.custom_id, self.title, (field,))


def remix(job: Job, index: int, *, strong: bool) -> Opening:
    return Opening(
        custom_id=f"MJ::RemixModal::{job.id}::{index}::{int(strong)}",
        input_id="MJ::RemixModal::new_prompt",
        title="Remix Prompt",
        prompt=job.prompt.shown,
    )


def reroll(message_id: str, prompt: str) -> Opening:
    """The modal of a reroll with remix, and of a shortened prompt."""
    return Opening(
        custom_id=f"MJ::ImagineModal::{message_id}",
        input_id="MJ::ImagineModal::new_prompt",
        title="Imagine This!",
        prompt=prompt,
    )


def pan(job: Job, direction: str) -> Opening:
    return Opening(
        custom_id=f"MJ::PanModal::{direction}::{job.id}::1",
        input_id="MJ::PanModal::prompt",
        title=f"Pan {direction.title()}",
        prompt=job.prompt.shown,
    )


def custom_zoom(job: Job) -> Opening:
    return Opening(
        custom_id=f"MJ::OutpaintCustomZoomModal::{job.id}",
        input_id="MJ::OutpaintCustomZoomModal::prompt",
        title="Zoom Out",
        prompt=f"{job.prompt.shown} --zoom 2",
    )


def describe(number: int, prompt: str) -> Opening:
    return Opening(
        custom_id=f"MJ::Picreader::Modal::{number}",
        input_id="MJ::Picreader::Modal::PromptField",
        title="Imagine This!",
        prompt=prompt,
    )


def animate(job: Job, motion: str) -> Opening:
    return Opening(
        custom_id=f"MJ::AnimateModal::{job.id}::1::{motion}::0",
        input_id="MJ::AnimateModal::prompt",
        title="Animate",
        prompt=job.prompt.shown,
    )


REMIX = re.compile(rf"MJ::RemixModal::{_JOB}::(?P<index>\d)::(?P<strong>[01])")
PAN = re.compile(rf"MJ::PanModal::(?P<way>left|right|up|down)::{_JOB}::1")
CUSTOM_ZOOM = re.compile(rf"MJ::OutpaintCustomZoomModal::{_JOB}")
ANIMATE = re.compile(rf"MJ::AnimateModal::{_JOB}::1::(?P<motion>low|high)::0")
IMAGINE = re.compile(r"MJ::ImagineModal::\d+|MJ::Picreader::Modal::[1-4]")
