"""The steps that Athena itself takes with a task: sending, modals, deadlines, the queue, ends."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.unit.tasks.making import NOW, finished, new_task, progress, sent_task

from athena.tasks import lifecycle
from athena.tasks.bot_events import Acknowledged, Evidence
from athena.tasks.model import CorrelationIds, Failure, Image, Sending, Status, Task
from athena.tasks.requests import Imagine, ModalReply, Press

PRESS = Press(parent="0", message="300", custom_id="MJ::Inpaint::1::job::SOLO")


def modal_task() -> Task:
    return lifecycle.open_modal(new_task(request=PRESS, prompt="a cat"), "a cat --zoom 2", NOW)


def ended(task: Task) -> tuple[Status, str, int | None, int | None]:
    reason = task.failure.reason if task.failure else ""
    return task.status, reason, task.finished_at, task.deadline


# Sending


def test_each_step_is_one_revision() -> None:
    task = new_task()
    begun = lifecycle.begin_sending(task, "77", NOW)
    sent = lifecycle.mark_sent(begun, NOW)
    assert (task.revision, begun.revision, sent.revision) == (1, 2, 3)


def test_a_first_step_has_a_short_deadline_and_is_no_sending() -> None:
    task = lifecycle.begin_preparing(new_task(), "77", NOW)
    assert (task.sending, task.ids.nonce) == (Sending.PREPARING, "77")
    assert task.deadline == NOW + 30_000
    taken = lifecycle.mark_sent(task, NOW + 1)
    assert (taken.sending, taken.status) == (Sending.PREPARING, Status.SUBMITTED)
    assert (taken.started_at, taken.deadline) == (NOW + 1, task.deadline)


def test_sending_has_the_task_s_own_deadline() -> None:
    task = lifecycle.begin_sending(new_task(idle_timeout=7_000), "77", NOW)
    assert task.deadline == NOW + 7_000
    sent = lifecycle.mark_sent(task, NOW + 5)
    assert (sent.sending, sent.deadline, sent.started_at) == (Sending.SENT, NOW + 7_000, NOW + 5)


def test_what_was_sent_without_a_deadline_gets_one() -> None:
    task = replace(lifecycle.begin_sending(new_task(), "77", NOW), deadline=None)
    assert lifecycle.mark_sent(task, NOW + 5).deadline == NOW + 5 + task.idle_timeout


def test_it_began_when_it_was_first_sent() -> None:
    again = lifecycle.begin_sending(lifecycle.put_back(sent_task(), NOW), "78", NOW + 50)
    assert lifecycle.mark_sent(again, NOW + 60).started_at == NOW


def test_what_was_not_sent_cannot_be_marked_as_sent() -> None:
    task = new_task()
    assert lifecycle.mark_sent(task, NOW) is task


def test_the_pressed_message_may_become_known_only_at_sending() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW, pressed="300")
    assert (task.ids.parent_message, task.ids.nonce) == ("300", "77")
    known = replace(new_task(), ids=CorrelationIds(parent_message="200"))
    assert lifecycle.begin_sending(known, "77", NOW).ids.parent_message == "200"
    over = lifecycle.cancel(known, NOW)
    assert lifecycle.begin_sending(over, "77", NOW, pressed="300") is over


def test_a_new_nonce_is_a_new_interaction() -> None:
    """A modal's second interaction is known by its own id: the first one's must not stay."""
    opened = lifecycle.begin_preparing(new_task(), "77", NOW)
    opened = lifecycle.advance(opened, Acknowledged(evidence=Evidence(interaction="9")), NOW)
    submitted = lifecycle.begin_sending(opened, "78", NOW)
    assert submitted.ids == CorrelationIds(nonce="78")
    told = lifecycle.advance(submitted, Acknowledged(evidence=Evidence(interaction="10")), NOW)
    assert told.ids.interaction == "10"


def test_the_same_nonce_is_the_same_interaction() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW)
    task = lifecycle.advance(task, Acknowledged(evidence=Evidence(interaction="9")), NOW)
    assert lifecycle.begin_sending(task, "77", NOW).ids.interaction == "9"


# Deadlines


def test_silence_is_told_in_seconds() -> None:
    over = lifecycle.time_out(sent_task(idle_timeout=7_000), NOW + 7_000)
    assert ended(over) == (Status.FAILURE, "No sign of life for 7 seconds.", NOW + 7_000, None)
    assert over.failure is not None
    assert not over.failure.moderated


def test_relaxed_silence_is_six_times_as_long() -> None:
    task = sent_task(idle_timeout=7_000, relaxed=True)
    assert task.deadline == NOW + 42_000
    assert ended(lifecycle.time_out(task, NOW))[1] == "No sign of life for 42 seconds."


def test_sent_tasks_are_not_sent_again() -> None:
    assert lifecycle.time_out(sent_task(), NOW, send_again=True).ended


def test_a_first_step_is_taken_again_a_few_times() -> None:
    task = lifecycle.begin_preparing(new_task(), "77", NOW)
    for number in range(lifecycle.MAX_TRIES):
        back = lifecycle.time_out(task, NOW + 9)
        assert (back.sending, back.tries) == (Sending.NOT_SENT, number + 1)
        assert (back.not_before, back.deadline) == (NOW + 9, None)
        task = lifecycle.begin_preparing(back, "78", NOW)
    assert ended(lifecycle.time_out(task, NOW))[:2] == (Status.FAILURE, lifecycle.UNPREPARED)


def test_a_lost_command_is_sent_again_at_once() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW)
    again = lifecycle.time_out(task, NOW + 9, send_again=True)
    assert (again.not_before, again.deadline, again.ids) == (NOW + 9, None, CorrelationIds())


def test_a_modal_is_open_for_an_hour() -> None:
    task = modal_task()
    assert task.deadline == NOW + 60 * 60 * 1000
    assert ended(lifecycle.time_out(task, NOW))[:2] == (Status.FAILURE, lifecycle.UNCONFIRMED)


def test_reasons_say_something() -> None:
    reasons = (
        lifecycle.UNCERTAIN,
        lifecycle.REMOVED,
        lifecycle.UNPREPARED,
        lifecycle.UNCONFIRMED,
        lifecycle.STOPPED,
    )
    assert all(reason.endswith((".", ").")) for reason in reasons)
    assert len(set(reasons)) == len(reasons)


def test_lengths() -> None:
    """In milliseconds; users and the documentation rely on them."""
    assert lifecycle.RETRY_PAUSE == 30_000
    assert lifecycle.REMOVAL_GRACE == 60_000
    assert lifecycle.PREPARING_TIMEOUT == 30_000
    assert lifecycle.MODAL_TIMEOUT == 3_600_000
    assert (lifecycle.MAX_TRIES, lifecycle.RELAXED_FACTOR) == (3, 6)
    assert new_task().idle_timeout == 300_000


# Back to the queue


def test_what_goes_back_forgets_all_but_the_pressed_message() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW, pressed="300")
    task = replace(lifecycle.advance(task, progress(5), NOW), removed=True)
    back = lifecycle.put_back(task, NOW)
    assert back.ids == CorrelationIds(parent_message="300")
    assert (back.sending, back.deadline, back.removed) == (Sending.NOT_SENT, None, False)
    assert back.not_before == NOW + lifecycle.RETRY_PAUSE


def test_a_task_may_go_back_for_no_fault_of_its_own() -> None:
    back = lifecycle.unsend(sent_task(tries=2), NOW + 5)
    assert (back.sending, back.tries, back.not_before) == (Sending.NOT_SENT, 2, NOW + 5)
    assert back.ids == CorrelationIds()


def test_another_account_may_take_it() -> None:
    task = lifecycle.move(new_task(), "20")
    assert (task.account, task.revision) == ("20", 2)


# Modals


def test_a_modal_waits_for_its_user() -> None:
    task = modal_task()
    assert (task.status, task.final_prompt) == (Status.MODAL, "a cat --zoom 2")
    assert lifecycle.open_modal(new_task(), "", NOW).final_prompt is None


def test_an_open_modal_is_before_everything_that_is_sent() -> None:
    sent = lifecycle.mark_sent(lifecycle.begin_sending(modal_task(), "77", NOW), NOW)
    assert sent.status is Status.SUBMITTED


def test_a_confirmed_modal_may_be_sent() -> None:
    reply = ModalReply(prompt="a dog", mask=True)
    task = lifecycle.confirm(modal_task(), PRESS, reply)
    assert (task.status, task.deadline, task.prompt) == (Status.NOT_START, None, "a dog")
    assert task.request == replace(PRESS, reply=reply)
    assert lifecycle.confirm(modal_task(), PRESS, ModalReply()).prompt == "a cat"


# What is learned beside the way


def test_what_is_learned_changes_one_thing_each() -> None:
    task, image = new_task(), Image(url="https://cdn/new.png")
    request = Imagine(prompt="a cat in English")
    assert lifecycle.with_image(task, image) == replace(task, revision=2, image=image)
    assert lifecycle.with_note(task, "slow") == replace(task, revision=2, note="slow")
    assert lifecycle.with_seed(task, "123") == replace(task, revision=2, seed="123")
    assert lifecycle.translated(task, request, "a cat in English") == replace(
        task, revision=2, request=request, prompt_english="a cat in English"
    )


# Ends


def test_a_failure_has_a_reason_and_no_deadline() -> None:
    over = lifecycle.fail(sent_task(), "why", NOW + 5)
    assert ended(over) == (Status.FAILURE, "why", NOW + 5, None)
    assert over.failure == Failure(reason="why", moderated=False)
    assert lifecycle.fail(sent_task(), "why", NOW, moderated=True).failure == Failure(
        reason="why", moderated=True
    )


def test_a_cancel_has_no_reason_and_no_deadline() -> None:
    assert ended(lifecycle.cancel(sent_task(), NOW + 5)) == (Status.CANCEL, "", NOW + 5, None)


ENDED = (
    lifecycle.fail(sent_task(), "why", NOW),
    lifecycle.cancel(sent_task(), NOW),
    lifecycle.advance(sent_task(), finished(), NOW),
)
STEPS: tuple[Callable[[Task], Task], ...] = (
    lambda task: lifecycle.begin_preparing(task, "79", NOW + 9),
    lambda task: lifecycle.begin_sending(task, "79", NOW + 9),
    lambda task: lifecycle.begin_sending(task, "79", NOW + 9, pressed="300"),
    lambda task: lifecycle.mark_sent(task, NOW + 9),
    lambda task: lifecycle.fail(task, "another", NOW + 9),
    lambda task: lifecycle.cancel(task, NOW + 9),
    lambda task: lifecycle.put_back(task, NOW + 9),
    lambda task: lifecycle.unsend(task, NOW + 9),
    lambda task: lifecycle.time_out(task, NOW + 9),
    lambda task: lifecycle.advance(task, progress(5), NOW + 9),
)


@pytest.mark.parametrize("task", ENDED)
@pytest.mark.parametrize("step", STEPS)
def test_an_end_never_changes(task: Task, step: Callable[[Task], Task]) -> None:
    assert step(task) is task
