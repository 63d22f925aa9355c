"""Matching: ids first, words last, and never a guess between two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from athena.tasks import matching
from athena.tasks.bot_events import Evidence
from athena.tasks.matching import SKEW, Ambiguous, Expected, Found, Nobody, TaskIndex
from athena.tasks.model import Action, Bot, CorrelationIds, Sending, Task
from athena.tasks.requests import Imagine, Press

NONCE = 1 << 60
LATER = str(NONCE + (1 << 40))

IMAGINE = Expected(actions=frozenset({Action.IMAGINE}), normalized="a cat")


def imagine(task_id: str, **keys: str | None) -> Task:
    return Task(
        id=task_id,
        account="10",
        request=Imagine(prompt="a cat"),
        action=Action.IMAGINE,
        submitted_at=1,
        sending=Sending.SENT,
        ids=CorrelationIds(nonce=str(NONCE + int(task_id)), **keys),
    )


def press(task_id: str, index: int, **keys: str | None) -> tuple[Task, Expected]:
    task = replace(
        imagine(task_id, parent_message="300", **keys),
        action=Action.UPSCALE,
        request=Press(parent="0", message="300", custom_id="x"),
    )
    return task, Expected(actions=frozenset({Action.UPSCALE}), index=index)


def test_each_id_leads_to_its_task() -> None:
    index = TaskIndex(str)
    index.put(imagine("1", interaction="i1", message="m1", job="j1"), IMAGINE)
    index.put(imagine("2", interaction="i2", message="m2", job="j2"), IMAGINE)
    for key in (
        Evidence(nonce=str(NONCE + 2)),
        Evidence(interaction="i2"),
        Evidence(message="m2"),
        Evidence(job="j2"),
    ):
        assert index.find(key) == Found("2")


def test_equal_prompts_without_ids_are_nobody_s() -> None:
    index = TaskIndex(str)
    index.put(imagine("1"), IMAGINE)
    seen = Evidence(message=LATER, action=Action.IMAGINE, prompt="a cat", bot=Bot.MIDJOURNEY)
    assert index.find(seen) == Found("1")
    index.put(imagine("2"), IMAGINE)
    assert isinstance(index.find(seen), Ambiguous)


def test_text_finds_only_tasks_that_wait_for_their_first_message() -> None:
    index = TaskIndex(str)
    index.put(imagine("1", job="j1"), IMAGINE)
    index.put(imagine("2"), IMAGINE)
    assert index.find(Evidence(message=LATER, prompt="a cat")) == Found("2")


def test_what_was_said_before_the_task_was_sent_is_not_its() -> None:
    index = TaskIndex(str)
    index.put(imagine("1"), IMAGINE)
    assert index.find(Evidence(message="12345", prompt="a cat")) == Nobody()


def test_another_s_nonce_or_user_is_never_ours() -> None:
    index = TaskIndex(str)
    index.put(imagine("1"), IMAGINE)
    assert index.find(Evidence(message=LATER, nonce="5", prompt="a cat")) == Nobody()
    assert index.find(Evidence(message=LATER, own=False, prompt="a cat")) == Nobody()


def test_replies_are_told_apart_by_their_number() -> None:
    index = TaskIndex(str)
    index.put(*press("1", 1))
    index.put(*press("2", 2))
    seen = Evidence(message=LATER, parent_message="300", action=Action.UPSCALE, index=2)
    assert index.find(seen) == Found("2")


def test_a_reply_with_another_interaction_is_somebody_else_s() -> None:
    index = TaskIndex(str)
    index.put(*press("1", 1, interaction="mine"))
    seen = Evidence(message=LATER, parent_message="300", interaction="other", index=1)
    assert index.find(seen) == Nobody()


def test_an_ended_task_s_ids_belong_to_nobody_after_it() -> None:
    index = TaskIndex(str)
    done = imagine("1", interaction="i1", message="m1", job="j1")
    index.put(done, IMAGINE)
    index.settle(done)
    index.put(imagine("2"), IMAGINE)
    assert index.find(Evidence(message=LATER, job="j1", prompt="a cat")) == Nobody()


def test_a_reply_to_a_task_s_own_message_is_about_that_task() -> None:
    index = TaskIndex(str)
    index.put(imagine("1", message="m1", job="j1"), IMAGINE)
    assert index.find(Evidence(message=LATER, parent_message="m1")) == Found("1")
    another = Evidence(message=LATER, parent_message="m1", interaction="a cancel's")
    assert index.find(another) == Nobody()


def test_of_two_presses_of_one_message_the_words_decide() -> None:
    index = TaskIndex(str)
    for task, normalized in ((press("1", 1)[0], "a cat"), (press("2", 1)[0], "a dog")):
        index.put(task, Expected(actions=frozenset({Action.UPSCALE}), normalized=normalized))
    seen = Evidence(message=LATER, parent_message="300", prompt="a dog")
    assert index.find(seen) == Found("2")


ids = st.sampled_from([None, "a", "b", "c", "d"])
keys = st.builds(CorrelationIds, interaction=ids, message=ids, job=ids, parent_message=ids)


@given(st.lists(keys, max_size=6), st.data())
def test_what_is_found_never_contradicts_and_dropping_leaves_nothing(
    known: list[CorrelationIds], data: st.DataObject
) -> None:
    index = TaskIndex(str)
    tasks = [
        replace(imagine(str(n)), ids=replace(each, nonce=str(NONCE + n)))
        for n, each in enumerate(known)
    ]
    for task in tasks:
        index.put(task, IMAGINE)
    seen = data.draw(
        st.builds(
            Evidence,
            message=st.just(LATER),
            interaction=ids,
            job=ids,
            parent_message=ids,
            prompt=st.sampled_from([None, "a cat"]),
        )
    )
    match = index.find(seen)
    if isinstance(match, Found):
        found = tasks[int(match.task_id)].ids
        shared = {found.interaction, found.job} & ({seen.interaction, seen.job} - {None})
        replied = seen.parent_message in (found.parent_message, found.message)
        fits = replied or seen.prompt
        assert shared or fits
    for task in tasks:
        index.drop(task.id)
    assert index.find(seen) == Nobody()
    tables = {name: it for name, it in vars(index).items() if isinstance(it, dict)}
    assert len(tables) == 12
    assert all(not table for name, table in tables.items() if name != "_settled")


# What is said too early


@pytest.mark.parametrize(("lag", "found"), [(0, True), (SKEW, True), (SKEW + 1, False)])
@pytest.mark.parametrize("key", ["message", "interaction"])
def test_ids_may_be_ten_seconds_older_than_the_nonce(key: str, lag: int, found: bool) -> None:
    index = TaskIndex(str)
    index.put(imagine("1"), IMAGINE)
    evidence = {"message": LATER, key: str(NONCE + 1 - lag)}
    expected = Found("1") if found else Nobody()
    assert index.find(Evidence(prompt="a cat", **evidence)) == expected  # type: ignore[arg-type]


def test_the_late_job_of_a_task_that_was_given_up_is_not_its_twin_s() -> None:
    """Its message is new, only its interaction shows that it was requested before."""
    index = TaskIndex(str)
    index.put(imagine("5"), IMAGINE)
    old = str(NONCE - (1 << 40))
    assert index.find(Evidence(message=LATER, interaction=old, prompt="a cat")) == Nobody()
    assert index.find(Evidence(message=LATER, interaction=LATER, prompt="a cat")) == Found("5")


def test_an_id_that_is_no_number_has_no_hour() -> None:
    index = TaskIndex(str)
    index.put(imagine("1"), IMAGINE)
    assert index.find(Evidence(message="m", prompt="a cat")) == Found("1")
    assert index.find(Evidence(prompt="a cat")) == Found("1")


# What else leads to a task


SHARED = [
    ("trigger", Expected(actions=frozenset({Action.IMAGINE}), trigger="1234567890")),
    ("file", Expected(actions=frozenset({Action.DESCRIBE}), file="cat.png")),
    ("prompt", IMAGINE),
    ("action", Expected(actions=frozenset({Action.SWAP_FACE}), kind=Action.SWAP_FACE)),
]
TOLD = {"trigger": "1234567890", "file": "cat.png", "prompt": "a cat", "action": Action.SWAP_FACE}


@pytest.mark.parametrize(("key", "expected"), SHARED)
def test_what_several_may_share_leads_to_the_only_one(key: str, expected: Expected) -> None:
    seen = Evidence(message=LATER, **{key: TOLD[key]})  # type: ignore[arg-type]
    index = TaskIndex(str)
    assert index.find(seen) == Nobody()
    index.put(imagine("1"), expected)
    assert index.find(seen) == Found("1")
    index.put(imagine("2"), expected)
    assert index.find(seen) == Ambiguous(("1", "2"))
    index.drop("1")
    assert index.find(seen) == Found("2")


def test_a_mark_outranks_a_file_a_file_outranks_words() -> None:
    index = TaskIndex(str)
    for number, (_, expected) in enumerate(SHARED, 1):
        index.put(imagine(str(number)), replace(expected, actions=frozenset(Action)))
    seen = Evidence(message=LATER, **TOLD)  # type: ignore[arg-type]
    assert index.find(seen) == Found("1")
    assert index.find(replace(seen, trigger=None)) == Found("2")
    assert index.find(replace(seen, trigger=None, file=None)) == Found("3")
    assert index.find(replace(seen, trigger=None, file="another")) == Found("3")
    assert index.find(replace(seen, trigger=None, file=None, prompt=None)) == Found("4")


def test_what_leads_nowhere_is_nobody_s() -> None:
    index = TaskIndex(str)
    assert index.find(Evidence()) == Nobody()
    index.put(imagine("1"), IMAGINE)
    assert index.find(Evidence(message=LATER)) == Nobody()
    assert index.find(Evidence(message=LATER, action=Action.IMAGINE)) == Nobody()


def test_words_are_compared_as_the_bot_leaves_them() -> None:
    index = TaskIndex(str.lower)
    index.put(imagine("1"), IMAGINE)
    assert index.find(Evidence(message=LATER, prompt="A CAT")) == Found("1")


def test_of_two_the_words_decide_only_where_they_are_known() -> None:
    unknown = Expected(actions=frozenset({Action.UPSCALE}))
    index = TaskIndex(str)
    index.put(press("1", 1)[0], unknown)
    seen = Evidence(message=LATER, parent_message="300", prompt="a dog")
    index.put(press("2", 1)[0], replace(unknown, normalized="a cat"))
    assert index.find(seen) == Found("1")
    index.put(press("3", 1)[0], replace(unknown, normalized="a dog"))
    assert index.find(seen) == Ambiguous(("1", "3"))
    assert index.find(replace(seen, prompt=None)) == Ambiguous(("1", "2", "3"))
    index = TaskIndex(str)
    index.put(press("2", 1)[0], replace(unknown, normalized="a cat"))
    assert index.find(seen) == Found("2")


# What cannot be a task's


@pytest.mark.parametrize(
    "known",
    [
        replace(imagine("1"), sending=Sending.PREPARING),
        imagine("1", progress_message="m1"),
        imagine("1", job="j1"),
        replace(imagine("1"), ids=CorrelationIds()),
        replace(imagine("1"), bot=Bot.NIJI),
        imagine("1", interaction="i1"),
    ],
)
def test_words_do_not_lead_to_what_they_cannot_be_about(known: Task) -> None:
    index = TaskIndex(str)
    index.put(known, IMAGINE)
    seen = Evidence(message=LATER, prompt="a cat", bot=Bot.MIDJOURNEY, interaction="i2")
    assert index.find(seen) == Nobody()


def test_another_kind_of_job_is_not_it() -> None:
    index = TaskIndex(str)
    index.put(imagine("1"), IMAGINE)
    seen = Evidence(message=LATER, prompt="a cat", action=Action.VARIATION)
    assert index.find(seen) == Nobody()


def test_a_reply_to_a_running_task_s_message_may_contradict_it() -> None:
    index = TaskIndex(str)
    index.put(imagine("1", message="m1", job="j1"), IMAGINE)
    reply = Evidence(message=LATER, parent_message="m1")
    assert index.find(replace(reply, job="j1", bot=Bot.MIDJOURNEY)) == Found("1")
    assert index.find(replace(reply, job="j2")) == Nobody()
    assert index.find(replace(reply, bot=Bot.NIJI)) == Nobody()


def test_a_press_is_found_by_its_message_alone() -> None:
    """Its prompt is its parent's, which others may share."""
    index = TaskIndex(str)
    task, expected = press("1", 1)
    index.put(task, replace(expected, normalized="a cat"))
    assert index.find(Evidence(message=LATER, prompt="a cat")) == Nobody()


