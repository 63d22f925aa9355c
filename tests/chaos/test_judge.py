"""The judge itself: it detects and names each broken guarantee."""

from typing import Any

import pytest
from chaos.judge import Evidence, judge
from chaos.ledger import Asked, Glimpse, Kind, Ledger, Outage
from msgspec.structs import replace

from athena.tasks.model import Action, CorrelationIds, Failure, Image, Status, Task
from athena.tasks.requests import Imagine

JOB = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def task(**changes: Any) -> Task:
    done = Task(
        id="1", account="5", request=Imagine(prompt="a cat"), action=Action.IMAGINE,
        submitted_at=1, status=Status.SUCCESS, ids=CorrelationIds(nonce="7", job=JOB),
        image=Image(url="", filename=f"ada_a_cat_{JOB}.png"),
    )  # fmt: skip
    return replace(done, **changes)


def job(**changes: Any) -> dict[str, Any]:
    made = {"id": JOB, "kind": "imagine", "user": "ada", "prompt": "a cat --v 7.0", "parent": None,
            "index": None, "interaction": "9", "nonce": "7", "end": "done"}  # fmt: skip
    return {**made, **changes}


def delivery(status: str = "SUCCESS", progress: str = "100%") -> dict[str, Any]:
    return {"at": 1, "body": {"id": "1", "status": status, "progress": progress}}


def evidence(**changes: Any) -> Evidence:
    asked = Asked(kind=Kind.IMAGINE, task="1", prompt="a cat", webhook="me")
    given = {
        "ledger": Ledger(asked=[asked]), "tasks": {"1": task()}, "jobs": [job()],
        "deliveries": {"me": [delivery()]}, "held": 0, "users": {"5": "ada"},
    }  # fmt: skip
    return Evidence(**{**given, **changes})


def test_a_kept_promise_is_good() -> None:
    verdict = judge(evidence())
    assert verdict.is_good
    assert str(verdict) == ("tasks 1 lost 0 mixed 0 twice 0 leaked 0 undelivered 0 backwards 0")


FAILED = task(status=Status.FAILURE, failure=Failure(reason="too late"), image=None)
MOVED = Ledger(
    asked=[Asked(kind=Kind.IMAGINE, task="1", prompt="a cat", webhook="me")],
    seen={"1": [Glimpse("IN_PROGRESS", 31), Glimpse("SUBMITTED", 31)]},
)
FALLEN = Ledger(
    asked=[Asked(kind=Kind.IMAGINE, task="1", prompt="a cat", webhook="me")],
    seen={"1": [Glimpse("IN_PROGRESS", 31), Glimpse("IN_PROGRESS", 15)]},
)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"tasks": {}}, "lost"),
        ({"tasks": {"1": task(status=Status.IN_PROGRESS)}}, "lost"),
        ({"tasks": {"1": FAILED}, "deliveries": {"me": [delivery("FAILURE")]}}, "lost"),
        ({"jobs": [job(nonce="8")]}, "mixed"),
        ({"jobs": [job(prompt="a dog --v 7.0")]}, "mixed"),
        ({"tasks": {"1": task(image=Image(url="", filename=f"{OTHER}.png"))}}, "mixed"),
        ({"tasks": {"1": task(), "2": task(id="2")}}, "mixed"),
        ({"jobs": [job(), job(id=OTHER, nonce="8")]}, "twice"),
        ({"held": 2}, "leaked"),
        ({"deliveries": {"me": [delivery("IN_PROGRESS", "93%")]}}, "undelivered"),
        ({"deliveries": {}}, "undelivered"),
        ({"deliveries": {"me": [delivery(), delivery("IN_PROGRESS"), delivery()]}}, "backwards"),
        ({"ledger": MOVED}, "backwards"),
        ({"ledger": FALLEN}, "backwards"),
    ],
)
def test_each_broken_promise_is_found(changes: dict[str, Any], broken: str) -> None:
    verdict = judge(evidence(**changes))
    assert getattr(verdict, broken) > 0, verdict
    assert not verdict.is_good


