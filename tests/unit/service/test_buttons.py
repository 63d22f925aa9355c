"""Pressing buttons and filling in modals: what is refused, and what task comes of it."""

from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from athena.discord.wire import Component, Message
from athena.errors import (
    BadRequest,
    BannedWord,
    Conflict,
    NoAccount,
    NoAnswer,
    NotSupported,
    QueueFull,
    UnknownButton,
    UnknownTask,
    WrongState,
)
from athena.midjourney import buttons
from athena.service.idempotency import IdempotencyKey
from athena.service.options import Accepted, SubmitOptions
from athena.tasks.bot_events import Profile
from athena.tasks.model import AccountFilter, Action, Bot, CorrelationIds, Status, Task
from athena.tasks.requests import Extend, ModalReply, Press
from tests.unit.fakes import make_task, modal
from tests.unit.service.fakes import (
    BOOKMARK,
    CUSTOM_ZOOM,
    JOB,
    REGION,
    REROLL,
    U1,
    V2,
    Services,
    finished,
    running,
    status,
    stopped,
    upload,
)

PARENT = finished(1, "5", U1, V2, REROLL, CUSTOM_ZOOM, BOOKMARK, prompt="cat", flags=64)
REMIX = Profile(remix=True)


@pytest.fixture
async def parent(services: Services) -> Task:
    services.put(status("4"), status("5"))
    await services.store(PARENT)
    return PARENT


async def test_a_press_is_a_task_of_the_account_that_made_the_image(
    services: Services, parent: Task
) -> None:
    options = SubmitOptions(state="s", accounts=AccountFilter(account="4"))
    task = (await services.buttons.press(parent.id, U1, options)).task
    assert task.request == Press(parent=parent.id, message="100", custom_id=U1, flags=64)
    assert (task.account, task.accounts) == ("5", AccountFilter(account="5"))
    assert (task.action, task.prompt, task.state) == (Action.UPSCALE, "cat", "s")
    assert task.ids == CorrelationIds(parent_message="100")
    assert task.description == f"/upscale {parent.id}"
    assert await services.task(task.id) == task


async def test_the_bot_is_the_images_and_not_the_requests(services: Services) -> None:
    services.put(status())
    await services.store(finished(1, bot=Bot.NIJI))
    options = SubmitOptions(bot=Bot.MIDJOURNEY)
    assert (await services.buttons.press(finished(1).id, U1, options)).task.bot is Bot.NIJI


