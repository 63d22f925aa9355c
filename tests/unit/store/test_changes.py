"""The change log."""

import pytest
from structlog.testing import capture_logs

from athena.store.changes import Change, ChangeLog
from athena.tasks.model import Status
from tests.contract.store.making import changed, make_task

TASK = make_task(1)


@pytest.mark.parametrize(
    ("change", "visible"),
    [
        (Change(None, TASK), True),
        (Change(TASK, changed(TASK, content="words")), False),
        (Change(TASK, changed(TASK, progress=1)), True),
        (Change(TASK, changed(TASK, status=Status.SUBMITTED)), True),
        (Change(TASK, None), False),
    ],
)
def test_what_webhooks_are_told(change: Change, visible: bool) -> None:
    assert change.visible is visible


def test_a_listener_that_raises_is_passed_over() -> None:
    log, heard = ChangeLog(), []

    def raises(_: Change) -> None:
        raise ValueError

    log.subscribe(raises)
    end = log.subscribe(lambda change: heard.append(change))
    log.publish(Change(None, TASK))
    assert heard == [Change(None, TASK)]
    end()
    end()
    log.publish(Change(None, TASK))
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (Change(None, TASK), TASK.id),
        (Change(TASK, None), TASK.id),
        (Change(TASK, make_task(2)), make_task(2).id),
        (Change(None, None), ""),
    ],
)
def test_the_log_names_the_task_that_a_listener_failed_at(change: Change, named: str) -> None:
    def raises(_: Change) -> None:
        raise ValueError

    log = ChangeLog()
    log.subscribe(raises)
    with capture_logs() as logs:
        log.publish(change)
    assert [each["task"] for each in logs] == [named]


def test_a_listener_may_end_its_subscription_while_it_listens() -> None:
    log, heard = ChangeLog(), []

    def once(change: Change) -> None:
        heard.append(change)
        end()

    end = log.subscribe(once)
    log.subscribe(heard.append)
    log.publish(Change(None, TASK))
    log.publish(Change(None, TASK))
    assert len(heard) == 3
