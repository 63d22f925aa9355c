"""A locked database, and one whose last write is truncated."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from athena.store.store import Store
from athena.store.writer import StoreBroken
from tests.simulated.conftest import Build
from tests.unit.store.test_store import make_task


async def test_a_locked_database_refuses_what_is_new_and_keeps_what_was_taken(
    build: Build, tmp_path: Path
) -> None:
    system = await build(speed=30)
    taken = [(await system.imagine(f"cat {n}"))["result"] for n in range(3)]
    with sqlite3.connect(tmp_path / "data" / "athena.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = await system.imagine("too late")
        assert refused["code"] == 9
        assert "result" not in refused or refused["result"] is None
        assert (await system.get("/health/ready"))["ready"] is False
        async with system.http.put(f"{system.url}/mj/settings", json={"rule": "Random"}) as answer:
            assert (await answer.json())["code"] == 9
        other.execute("ROLLBACK")
    for task_id in taken:
        assert (await system.ended(task_id))["status"] == "SUCCESS"
    while not (await system.get("/health/ready"))["ready"]:
        pass
    assert len(await system.get("/mj/task/list")) == 3
    assert (await system.get("/mj/settings"))["rule"] == "BestWaitIdle"


@pytest.mark.parametrize("damage", [b"\x00" * 300, b"half a frame" * 400])
async def test_garbage_after_the_last_write_loses_nothing(tmp_path: Path, damage: bytes) -> None:
    """The machine went down during a write."""
    store = await Store.open(tmp_path / "alive")
    tasks = [make_task(n) for n in range(50)]
    for task in tasks:
        await store.add(task)
    left = tmp_path / "left"
    shutil.copytree(tmp_path / "alive", left)
    await store.close()
    with (left / "athena.db-wal").open("ab") as log:
        log.write(damage)
    again = await Store.open(left)
    assert again.unfinished() == tasks
    await again.close()


async def test_a_database_beyond_repair_is_named_at_the_start(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.add(make_task(1))
    await store.close()
    file = tmp_path / "athena.db"
    file.write_bytes(b"SQLite format 3\x00" + b"\xff" * (file.stat().st_size - 16))
    with pytest.raises(StoreBroken, match=r"athena\.db"):
        await Store.open(tmp_path)
