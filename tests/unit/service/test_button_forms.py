"""Buttons that are pressed by their form: on any message of a job, and on a task's video."""

import pytest

from athena.errors import BadRequest, UnknownButton
from athena.midjourney import buttons
from athena.service import button_actions
from athena.tasks.model import Action, Button, Task
from athena.tasks.requests import Extend, Press
from tests.unit.tasks.making import new_task

JOB = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def shown(*custom_ids: str) -> tuple[Button, ...]:
    return tuple(Button(custom_id=each) for each in custom_ids)


def parent(*custom_ids: str) -> Task:
    return new_task(buttons=shown(*custom_ids))


def test_the_first_form_that_the_job_has_is_pressed() -> None:
    strong = f"MJ::JOB::high_variation::1::{JOB}::SOLO"
    forms = (buttons.variation(1), buttons.high_variation())
    there = shown(strong, f"MJ::JOB::variation::1::{OTHER}")
    assert button_actions.with_form(there, forms, JOB) == strong


def test_a_button_of_another_job_is_not_pressed() -> None:
    there = shown(f"MJ::JOB::upsample::1::{OTHER}")
    with pytest.raises(UnknownButton, match=f"upsample::1::' of job {JOB}"):
        button_actions.with_form(there, (buttons.upsample(1),), JOB)


@pytest.mark.parametrize("motion", ["low", "high"])
def test_a_single_video_is_extended_by_its_own_button(motion: str) -> None:
    custom_id = f"MJ::JOB::animate_{motion}_extend::1::{JOB}"
    action = button_actions.of_video(parent(custom_id), 0, motion)
    assert action.action is Action.VIDEO
    assert isinstance(action.request, Press)
    assert action.request.custom_id == custom_id


def test_one_of_several_videos_is_taken_out_first() -> None:
    ids = [f"MJ::JOB::video_virtual_upscale::{n}::{JOB}" for n in range(1, 5)]
    request = button_actions.of_video(parent(*ids), 2, "high").request
    assert isinstance(request, Extend)
    assert request.custom_id == ids[2]
    assert f"MJ::JOB::animate_high_extend::1::{JOB}".startswith(request.then)


def test_what_is_no_video_cannot_be_extended() -> None:
    image = parent(f"MJ::JOB::animate_low::1::{JOB}::SOLO")
    with pytest.raises(UnknownButton):
        button_actions.of_video(image, 0, "low")
    with pytest.raises(BadRequest, match="low or high"):
        button_actions.of_video(image, 0, "fast")
