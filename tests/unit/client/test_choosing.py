"""Finding buttons by their label or by their action."""

import pytest

from athena.client import NoSuchButton, choosing
from athena.client.server import Button

JOB = "11111111-1111-4111-8111-111111111111"
GRID = [
    *(Button(custom_id=f"MJ::JOB::upsample::{n}::{JOB}", label=f"U{n}") for n in range(1, 5)),
    Button(custom_id=f"MJ::JOB::reroll::0::{JOB}::SOLO", emoji="🔄"),
    *(Button(custom_id=f"MJ::JOB::variation::{n}::{JOB}", label=f"V{n}") for n in range(1, 5)),
]
SINGLE = [
    Button(custom_id=f"MJ::JOB::upsample_v7_2x_subtle::1::{JOB}::SOLO", label="Upscale (Subtle)"),
    Button(custom_id=f"MJ::JOB::low_variation::1::{JOB}::SOLO", label="Vary (Subtle)"),
    Button(custom_id=f"MJ::JOB::pan_left::1::{JOB}::SOLO", emoji="⬅️"),
    Button(custom_id=f"MJ::CustomZoom::{JOB}", label="Custom Zoom"),
]


@pytest.mark.parametrize("name", ["U2", "u2", "v4", "r", "🔄", f"MJ::JOB::upsample::1::{JOB}"])
def test_a_grid_s_buttons_by_name(name: str) -> None:
    assert choosing.named(GRID, name) in GRID


@pytest.mark.parametrize(
    ("name", "label"),
    [("vary (subtle)", "Vary (Subtle)"), ("vary", "Vary (Subtle)"), ("custom", "Custom Zoom")],
)
def test_the_beginning_of_a_name_is_enough(name: str, label: str) -> None:
    assert choosing.named(SINGLE, name).label == label


def test_a_direction_is_a_name() -> None:
    assert choosing.named(SINGLE, "left").emoji == "⬅️"


@pytest.mark.parametrize("name", ["U5", "nothing", "", "U"])
def test_what_is_not_there_or_not_clear(name: str) -> None:
    with pytest.raises(NoSuchButton, match="upscale one of its images first"):
        choosing.named(GRID, name)


def test_buttons_by_what_they_do() -> None:
    assert choosing.find(GRID, choosing.vary(3), "vary 3").label == "V3"
    assert choosing.find(SINGLE, choosing.upscale(None, "subtle"), "").label == "Upscale (Subtle)"
    assert choosing.find(SINGLE, choosing.zoom(1.7), "").label == "Custom Zoom"
    with pytest.raises(NoSuchButton):
        choosing.find(SINGLE, choosing.vary(2), "vary 2")


def test_a_video_is_extended_where_an_image_is_animated() -> None:
    image = Button(custom_id=f"MJ::JOB::animate_low::1::{JOB}::SOLO", label="Animate (Low)")
    video = Button(custom_id=f"MJ::JOB::animate_low_extend::1::{JOB}", label="Extend (Low)")
    assert choosing.find([image], choosing.animate("low"), "") is image
    assert choosing.find([video], choosing.animate("low"), "") is video
    with pytest.raises(NoSuchButton):
        choosing.find([image, video], choosing.animate("high"), "animate high")


def test_a_grid_is_known_by_its_buttons() -> None:
    assert choosing.is_grid(GRID)
    assert not choosing.is_grid(SINGLE)
