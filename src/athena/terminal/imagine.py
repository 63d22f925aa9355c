"""`athena imagine`: a prompt in, five files out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal import loop
from athena.terminal.exits import Exit, fail
from athena.terminal.progress import Progress

if TYPE_CHECKING:
    from athena.client import Athena, Task


def imagine(
    prompt: Annotated[str, typer.Argument(help="What to draw, with Midjourney's parameters.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")] = Path(
        "pictures"
    ),
    picture: Annotated[
        list[Path] | None, typer.Option(help="A picture to put before the prompt; repeatable.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(envvar="ATHENA_SERVER_URL", help="Base URL of the server.")
    ] = None,
    secret: Annotated[
        str | None, typer.Option(envvar="ATHENA_SECRET", help="The server's API secret.")
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="No server, no account: the stand-in draws.")
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0.01, help="With --simulate: how much faster jobs go.")
    ] = 20.0,
) -> None:
    """Make a picture: the grid and its four tiles are saved, their paths printed.

    \b
    Examples:
      athena imagine "a cute cat --ar 3:2" --out pictures/
      athena imagine "the same, in oil" --picture sketch.png
      athena imagine "a cute cat" --simulate
    """
    from athena import client

    try:
        loop.run(_imagine(prompt, out, picture or [], server, secret, simulate, speed))
    except client.ServerUnreachable as error:
        hint = "Start one with `athena serve`, or try --simulate, which needs none."
        fail(Exit.UNREACHABLE, f"{error}\n{hint}")
    except client.Refused as error:
        fail(Exit.REFUSED, f"Not taken: {error}")
    except client.TaskFailed as error:
        fail(Exit.FAILED, f"Failed: {error}")
    except OSError as error:
        fail(Exit.FAILED, f"{error.strerror or error}: {error.filename or out}")
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None


async def _imagine(
    prompt: str,
    out: Path,
    pictures: list[Path],
    server: str | None,
    secret: str | None,
    simulate: bool,
    speed: float,
) -> None:
    given = [await asyncio.to_thread(path.read_bytes) for path in pictures]
    connect = _simulated(speed) if simulate else _connected(server, secret)
    async with connect as mj:
        task = await mj.imagine(prompt, given)
        try:
            task = await _follow(mj, task)
        except asyncio.CancelledError:
            _say_how_to_return(task, simulate=simulate)
            raise
        await _save(mj, task, out)


@asynccontextmanager
async def _connected(server: str | None, secret: str | None) -> AsyncIterator[Athena]:
    from athena.client import DEFAULT_SERVER, Athena

    async with Athena.connect(server or DEFAULT_SERVER, secret) as mj:
        yield mj


@asynccontextmanager
async def _simulated(speed: float) -> AsyncIterator[Athena]:
    """A server and the stand-in in this process, with a store that goes with it."""
    import tempfile

    from athena.client import Athena
    from athena.http.serving import serving
    from athena.settings import LogSettings, ServerSettings, Settings
    from athena.terminal import logs
    from athena.terminal.standin import simulated

    logs.set_up(LogSettings(level="ERROR"))
    with tempfile.TemporaryDirectory(prefix="athena-") as folder:
        settings = Settings(data_dir=Path(folder), server=ServerSettings(port=0))
        async with (
            simulated(settings, speed=speed) as (led, _),
            serving(led) as url,
            Athena.connect(url) as mj,
        ):
            yield mj


async def _follow(mj: Athena, task: Task) -> Task:
    from athena.client import TaskFailed

    with Progress(task) as progress:
        async for change in mj.follow(task):
            task = change
            progress.show(task)
    if task.status != "SUCCESS":
        raise TaskFailed(task.fail_reason or task.status)
    return task


async def _save(mj: Athena, task: Task, out: Path) -> None:
    from athena.delivery import tiles

    data = await mj.download(task.image_url or "")
    cut = await asyncio.to_thread(tiles.split, data)
    stem = f"{datetime.now():%Y-%m-%d}_{_slug(task.prompt or '')}_{task.job[:8]}"
    names = [f"{stem}.png", *(f"{stem}_{number}.png" for number in range(1, 5))]
    for path in await asyncio.to_thread(_write, out, names, [data, *cut]):
        typer.echo(path)


def _write(folder: Path, names: list[str], files: list[bytes]) -> list[Path]:
    """Write files that were not there before; none is ever overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in zip(names, files, strict=True):
        path = _free(folder / name)
        with path.open("xb") as file:
            file.write(data)
        written.append(path)
    return written


def _free(path: Path) -> Path:
    number = 2
    free = path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free


def _slug(prompt: str) -> str:
    """The prompt's first words as a file's name can hold them."""
    text = re.sub(r"https?://\S+|--.*", " ", prompt.lower())
    return "-".join(re.findall(r"\w+", text))[:40].rstrip("-") or "picture"


def _say_how_to_return(task: Task, *, simulate: bool) -> None:
    if not simulate:
        typer.echo(
            f"\nTask {task.id} goes on at the server: GET /mj/task/{task.id}/fetch", err=True
        )
