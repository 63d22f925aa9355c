"""Messages are kept for updates: the latest, and those of running tasks."""

from athena.accounts.kept_messages import KeptMessages
from athena.clock import TurnableClock
from athena.discord import wire
from athena.midjourney import commands, prompts
from athena.tasks.matching import TaskIndex
from athena.tasks.model import CorrelationIds
from tests.unit.fakes import make_task, sent


def test_the_latest_and_those_of_running_tasks_are_kept(clock: TurnableClock) -> None:
    """Finding 38: no account keeps thousands."""
    index = TaskIndex(prompts.normalized)
    kept = KeptMessages(index)
    task = sent(make_task(ids=CorrelationIds()), "77", clock)
    shown = make_task(1, ids=CorrelationIds(nonce="77", message="5"))
    index.put(shown, commands.expected(task))
    for number in range(1_000):
        kept.put(wire.Message(id=str(number)))
    assert len(kept) <= 102
    assert kept.get("5") == wire.Message(id="5")
    assert kept.get("6") is None
    assert kept.get("999")
    index.settle(shown)
    for number in range(1_000, 1_010):
        kept.put(wire.Message(id=str(number)))
    assert kept.get("5") is None
    kept.drop("1009")
    assert kept.get("1009") is None
