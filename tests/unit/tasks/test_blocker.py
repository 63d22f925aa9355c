"""Which task has to wait for which: those whose first words could be confused."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.tasks.making import new_task

from athena.tasks.matching import SKEW, Expected, TaskIndex
from athena.tasks.model import Action, Bot, CorrelationIds, Sending, Task

NONCE = 1 << 60
CAT = Expected(actions=frozenset({Action.IMAGINE}), normalized="a cat")


def sent(task_id: str, **ids: Any) -> Task:
    known = CorrelationIds(nonce=str(NONCE + int(task_id)), **ids)
    return new_task(id=task_id, sending=Sending.SENT, ids=known)


def blocker(on_its_way: Task, first: Expected, waiting: Task, second: Expected) -> str | None:
    index = TaskIndex(str)
    index.put(on_its_way, first)
    index.put(waiting, second)
    return index.blocker(waiting.id)


WAITING = new_task(id="2")


def test_the_same_words_wait() -> None:
    assert blocker(sent("1"), CAT, WAITING, CAT) == "1"


def test_a_task_does_not_wait_for_itself() -> None:
    index = TaskIndex(str)
    index.put(sent("1"), CAT)
    assert index.blocker("1") is None


@pytest.mark.parametrize(
    ("known", "is_on_its_way"),
    [
        (CorrelationIds(), False),
        (CorrelationIds(nonce="1"), True),
        (CorrelationIds(nonce="1", interaction="i", message="m"), True),
        (CorrelationIds(nonce="1", job="j"), False),
        (CorrelationIds(nonce="1", progress_message="m"), False),
    ],
)
def test_what_was_not_sent_or_is_known_blocks_nothing(
    known: CorrelationIds, is_on_its_way: bool
) -> None:
    task = replace(sent("1"), ids=known)
    assert blocker(task, CAT, WAITING, CAT) == ("1" if is_on_its_way else None)
    index = TaskIndex(str)
    index.put(task, CAT)
    assert index.is_on_its_way("1") is is_on_its_way


def test_an_unknown_task_is_not_on_its_way() -> None:
    assert not TaskIndex(str).is_on_its_way("1")


@pytest.mark.parametrize(
    ("second", "blocked"),
    [
        (CAT, True),
        (replace(CAT, normalized="a dog"), False),
        (replace(CAT, actions=frozenset({Action.SHOW})), False),
        (replace(CAT, actions=frozenset({Action.SHOW, Action.IMAGINE})), True),
        (replace(CAT, index=1), True),
    ],
)
def test_words_and_kinds_decide(second: Expected, blocked: bool) -> None:
    assert blocker(sent("1"), CAT, WAITING, second) == ("1" if blocked else None)


def test_another_bot_is_no_one_to_wait_for() -> None:
    assert blocker(sent("1"), CAT, replace(WAITING, bot=Bot.NIJI), CAT) is None


@pytest.mark.parametrize(
    ("one", "two", "blocked"), [(1, 2, False), (1, 1, True), (None, 2, True), (1, None, True)]
)
def test_presses_of_one_message_are_told_apart_by_their_number(
    one: int | None, two: int | None, blocked: bool
) -> None:
    actions = frozenset({Action.UPSCALE})
    first, second = Expected(actions=actions, index=one), Expected(actions=actions, index=two)
    on_its_way = sent("1", parent_message="300")
    waiting = replace(WAITING, ids=CorrelationIds(parent_message="300"))
    assert blocker(on_its_way, first, waiting, second) == ("1" if blocked else None)
    elsewhere = replace(WAITING, ids=CorrelationIds(parent_message="301"))
    assert blocker(on_its_way, first, elsewhere, second) is None


@pytest.mark.parametrize(
    ("one", "two", "blocked"),
    [("a", "b", False), ("a", "a", True), (None, "b", True), ("a", None, True)],
)
def test_presses_of_one_message_are_told_apart_by_their_mark(
    one: str | None, two: str | None, blocked: bool
) -> None:
    actions = frozenset({Action.VARIATION})
    first = Expected(actions=actions, trigger=one)
    second = Expected(actions=actions, trigger=two)
    on_its_way = sent("1", parent_message="300")
    waiting = replace(WAITING, ids=CorrelationIds(parent_message="300"))
    assert blocker(on_its_way, first, waiting, second) == ("1" if blocked else None)


@pytest.mark.parametrize("shared", ["trigger", "file"])
def test_what_else_two_tasks_may_share(shared: str) -> None:
    actions = frozenset({Action.DESCRIBE})
    same = Expected(actions=actions, **{shared: "x"})  # type: ignore[arg-type]
    other = Expected(actions=actions, **{shared: "y"})  # type: ignore[arg-type]
    assert blocker(sent("1"), same, WAITING, same) == "1"
    assert blocker(sent("1"), same, WAITING, other) is None


def test_answers_that_show_nothing_of_what_was_asked_come_one_by_one() -> None:
    info = Expected(actions=frozenset({Action.SWAP_FACE}), kind=Action.SWAP_FACE)
    assert blocker(sent("1"), info, WAITING, info) == "1"
    other = Expected(actions=frozenset({Action.SWAP_FACE}), kind=Action.DESCRIBE)
    assert blocker(sent("1"), info, WAITING, other) is None


def test_all_that_are_alike_are_looked_at() -> None:
    index = TaskIndex(str)
    index.put(sent("1", job="j1"), CAT)
    index.put(sent("2"), CAT)
    index.put(new_task(id="3"), CAT)
    assert index.blocker("3") == "2"
    index.drop("2")
    assert index.blocker("3") is None


def test_the_skew_is_ten_seconds_of_snowflakes() -> None:
    assert SKEW == 10_000 * 4_194_304
