"""The state machine: whatever comes in whatever order, three rules hold."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from athena.tasks import lifecycle
from athena.tasks.bot_events import (
    Acknowledged,
    Evidence,
    Finished,
    MessageContent,
    Notice,
    Progress,
    Rejected,
    Removed,
    Stopped,
    Unknown,
    Verdict,
    Waiting,
)
from athena.tasks.model import ENDS, Action, CorrelationIds, Image, Sending, Status, Task
from athena.tasks.requests import Imagine

NOW = 1_700_000_000_000
RANK = {Status.NOT_START: 0, Status.SUBMITTED: 1, Status.IN_PROGRESS: 2}


def new_task() -> Task:
    return Task(
        id="1",
        account="10",
        request=Imagine(prompt="a cat"),
        action=Action.IMAGINE,
        submitted_at=NOW,
    )


def sent_task() -> Task:
    return lifecycle.mark_sent(lifecycle.begin_sending(new_task(), "77", NOW), NOW)


def progress(percent: int | None, message: str = "500") -> Progress:
    return Progress(
        evidence=Evidence(message=message, job="job-1"),
        shown=MessageContent(content="…"),
        percent=percent,
    )


def finished() -> Finished:
    image = Image(url="https://cdn/x.png", width=2048, height=2048)
    evidence = Evidence(message="600", job="job-1", prompt="a cat --v 7.0")
    return Finished(evidence=evidence, shown=MessageContent(content="done", image=image))


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
    wished = replace(new_task(), relaxed=True)
    sent = lifecycle.begin_sending(wished, "77", NOW)
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
