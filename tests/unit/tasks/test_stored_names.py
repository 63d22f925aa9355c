"""What tasks are called on disk and by the APIs. A change here needs a migration or an alias."""

from enum import StrEnum

import msgspec
import pytest
from tests.unit.tasks.making import NOW, new_task

from athena.tasks import model
from athena.tasks.model import Button, CorrelationIds, Failure, Image, Task

NAMES: dict[type[StrEnum], str] = {
    model.Bot: "MID_JOURNEY NIJI_JOURNEY INSIGHT_FACE",
    model.Action: "IMAGINE UPSCALE VARIATION REROLL ZOOM PAN DESCRIBE BLEND SHORTEN SWAP_FACE "
    "ACTION SHOW VIDEO EDIT",
    model.Status: "NOT_START SUBMITTED MODAL IN_PROGRESS FAILURE SUCCESS CANCEL",
    model.Sending: "not_sent preparing sending sent",
    model.Speed: "FAST RELAX TURBO",
    model.Api: "mj trigger",
    model.ImageLinks: "origin relay proxy",
}
"""The members of each enumeration in their order."""

STORED = """
{"id": "1", "account": "10", "request": {"type": "imagine", "prompt": "a cat"},
 "action": "IMAGINE", "submitted_at": 1700000000000, "hook": "https://x/", "dialect": "trigger",
 "images": "relay", "images_host": "cdn.x", "patience": 5, "picture": {"url": "https://cdn/x.png"},
 "keys": {"nonce": "77", "progress_message": "500"}, "words_translated": "eine Katze",
 "buttons": [{"custom_id": "b"}], "failure": {"reason": "why"}}
"""


@pytest.mark.parametrize("enumeration", NAMES)
def test_enumerations(enumeration: type[StrEnum]) -> None:
    assert [member.value for member in enumeration] == NAMES[enumeration].split()


def test_a_stored_task() -> None:
    task = msgspec.json.decode(STORED, type=Task)
    assert task == new_task(
        webhook="https://x/",
        api=model.Api.TRIGGER,
        image_links=model.ImageLinks.RELAY,
        image_host="cdn.x",
        idle_timeout=5,
        image=Image(url="https://cdn/x.png"),
        ids=CorrelationIds(nonce="77", progress_message="500"),
        text_translated="eine Katze",
        buttons=(Button(custom_id="b"),),
        failure=Failure(reason="why"),
    )
    stored = msgspec.json.decode(STORED)
    written = msgspec.to_builtins(task)
    assert written["keys"] == stored["keys"]
    assert set(written) == set(stored)


def test_what_a_task_is_before_anything_is_known() -> None:
    """Fields that are left out on disk read as these."""
    task = new_task()
    assert task.submitted_at == NOW
    assert (task.bot, task.status, task.sending) == ("MID_JOURNEY", "NOT_START", "not_sent")
    assert (task.revision, task.idle_timeout, task.tries, task.flags) == (1, 300_000, 0, 0)
    assert (task.description, task.content, task.api) == ("", "", "mj")
    assert (task.relaxed, task.removed, task.ended) == (False, False, False)


def test_what_an_image_a_button_and_a_failure_are_without_more() -> None:
    image, button = Image(url="u"), Button(custom_id="b")
    assert (image.id, image.proxy_url, image.filename, image.size) == ("", "", "", 0)
    assert (button.label, button.emoji, button.type, button.style) == ("", "", 2, 2)
    assert not Failure(reason="why").moderated


def test_three_states_are_ends() -> None:
    assert {"FAILURE", "SUCCESS", "CANCEL"} == model.ENDS
