"""Logs are captured: formatting a traceback costs more than the test that causes it."""

from collections.abc import Iterator, MutableSequence

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict


@pytest.fixture(autouse=True)
def logs() -> Iterator[MutableSequence[EventDict]]:
    with capture_logs() as captured:
        yield captured