# What the index keeps


def test_an_update_moves_the_keys() -> None:
    index = TaskIndex(str)
    task = imagine("1", message="m1")
    index.put(task, IMAGINE)
    index.update(replace(task, ids=replace(task.ids, message="m2", job="j2")))
    assert index.find(Evidence(message="m1")) == Nobody()
    assert index.find(Evidence(message="m2")) == Found("1")
    assert index.find(Evidence(job="j2")) == Found("1")


def test_an_update_without_new_ids_counts_too() -> None:
    index = TaskIndex(str)
    task = replace(imagine("1"), sending=Sending.PREPARING)
    index.put(task, IMAGINE)
    seen = Evidence(message=LATER, prompt="a cat")
    assert index.find(seen) == Nobody()
    index.update(replace(task, sending=Sending.SENT))
    assert index.find(seen) == Found("1")


def test_an_update_without_new_ids_keeps_the_order() -> None:
    """Ambiguous tasks are reported in the order of their submission, so equal runs are equal."""
    index = TaskIndex(str)
    for number in ("1", "2"):
        index.put(imagine(number), IMAGINE)
    index.update(replace(imagine("1"), revision=9))
    assert index.find(Evidence(message=LATER, prompt="a cat")) == Ambiguous(("1", "2"))


def test_only_what_was_sent_is_found_by_words() -> None:
    index = TaskIndex(str)
    index.put(replace(imagine("1"), ids=CorrelationIds()), IMAGINE)
    index.update(imagine("1"))
    seen = Evidence(message=LATER, prompt="a cat")
    assert index.find(seen) == Found("1")
    index.update(replace(imagine("1"), ids=CorrelationIds()))
    assert index.find(seen) == Nobody()


