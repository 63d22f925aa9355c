"""The virtual world's disk under a store."""

import asyncio
from pathlib import Path

import pytest
from chaos.disk import Disk
from chaos.loop import VirtualLoop

from athena.errors import StoreUnavailable
from athena.store.sqlite import open_store
from tests.contract.store.making import changed, make_task


def test_it_fails_and_works_again(tmp_path: Path) -> None:
    loop = VirtualLoop(1)

    async def play() -> None:
        disk = Disk(loop, 1)
        repository = await open_store(tmp_path, make_writer=disk.writer)
        await repository.add(task := make_task(1))
        disk.fail(10)
        began = loop.time()
        saving = repository.save(task, after := changed(task, progress=1))
        with pytest.raises(StoreUnavailable, match="full"):
            await repository.add(make_task(2))
        assert repository.write_error
        await saving
        assert 10 <= loop.time() - began < 12
        await repository.close()
        again = await open_store(tmp_path, make_writer=disk.writer)
        assert again.unfinished() == [after]
        await again.close()

    loop.run_until_complete(play())
    loop.close()


def test_what_was_not_on_it_is_gone_with_the_power(tmp_path: Path) -> None:
    loop = VirtualLoop(1)

    async def play() -> None:
        disk = Disk(loop, 1)
        repository = await open_store(tmp_path, make_writer=disk.writer)
        await repository.add(task := make_task(1))
        lost = repository.save(task, changed(task, progress=1))
        disk.cut_power()
        await asyncio.sleep(60)
        assert not lost.done()
        await repository.close()
        again = await open_store(tmp_path, make_writer=disk.writer)
        assert again.unfinished() == [task]
        await again.close()

    loop.run_until_complete(play())
    loop.close()


def test_it_is_full_between_a_submit_and_its_commit(tmp_path: Path) -> None:
    """Nothing of the new task is kept; what became of an older one is written afterwards."""
    loop = VirtualLoop(1)

    async def play() -> None:
        disk = Disk(loop, 1, full_at_admission=1.0)
        repository = await open_store(tmp_path, make_writer=Disk(loop, 1).writer)
        await repository.add(task := make_task(1))
        await repository.close()
        repository = await open_store(tmp_path, make_writer=disk.writer)
        saving = repository.save(task, after := changed(task, progress=1))
        with pytest.raises(StoreUnavailable, match="full"):
            await repository.add(make_task(2))
        await saving
        assert repository.unfinished() == [after]
        await repository.close()
        again = await open_store(tmp_path, make_writer=disk.writer)
        assert again.unfinished() == [after]
        await again.close()

    loop.run_until_complete(play())
    loop.close()
