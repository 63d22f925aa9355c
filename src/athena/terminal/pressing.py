"""Commands that go on with an image: they press its buttons. TASK is a task's id, or `last`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal import running
from athena.terminal.exits import Exit, fail
from athena.terminal.options import Making, Way, taking
from athena.terminal.ways import connected

if TYPE_CHECKING:
    from athena.client import Athena, Result, Task

TaskId = Annotated[str, typer.Argument(metavar="TASK", help="A task's id, or `last`.")]
Number = Annotated[int | None, typer.Argument(min=1, max=4, help="Which of the four, of a grid.")]

_MADE = ("SUCCESS",)


@taking(Making, Way)
def upscale(
    task: TaskId,
    number: Number = None,
    kind: Annotated[str, typer.Option(help="Of a single image: subtle or creative.")] = "subtle",
    *,
    way: Way,
    making: Making,
) -> None:
    """Take one image out of the four, or upscale a single one.

    \b
    Examples:
      athena upscale last 2
      athena upscale last --kind creative
    """
    running.run(_press(task, lambda it: it.upscale(number, "" if number else kind), way, making))


@taking(Making, Way)
def vary(
    task: TaskId,
    number: Number = None,
    kind: Annotated[str, typer.Option(help="Of a single image: subtle or strong.")] = "strong",
    *,
    way: Way,
    making: Making,
) -> None:
    """Vary one of the four, or a single image.

    \b
    Examples:
      athena vary last 3
      athena vary last --kind subtle
    """
    running.run(_press(task, lambda it: it.vary(number, kind), way, making))


@taking(Making, Way)
def reroll(task: TaskId, *, way: Way, making: Making) -> None:
    """Make the same once more.

    \b
    Examples:
      athena reroll last
    """
    running.run(_press(task, lambda it: it.reroll(), way, making))


@taking(Making, Way)
def zoom(
    task: TaskId,
    factor: Annotated[str, typer.Argument(help="1 to 2: how far to step back; or `square`.")] = "2",
    *,
    way: Way,
    making: Making,
) -> None:
    """Step back from a single image.

    \b
    Examples:
      athena zoom last
      athena zoom last 1.8
      athena zoom last square
    """
    if factor == "square":
        running.run(_press(task, lambda it: it.square(), way, making))
        return
    try:
        wide = float(factor)
    except ValueError:
        wide = 0.0
    if not 1 <= wide <= 2:
        fail(Exit.USAGE, f"The factor is a number from 1 to 2, or `square`, not {factor!r}.")
    running.run(_press(task, lambda it: it.zoom(wide), way, making))


@taking(Making, Way)
def pan(
    task: TaskId,
    direction: Annotated[str, typer.Argument(help="left, right, up or down.")],
    *,
    way: Way,
    making: Making,
) -> None:
    """Go on beyond one side of a single image.

    \b
    Examples:
      athena pan last left
    """
    if direction not in ("left", "right", "up", "down"):
        fail(Exit.USAGE, f"The direction is left, right, up or down, not {direction!r}.")
    running.run(_press(task, lambda it: it.pan(direction), way, making))


@taking(Making, Way)
def region(
    task: TaskId,
    mask: Annotated[Path, typer.Argument(help="An image of the same size, white where.")],
    prompt: Annotated[str, typer.Option(help="What to draw there.")] = "",
    *,
    way: Way,
    making: Making,
) -> None:
    """Draw a region of a single image anew.

    \b
    Examples:
      athena region last mask.png --prompt "a straw hat"
    """
    if not mask.is_file():
        fail(Exit.USAGE, f"There is no file {mask}.")
    data = mask.read_bytes()
    running.run(_press(task, lambda it: it.region(data, prompt), way, making))


@taking(Making, Way)
def animate(
    task: TaskId,
    motion: Annotated[str, typer.Argument(help="high or low.")] = "high",
    *,
    way: Way,
    making: Making,
) -> None:
    """Make videos of a single image, or go on with a video.

    \b
    Examples:
      athena animate last low
    """
    if motion not in ("high", "low"):
        fail(Exit.USAGE, f"The motion is high or low, not {motion!r}.")
    running.run(_press(task, lambda it: it.animate(motion), way, making))


@taking(Making, Way)
def action(
    task: TaskId,
    button: Annotated[str, typer.Argument(help="What is written on it, its id, or u2, v3, r.")],
    prompt: Annotated[str, typer.Option(help="For its modal, if it opens one.")] = "",
    mask: Annotated[Path | None, typer.Option(help="For the region's modal.")] = None,
    *,
    way: Way,
    making: Making,
) -> None:
    """Press any button of an image. `athena show TASK` lists them.

    \b
    Examples:
      athena action last "Vary (Subtle)"
      athena action last "Custom Zoom" --prompt "a cat in a garden --zoom 1.7"
    """
    data = mask.read_bytes() if mask else None
    running.run(_press(task, lambda it: it.press(button, prompt, data), way, making))


async def find(mj: "Athena", name: str, *, made: bool = False) -> "Task":
    """A task by its id, or the newest (with `made`: the newest that was made).

    Raises:
        AthenaError: there is none.
    """
    from athena.client import AthenaError

    if name != "last":
        return await mj.task(name)
    for task in await mj.tasks(50):
        if not made or task.now.status in _MADE:
            return task
    raise AthenaError("there is no task yet: make one with `athena imagine`")


async def _press(
    name: str, press: "Callable[[Result], Awaitable[Task]]", way: Way, making: Making
) -> Exit:
    from athena.terminal import following

    async with connected(way) as mj:
        pressed = await press((await find(mj, name, made=True)).ended())
        return await following.finish(mj, [pressed], making, way)