GRID, VIDEO, LONGER = (f"{n}{n}{n}{n}{n}{n}{n}{n}-0000-4000-8000-000000000000" for n in (3, 4, 5))
VIDEOS = [
    job(id=GRID, kind="video", nonce="5"),
    job(id=VIDEO, kind="video_upscale", nonce="6", parent=GRID, index=2),
    job(id=LONGER, kind="video", nonce="7", parent=VIDEO),
]
SWAP = {"kind": "swap", "prompt": "", "images": ["face", "target"]}


def made_of(asked: Asked, *jobs: dict[str, Any]) -> Evidence:
    """Evidence of one request, whose task shows the last of these jobs."""
    shown = task(ids=CorrelationIds(nonce="7", job=jobs[-1]["id"]),
                 image=Image(url="", filename=f"x_{jobs[-1]['id']}.png"))  # fmt: skip
    return evidence(ledger=Ledger(asked=[asked]), tasks={"1": shown}, jobs=[*jobs])


def asked_for(kind: Kind, **more: Any) -> Asked:
    return Asked(kind=kind, task="1", **more)


UPSCALED = f"MJ::JOB::upsample::3::{OTHER}"


@pytest.mark.parametrize(
    ("asked", "jobs", "broken"),
    [
        (asked_for(Kind.PRESS, parent=OTHER, button=UPSCALED),
         [job(id=OTHER), job(kind="upscale", parent=OTHER, index=2)], "number 2, not 3"),
        (asked_for(Kind.PRESS, parent=OTHER, button=UPSCALED),
         [job(id=OTHER), job(id=GRID), job(kind="upscale", parent=GRID, index=3)], "made of"),
        (asked_for(Kind.EXTEND, parent=GRID, index=1), VIDEOS, "number 2, not 1"),
        (asked_for(Kind.EXTEND, parent=OTHER, index=2), VIDEOS, "made of"),
        (asked_for(Kind.EXTEND, parent=GRID, index=2), [*VIDEOS[:2], job(id=OTHER, kind="video",
         nonce="8", parent=VIDEO), VIDEOS[2]], "made 2, asked 1"),
        (asked_for(Kind.SWAP, images=("face", "another")), [job(**SWAP)], "other faces"),
        (asked_for(Kind.SWAP, images=("face", "target")), [job(**SWAP), job(**SWAP)],
         "made 2, asked 1"),
    ],
)  # fmt: skip
def test_images_of_images_are_judged(asked: Asked, jobs: list[dict[str, Any]], broken: str) -> None:
    assert any(broken in why for why in judge(made_of(asked, *jobs)).why)


def test_one_swapped_face_belongs_to_one_task() -> None:
    """The tasks have no job id, but their files name the job."""
    asked = asked_for(Kind.SWAP, images=("face", "target"))
    one, other = task(ids=CorrelationIds(nonce="7")), task(id="2", ids=CorrelationIds(nonce="8"))
    for tasks, mixed in (({"1": one}, 0), ({"1": one, "2": other}, 1)):
        ledger = Ledger(asked=[asked])
        assert judge(evidence(ledger=ledger, tasks=tasks, jobs=[job(**SWAP)])).mixed == mixed


def test_a_video_may_be_taken_out_of_its_grid_again() -> None:
    again = job(id=OTHER, kind="video_upscale", nonce="9", parent=GRID, index=2)
    asked = asked_for(Kind.EXTEND, parent=GRID, index=2)
    assert judge(made_of(asked, *VIDEOS[:2], again, VIDEOS[2])) == judge(made_of(asked, *VIDEOS))


def test_a_file_must_say_whose_it_is() -> None:
    ledger = evidence().ledger
    for said, mixed in ((JOB, 0), (OTHER, 1), (None, 1)):
        ledger.files["1"] = said
        assert judge(evidence(ledger=ledger)).mixed == mixed


def test_jobs_made_by_hand_are_ignored() -> None:
    by_hand = job(id=OTHER, nonce=None, prompt="by hand 3 --v 7.0")
    assert judge(evidence(jobs=[job(), by_hand])).is_good


