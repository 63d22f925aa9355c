"""A task becomes an interaction, once, whatever happens to it on the way."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from athena.accounts.dispatcher import Dispatcher
from athena.clock import TurnableClock
from athena.discord import wire
from athena.discord.errors import (
    DiscordError,
    Forbidden,
    HumanCheckRequired,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    ServerFault,
    Unauthorized,
    UnknownObject,
    Unreachable,
    VerificationRequired,
)
from athena.errors import Conflict
from athena.midjourney import MIDJOURNEY, commands
from athena.store.account_directory import AccountStatus
from athena.tasks import lifecycle
from athena.tasks.bot_events import Evidence, Finished, MessageContent
from athena.tasks.model import Action, Button, CorrelationIds, Sending, Speed, Status, Task
from athena.tasks.requests import Extend, Imagine, ModalReply, Press, SwapFace, Upload
from tests.unit.accounts.assembly import Account, move
from tests.unit.discord.settling import settle
from tests.unit.fakes import NoTranslation, make_task

STOPPING: list[DiscordError] = [
    Unauthorized("401"), Forbidden("403"), HumanCheckRequired("captcha"),
    VerificationRequired("40002"),
]  # fmt: skip
PASSING: list[DiscordError] = [RateLimited(9.0), ServerFault("500"), Unreachable("no route")]

MASK = Upload(filename="mask.png", content_type="image/png", data=b"mask")


def named(error: object) -> str:
    return type(error).__name__


@pytest.fixture
async def account(clock: TurnableClock) -> Account:
    return Account(clock)


async def on_its_way(account: Account, task: Task) -> "asyncio.Task[None]":
    """A send that waits at a gate or for the disk."""
    sending = account.supervisor.spawn("send", account.sender.send(task))
    await settle()
    return sending


def modal_for(task: Task, nonce: str | None, custom_id: str = "MJ::Modal") -> wire.ModalCreate:
    text = wire.Component(type=4, custom_id="prompt", value="proposed")
    return wire.ModalCreate(id="900", custom_id=custom_id, components=(text,), nonce=nonce)


def press_task(reply: ModalReply | None, custom_id: str = "MJ::CustomZoom::job") -> Task:
    press = Press(parent="1", message="50", custom_id=custom_id, reply=reply)
    return make_task(
        request=press, action=Action.ZOOM, speed=Speed.FAST, prompt="a cat",
        ids=CorrelationIds(parent_message="50"),
    )  # fmt: skip


async def prepared(account: Account, task: Task) -> Task:
    """A task whose first step was sent."""
    await account.sender.send(account.begin(task))
    task = account.now(task)
    assert task.sending is Sending.PREPARING
    return task


# One step


async def test_a_task_is_sent_under_its_nonce(account: Account, clock: TurnableClock) -> None:
    task = account.begin(make_task())
    await account.sender.send(task)
    after = account.now(task)
    assert (after.sending, after.status) == (Sending.SENT, Status.SUBMITTED)
    assert after.started_at == clock.now()
    [(interaction, nonce)] = account.interactor.acts
    assert nonce == after.ids.nonce
    assert interaction == commands.interaction(task)


async def test_the_nonce_is_on_disk_before_the_interaction_is_made(account: Account) -> None:
    task = account.begin(make_task())
    account.repository.is_held_up = True
    sending = await on_its_way(account, task)
    assert account.now(task).sending is Sending.SENDING
    assert account.interactor.acts == []
    account.repository.release()
    await sending
    assert len(account.interactor.acts) == 1


async def test_images_are_uploaded_before_and_their_links_lead_the_prompt(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def links(task: Task) -> list[str]:
        assert account.now(task).sending is Sending.NOT_SENT
        return ["https://cdn/one.png"]

    monkeypatch.setattr(account.interactor, "image_links", links)
    await account.sender.send(account.begin(make_task(prompt="a cat")))
    [(interaction, _)] = account.interactor.acts
    assert isinstance(interaction, commands.UseCommand)
    assert interaction.options["prompt"] == "https://cdn/one.png a cat"


async def test_files_of_a_command_go_with_it(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []

    async def files(task: Task, interaction: object) -> tuple[str]:
        return ("file",)

    async def act(interaction: object, nonce: str, attachments: object = ()) -> None:
        taken.append(attachments)

    monkeypatch.setattr(account.interactor, "attachments", files)
    monkeypatch.setattr(account.interactor, "act", act)
    await account.sender.send(account.begin(make_task()))
    assert taken == [("file",)]


# What Discord refuses


@pytest.mark.parametrize("error", PASSING, ids=named)
@pytest.mark.parametrize("during", ["errors", "upload_errors"])
async def test_a_passing_trouble_puts_the_task_back(
    account: Account, clock: TurnableClock, error: DiscordError, during: str
) -> None:
    """M10: and its slot is free."""
    getattr(account.interactor, during).append(error)
    task = account.begin(make_task())
    await account.sender.send(task)
    after = account.now(task)
    assert (after.sending, after.tries, after.ids.nonce) == (Sending.NOT_SENT, 1, None)
    assert after.not_before == clock.now() + 5_000
    assert account.queue.running_count == 0
    assert account.queue.place_of(task.id) == "delayed"
    assert account.status.is_online


async def test_a_trouble_that_does_not_pass_ends_the_task_with_discord_s_words(
    account: Account,
) -> None:
    last = replace(make_task(), tries=lifecycle.MAX_TRIES - 1)
    account.interactor.errors += [ServerFault("first"), ServerFault("second")]
    task = account.begin(last)
    await account.sender.send(task)
    assert account.now(task).tries == lifecycle.MAX_TRIES
    assert account.now(task).status is Status.NOT_START
    await account.sender.send(account.now(task))
    after = account.now(task)
    assert after.failure is not None
    assert (after.status, after.failure.reason) == (Status.FAILURE, "second")
    assert account.queue.running_count == 0


@pytest.mark.parametrize("error", [RequestRejected("bad"), UnknownObject("gone")], ids=named)
async def test_a_final_no_ends_the_task(account: Account, error: DiscordError) -> None:
    account.interactor.errors.append(error)
    task = account.begin(make_task())
    await account.sender.send(task)
    after = account.now(task)
    assert after.failure is not None
    assert (after.status, after.failure.reason) == (Status.FAILURE, str(error))


@pytest.mark.parametrize("error", STOPPING, ids=named)
@pytest.mark.parametrize("during", ["errors", "upload_errors"])
async def test_a_refused_account_stops_after_its_task_is_back_in_the_queue(
    account: Account, error: DiscordError, during: str
) -> None:
    """Finding 1: whoever hears of the stop can move the task; no slot is left in use."""
    getattr(account.interactor, during).append(error)
    task = account.begin(replace(make_task(), tries=lifecycle.MAX_TRIES))
    at_the_stop: list[tuple[Sending, int]] = []

    def listen(status: AccountStatus) -> None:
        at_the_stop.append((account.now(task).sending, account.queue.running_count))

    account.directory.subscribe(listen)
    await account.sender.send(task)
    assert at_the_stop == [(Sending.NOT_SENT, 0)]
    assert account.status.is_stopped
    assert account.status.reason == str(error)
    assert account.now(task).status is Status.NOT_START


@pytest.mark.parametrize("error", [Unauthorized("401"), Forbidden("403")], ids=named)
async def test_a_refused_upload_leaves_the_task_to_another_account(
    clock: TurnableClock, error: DiscordError
) -> None:
    """Finding 1."""
    one = Account(clock)
    other = Account(clock, "6", repository=one.repository)
    task = one.begin(make_task(request=Imagine(prompt="cat 1", uploads=1)))
    one.interactor.upload_errors.append(error)

    def relieve(status: AccountStatus) -> None:
        move(task, one, other)

    one.directory.subscribe(relieve)
    await one.sender.send(task)
    clock.turn(5)
    other.queue.wake_delayed(clock.now())
    given = other.queue.next(1)
    assert given is not None
    await other.sender.send(given)
    assert (one.interactor.acts, len(other.interactor.acts)) == ([], 1)
    assert other.now(task).sending is Sending.SENT
    assert one.queue.place_of(task.id) is None
    assert (one.queue.running_count, other.queue.running_count) == (0, 1)


async def test_an_unknown_outcome_is_left_to_the_bot_s_messages(account: Account) -> None:
    account.interactor.errors.append(OutcomeUnknown("no answer"))
    task = account.begin(make_task())
    await account.sender.send(task)
    after = account.now(task)
    assert (after.sending, after.tries) == (Sending.SENDING, 0)
    assert account.queue.place_of(task.id) == "running"


async def test_an_upload_of_unknown_outcome_is_tried_again(account: Account) -> None:
    account.interactor.upload_errors.append(OutcomeUnknown("no answer"))
    task = account.begin(make_task())
    await account.sender.send(task)
    assert (account.now(task).tries, account.queue.place_of(task.id)) == (1, "delayed")


async def test_an_unknown_outcome_of_a_task_that_is_gone_is_nothing(account: Account) -> None:
    account.interactor.upload_errors.append(OutcomeUnknown("no answer"))
    task = account.begin(make_task())
    account.interactor.upload_gate.clear()
    sending = await on_its_way(account, task)
    await account.repository.remove(task)
    account.interactor.upload_gate.set()
    await sending
    assert account.repository.held(task.id) is None


# What happens to the task meanwhile


async def test_a_task_that_is_moved_while_it_uploads_is_sent_by_its_new_account_alone(
    clock: TurnableClock,
) -> None:
    """Finding 2: the former account's send ends without effect, and no slot stays in use."""
    one = Account(clock)
    other = Account(clock, "6", repository=one.repository, core_size=1)
    task = one.begin(make_task(request=Imagine(prompt="cat 1", uploads=1)))
    one.interactor.upload_gate.clear()
    sending = await on_its_way(one, task)
    one.status.stop("Midjourney: [Blocked]")
    move(task, one, other)
    given = other.queue.next(1)
    assert given is not None
    other.interactor.upload_gate.clear()
    second = await on_its_way(other, given)
    one.interactor.upload_gate.set()
    await sending
    assert other.now(task).sending is Sending.NOT_SENT
    other.interactor.upload_gate.set()
    await second
    assert (one.interactor.acts, len(other.interactor.acts)) == ([], 1)
    assert other.now(task).sending is Sending.SENT
    other.tasks.apply(task.id, lambda each: lifecycle.fail(each, "no", 1))
    assert (one.queue.running_count, other.queue.running_count) == (0, 0)
    assert one.queue.place_of(task.id) is other.queue.place_of(task.id) is None


