"""A store of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from athena.store.repository import TaskRepository
from tests.contract.store.backends import Backend, SqliteBackend


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    kinds = {"sqlite": SqliteBackend}
    return kinds[request.param](tmp_path)


@pytest.fixture
async def repository(backend: Backend) -> AsyncIterator[TaskRepository]:
    repository = await backend.open()
    yield repository
    await repository.close()


@pytest.fixture
async def controlled(backend: Backend) -> AsyncIterator[TaskRepository]:
    """One whose disk the test rules; see `Backend`."""
    repository = await backend.open_controlled()
    yield repository
    backend.fault = ""
    await repository.close()