REMOVED = "Its account was removed."
STOPPED = "Its account stopped: Midjourney: [Blocked] Wait an hour."
OUTAGE = Outage("5", (REMOVED,), 10, 20)


def failed(reason: str, *outages: Outage, asked: Asked | None = None, at: int = 15) -> Evidence:
    """Evidence of a task that failed for a reason, and of what was done to accounts."""
    of = task(status=Status.FAILURE, failure=Failure(reason=reason), image=None, finished_at=at)
    ledger = Ledger(asked=[asked or asked_for(Kind.IMAGINE)], outages=[*outages])
    return evidence(ledger=ledger, tasks={"1": of})


@pytest.mark.parametrize(
    ("reason", "outages", "at", "lost"),
    [
        (REMOVED, [OUTAGE], 15, 0),
        (REMOVED, [], 15, 1),
        (REMOVED, [OUTAGE], 9, 1),
        (REMOVED, [OUTAGE], 21, 1),
        (REMOVED, [Outage("6", (REMOVED,), 10, 20)], 15, 1),
        (STOPPED, [OUTAGE], 15, 1),
        (STOPPED, [Outage("5", ("Its account stopped: Midjourney",), 10)], 9_000, 0),
        ("No sign of life for 300 seconds.", [OUTAGE], 15, 1),
    ],
)
def test_a_failure_of_its_account_needs_a_cause(
    reason: str, outages: list[Outage], at: int, lost: int
) -> None:
    """The job was made. Only what was done to this account at that time explains a failure."""
    assert judge(failed(reason, *outages, at=at)).lost == lost


def test_a_failure_of_its_account_needs_a_cause_even_without_a_job() -> None:
    without_job = failed(REMOVED)
    without_job.jobs = []
    assert judge(without_job).lost == 1


def test_what_nothing_disturbed_must_succeed() -> None:
    sure = asked_for(Kind.IMAGINE, prompt="a cat", sure=True)
    for of in (failed("[Queue full]", asked=sure), failed(REMOVED, OUTAGE, asked=sure)):
        of.jobs = []
        assert judge(of).lost == 1
    assert judge(evidence(ledger=Ledger(asked=[sure]))).is_good


def test_only_what_its_user_deleted_may_be_missing() -> None:
    for deleted, lost in ((True, 0), (False, 1)):
        asked = asked_for(Kind.IMAGINE, prompt="a cat", deleted=deleted)
        assert judge(evidence(ledger=Ledger(asked=[asked]), tasks={})).lost == lost


def test_a_deleted_task_was_asked_for_once() -> None:
    asked = asked_for(Kind.IMAGINE, prompt="a cat", deleted=True)
    jobs = [job(), job(id=OTHER, nonce="8")]
    assert judge(evidence(ledger=Ledger(asked=[asked]), tasks={}, jobs=jobs)).twice == 1


def test_an_image_of_a_deleted_task_is_not_another_ones() -> None:
    """The other asked for the same, but the job came of the deleted one's interaction."""
    asked = [asked_for(Kind.IMAGINE, prompt="a cat", deleted=True),
             Asked(kind=Kind.IMAGINE, task="2", prompt="a cat")]  # fmt: skip
    other = task(id="2", ids=CorrelationIds(nonce="8", job=JOB))
    assert judge(evidence(ledger=Ledger(asked=asked), tasks={"2": other})).mixed == 1


@pytest.mark.parametrize(("after", "undelivered"), [(0, 0), (599_000, 0), (601_000, 1)])
def test_a_working_receiver_is_told_in_time(after: int, undelivered: int) -> None:
    told = {**delivery(), "at": 1_000 + after}
    of = evidence(tasks={"1": task(finished_at=1_000)}, deliveries={"me": [told]})
    assert judge(of).undelivered == undelivered


def test_nothing_is_expected_of_a_receiver_that_never_answers() -> None:
    deaf = asked_for(Kind.IMAGINE, prompt="a cat")
    assert judge(evidence(ledger=Ledger(asked=[deaf]), deliveries={})).is_good
