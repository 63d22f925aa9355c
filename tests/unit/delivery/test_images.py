"""Images that are served: made once, kept if the store takes them, deleted with their task."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest
from msgspec.structs import replace
from obstore.exceptions import GenericError
from obstore.store import LocalStore, MemoryStore, ObjectStore
from PIL import Image as Pillow
from structlog.testing import capture_logs

from athena.delivery import tiles
from athena.delivery.fetching import NoImage
from athena.delivery.image_store import ImageStore
from athena.delivery.images import Images
from athena.delivery.served import ImageNotDeleted
from athena.tasks.model import Action, Image, Status, Task
from athena.tasks.requests import Imagine


def grid(wide: int = 8, high: int = 6) -> bytes:
    image = Pillow.new("RGB", (wide, high))
    image.putdata([(x, y, 7) for y in range(high) for x in range(wide)])
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def ended(task_id: str = "1") -> Task:
    return Task(
        id=task_id, account="a", request=Imagine(prompt="a cat"), action=Action.IMAGINE,
        submitted_at=0, status=Status.SUCCESS, image=Image(url="https://cdn.example.com/1.png"),
    )  # fmt: skip


class Source:
    """Brings the same image always, and counts how often."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.calls = 0
        self.asked = asyncio.Event()
        self.waits: asyncio.Event | None = None

    async def __call__(self, task: Task) -> bytes:
        self.calls += 1
        self.asked.set()
        if self.waits:
            await self.waits.wait()
        return self.data


def kept(store: ObjectStore) -> set[str]:
    return {each["path"] for each in obstore.list(store).collect()}


def folders(path: Path) -> list[str]:
    return [each.name for each in path.iterdir()]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of every tile that is encoded."""
    numbers: list[int] = []
    encode: Callable[..., bytes] = tiles._encode

    def counted(tile: Any, texts: Any, number: int) -> bytes:
        numbers.append(number)
        return encode(tile, texts, number)

    monkeypatch.setattr(tiles, "_encode", counted)
    return numbers


@pytest.mark.parametrize("at_once", [True, False])
async def test_four_tiles_are_one_cut(encoded: list[int], at_once: bool) -> None:
    store, source = MemoryStore(), Source(grid())
    images = Images(store, source)
    asked = [images.tile(ended(), number) for number in range(1, 5)]
    if at_once:
        four = await asyncio.gather(*asked)
    else:
        four = [await each for each in asked]
    assert sorted(encoded) == [1, 2, 3, 4]
    assert source.calls == 1
    encoded.clear()
    assert tuple(each.data for each in four) == tiles.split(grid())
    assert kept(store) == {f"1/{name}" for name in ("whole", "1", "2", "3", "4")}


async def test_a_tile_that_was_missed_just_before_it_was_kept_is_not_cut_again(
    encoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, missed, go = ImageStore.read, asyncio.Event(), asyncio.Event()

    async def slow_once(store: ImageStore, task_id: str, name: str) -> bytes | None:
        found = await read(store, task_id, name)
        if name == "2" and not missed.is_set():
            missed.set()
            await go.wait()
        return found

    monkeypatch.setattr(ImageStore, "read", slow_once)
    images = Images(MemoryStore(), Source(grid()))
    second = asyncio.create_task(images.tile(ended(), 2))
    await missed.wait()
    await images.tile(ended(), 1)
    go.set()
    await second
    assert sorted(encoded) == [1, 2, 3, 4]


async def test_a_small_tile_is_made_of_the_same_cut(encoded: list[int]) -> None:
    images = Images(MemoryStore(), Source(grid()))
    small = await asyncio.gather(*(images.tile(ended(), n, 64) for n in range(1, 5)))
    assert {each.content_type for each in small} == {"image/webp"}
    await images.tile(ended(), 1)
    assert sorted(encoded) == [1, 2, 3, 4]


async def test_a_tile_of_a_task_that_runs_is_cut_alone(encoded: list[int]) -> None:
    store = MemoryStore()
    running = replace(ended(), status=Status.IN_PROGRESS)
    assert (await Images(store, Source(grid())).tile(running, 3)).content_type == "image/png"
    assert encoded == [3]
    assert kept(store) == set()


async def test_a_second_request_waits_for_the_first_even_if_that_is_cancelled() -> None:
    source = Source(grid())
    source.waits = asyncio.Event()
    images = Images(MemoryStore(), source)
    first, second = (asyncio.create_task(images.whole(ended())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.waits.set()
    assert (await second).data == source.data
    assert source.calls == 1


async def test_what_cannot_be_cut_is_no_image() -> None:
    with pytest.raises(NoImage, match="no image"):
        await Images(MemoryStore(), Source(b"text")).tile(ended(), 1)


def failing(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    async def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(obstore, name, fail)


@pytest.mark.parametrize("error", [GenericError("the disk is full"), OSError(28, "no space left")])
async def test_a_store_that_takes_nothing_costs_no_image(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing(monkeypatch, "put_async", error)
    images = Images(MemoryStore(), Source(grid()))
    with capture_logs() as logs:
        assert (await images.whole(ended())).data == grid()
        assert (await images.tile(ended(), 2)).data == tiles.split(grid())[1]
        assert (await images.thumbnail(ended(), 64)).content_type == "image/webp"
    assert {each["event"] for each in logs} == {"image.not_saved"}
    assert {each["task"] for each in logs} == {"1"}


async def test_a_store_that_cannot_be_read_costs_no_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing(monkeypatch, "get_async", GenericError("no answer"))
    with capture_logs() as logs:
        assert (await Images(MemoryStore(), Source(grid())).whole(ended())).data == grid()
    assert [each["event"] for each in logs] == ["image.not_read"]


async def test_a_deleted_task_leaves_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, automatic_cleanup=True)
    images = Images(store, Source(grid()))
    for task_id in ("1", "12"):
        await images.tile(ended(task_id), 1, 64)
        await images.thumbnail(ended(task_id), 64)
    await images.forget("1")
    assert {path.partition("/")[0] for path in kept(store)} == {"12"}
    assert folders(tmp_path) == ["12"]
    await images.forget("1")
    await images.forget("unknown")


async def test_an_image_that_is_on_its_way_at_the_deletion_is_not_kept() -> None:
    store, source = MemoryStore(), Source(grid())
    source.waits = asyncio.Event()
    images = Images(store, source)
    asked = asyncio.create_task(images.whole(ended()))
    await source.asked.wait()
    await images.forget("1")
    source.waits.set()
    assert (await asked).data == grid()
    assert kept(store) == set()


async def test_an_image_that_is_being_written_at_the_deletion_is_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    images = Images(store, Source(grid()))
    put = obstore.put_async

    async def slow(*args: Any) -> Any:
        await images.forget("1")
        return await put(*args)

    monkeypatch.setattr(obstore, "put_async", slow)
    assert (await images.whole(ended())).data == grid()
    assert kept(store) == set()


async def test_a_deletion_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    images = Images(MemoryStore(), Source(grid()))
    await images.whole(ended())
    failing(monkeypatch, "delete_async", GenericError("no answer"))
    with pytest.raises(ImageNotDeleted):
        await images.forget("1")
