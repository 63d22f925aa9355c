"""The status of deliveries."""

from tests.unit.delivery.receiving import HOOK, task

from athena.delivery.delivery_log import DeliveryLog, DeliveryStatus
from athena.delivery.sending import Outcome


def test_a_newer_state_waits_on_when_an_older_was_delivered() -> None:
    log = DeliveryLog()
    log.waits(task("1", 2))
    log.tried(task("1", 2), Outcome(answer=503))
    log.waits_until(task("1", 2), 77)
    log.waits(task("1", 3))
    log.delivered(task("1", 2))
    assert log.of(task()) == DeliveryStatus(
        url=HOOK, delivered_revision=2, waiting_revision=3, last_answer=503
    )
    log.dropped(task("1", 3))
    assert log.of(task()).waiting_revision is None
    log.forget("1")
    assert log.latest() == []
    assert log.of(task()) == DeliveryStatus(url=HOOK)
