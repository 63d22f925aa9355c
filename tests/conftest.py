"""Fixtures that all tests share."""

import asyncio
import os
import shutil
from collections.abc import Callable

import pytest

from athena.clock import TurnableClock


async def breathe() -> None:
    """Let sockets and threads do what they can at once; no time of any clock passes."""
    for _ in range(3):
        await asyncio.to_thread(int)


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock()


@pytest.fixture
def need() -> Callable[[str], str]:
    """The path of an outside program; without it the test skips, or fails where none may skip."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None and os.environ.get("ATHENA_NO_SKIPS"):
            pytest.fail(f"{program} is not installed, and no test may be skipped here")
        if path is None:
            pytest.skip(f"{program} is not installed")
        return path

    return find
