"""Searches find what has changed, however slow the disk is."""

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from athena.store import finding
from athena.store.finding import Wish
from athena.store.store import Store
from athena.store.writer import Committer, Write
from athena.tasks.model import Status
from tests.conftest import breathe
from tests.unit.store.test_store import make_task


async def test_a_search_waits_for_changes_on_their_way_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(tmp_path)
    await store.add(task := make_task(1))
    gate, commit = threading.Event(), Committer.commit

    def slow(self: Committer, batch: list[Write]) -> None:
        gate.wait()
        commit(self, batch)

    monkeypatch.setattr(Committer, "commit", slow)
    failed = replace(task, status=Status.FAILURE, revision=2)
    store.save(task, failed)
    searching = asyncio.create_task(finding.search(store, Wish(status="FAILURE"), 10))
    await breathe()
    assert await store.newest() == [failed]  # not found by its state, so shown as it is
    assert not searching.done()
    gate.set()
    assert await searching == [failed]
    await store.close()
