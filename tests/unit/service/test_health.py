"""Readiness: everything that may fail is looked at."""

from random import Random

import pytest

from athena.clock import TurnableClock
from athena.service.health import Health
from athena.store.account_directory import AccountState
from athena.supervision import Supervisor
from tests.conftest import breathe
from tests.unit.service.fakes import Services, status, stopped


@pytest.fixture
def supervisor(clock: TurnableClock) -> Supervisor:
    return Supervisor("server", clock, Random(1))


@pytest.fixture
def health(services: Services, supervisor: Supervisor) -> Health:
    return Health(services.repository, services.directory, supervisor)  # type: ignore[arg-type]


def test_ready_with_one_account_that_works(services: Services, health: Health) -> None:
    services.put(status("5"), stopped("6"), status("7", AccountState.CONNECTING))
    report = health.report()
    assert (report.ready, report.store, report.problems) == (True, "", {})
    assert report.accounts == {"connecting": 1, "online": 1, "stopped": 1}


def test_not_ready_without_any(services: Services, health: Health) -> None:
    assert not health.report().ready
    services.put(stopped("6"))
    assert not health.report().ready
    services.put(status("7", AccountState.CONNECTING))
    assert health.report().ready


def test_not_ready_while_the_disk_takes_nothing(services: Services, health: Health) -> None:
    services.put(status())
    services.repository.write_error = "the disk is full"
    report = health.report()
    assert (report.ready, report.store) == (False, "the disk is full")


def test_an_account_whose_loop_fails_does_not_count_and_is_named(
    services: Services, health: Health
) -> None:
    services.put(status("5", problem="watchdog: KeyError"))
    report = health.report()
    assert (report.ready, report.problems) == (False, {"5": "watchdog: KeyError"})
    services.put(status("6"))
    assert health.report().ready


async def test_not_ready_while_a_loop_of_the_process_fails(
    services: Services, health: Health, supervisor: Supervisor, clock: TurnableClock
) -> None:
    """Finding 6: it is told at once, and over when the loop runs again."""
    services.put(status())
    works: list[bool] = []

    async def webhooks() -> None:
        if not works:
            raise RuntimeError("no rows")
        await clock.sleep(3600)

    supervisor.start("webhooks", webhooks)
    await breathe()
    report = health.report()
    assert (report.ready, report.problems) == (False, {"webhooks": "RuntimeError: no rows"})
    works.append(True)
    clock.turn(120)
    await breathe()
    assert health.report().ready
    await supervisor.close()
