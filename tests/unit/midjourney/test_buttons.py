"""Custom ids: how those of one kind begin, and what pressing one means."""

import msgspec
import pytest

from athena.discord import wire
from athena.midjourney import buttons
from athena.midjourney.buttons import Form, Meaning
from athena.tasks.model import Action, Button

JOB = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
CANCEL = f"MJ::CancelJob::ByJobid::{JOB}"

KINDS: list[tuple[str, Form, Meaning]] = [
    *(
        (
            f"MJ::JOB::upsample::{n}::{JOB}",
            buttons.upsample(n),
            Meaning(action=Action.UPSCALE, index=n),
        )
        for n in range(1, 5)
    ),
    *(
        (
            f"MJ::JOB::variation::{n}::{JOB}",
            buttons.variation(n),
            Meaning(action=Action.VARIATION, index=n, remix=True),
        )
        for n in range(1, 5)
    ),
    *(
        (
            f"MJ::JOB::video_virtual_upscale::{n}::{JOB}",
            buttons.video_upscale(n),
            Meaning(action=Action.UPSCALE, index=n),
        )
        for n in range(1, 5)
    ),
    (
        f"MJ::JOB::upsample_v7_2x_subtle::1::{JOB}::SOLO",
        buttons.upscale("subtle"),
        Meaning(action=Action.UPSCALE),
    ),
    (
        f"MJ::JOB::upsample_v7_2x_creative::1::{JOB}::SOLO",
        buttons.upscale("creative"),
        Meaning(action=Action.UPSCALE),
    ),
    (
        f"MJ::JOB::upsample_max::1::{JOB}::SOLO",
        buttons.upscale("max"),
        Meaning(action=Action.UPSCALE),
    ),
    (
        f"MJ::JOB::low_variation::1::{JOB}::SOLO",
        buttons.low_variation(),
        Meaning(action=Action.VARIATION, remix=True),
    ),
    (
        f"MJ::JOB::high_variation::1::{JOB}::SOLO",
        buttons.high_variation(),
        Meaning(action=Action.VARIATION, remix=True),
    ),
    (
        f"MJ::JOB::reroll::0::{JOB}::SOLO",
        buttons.reroll(),
        Meaning(action=Action.REROLL, remix=True),
    ),
    (f"MJ::Outpaint::50::1::{JOB}::SOLO", buttons.zoom(2), Meaning(action=Action.ZOOM)),
    (f"MJ::Outpaint::75::1::{JOB}::SOLO", buttons.zoom(1.5), Meaning(action=Action.ZOOM)),
    (f"MJ::Outpaint::100::1::{JOB}::SOLO", buttons.outpaint(100), Meaning(action=Action.ZOOM)),
    (f"MJ::CustomZoom::{JOB}", buttons.zoom(1.7), Meaning(action=Action.ZOOM, modal=True)),
    *(
        (
            f"MJ::JOB::pan_{way}::1::{JOB}::SOLO",
            buttons.pan(way),
            Meaning(action=Action.PAN, remix=True),
        )
        for way in ("left", "right", "up", "down")
    ),
    (
        f"MJ::Inpaint::1::{JOB}::SOLO",
        buttons.region(),
        Meaning(action=Action.VARIATION, modal=True),
    ),
    *(
        (
            f"MJ::JOB::animate_{motion}::1::{JOB}::SOLO",
            buttons.animate(motion),
            Meaning(action=Action.VIDEO),
        )
        for motion in ("low", "high")
    ),
    *(
        (
            f"MJ::JOB::animate_{motion}_extend::1::{JOB}",
            buttons.extend(motion),
            Meaning(action=Action.VIDEO),
        )
        for motion in ("low", "high")
    ),
]
IDS = [custom_id for custom_id, _, _ in KINDS]

WITHOUT_FORM = [
    ("MJ::Job::PicReader::3", Meaning(action=Action.IMAGINE, index=3, modal=True)),
    ("MJ::Job::PicReader::3::x", Meaning(action=Action.IMAGINE, index=3, modal=True)),
    ("MJ::Job::PromptAnalyzer::5::x", Meaning(action=Action.IMAGINE, index=5, modal=True)),
    ("MJ::Job::PromptAnalyzerExtended::x", Meaning(action=Action.SHORTEN)),
    ("MJ::Picread::Retry", Meaning(action=Action.DESCRIBE)),
]
UNSUPPORTED = [
    "MJ::Job::PicReader::all",
    "MJ::Job::PicReader::5",
    "MJ::Job::PromptAnalyzer::6::x",
    f"MJ::JOB::upsample::5::{JOB}",
    f"MJ::JOB::variation::0::{JOB}",
    f"MJ::JOB::pan_back::1::{JOB}",
    f"MJ::BOOKMARK::{JOB}",
    CANCEL,
    "",
]


