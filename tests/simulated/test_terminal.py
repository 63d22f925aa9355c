"""The command line in separate processes."""

import asyncio
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from athena.client import Athena, RequestRefused, ServerUnreachable
from tests.simulated.conftest import Build

PIPE = asyncio.subprocess.PIPE


async def start(*args: str, cwd: Path, **env: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "athena", *args, cwd=cwd, stdout=PIPE, stderr=PIPE,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "100", **env},
    )  # fmt: skip


async def run(*args: str, cwd: Path, **env: str) -> tuple[int | None, str, str]:
    process = await start(*args, cwd=cwd, **env)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def check_files(out: str, folder: Path) -> None:
    paths = [folder / line for line in out.splitlines()]
    assert len(paths) == 5
    grid, *tiles = [Image.open(path) for path in paths]
    assert grid.size == (2496, 1664)
    for number, (tile, place) in enumerate(
        zip(tiles, [(0, 0), (1248, 0), (0, 832), (1248, 832)], strict=True), 1
    ):
        box = (*place, place[0] + 1248, place[1] + 832)
        assert tile.tobytes() == grid.crop(box).tobytes()
        assert tile.info["Tile"] == str(number)
        assert tile.info["Job"] == grid.info["Job"]


async def test_imagine_on_its_own(tmp_path: Path) -> None:
    args = ("imagine", "a cute cat --ar 3:2", "--out", "images", "--simulate", "--speed", "60")
    code, out, err = await run(*args, cwd=tmp_path)
    assert code == 0, err
    assert re.search(r"drawing \d+%", err)
    assert re.search(r"done 100%  a cute cat --ar 3:2\s*$", err)
    check_files(out, tmp_path)
    code, again, _ = await run(*args, cwd=tmp_path)
    assert code == 0
    assert not set(out.splitlines()) & set(again.splitlines())
    check_files(out, tmp_path)


async def test_imagine_against_a_server(build: Build, tmp_path: Path) -> None:
    system = await build()
    args = ("imagine", "a cute cat --ar 3:2", "--out", "here", "--server", system.url)
    code, out, err = await run(*args, cwd=tmp_path)
    assert code == 0, err
    check_files(out, tmp_path)


async def test_errors_say_what_to_do(build: Build, tmp_path: Path) -> None:
    system = await build()
    code, _, err = await run("imagine", "x --ar 0:1", "--server", system.url, cwd=tmp_path)
    assert (code, err.strip()) == (
        4,
        "Rejected: Validation error: --ar must be two positive whole numbers such as 16:9, "
        "not '0:1'",
    )
    code, _, err = await run("imagine", "x", "--server", "http://127.0.0.1:9", cwd=tmp_path)
    assert code == 3
    assert "athena serve" in err
    code, _, err = await run("imagine", "x --v no", "--server", system.url, cwd=tmp_path)
    assert code == 1
    assert "[Invalid parameter]" in err
    code, _, err = await run("serve", cwd=tmp_path)
    assert code == 2
    assert "--simulate" in err


@asynccontextmanager
async def running(*args: str, cwd: Path, **env: str) -> Any:
    process = await start(*args, cwd=cwd, **env)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def read_until(process: asyncio.subprocess.Process, pattern: str) -> str:
    assert process.stdout is not None
    text = ""
    while not re.search(pattern, text):
        line = await process.stdout.readline()
        assert line, text
        text += line.decode()
    return text


async def test_serve_with_the_built_in_simulator(tmp_path: Path) -> None:
    async with running("serve", "--simulate", "--port", "0", "--speed", "60", cwd=tmp_path) as it:
        text = await read_until(it, r"Athena is ready: (\S+)")
        url = text.rsplit(" ", 1)[-1].strip()
        async with Athena.connect(url) as mj:
            cat = await (await mj.imagine("a cat"))
            assert len(cat.buttons) == 9
            pressed = await (await cat.press("U1"))
            assert pressed.task.action == "UPSCALE"
            with pytest.raises(RequestRefused):
                await mj.task("1")
        it.terminate()
        assert await it.wait() == 0


async def test_serve_with_a_separate_simulator(tmp_path: Path) -> None:
    async with running("simulate", "--port", "0", "--speed", "60", cwd=tmp_path) as simulator:
        text = await read_until(simulator, r"# control")
        env = dict(line.split("=", 1) for line in text.splitlines() if line.startswith("ATHENA_"))
        user = re.search(r"(USER_TOKEN)=(\S+) (GUILD_ID)=(\S+) (CHANNEL_ID)=(\S+)", text)
        assert user
        names = user.groups()
        env |= dict(zip(names[::2], names[1::2], strict=True))
        async with running("serve", "--port", "0", cwd=tmp_path, **env) as server:
            text = await read_until(server, r"Athena is ready: (\S+)")
            async with Athena.connect(text.rsplit(" ", 1)[-1].strip()) as mj:
                assert (await (await mj.imagine("a cat"))).url


async def test_no_server_raises_server_unreachable() -> None:
    async with Athena.connect("http://127.0.0.1:9") as mj:
        with pytest.raises(ServerUnreachable):
            await mj.imagine("a cat")
