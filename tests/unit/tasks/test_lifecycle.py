"""The state machine: whatever comes in whatever order, three rules hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.tasks.making import NOW, finished, new_task, progress, sent_task

from athena.tasks import lifecycle
from athena.tasks.bot_events import (
    AccountInfo,
    Acknowledged,
    BotEvent,
    Evidence,
    Finished,
    MessageContent,
    Notice,
    Profile,
    Progress,
    Rejected,
    Removed,
    SeedInfo,
    Stopped,
    Unknown,
    Verdict,
    Waiting,
)
from athena.tasks.model import ENDS, Button, CorrelationIds, Failure, Image, Sending, Status

RANK = {Status.NOT_START: 0, Status.SUBMITTED: 1, Status.IN_PROGRESS: 2}


evidences = st.builds(
    Evidence,
    message=st.sampled_from([None, "500", "600"]),
    interaction=st.sampled_from([None, "9"]),
    job=st.sampled_from([None, "job-1"]),
)
contents = st.builds(MessageContent, content=st.text(max_size=5))
bot_events = st.one_of(
    st.builds(Acknowledged, evidence=evidences),
    st.builds(Rejected, evidence=evidences),
    st.builds(Waiting, evidence=evidences, shown=contents),
    st.builds(
        Progress,
        evidence=evidences,
        shown=contents,
        percent=st.none() | st.integers(min_value=0, max_value=100),
    ),
    st.builds(Finished, evidence=evidences, shown=contents),
    st.builds(Stopped, evidence=evidences, shown=contents),
    st.builds(
        Notice, evidence=evidences, verdict=st.sampled_from(Verdict), title=st.just("A title")
    ),
    st.builds(Removed, evidence=evidences),
    st.builds(Unknown, evidence=evidences),
)


@given(st.lists(bot_events, max_size=30))
def test_ends_stay_status_never_goes_back_progress_never_falls(seen: list[object]) -> None:
    task = sent_task()
    for step, event in enumerate(seen):
        after = lifecycle.advance(task, event, NOW + step)  # type: ignore[arg-type]
        if task.ended:
            assert after is task
        if not after.ended:
            assert RANK[after.status] >= RANK[task.status]
        assert (after.progress or 0) >= (task.progress or 0)
        assert after is task or after.revision > task.revision
        task = after


def test_an_imagine_from_sending_to_success() -> None:
    task = new_task()
    task = lifecycle.begin_sending(task, "77", NOW)
    assert (task.sending, task.ids.nonce, task.status) == (
        Sending.SENDING,
        "77",
        Status.NOT_START,
    )
    task = lifecycle.mark_sent(task, NOW + 1)
    assert (task.status, task.started_at) == (Status.SUBMITTED, NOW + 1)
    task = lifecycle.advance(task, progress(31), NOW + 2)
    assert (task.status, task.progress, task.ids.job) == (Status.IN_PROGRESS, 31, "job-1")
    task = lifecycle.advance(task, finished(), NOW + 3)
    assert (task.status, task.progress, task.finished_at) == (Status.SUCCESS, 100, NOW + 3)
    assert task.ids.message == "600"
    assert task.final_prompt == "a cat --v 7.0"


def test_the_result_may_come_before_the_post_returns() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW)
    task = lifecycle.advance(task, finished(), NOW + 1)
    assert lifecycle.mark_sent(task, NOW + 2) is task
    assert task.status is Status.SUCCESS


def test_a_removed_progress_message_waits_a_grace_for_the_result() -> None:
    task = lifecycle.advance(sent_task(), progress(93), NOW)
    gone = lifecycle.advance(task, Removed(evidence=Evidence(message="500")), NOW)
    assert gone.removed
    assert gone.deadline == NOW + lifecycle.REMOVAL_GRACE
    assert lifecycle.advance(gone, finished(), NOW + 5).status is Status.SUCCESS
    given_up = lifecycle.time_out(gone, NOW + 60_000)
    assert given_up.status is Status.FAILURE
    assert given_up.failure is not None
    assert given_up.failure.moderated


def test_another_message_s_removal_means_nothing() -> None:
    task = lifecycle.advance(sent_task(), progress(93), NOW)
    assert lifecycle.advance(task, Removed(evidence=Evidence(message="1")), NOW) is task


def test_slow_down_puts_the_task_back_a_few_times_then_fails_it() -> None:
    notice = Notice(evidence=Evidence(), verdict=Verdict.RETRY, title="Slow Down!")
    task = sent_task()
    pauses = []
    for _ in range(lifecycle.MAX_TRIES):
        task = lifecycle.advance(task, notice, NOW)
        assert task.sending is Sending.NOT_SENT
        assert task.status is Status.SUBMITTED
        assert task.ids == CorrelationIds()
        pauses.append((task.not_before or 0) - NOW)
        task = lifecycle.mark_sent(lifecycle.begin_sending(task, "78", NOW), NOW)
    assert pauses == [30_000, 60_000, 120_000]
    task = lifecycle.advance(task, notice, NOW)
    assert task.status is Status.FAILURE
    assert task.failure is not None
    assert task.failure.reason == "[Slow Down!]"


def test_a_notice_fails_the_task_with_midjourney_s_words() -> None:
    notice = Notice(
        evidence=Evidence(),
        verdict=Verdict.MODERATED,
        title="Banned prompt detected",
        description="The word is not allowed.",
    )
    task = lifecycle.advance(sent_task(), notice, NOW)
    assert task.status in ENDS
    assert task.failure is not None
    assert task.failure.reason == "[Banned prompt detected] The word is not allowed."
    assert task.failure.moderated


def test_a_lost_answer_is_told_as_such() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW)
    lost = lifecycle.time_out(task, NOW + 300_000)
    assert lost.failure is not None
    assert lost.failure.reason == lifecycle.UNCERTAIN


def test_what_is_only_seen_again_is_no_sign_of_life() -> None:
    task = lifecycle.advance(sent_task(), progress(31), NOW)
    assert task.deadline == NOW + task.idle_timeout
    assert lifecycle.advance(task, progress(31), NOW + 5) is task
    assert lifecycle.advance(task, progress(46), NOW + 9).deadline == NOW + 9 + task.idle_timeout


def test_a_task_cancelled_before_it_is_sent_stays_as_it_ended() -> None:
    task = lifecycle.cancel(new_task(), NOW)
    assert lifecycle.begin_sending(task, "77", NOW) is task


def test_relaxed_jobs_may_be_silent_for_longer() -> None:
    relaxed = replace(new_task(), relaxed=True)
    sent = lifecycle.begin_sending(relaxed, "77", NOW)
    longer = lifecycle.RELAXED_FACTOR * sent.idle_timeout
    assert sent.deadline == NOW + longer
    told = replace(progress(0), shown=MessageContent(mode="relaxed, stealth"))
    assert lifecycle.advance(sent_task(), told, NOW).deadline == NOW + longer


def test_an_operator_may_rather_have_it_twice_than_not_at_all() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW)
    for number in range(lifecycle.MAX_TRIES):
        again = lifecycle.time_out(task, NOW, send_again=True)
        assert (again.sending, again.tries) == (Sending.NOT_SENT, number + 1)
        task = lifecycle.begin_sending(again, "78", NOW)
    assert lifecycle.time_out(task, NOW, send_again=True).ended


def notice(
    message: str | None,
    verdict: Verdict = Verdict.NOTICE,
    interaction: str | None = None,
    job: str | None = None,
) -> Notice:
    evidence = Evidence(message=message, interaction=interaction, job=job)
    return Notice(evidence=evidence, verdict=verdict, title="Job queued")


def test_a_notice_renews_the_deadline_once() -> None:
    task = sent_task()
    queued = lifecycle.advance(task, notice("500", interaction="9"), NOW + 1_000)
    assert queued.deadline == NOW + 1_000 + task.idle_timeout
    assert queued.revision == task.revision + 1
    assert (queued.ids.interaction, queued.ids.message) == ("9", None)
    assert queued.ids.notice_message == "500"
    assert lifecycle.advance(queued, notice("500", interaction="9"), NOW + 2_000) is queued


def test_notices_that_are_read_again_are_no_sign_of_life() -> None:
    earlier, later = notice("999"), notice("1000")
    task = lifecycle.advance(sent_task(), earlier, NOW + 1_000)
    task = lifecycle.advance(task, later, NOW + 2_000)
    assert task.deadline == NOW + 2_000 + task.idle_timeout
    for read in (earlier, later, progress(31), earlier, later):
        after = lifecycle.advance(task, read, NOW + 3_000)
        assert after is task or read.evidence.job
        task = after
    assert task.deadline == NOW + 3_000 + task.idle_timeout
    assert lifecycle.advance(task, notice(None), NOW + 4_000) is task


def test_a_notice_keeps_the_ids_that_it_tells() -> None:
    task = lifecycle.advance(sent_task(), notice(None, job="job-1"), NOW + 1_000)
    assert task.ids.job == "job-1"
    assert task.deadline == NOW + 1_000 + task.idle_timeout


# Ids


def test_the_first_interaction_and_job_stay_the_message_follows() -> None:
    task = lifecycle.advance(
        sent_task(), Acknowledged(evidence=Evidence(interaction="9", message="400")), NOW
    )
    assert (task.ids.interaction, task.ids.message) == ("9", None)
    told = Evidence(interaction="10", message="500", job="job-1")
    task = lifecycle.advance(task, Waiting(evidence=told, shown=MessageContent()), NOW)
    assert (task.ids.interaction, task.ids.job) == ("9", "job-1")
    assert (task.ids.message, task.ids.progress_message) == ("500", "500")
    other = Evidence(message="501", job="job-2")
    task = lifecycle.advance(task, Progress(evidence=other, shown=MessageContent()), NOW)
    assert (task.ids.job, task.ids.message, task.ids.progress_message) == ("job-1", "501", "501")
    task = lifecycle.advance(task, progress(3, message=None), NOW)
    assert (task.ids.message, task.ids.progress_message) == ("501", None)


def test_an_acknowledgement_changes_nothing_twice() -> None:
    told = Acknowledged(evidence=Evidence(interaction="9"))
    task = lifecycle.advance(sent_task(), told, NOW)
    assert task.revision == sent_task().revision + 1
    assert lifecycle.advance(task, told, NOW) is task


# Progress


def test_waiting_is_submitted_not_in_progress() -> None:
    task = lifecycle.begin_sending(new_task(), "77", NOW)
    told = Waiting(evidence=Evidence(message="500"), shown=MessageContent(content="(Waiting)"))
    task = lifecycle.advance(task, told, NOW + 3)
    assert (task.status, task.sending, task.progress) == (Status.SUBMITTED, Sending.SENT, 0)
    assert (task.started_at, task.content) == (NOW + 3, "(Waiting)")


def test_progress_without_a_number_keeps_the_number() -> None:
    task = lifecycle.advance(sent_task(), progress(31), NOW)
    assert lifecycle.advance(task, progress(None), NOW).progress == 31
    assert lifecycle.advance(task, progress(12), NOW).progress == 31
    assert lifecycle.advance(sent_task(), progress(None), NOW).progress == 0


def test_waiting_again_is_no_way_back() -> None:
    task = lifecycle.advance(sent_task(), progress(31), NOW)
    told = Waiting(evidence=Evidence(message="500", job="job-1"), shown=MessageContent())
    after = lifecycle.advance(task, told, NOW + 5)
    assert (after.status, after.progress) == (Status.IN_PROGRESS, 31)
    assert after.deadline == task.deadline


def test_what_only_looks_different_is_kept_but_is_no_sign_of_life() -> None:
    task = lifecycle.advance(sent_task(), progress(31), NOW)
    other = lifecycle.advance(task, progress(31, content="paused"), NOW + 5)
    assert (other.content, other.deadline) == ("paused", task.deadline)
    assert other.revision == task.revision + 1


def test_it_began_when_it_was_sent() -> None:
    assert lifecycle.advance(sent_task(), progress(1), NOW + 5).started_at == NOW
    assert lifecycle.advance(sent_task(), finished(), NOW + 5).started_at == NOW
    unsure = lifecycle.begin_sending(new_task(), "77", NOW)
    assert lifecycle.advance(unsure, progress(1), NOW + 5).started_at == NOW + 5
    assert lifecycle.advance(unsure, finished(), NOW + 5).started_at == NOW + 5


def test_image_and_mode_stay_until_there_are_new_ones() -> None:
    one, two = Image(url="https://cdn/1.png"), Image(url="https://cdn/2.png")
    task = lifecycle.advance(sent_task(), progress(1, image=one, mode="relaxed", flags=64), NOW)
    assert (task.image, task.mode, task.relaxed, task.flags) == (one, "relaxed", True, 64)
    task = lifecycle.advance(task, progress(2), NOW)
    assert (task.image, task.mode, task.relaxed, task.flags) == (one, "relaxed", True, 0)
    task = lifecycle.advance(task, progress(3, image=two, mode="fast"), NOW)
    assert (task.image, task.mode, task.relaxed) == (two, "fast", True)
    assert not lifecycle.advance(sent_task(), progress(2), NOW).relaxed


# Ends


def test_all_that_a_result_tells() -> None:
    button = Button(custom_id="MJ::JOB::upsample::1::job-1", label="U1")
    shown = MessageContent(content="done", flags=64, mode="fast", buttons=(button,))
    evidence = Evidence(message="600", job="job-2", prompt="as the bot wrote it")
    event = finished(evidence=evidence, shown=shown, text="1️⃣ a", translated="eins")
    task = replace(lifecycle.begin_sending(new_task(), "77", NOW), removed=True)
    task = lifecycle.advance(replace(task, ids=CorrelationIds(job="job-1")), event, NOW + 5)
    assert (task.sending, task.deadline, task.removed) == (Sending.SENT, None, False)
    assert (task.finished_at, task.progress, task.buttons) == (NOW + 5, 100, (button,))
    assert (task.final_prompt, task.text_translated) == ("1️⃣ a", "eins")
    assert (task.ids.job, task.ids.message) == ("job-2", "600")
    assert (task.content, task.flags, task.mode) == ("done", 64, "fast")


def test_what_a_result_does_not_tell_stays() -> None:
    task = replace(sent_task(), final_prompt="a cat", text_translated="eine Katze")
    task = replace(task, ids=replace(task.ids, job="job-1", message="500"))
    event = finished(evidence=Evidence(), shown=MessageContent())
    task = lifecycle.advance(task, event, NOW)
    assert (task.final_prompt, task.text_translated) == ("a cat", "eine Katze")
    assert (task.ids.job, task.ids.message) == ("job-1", "500")
    empty = lifecycle.advance(replace(sent_task(), text_translated="x"), finished(), NOW)
    assert empty.text_translated == "x"


def test_a_result_after_a_removal_is_a_result() -> None:
    task = lifecycle.advance(sent_task(), progress(93), NOW)
    gone = lifecycle.advance(task, Removed(evidence=Evidence(message="500")), NOW)
    back = lifecycle.advance(gone, progress(93, message="500"), NOW + 5)
    assert not back.removed
    assert back.deadline == NOW + 5 + task.idle_timeout


def test_a_removal_is_told_once() -> None:
    task = lifecycle.advance(sent_task(), progress(93), NOW)
    told = Removed(evidence=Evidence(message="500"))
    gone = lifecycle.advance(task, told, NOW)
    assert lifecycle.advance(gone, told, NOW + 5) is gone


def test_a_removal_of_no_message_means_nothing() -> None:
    task = sent_task()
    assert lifecycle.advance(task, Removed(evidence=Evidence()), NOW) is task


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Rejected(evidence=Evidence()), "The bot did not answer the interaction."),
        (Stopped(evidence=Evidence(), shown=MessageContent()), lifecycle.STOPPED),
        (notice("1", Verdict.FAILED), "[Job queued]"),
    ],
)
def test_what_ends_a_task_is_told_and_is_no_moderation(event: BotEvent, reason: str) -> None:
    task = lifecycle.advance(sent_task(), event, NOW + 5)
    assert (task.status, task.finished_at, task.deadline) == (Status.FAILURE, NOW + 5, None)
    assert task.failure == Failure(reason=reason, moderated=False)


def test_a_moderated_task_keeps_the_buttons_of_its_notice() -> None:
    button = Button(custom_id="appeal")
    shown = MessageContent(buttons=(button,))
    event = Notice(evidence=Evidence(), verdict=Verdict.MODERATED, title="No", shown=shown)
    assert lifecycle.advance(sent_task(), event, NOW).buttons == (button,)


@pytest.mark.parametrize("verdict", [Verdict.ACCOUNT_DOWN, Verdict.HUMAN_CHECK])
def test_an_account_that_cannot_work_is_no_fault_of_the_task(verdict: Verdict) -> None:
    task = lifecycle.advance(sent_task(), notice("1", verdict), NOW + 5)
    assert (task.sending, task.tries, task.not_before) == (Sending.NOT_SENT, 0, NOW + 5)
    assert not task.ended


@pytest.mark.parametrize(
    "event",
    [
        Unknown(evidence=Evidence(job="job-1")),
        SeedInfo(evidence=Evidence(job="job-1"), job="job-1", seed="5"),
        AccountInfo(evidence=Evidence(job="job-1"), profile=Profile()),
    ],
)
def test_what_is_not_about_the_job_changes_nothing(event: BotEvent) -> None:
    task = sent_task()
    assert lifecycle.advance(task, event, NOW) is task
