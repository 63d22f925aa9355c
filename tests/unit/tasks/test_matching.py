"""Matching: ids first, words last, and never a guess between two."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from athena.tasks.bot_events import Evidence
from athena.tasks.matching import Ambiguous, Expected, Found, Nobody, TaskIndex
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
