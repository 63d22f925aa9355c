"""Services over fakes."""

import pytest

from athena.clock import TurnableClock
from tests.unit.service.fakes import Services


@pytest.fixture
def services(clock: TurnableClock) -> Services:
    return Services(clock)