def test_an_id_that_another_took_over_is_not_dropped_with_the_first() -> None:
    index = TaskIndex(str)
    index.put(imagine("1", message="m"), IMAGINE)
    index.put(imagine("2", message="m"), IMAGINE)
    index.drop("1")
    assert index.find(Evidence(message="m")) == Found("2")
    assert "1" not in index
    assert "2" in index


def test_ended_tasks_ids_are_kept_for_a_while_the_oldest_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching, "_REMEMBERED", 2)
    index = TaskIndex(str)
    for number in ("1", "2", "3"):
        index.settle(imagine(number, job=f"j{number}"))
    index.put(imagine("4"), IMAGINE)
    found = [
        index.find(Evidence(message=LATER, job=f"j{number}", prompt="a cat"))
        for number in (1, 2, 3)
    ]
    assert found == [Found("4"), Nobody(), Nobody()]


@pytest.mark.parametrize("key", ["interaction", "message", "job"])
def test_each_id_of_an_ended_task_is_kept(key: str) -> None:
    index = TaskIndex(str)
    index.settle(imagine("1", **{key: LATER}))
    index.put(imagine("2"), IMAGINE)
    seen = Evidence(prompt="a cat", **{key: LATER})  # type: ignore[arg-type]
    assert index.find(seen) == Nobody()
    assert index.find(Evidence(prompt="a cat")) == Found("2")


def test_enough_ended_tasks_are_remembered() -> None:
    assert matching._REMEMBERED >= 50_000
