"""Chaos runs: all guarantees hold for ten seeds, and the judge detects broken ones."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from chaos.judge import Verdict
from chaos.run import play
from msgspec.structs import replace

from athena.accounts.recovery import Recovery
from athena.accounts.sender import Attempt, Sender
from athena.discord import history, wire
from athena.tasks import lifecycle
from athena.tasks.matching import TaskIndex
from athena.tasks.model import Millis, Sending, Task


@pytest.mark.parametrize("seed", range(1, 11))
def test_nothing_is_lost_in_a_storm(seed: int) -> None:
    verdict = play(seed, tasks=150)
    assert verdict.is_good, verdict.why
    assert verdict.tasks > 140
    assert str(verdict).endswith("lost 0 mixed 0 twice 0 leaked 0 undelivered 0 backwards 0")


def test_equal_seeds_play_equal_runs() -> None:
    first, second, other = play(3, tasks=40), play(3, tasks=40), play(4, tasks=40)
    assert first.trace == second.trace != other.trace


def _no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state "sending" is never written."""
    begin = lifecycle.begin_sending

    def unmarked(task: Task, nonce: str, now: Millis, pressed: str | None = None) -> Task:
        return replace(begin(task, nonce, now, pressed), sending=Sending.NOT_SENT)

    monkeypatch.setattr(lifecycle, "begin_sending", unmarked)


def _no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Recovery) -> bool:
        return True

    monkeypatch.setattr(Recovery, "catch_up", nothing)


def _no_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_match(self: TaskIndex, evidence: Any) -> str | None:
        return None

    monkeypatch.setattr(TaskIndex, "_by_id", no_match)


def _no_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done for a task goes on when the task was moved or ended meanwhile."""

    def counts(self: Sender, attempt: Attempt) -> bool:
        return True

    monkeypatch.setattr(Sender, "_counts", counts)


def _no_odd_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message that cannot be read makes a page of the history unreadable."""

    def strict(raw: msgspec.Raw) -> wire.Message:
        return msgspec.json.decode(raw, type=wire.Message)

    monkeypatch.setattr(history, "_read", strict)


@pytest.mark.parametrize(
    ("switch_off", "seed", "tasks", "what"),
    [
        (_no_mark, 2, 200, lambda verdict: verdict.twice),
        (_no_history, 2, 200, lambda verdict: verdict.lost),
        (_no_ids, 2, 200, lambda verdict: verdict.lost + verdict.mixed),
        (_no_attempts, 5, 250, lambda verdict: verdict.twice),
        (_no_odd_messages, 2, 150, lambda verdict: verdict.lost),
    ],
)
def test_the_judge_sees_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
    switch_off: Callable[[pytest.MonkeyPatch], None],
    seed: int,
    tasks: int,
    what: Callable[[Verdict], int],
) -> None:
    switch_off(monkeypatch)
    # What is broken never settles: an hour is enough to see it.
    monkeypatch.setattr("chaos.run._CALM", 3_600.0)
    verdict = play(seed, tasks)
    assert not verdict.is_good
    assert what(verdict) > 0