@pytest.mark.parametrize("error", [None, *STOPPING[:2], *PASSING, RequestRejected("no")], ids=named)
async def test_a_refusal_of_a_moved_task_s_upload_does_not_touch_it(
    clock: TurnableClock, error: DiscordError | None
) -> None:
    one = Account(clock)
    other = Account(clock, "6", repository=one.repository)
    task = one.begin(make_task())
    one.interactor.upload_gate.clear()
    sending = await on_its_way(one, task)
    moved = move(task, one, other)
    if error:
        one.interactor.upload_errors.append(error)
    one.interactor.upload_gate.set()
    await sending
    assert other.now(task) is moved


async def test_a_task_that_is_cancelled_while_it_uploads_is_not_sent(account: Account) -> None:
    task = account.begin(make_task())
    account.interactor.upload_gate.clear()
    sending = await on_its_way(account, task)
    cancelled = account.cancel(task)
    account.interactor.upload_gate.set()
    await sending
    assert account.interactor.acts == []
    assert account.now(task) is cancelled


async def test_a_task_that_is_deleted_while_it_uploads_is_not_sent(account: Account) -> None:
    task = account.begin(make_task())
    account.interactor.upload_gate.clear()
    sending = await on_its_way(account, task)
    await account.repository.remove(task)
    account.tasks.follow(task.id, None)
    account.interactor.upload_gate.set()
    await sending
    assert account.interactor.acts == []
    assert account.queue.running_count == 0


