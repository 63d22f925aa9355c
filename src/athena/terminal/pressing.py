"""Commands that work on an image by pressing its buttons. TASK is a task's id, or `last`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal import running
from athena.terminal.connections import connected
from athena.terminal.exits import Exit, fail
from athena.terminal.options import ConnectionOptions, JobOptions, with_options

if TYPE_CHECKING:
    from athena.client import Athena, Result, Task

TaskId = Annotated[str, typer.Argument(metavar="TASK", help="A task's id, or `last`.")]
Number = Annotated[int | None, typer.Argument(min=1, max=4, help="Image of a grid, 1 to 4.")]

_MADE = ("SUCCESS",)


@with_options(output=JobOptions, connection=ConnectionOptions)
def upscale(
    task: TaskId,
    number: Number = None,
    kind: Annotated[str, typer.Option(help="For a single image: subtle or creative.")] = "subtle",
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Upscale one image of a grid, or a single image.

    \b
    Examples:
      athena upscale last 2
      athena upscale last --kind creative
    """
    running.run(
        _press(task, lambda it: it.upscale(number, "" if number else kind), connection, output)
    )


@with_options(output=JobOptions, connection=ConnectionOptions)
def vary(
    task: TaskId,
    number: Number = None,
    kind: Annotated[str, typer.Option(help="For a single image: subtle or strong.")] = "strong",
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Create variations of an image.

    \b
    Examples:
      athena vary last 3
      athena vary last --kind subtle
    """
    running.run(_press(task, lambda it: it.vary(number, kind), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def reroll(task: TaskId, *, connection: ConnectionOptions, output: JobOptions) -> None:
    """Run the same prompt again.

    \b
    Examples:
      athena reroll last
    """
    running.run(_press(task, lambda it: it.reroll(), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def zoom(
    task: TaskId,
    factor: Annotated[str, typer.Argument(help="Factor 1–2, or `square`.")] = "2",
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Zoom out of an upscaled image.

    \b
    Examples:
      athena zoom last
      athena zoom last 1.8
      athena zoom last square
    """
    if factor == "square":
        running.run(_press(task, lambda it: it.square(), connection, output))
        return
    try:
        wide = float(factor)
    except ValueError:
        wide = 0.0
    if not 1 <= wide <= 2:
        fail(Exit.USAGE, f"The factor must be a number from 1 to 2, or `square`, not {factor!r}.")
    running.run(_press(task, lambda it: it.zoom(wide), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def pan(
    task: TaskId,
    direction: Annotated[str, typer.Argument(help="left, right, up or down.")],
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Extend the image in one direction.

    \b
    Examples:
      athena pan last left
    """
    if direction not in ("left", "right", "up", "down"):
        fail(Exit.USAGE, f"The direction must be left, right, up or down, not {direction!r}.")
    running.run(_press(task, lambda it: it.pan(direction), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def region(
    task: TaskId,
    mask: Annotated[Path, typer.Argument(help="Same-size image; white marks the area to repaint.")],
    prompt: Annotated[str, typer.Option(help="Prompt for the area.")] = "",
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Repaint part of an image.

    \b
    Examples:
      athena region last mask.png --prompt "a straw hat"
    """
    if not mask.is_file():
        fail(Exit.USAGE, f"No such file: {mask}")
    data = mask.read_bytes()
    running.run(_press(task, lambda it: it.region(data, prompt), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def animate(
    task: TaskId,
    motion: Annotated[str, typer.Argument(help="high or low.")] = "high",
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Animate an image, or extend a video.

    \b
    Examples:
      athena animate last low
    """
    if motion not in ("high", "low"):
        fail(Exit.USAGE, f"The motion must be high or low, not {motion!r}.")
    running.run(_press(task, lambda it: it.animate(motion), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def action(
    task: TaskId,
    button: Annotated[str, typer.Argument(help="Label or custom id of the button, or u2, v3, r.")],
    prompt: Annotated[str, typer.Option(help="Prompt for actions that ask for one.")] = "",
    mask: Annotated[Path | None, typer.Option(help="Mask for Vary (Region).")] = None,
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Run any action of an image by its label. `athena show TASK` lists them.

    \b
    Examples:
      athena action last "Vary (Subtle)"
      athena action last "Custom Zoom" --prompt "a cat in a garden --zoom 1.7"
    """
    data = mask.read_bytes() if mask else None
    running.run(_press(task, lambda it: it.press(button, prompt, data), connection, output))


async def find(mj: "Athena", name: str, *, made: bool = False) -> "Task":
    """A task by its id, or with `last` the latest task (with `made`: the latest that succeeded).

    Raises:
        AthenaError: there is no such task.
    """
    from athena.client import AthenaError

    if name != "last":
        return await mj.task(name)
    for task in await mj.tasks(50):
        if not made or task.now.status in _MADE:
            return task
    raise AthenaError('no tasks yet. Try: athena imagine "a cute cat"')


async def _press(
    name: str,
    press: "Callable[[Result], Awaitable[Task]]",
    connection: ConnectionOptions,
    output: JobOptions,
) -> Exit:
    from athena.terminal import following

    async with connected(connection) as mj:
        pressed = await press((await find(mj, name, made=True)).ended())
        return await following.finish(mj, [pressed], output, connection)