@pytest.mark.parametrize(("custom_id", "form", "means"), KINDS)
def test_each_kind_is_found_by_its_own_form(custom_id: str, form: Form, means: Meaning) -> None:
    assert [each for each in IDS if form.fits(each)] == [custom_id]
    assert buttons.first(IDS, form) == custom_id
    assert buttons.meaning(custom_id) == means
    assert buttons.job_of(custom_id) == JOB


@pytest.mark.parametrize(("custom_id", "means"), WITHOUT_FORM)
def test_what_describe_and_shorten_offer(custom_id: str, means: Meaning) -> None:
    assert buttons.meaning(custom_id) == means
    assert buttons.is_choice(custom_id) == custom_id.startswith("MJ::Job::")
    assert buttons.job_of(f"{custom_id}::{JOB}") is None


@pytest.mark.parametrize("custom_id", UNSUPPORTED)
def test_what_makes_no_task_is_not_supported(custom_id: str) -> None:
    assert buttons.meaning(custom_id) == Meaning(action=None, supported=False)


def test_an_earlier_form_goes_first() -> None:
    wanted = (buttons.variation(1), buttons.high_variation())
    assert buttons.first(IDS, *wanted) == f"MJ::JOB::variation::1::{JOB}"
    assert buttons.first(IDS, *reversed(wanted)) == f"MJ::JOB::high_variation::1::{JOB}::SOLO"
    assert buttons.first(IDS[:1], *wanted) is None
    assert buttons.first(IDS) is None


def test_any_upscale_of_a_single_image() -> None:
    subtle = f"MJ::JOB::upsample_v7_2x_subtle::1::{JOB}::SOLO"
    assert buttons.first(IDS, buttons.upscale()) == subtle
    assert not buttons.upscale("subtle").fits("MJ::JOB::upsample_v7_2x_subtle")


def test_a_button_of_one_job() -> None:
    shown = [f"MJ::JOB::upsample::1::{JOB}", f"MJ::JOB::upsample::1::{OTHER}"]
    assert buttons.first(shown, buttons.upsample(1), job=OTHER) == shown[1]
    assert buttons.first(shown[:1], buttons.upsample(1), job=OTHER) is None


def test_a_grid_is_what_can_be_upscaled_by_number() -> None:
    assert all(buttons.is_grid(IDS[at : at + 1]) for at in range(4))
    assert not buttons.is_grid([f"MJ::JOB::upsample::0::{JOB}"])
    assert not buttons.is_grid(IDS[4:])
    assert not buttons.is_grid([])
    assert not buttons.is_grid([f"MJ::JOB::upsample::5::{JOB}"])


def test_a_video_is_what_can_be_extended_or_taken_out() -> None:
    videos = [each for each in IDS if buttons.is_video([each])]
    assert videos == [each for each in IDS if "::video_" in each or "_extend::" in each]
    assert buttons.is_video(IDS)
    assert not buttons.is_video([])


def test_two_kinds_of_modal() -> None:
    zoom, region = f"MJ::CustomZoom::{JOB}", f"MJ::Inpaint::1::{JOB}::SOLO"
    assert [each for each in IDS if buttons.is_custom_zoom(each)] == [zoom]
    assert [each for each in IDS if buttons.needs_mask(each)] == [region]


def test_the_cancel_button_names_its_job() -> None:
    assert buttons.cancel_button(JOB) == CANCEL
    assert buttons.cancelled_job(CANCEL) == JOB
    assert buttons.cancelled_job(IDS[0]) is None
    assert buttons.job_of(CANCEL) == JOB
    assert buttons.job_of("MJ::Picread::Retry") is None


def test_what_a_message_shows_in_reading_order() -> None:
    u1 = {"type": 2, "style": 1, "custom_id": "u1", "label": "U1", "emoji": {"name": "🔍"}}
    bare = {"type": 3, "style": 4, "custom_id": "bare", "emoji": {"id": "5"}}
    link = {"type": 2, "style": 5, "url": "https://midjourney.com/"}
    cancel = {"type": 2, "style": 4, "custom_id": CANCEL, "label": "Cancel Job"}
    rows = [
        {"type": 1, "components": [u1, link]},
        {"type": 1, "components": [bare, cancel]},
    ]
    message = msgspec.convert({"id": "1", "components": rows}, wire.Message)
    assert buttons.shown(message) == (
        Button(custom_id="u1", label="U1", emoji="🔍", type=2, style=1),
        Button(custom_id="bare", label="", emoji="", type=3, style=4),
    )


def test_a_meaning_is_supported_unless_said_otherwise() -> None:
    assert Meaning(action=None).supported