async def test_a_task_that_is_cancelled_while_the_disk_is_waited_for_makes_no_job(
    account: Account,
) -> None:
    """The word "sending" is written, so the cancel expects a job; there will be none."""
    task = account.begin(make_task())
    account.repository.is_held_up = True
    sending = await on_its_way(account, task)
    assert account.cancel(task).cancel_job
    assert account.queue.is_orphaned(task.id)
    account.repository.release()
    await sending
    assert account.interactor.acts == []
    assert not account.now(task).cancel_job
    assert not account.queue.is_orphaned(task.id)


async def test_a_refused_interaction_of_a_cancelled_task_leaves_no_job_to_wait_for(
    account: Account,
) -> None:
    task = account.begin(make_task())
    account.interactor.act_gate.clear()
    sending = await on_its_way(account, task)
    account.cancel(task)
    account.interactor.errors.append(RequestRejected("no"))
    account.interactor.act_gate.set()
    await sending
    after = account.now(task)
    assert (after.status, after.cancel_job) == (Status.CANCEL, False)


async def test_a_save_that_lost_supersedes_the_attempt(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process saved the task first: nothing is sent."""
    save = account.repository.save

    def lose(*args: Any, **fields: Any) -> "asyncio.Future[None]":
        save(*args, **fields)
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lost.set_exception(Conflict("lost"))
        return lost

    task = account.begin(make_task())
    monkeypatch.setattr(account.repository, "save", lose)
    await account.sender.send(task)
    assert account.interactor.acts == []


@pytest.mark.parametrize(
    "error",
    [None, *STOPPING[:1], *PASSING, RequestRejected("no"), OutcomeUnknown("no answer")],
    ids=named,
)
async def test_an_outdated_attempt_does_not_touch_the_newer_one(
    account: Account, error: DiscordError | None
) -> None:
    """Its interaction was answered with "come later", the task was put back and sent again, and
    only then does Discord answer the first POST."""
    task = account.begin(make_task())
    account.interactor.act_gate.clear()
    first = await on_its_way(account, task)
    account.tasks.apply(task.id, lambda each: lifecycle.put_back(each, 0, 0))
    again = account.queue.next(1)
    assert again is not None
    account.repository.is_held_up = True
    second = await on_its_way(account, again)
    newer = account.now(task)
    assert (newer.sending, newer.tries) == (Sending.SENDING, 1)
    if error:
        account.interactor.errors.append(error)
    account.interactor.act_gate.set()
    await first
    assert account.now(task) is newer
    assert account.queue.place_of(task.id) == "running"
    account.repository.release()
    await second
    assert account.now(task).sending is Sending.SENT


async def test_a_fault_of_an_outdated_attempt_does_not_touch_the_newer_one(
    account: Account,
) -> None:
    task = account.begin(make_task())
    faults = [KeyError("fault")]

    def fault() -> None:
        if faults:
            raise faults.pop()

    account.interactor.act_gate.clear()
    dispatcher = Dispatcher(
        account.status, account.tasks, account.sender, account.supervisor, account.clock
    )
    first = account.supervisor.spawn("send", dispatcher._send(task))
    await settle()
    account.tasks.apply(task.id, lambda each: lifecycle.put_back(each, 0, 0))
    again = account.queue.next(1)
    assert again is not None
    account.repository.is_held_up = True
    second = await on_its_way(account, again)
    account.interactor.before_act = fault
    account.interactor.act_gate.set()
    await first
    assert not account.now(task).ended
    account.repository.release()
    await second
    assert account.now(task).sending is Sending.SENT


async def test_a_fault_of_a_second_step_ends_its_task(account: Account) -> None:
    task = await prepared(account, press_task(ModalReply()))

    def fault() -> None:
        raise KeyError("fault")

    account.interactor.before_act = fault
    await account.sender.answer(task, modal_for(task, task.ids.nonce))
    after = account.now(task)
    assert after.failure is not None
    assert after.failure.reason == "Athena could not send it: KeyError"


async def test_an_outdated_attempt_sends_nothing(account: Account) -> None:
    task = account.begin(make_task())
    account.interactor.upload_gate.clear()
    first = await on_its_way(account, task)
    account.tasks.apply(task.id, lambda each: lifecycle.begin_sending(each, "77", 1))
    account.interactor.upload_gate.set()
    await first
    assert account.interactor.acts == []
    assert account.now(task).ids.nonce == "77"


# Two steps


async def test_a_modal_is_opened_and_submitted_as_its_user_filled_it_in(account: Account) -> None:
    task = await prepared(account, press_task(ModalReply(prompt="a dog --zoom 2")))
    await account.sender.answer(task, modal_for(task, task.ids.nonce))
    after = account.now(task)
    assert (after.sending, after.status) == (Sending.SENT, Status.SUBMITTED)
    assert account.interactor.inputs == [{"prompt": "a dog --zoom 2 --fast"}]
    first, second = (nonce for _, nonce in account.interactor.acts)
    assert (first, second) == (task.ids.nonce, after.ids.nonce)
    assert first != second


async def test_a_number_as_nonce_is_the_same(account: Account) -> None:
    task = await prepared(account, press_task(ModalReply()))
    modal = replace(modal_for(task, None), nonce=int(task.ids.nonce or 0))
    await account.sender.answer(task, modal)
    assert account.interactor.inputs == [{"prompt": "proposed --fast"}]


async def test_a_modal_of_another_nonce_is_left_alone(account: Account) -> None:
    task = await prepared(account, press_task(ModalReply()))
    await account.sender.answer(task, modal_for(task, "1"))
    assert account.interactor.inputs == []
    assert account.now(task) is task


async def test_a_modal_that_is_told_twice_is_submitted_once(account: Account) -> None:
    task = await prepared(account, press_task(ModalReply()))
    modal = modal_for(task, task.ids.nonce)
    account.repository.is_held_up = True
    both = [account.supervisor.spawn("answer", account.sender.answer(task, modal)) for _ in "12"]
    await settle()
    account.repository.release()
    await asyncio.gather(*both)
    await account.sender.answer(task, modal)
    assert len(account.interactor.inputs) == 1


async def test_a_modal_that_was_told_while_its_first_step_was_written_is_submitted_later(
    account: Account,
) -> None:
    """What is being taken is forgotten when it ends, so a later modal is not held up by it."""
    task = await prepared(account, press_task(ModalReply()))
    account.interactor.errors.append(UnknownObject("stale"))
    await account.sender.answer(task, modal_for(task, task.ids.nonce))
    assert account.now(task).sending is Sending.NOT_SENT
    assert account.sender._going_on == set()


async def test_a_stale_modal_is_opened_again_at_once(
    account: Account, clock: TurnableClock
) -> None:
    task = await prepared(account, press_task(ModalReply()))
    account.interactor.errors.append(UnknownObject("Unknown interaction"))
    await account.sender.answer(task, modal_for(task, task.ids.nonce))
    after = account.now(task)
    assert (after.sending, after.tries, after.not_before) == (Sending.NOT_SENT, 1, clock.now())
    assert account.queue.place_of(task.id) == "waiting"


async def test_a_modal_that_is_always_stale_ends_the_task(account: Account) -> None:
    task = await prepared(account, replace(press_task(ModalReply()), tries=lifecycle.MAX_TRIES))
    account.interactor.errors.append(UnknownObject("Unknown interaction"))
    await account.sender.answer(task, modal_for(task, task.ids.nonce))
    assert account.now(task).status is Status.FAILURE


async def test_an_unknown_button_is_no_stale_modal(account: Account) -> None:
    account.interactor.errors.append(UnknownObject("Unknown message"))
    task = account.begin(press_task(ModalReply()))
    await account.sender.send(task)
    assert account.now(task).status is Status.FAILURE


async def test_an_unexpected_modal_that_is_stale_ends_the_task(account: Account) -> None:
    """Nobody filled it in; it is the account's Remix."""
    task = await prepared(account, press_task(None))
    account.interactor.errors.append(UnknownObject("Unknown interaction"))
    await account.sender.answer(task, modal_for(task, task.ids.nonce))
    assert account.now(task).status is Status.FAILURE


async def test_a_page_is_submitted_with_its_mask_under_the_nonce_of_its_press(
    account: Account,
) -> None:
    reply = ModalReply(prompt="a hat", mask=True)
    task = account.begin(press_task(reply, "MJ::Inpaint::1::job::SOLO"))
    account.repository.uploads_of[task.id] = (MASK,)
    await account.sender.send(task)
    task = account.now(task)
    page = modal_for(task, task.ids.nonce, "MJ::iframe::token")
    await account.sender.answer(task, page)
    after = account.now(task)
    assert account.interactor.regions == [("token", b"mask", "a hat --fast")]
    assert (after.sending, after.ids.nonce) == (Sending.SENT, task.ids.nonce)
    await account.sender.answer(task, page)
    assert len(account.interactor.regions) == 1


async def test_a_page_that_is_told_twice_at_once_is_submitted_once(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes under the nonce of its press, so the nonce does not tell."""
    gate = asyncio.Event()

    async def uploads(task_id: str) -> tuple[Upload, ...]:
        await gate.wait()
        return (MASK,)

    task = await prepared(account, press_task(ModalReply(mask=True), "MJ::Inpaint::1::job::SOLO"))
    monkeypatch.setattr(account.repository, "uploads", uploads)
    page = modal_for(task, task.ids.nonce, "MJ::iframe::token")
    both = [account.supervisor.spawn("answer", account.sender.answer(task, page)) for _ in "12"]
    await settle()
    gate.set()
    await asyncio.gather(*both)
    assert len(account.interactor.regions) == 1


async def test_a_page_without_any_prompt_has_the_speed_alone(account: Account) -> None:
    press = replace(press_task(ModalReply(mask=True), "MJ::Inpaint::1::job::SOLO"), prompt=None)
    task = await prepared(account, press)
    account.repository.uploads_of[task.id] = (MASK,)
    await account.sender.answer(task, modal_for(task, task.ids.nonce, "MJ::iframe::token"))
    [(_, _, prompt)] = account.interactor.regions
    assert prompt.strip() == "--fast"


async def test_the_modal_of_a_button_that_is_sent_in_one_step_is_submitted(
    account: Account,
) -> None:
    """The account has Remix on, so a button that makes a job opens a modal instead."""
    press = press_task(ModalReply(prompt="a dog"), "MJ::JOB::reroll::0::job")
    await account.sender.send(account.begin(press))
    task = account.now(press)
    assert task.sending is Sending.SENT
    await account.sender.answer(task, modal_for(task, task.ids.nonce))
    assert account.interactor.inputs == [{"prompt": "a dog --fast"}]


async def test_a_page_that_nobody_expected_ends_the_task(account: Account) -> None:
    press = press_task(None, "MJ::JOB::reroll::0::job")
    await account.sender.send(account.begin(press))
    task = account.now(press)
    await account.sender.answer(task, modal_for(task, task.ids.nonce, "MJ::iframe::token"))
    assert account.now(press).status is Status.FAILURE


async def test_a_modal_of_a_task_that_goes_while_it_is_submitted_is_nothing(
    account: Account,
) -> None:
    task = await prepared(account, press_task(ModalReply()))
    account.interactor.act_gate.clear()
    modal = modal_for(task, task.ids.nonce)
    answering = account.supervisor.spawn("answer", account.sender.answer(task, modal))
    await settle()
    await account.repository.remove(account.now(task))
    account.interactor.errors.append(UnknownObject("Unknown interaction"))
    account.interactor.act_gate.set()
    await answering
    assert account.repository.held(task.id) is None


async def test_a_page_without_words_of_the_user_takes_the_task_s_prompt(account: Account) -> None:
    task = account.begin(press_task(ModalReply(mask=True), "MJ::Inpaint::1::job::SOLO"))
    account.repository.uploads_of[task.id] = (MASK,)
    await account.sender.send(task)
    task = account.now(task)
    await account.sender.answer(task, modal_for(task, task.ids.nonce, "MJ::iframe::token"))
    assert account.interactor.regions == [("token", b"mask", "a cat --fast")]


@pytest.mark.parametrize("reply", [None, ModalReply(prompt="a hat")])
async def test_a_page_without_a_mask_ends_the_task(
    account: Account, reply: ModalReply | None
) -> None:
    task = await prepared(account, press_task(reply, "MJ::Inpaint::1::job::SOLO"))
    await account.sender.answer(task, modal_for(task, task.ids.nonce, "MJ::iframe::token"))
    after = account.now(task)
    assert after.failure is not None
    assert after.failure.reason == "This button opens an editor, which needs a mask."


async def test_a_modal_of_a_task_that_is_gone_is_left_alone(account: Account) -> None:
    task = await prepared(account, press_task(ModalReply(mask=True)))
    await account.repository.remove(task)
    for custom_id in ("MJ::Modal", "MJ::iframe::token"):
        await account.sender.answer(task, modal_for(task, task.ids.nonce, custom_id))
    assert len(account.interactor.acts) == 1


async def test_a_lost_answer_to_a_first_step_leaves_it_prepared(account: Account) -> None:
    """Preparing makes nothing, so it may be taken again when its deadline passes."""
    account.interactor.errors.append(OutcomeUnknown("no answer"))
    task = await prepared(account, press_task(ModalReply()))
    assert task.tries == 0


async def test_a_saved_face_is_used_once(account: Account) -> None:
    task = await prepared(account, make_task(request=SwapFace(), action=Action.SWAP_FACE))
    saved = Finished(evidence=Evidence(message="70"), shown=MessageContent())
    account.repository.is_held_up = True
    both = [account.supervisor.spawn("go_on", account.sender.go_on(task, saved)) for _ in "12"]
    await settle()
    account.repository.release()
    await asyncio.gather(*both)
    await account.sender.go_on(task, saved)
    await account.sender.go_on(account.now(task), saved)
    names = [each.name for each, _ in account.interactor.acts
             if isinstance(each, commands.UseCommand)]  # fmt: skip
    assert names == ["saveid", "swapid"]
    after = account.now(task)
    assert (after.sending, after.ids.parent_message) == (Sending.SENT, None)


def extend_task() -> Task:
    extend = Extend(parent="1", message="50", custom_id="MJ::select", then="MJ::JOB::animate_high")
    return make_task(request=extend, action=Action.VIDEO)


async def test_a_video_is_extended_by_the_button_of_what_was_chosen(account: Account) -> None:
    task = await prepared(account, extend_task())
    shown = MessageContent(buttons=(Button(custom_id="MJ::JOB::animate_high_extend::1"),), flags=64)
    await account.sender.go_on(task, Finished(evidence=Evidence(message="70"), shown=shown))
    press, nonce = account.interactor.acts[-1]
    assert press == commands.PressButton(
        application=MIDJOURNEY, message="70", custom_id="MJ::JOB::animate_high_extend::1", flags=64
    )
    ids = account.now(task).ids
    assert (ids.parent_message, ids.nonce) == ("70", nonce)


async def test_a_video_that_cannot_be_extended_ends_the_task(account: Account) -> None:
    task = await prepared(account, extend_task())
    seen = Finished(evidence=Evidence(message="70"), shown=MessageContent())
    await account.sender.go_on(task, seen)
    after = account.now(task)
    assert after.failure is not None
    assert after.failure.reason == "Midjourney does not offer to extend this video."


async def test_an_outdated_second_step_uploads_nothing(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await prepared(account, make_task(request=SwapFace(), action=Action.SWAP_FACE))
    account.cancel(task)
    asked: list[str] = []

    async def files(task: Task, interaction: object) -> tuple[()]:
        asked.append(task.id)
        return ()

    monkeypatch.setattr(account.interactor, "attachments", files)
    saved = Finished(evidence=Evidence(message="70"), shown=MessageContent())
    await account.sender.go_on(task, saved)
    assert asked == []


async def test_a_second_step_is_taken_of_a_prepared_task_only(account: Account) -> None:
    task = account.sent(make_task(request=SwapFace(), action=Action.SWAP_FACE))
    seen = Finished(evidence=Evidence(message="70"), shown=MessageContent())
    await account.sender.go_on(task, seen)
    assert account.interactor.acts == []


# Beside tasks


async def test_buttons_and_commands_that_make_no_task(account: Account) -> None:
    await account.sender.press("70", "MJ::CancelJob::ByJobid::1", MIDJOURNEY)
    command = commands.account_command(commands.Question.INFO)
    context: Any = object()
    await account.sender.use(command, context)
    await account.sender.use(command)
    (pressed, first), (used, second), _ = account.interactor.acts
    assert pressed == commands.PressButton(
        application=MIDJOURNEY, message="70", custom_id="MJ::CancelJob::ByJobid::1"
    )
    assert used is command
    assert first != second
    assert account.interactor.contexts == [context, None]


# Translation


class Translation(NoTranslation):
    """Translates everything to the same words, after a moment in which much may happen."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()

    async def english(self, task: Task) -> Task:
        await self.gate.wait()
        assert isinstance(task.request, Imagine)
        return lifecycle.translated(task, replace(task.request, prompt="a cat"), "a cat")


async def test_a_prompt_is_sent_in_english(clock: TurnableClock) -> None:
    account = Account(clock, translation=Translation())
    task = account.begin(make_task(prompt="一只猫"))
    await account.sender.send(task)
    [(interaction, _)] = account.interactor.acts
    assert isinstance(interaction, commands.UseCommand)
    assert interaction.options["prompt"] == "a cat"
    after = account.now(task)
    assert (after.prompt_english, after.sending) == ("a cat", Sending.SENT)


async def test_a_task_that_changed_while_it_was_translated_keeps_its_state(
    clock: TurnableClock,
) -> None:
    translation = Translation()
    translation.gate.clear()
    account = Account(clock, translation=translation)
    task = account.begin(make_task(prompt="一只猫"))
    sending = await on_its_way(account, task)
    cancelled = account.cancel(task)
    translation.gate.set()
    await sending
    assert account.now(task) is cancelled
    assert account.interactor.acts == []