@pytest.mark.parametrize(
    ("custom_id", "error"),
    [
        ("MJ::JOB::upsample::3::" + JOB, UnknownButton),
        (BOOKMARK, NotSupported),
    ],
)
async def test_what_cannot_be_pressed(
    services: Services, parent: Task, custom_id: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await services.buttons.press(parent.id, custom_id)
    assert services.repository.unfinished() == []


async def test_only_finished_tasks_have_buttons(services: Services, parent: Task) -> None:
    await services.store(running(2))
    with pytest.raises(WrongState):
        await services.buttons.press(running(2).id, U1)
    with pytest.raises(UnknownTask):
        await services.buttons.press("404", U1)


async def test_a_press_needs_the_account_of_the_image(services: Services, parent: Task) -> None:
    services.put(stopped("5", "blocked"))
    with pytest.raises(NoAccount, match="blocked"):
        await services.buttons.press(parent.id, U1)
    services.directory.remove("5")
    with pytest.raises(NoAccount, match="is not configured"):
        await services.buttons.press(parent.id, U1)


async def test_the_same_key_presses_once(services: Services, parent: Task) -> None:
    options = SubmitOptions(once=IdempotencyKey("k", "f"))
    first = await services.buttons.press(parent.id, U1, options)
    again = await services.buttons.press(parent.id, U1, options)
    assert (again.task, again.repeated) == (first.task, True)
    assert len(services.repository.unfinished()) == 1


# Modals that open


async def test_a_button_that_opens_a_modal_waits_for_its_user(
    services: Services, parent: Task
) -> None:
    accepted = await services.buttons.press(parent.id, CUSTOM_ZOOM)
    assert (accepted.modal, accepted.remix) == ("cat --zoom 2", False)
    assert accepted.task.status is Status.MODAL


@pytest.mark.parametrize(
    ("remix_on", "auto", "wished", "opens"),
    [
        (True, False, None, True),
        (True, True, None, False),
        (False, False, None, False),
        (True, False, False, False),
        (True, True, True, True),
        (False, False, True, False),
    ],
)
async def test_a_remix_modal_opens_as_account_and_request_say(
    services: Services, remix_on: bool, auto: bool, wished: bool | None, opens: bool
) -> None:
    services.put(status(remix_auto_submit=auto, profile=Profile(remix=remix_on)))
    await services.store(PARENT)
    accepted = await services.buttons.press(PARENT.id, V2, remix=wished)
    assert (accepted.modal == "cat", accepted.remix) == (opens, opens)


@pytest.mark.parametrize(("bot", "opens"), [(Bot.MIDJOURNEY, False), (Bot.NIJI, True)])
async def test_each_bot_has_a_remix_switch_of_its_own(
    services: Services, bot: Bot, opens: bool
) -> None:
    services.put(status(niji_profile=REMIX))
    await services.store(finished(1, bot=bot))
    assert (await services.buttons.press(finished(1).id, V2)).remix is opens


async def test_modals_are_bounded(services: Services) -> None:
    """Finding 31."""
    services.put(status(modal_limit=2))
    await services.store(PARENT)
    for _ in range(2):
        await services.buttons.press(PARENT.id, CUSTOM_ZOOM, SubmitOptions(token="t"))
    with pytest.raises(QueueFull):
        await services.buttons.press(PARENT.id, CUSTOM_ZOOM, SubmitOptions(token="t"))


async def test_where_a_bot_listens_no_modal_opens(services: Services) -> None:
    services.put(status(bot_token=SecretStr("b")))
    await services.store(PARENT)
    with pytest.raises(NotSupported, match="a listening bot"):
        await services.buttons.press(PARENT.id, CUSTOM_ZOOM)
    assert (await services.buttons.press(PARENT.id, U1)).modal is None


# Modals that are filled in


async def opened(services: Services, custom_id: str = CUSTOM_ZOOM) -> Task:
    services.put(status("5"))
    press = Press(parent="1", message="100", custom_id=custom_id)
    task = replace(modal(2, prompt="cat"), request=press)
    await services.store(task)
    return task


async def test_a_confirmed_modal_is_sent(services: Services) -> None:
    task = await opened(services)
    key = IdempotencyKey("k", "f")
    accepted = await services.buttons.confirm(task.id, " dog --zoom 1.5 ", key=key)
    after = await services.task(task.id)
    assert accepted == Accepted(task=after)
    assert (after.status, after.prompt, after.deadline) == (
        Status.NOT_START,
        "dog --zoom 1.5",
        None,
    )
    assert after.request.reply == ModalReply(prompt="dog --zoom 1.5")  # type: ignore[union-attr]
    again = await services.buttons.confirm(task.id, "dog --zoom 1.5", key=key)
    assert (again.task, again.repeated) == (after, True)
    with pytest.raises(WrongState, match="not MODAL"):
        await services.buttons.confirm(task.id, "dog --zoom 1.5")


async def test_an_empty_prompt_leaves_what_the_modal_proposes(services: Services) -> None:
    task = await opened(services)
    after = (await services.buttons.confirm(task.id)).task
    assert after.prompt == "cat"
    assert after.request.reply == ModalReply()  # type: ignore[union-attr]


async def test_a_region_needs_its_mask(services: Services) -> None:
    task = await opened(services, REGION)
    with pytest.raises(BadRequest, match="mask"):
        await services.buttons.confirm(task.id, "dog")
    assert (await services.task(task.id)).status is Status.MODAL
    after = (await services.buttons.confirm(task.id, "dog", upload("mask.png"))).task
    assert after.request.reply == ModalReply(prompt="dog", mask=True)  # type: ignore[union-attr]
    assert await services.repository.uploads(task.id) == (upload("mask.png"),)


@pytest.mark.parametrize(
    ("prompt", "error"), [("dog", BadRequest), ("a bloodbath --zoom 2", BannedWord)]
)
async def test_what_cannot_work_leaves_the_modal_open(
    services: Services, prompt: str, error: type[Exception]
) -> None:
    task = await opened(services)
    with pytest.raises(error):
        await services.buttons.confirm(task.id, prompt)
    assert await services.task(task.id) == task


async def test_a_modal_without_its_account_cannot_be_sent(services: Services) -> None:
    task = await opened(services)
    services.directory.remove("5")
    with pytest.raises(NoAccount):
        await services.buttons.confirm(task.id)


@pytest.mark.parametrize("task", [make_task(1), finished(1), make_task(1, status=Status.MODAL)])
async def test_what_has_no_modal_cannot_be_confirmed(services: Services, task: Task) -> None:
    services.put(status())
    await services.store(task)
    with pytest.raises(WrongState):
        await services.buttons.confirm(task.id)


async def test_of_two_confirmations_at_once_one_is_refused(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await opened(services)
    save = services.repository.save

    def late(before: Task, after: Task, **options: Any) -> Any:
        monkeypatch.setattr(services.repository, "save", save)
        save(before, after, **options)
        return save(before, after, **options)

    monkeypatch.setattr(services.repository, "save", late)
    with pytest.raises(Conflict):
        await services.buttons.confirm(task.id)


# Numbered buttons and videos


async def test_a_grids_buttons_can_be_named_by_number(services: Services, parent: Task) -> None:
    task = (await services.buttons.press_numbered(parent.id, Action.VARIATION, 2)).task
    assert task.request.custom_id == V2  # type: ignore[union-attr]
    assert task.description == f"/up {parent.id} V2"
    again = (await services.buttons.press_numbered(parent.id, Action.REROLL, None)).task
    assert (again.action, again.description) == (Action.IMAGINE, f"/up {parent.id} R")
    with pytest.raises(UnknownButton, match="no button for U3"):
        await services.buttons.press_numbered(parent.id, Action.UPSCALE, 3)


FILM = f"MJ::JOB::video_virtual_upscale::2::{JOB}"
EXTEND = f"MJ::JOB::animate_low_extend::1::{JOB}::SOLO"


async def test_one_video_is_extended_at_once_and_one_of_several_is_taken_out_first(
    services: Services,
) -> None:
    services.put(status())
    await services.store(finished(1, "5", EXTEND), finished(2, "5", FILM, prompt="sea"))
    alone = (await services.buttons.extend(finished(1).id, 0, "low")).task
    assert alone.request == Press(parent=finished(1).id, message="100", custom_id=EXTEND)
    assert (alone.action, alone.description) == (Action.VIDEO, f"/extend {finished(1).id} 0")
    options = SubmitOptions(state="s", once=IdempotencyKey("k", "f"))
    taken = (await services.buttons.extend(finished(2).id, 1, "high", options)).task
    assert taken.request == Extend(
        parent=finished(2).id, message="200", custom_id=FILM, then="MJ::JOB::animate_high_extend::"
    )
    assert (taken.prompt, taken.state) == ("sea", "s")
    assert (await services.buttons.extend(finished(2).id, 1, "high", options)).repeated


@pytest.mark.parametrize(
    ("index", "motion", "error"), [(0, "high", UnknownButton), (1, "fast", BadRequest)]
)
async def test_what_cannot_be_extended(
    services: Services, index: int, motion: str, error: type[Exception]
) -> None:
    services.put(status())
    await services.store(finished(2, "5", FILM))
    with pytest.raises(error):
        await services.buttons.extend(finished(2).id, index, motion)


# Messages


def shown(*custom_ids: str, message_id: str = "50") -> Message:
    parts = tuple(Component(type=2, custom_id=each) for each in custom_ids)
    return Message(id=message_id, flags=64, components=(Component(type=1, components=parts),))


async def test_a_message_of_one_of_our_tasks_is_pressed_as_that_task(
    services: Services, parent: Task
) -> None:
    await services.repository.save(PARENT, tagged := finished(1, trigger="77", revision=2))
    options = SubmitOptions(trigger="77")
    task = (
        await services.buttons.press_message("77", "100", [buttons.upsample(1)], JOB, options)
    ).task
    assert task.request == Press(parent=tagged.id, message="100", custom_id=U1)
    assert services.commands.called == []


@pytest.mark.parametrize(
    "known", [running(2, trigger="77", ids=CorrelationIds(message="50")), None]
)
async def test_a_message_of_no_finished_task_is_looked_for_at_discord(
    services: Services, known: Task | None
) -> None:
    services.put(status("4"), status("5"))
    services.commands.messages["5"] = {"50": shown(V2, U1, REROLL)}
    if known:
        await services.store(known)
    options = SubmitOptions(trigger="77", bot=Bot.NIJI)
    task = (
        await services.buttons.press_message("77", "50", [buttons.upsample(1)], JOB, options)
    ).task
    assert task.request == Press(parent="", message="50", custom_id=U1, flags=64)
    assert (task.account, task.accounts) == ("5", AccountFilter(account="5"))
    assert (task.ids.parent_message, task.description) == ("50", "/upscale 50")
    assert (task.bot, task.prompt) == (Bot.NIJI, None)
    reroll = await services.buttons.press_message("78", "50", [buttons.reroll()], JOB, options)
    assert reroll.task.action is Action.IMAGINE


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (buttons.upsample(2), UnknownButton),
        (buttons.custom_zoom(), NotSupported),
        (buttons.Form("MJ::BOOKMARK::"), NotSupported),
    ],
)
async def test_what_a_message_cannot_do(
    services: Services, form: buttons.Form, error: type[Exception]
) -> None:
    services.put(status())
    services.commands.messages["5"] = {"50": shown(U1, CUSTOM_ZOOM, BOOKMARK)}
    with pytest.raises(error):
        await services.buttons.press_message("77", "50", [form], JOB, SubmitOptions())


async def test_a_discord_that_does_not_answer_is_told_so(services: Services) -> None:
    services.put(status())
    services.commands.errors["message"] = [NoAnswer("429")]
    with pytest.raises(NoAnswer):
        await services.buttons.press_message("77", "50", [buttons.reroll()], JOB, SubmitOptions())
