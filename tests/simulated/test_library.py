"""The Python library: its three ways to connect, and every action on an image."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import athena
from athena import Athena, NoSuchButton, RequestRefused, ServerUnreachable, TaskFailed
from athena.client.files import BadTemplate
from athena.simulator.app import Simulator
from athena.simulator.config import DEMO
from tests.simulated.asking import image, mask
from tests.simulated.conftest import CHANNEL, GUILD, Build, System

FIRST = DEMO.users[0]


@pytest.fixture
async def mj(system: System) -> Any:
    async with Athena.connect(system.url) as mj:
        yield mj


async def test_changes_and_result_of_a_task(mj: Athena, tmp_path: Path) -> None:
    task = await mj.imagine("a cute cat --ar 3:2")
    seen = [change.status async for change in task]
    assert seen[-1] == "SUCCESS"
    cat = await task
    assert cat.is_grid
    assert [button.name for button in cat.buttons][:4] == ["U1", "U2", "U3", "U4"]
    paths = await cat.save(tmp_path)
    names = [path.name for path in paths]
    job8 = cat.task.job[:8]
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d_a-cute-cat_{job8}_grid\.png", names[0])
    assert [name[-6:] for name in names[1:]] == ["_1.png", "_2.png", "_3.png", "_4.png"]
    assert await cat.tile(2) == (await cat.tile(2))
    again = await cat.save(tmp_path)
    assert not set(again) & set(paths)


async def test_files_contain_their_metadata(mj: Athena, tmp_path: Path) -> None:
    cat = await (await mj.imagine("a cute cat --ar 3:2 --seed 17"))
    await cat.seed()
    cat = await (await mj.task(cat.id))
    grid, first, *_ = [Image.open(path) for path in await cat.save(tmp_path)]
    for shown in (grid, first):
        assert shown.info["Prompt"] == "a cute cat --ar 3:2 --seed 17 --v 7.0"
        assert shown.info["Parameters"] == "--ar 3:2 --seed 17 --v 7.0"
        assert shown.info["Job"] == cat.task.job
        assert shown.info["Seed"] == "17"
    assert first.info["Tile"] == "1"


async def test_every_action_on_an_image(mj: Athena, tmp_path: Path) -> None:
    grid = await (await mj.imagine("a cat --ar 3:2"))
    assert (await (await grid.vary(3))).is_grid
    assert (await (await grid.reroll())).is_grid
    single = await (await grid.upscale(2))
    assert not single.is_grid
    size = (single.task.image_width or 0, single.task.image_height or 0)
    for made in (
        single.upscale(way="creative"), single.vary(way="subtle"), single.zoom(), single.zoom(1.7),
        single.square(), single.pan("left"), single.region(mask(size), "a hat"),
        single.press("Vary (Strong)"), single.press("up"),
        single.press("Custom Zoom", "a cat --zoom 1.3"),
    ):  # fmt: skip
        result = await (await made)
        assert result.url
    video = await (await single.animate("low"))
    assert video.task.is_video
    (path,) = await video.save(tmp_path)
    assert path.suffix == ".webp"
    said = Image.open(path).info["xmp"].decode()
    assert f'mj:Job="{video.task.job}"' in said


async def test_words(mj: Athena) -> None:
    assert "1️⃣" in (await (await mj.describe(image()))).words
    assert "shortened" in (await (await mj.shorten("a very beautiful red cat"))).words.lower()


async def test_images_of_images(mj: Athena) -> None:
    one, other = image(), image("red")
    assert (await (await mj.blend([one, other], "landscape"))).url
    assert (await (await mj.swap(one, other))).url
    assert (await (await mj.edit("a system", one))).is_grid
    assert (await (await mj.edit("a system", one, mask((64, 64))))).is_grid
    videos = await (await mj.video("waves come in", one, other, motion="high", loop=True))
    assert videos.task.is_video
    assert "--motion high" in videos.task.final_prompt
    assert (await (await mj.video("waves come in"))).task.is_video


async def test_errors_say_what_to_do(mj: Athena, tmp_path: Path) -> None:
    grid = await (await mj.imagine("a cat"))
    with pytest.raises(NoSuchButton, match="upscale one of its images first"):
        await grid.zoom()
    with pytest.raises(NoSuchButton, match="U1, U2"):
        await grid.press("Nonsense")
    with pytest.raises(BadTemplate, match="no_such"):
        await grid.save(tmp_path / "out", "{no_such}_{tile}")
    with pytest.raises(BadTemplate, match="tile"):
        await grid.save(tmp_path / "out", "{job}")
    with pytest.raises(RequestRefused, match="--ar"):
        await mj.imagine("x --ar 0:1")
    with pytest.raises(TaskFailed, match="Banned prompt") as failed:
        await (await mj.imagine('x --notice "Banned prompt detected"'))
    assert failed.value.moderated
    assert not (tmp_path / "out").exists()


async def test_a_cancelled_task_is_reported_as_cancelled(build: Build) -> None:
    system = await build(speed=1)
    async with Athena.connect(system.url) as mj:
        task = await mj.imagine("a cat")
        await task.cancel()
        with pytest.raises(TaskFailed) as failed:
            await task
        assert failed.value.cancelled


async def test_a_key_makes_a_request_idempotent(mj: Athena, system: System) -> None:
    first, second = [await mj.imagine("a cat", key="mine") for _ in range(2)]
    assert first.id == second.id
    await first
    assert len(system.jobs()) == 1


async def test_a_server_that_requires_a_secret(build: Build) -> None:
    system = await build(secret="open sesame")
    async with Athena.connect(system.url, "open sesame") as mj:
        assert (await (await mj.imagine("a cat"))).url
    async with Athena.connect(system.url) as mj:
        with pytest.raises(RequestRefused, match="secret"):
            await mj.imagine("a cat")


async def test_direct_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator(speed=60) as simulator:
        for name, url in (("API", simulator.urls.api), ("GATEWAY", simulator.urls.gateway),
                          ("CDN", simulator.urls.cdn), ("APPS", simulator.urls.apps)):  # fmt: skip
            monkeypatch.setenv(f"ATHENA_DISCORD__{name}_URL", url)
        async with Athena.direct(FIRST.token, GUILD, CHANNEL, data_dir=tmp_path) as mj:
            task = await mj.imagine("a cat")
            with pytest.raises(athena.AthenaError, match="another Athena"):
                async with Athena.direct(FIRST.token, GUILD, CHANNEL, data_dir=tmp_path):
                    pass
        async with Athena.direct(FIRST.token, GUILD, CHANNEL, data_dir=tmp_path) as mj:
            assert (await (await mj.task(task.id))).url
    with pytest.raises(athena.AthenaError, match="guild_id"):
        async with Athena.direct("x", "no id", CHANNEL, data_dir=tmp_path):
            pass


async def test_without_async(tmp_path: Path) -> None:
    def make() -> list[Path]:
        return athena.imagine("a cat", download_path=tmp_path, simulate=True)

    paths = await asyncio.to_thread(make)
    assert len(paths) == 5
    assert all(path.exists() for path in paths)


async def test_an_unreachable_server() -> None:
    async with Athena.connect("http://127.0.0.1:9") as mj:
        with pytest.raises(ServerUnreachable):
            await mj.imagine("a cat")
