"""The judge by itself: each broken promise is found and named."""

from typing import Any

import pytest
from chaos.judge import Evidence, judge
from chaos.ledger import Asked, Glimpse, Kind, Ledger
from msgspec.structs import replace

from athena.tasks.model import Action, Failure, Keys, Picture, Status, Task
from athena.tasks.requests import Imagine

JOB = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def task(**changes: Any) -> Task:
    done = Task(
        id="1", account="5", request=Imagine(prompt="a cat"), action=Action.IMAGINE,
        submitted_at=1, status=Status.SUCCESS, keys=Keys(nonce="7", job=JOB),
        picture=Picture(url="", filename=f"ada_a_cat_{JOB}.png"),
    )  # fmt: skip
    return replace(done, **changes)


def job(**changes: Any) -> dict[str, Any]:
    made = {"id": JOB, "kind": "imagine", "user": "ada", "prompt": "a cat --v 7.0", "parent": None,
            "index": None, "interaction": "9", "nonce": "7", "end": "done"}  # fmt: skip
    return {**made, **changes}


def letter(status: str = "SUCCESS", progress: str = "100%") -> dict[str, Any]:
    return {"at": 1, "body": {"id": "1", "status": status, "progress": progress}}


def evidence(**changes: Any) -> Evidence:
    asked = Asked(kind=Kind.IMAGINE, task="1", prompt="a cat", hook="me")
    given = {
        "ledger": Ledger(asked=[asked]), "tasks": {"1": task()}, "jobs": [job()],
        "letters": {"me": [letter()]}, "held": 0, "users": {"5": "ada"},
    }  # fmt: skip
    return Evidence(**{**given, **changes})


def test_a_kept_promise_is_good() -> None:
    verdict = judge(evidence())
    assert verdict.is_good
    assert str(verdict) == ("tasks 1 lost 0 mixed 0 twice 0 leaked 0 undelivered 0 backwards 0")


FAILED = task(status=Status.FAILURE, failure=Failure(reason="too late"), picture=None)
MOVED = Ledger(
    asked=[Asked(kind=Kind.IMAGINE, task="1", prompt="a cat", hook="me")],
    seen={"1": [Glimpse("IN_PROGRESS", 31), Glimpse("SUBMITTED", 31)]},
)
FALLEN = Ledger(
    asked=[Asked(kind=Kind.IMAGINE, task="1", prompt="a cat", hook="me")],
    seen={"1": [Glimpse("IN_PROGRESS", 31), Glimpse("IN_PROGRESS", 15)]},
)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"tasks": {}}, "lost"),
        ({"tasks": {"1": task(status=Status.IN_PROGRESS)}}, "lost"),
        ({"tasks": {"1": FAILED}, "letters": {"me": [letter("FAILURE")]}}, "lost"),
        ({"jobs": [job(nonce="8")]}, "mixed"),
        ({"jobs": [job(prompt="a dog --v 7.0")]}, "mixed"),
        ({"tasks": {"1": task(picture=Picture(url="", filename=f"{OTHER}.png"))}}, "mixed"),
        ({"tasks": {"1": task(), "2": task(id="2")}}, "mixed"),
        ({"jobs": [job(), job(id=OTHER, nonce="8")]}, "twice"),
        ({"held": 2}, "leaked"),
        ({"letters": {"me": [letter("IN_PROGRESS", "93%")]}}, "undelivered"),
        ({"letters": {}}, "undelivered"),
        ({"letters": {"me": [letter(), letter("IN_PROGRESS"), letter()]}}, "backwards"),
        ({"ledger": MOVED}, "backwards"),
        ({"ledger": FALLEN}, "backwards"),
    ],
)
def test_each_broken_promise_is_found(changes: dict[str, Any], broken: str) -> None:
    verdict = judge(evidence(**changes))
    assert getattr(verdict, broken) > 0, verdict
    assert not verdict.is_good


def test_what_a_person_made_by_hand_is_nobody_s() -> None:
    by_hand = job(id=OTHER, nonce=None, prompt="by hand 3 --v 7.0")
    assert judge(evidence(jobs=[job(), by_hand])).is_good
