"""Commands that begin with images: `blend`, `swap`, `edit`, `video`, `describe`."""

from pathlib import Path
from typing import Annotated

import typer

from athena.terminal import running
from athena.terminal.exits import Exit, fail
from athena.terminal.making import made, present
from athena.terminal.options import Making, Way, taking


@taking(Making, Way)
def blend(
    images: Annotated[list[Path], typer.Argument(help="Two to five images.")],
    shape: Annotated[
        str, typer.Option(help="portrait, square or landscape.", show_default="square")
    ] = "",
    *,
    way: Way,
    making: Making,
) -> None:
    """Mix two to five images.

    \b
    Examples:
      athena blend cat.png castle.png --shape landscape
    """
    if not 2 <= len(images) <= 5:
        fail(Exit.USAGE, f"Two to five images are needed, not {len(images)}.")
    if shape not in ("", "portrait", "square", "landscape"):
        fail(Exit.USAGE, f"--shape is portrait, square or landscape, not {shape!r}.")
    given = [path.read_bytes() for path in present(images)]
    running.run(made(lambda mj: mj.blend(given, shape), way, making))


@taking(Making, Way)
def swap(
    face: Annotated[Path, typer.Argument(help="An image of the face.")],
    image: Annotated[Path, typer.Argument(help="Where it is to go.")],
    *,
    way: Way,
    making: Making,
) -> None:
    """Put a face into an image, by the InsightFaceSwap bot, which must be on the server.

    \b
    Examples:
      athena swap face.png cat.png
    """
    source, target = (path.read_bytes() for path in present([face, image]))
    running.run(made(lambda mj: mj.swap(source, target), way, making))


@taking(Making, Way)
def edit(
    image: Annotated[Path, typer.Argument(help="An image of your own.")],
    prompt: Annotated[str, typer.Argument(help="What it is to become.")],
    mask: Annotated[
        Path | None, typer.Option(help="An image of the same shape, white where to change it.")
    ] = None,
    *,
    way: Way,
    making: Making,
) -> None:
    """Change an image of your own as a text says: it becomes a strong image prompt.

    \b
    Examples:
      athena edit sketch.png "a house by the sea, in oil"
    """
    files = [path.read_bytes() for path in present([image, *([mask] if mask else [])])]
    running.run(made(lambda mj: mj.edit(prompt, *files), way, making))


@taking(Making, Way)
def video(
    prompt: Annotated[str, typer.Argument(help="What happens.")] = "",
    start: Annotated[Path | None, typer.Option(help="An image it begins with.")] = None,
    end: Annotated[Path | None, typer.Option(help="An image it ends with.")] = None,
    motion: Annotated[str, typer.Option(help="low or high.")] = "low",
    loop: Annotated[bool, typer.Option("--loop", help="It ends as it begins.")] = False,
    *,
    way: Way,
    making: Making,
) -> None:
    """Make videos of a text, of a first image, or of both.

    \b
    Examples:
      athena video "the waves come in" --start cat.png
      athena video "a train passes" --start cat.png --end castle.png --motion high
    """
    if not prompt and start is None:
        fail(Exit.USAGE, "Say what happens, or name an image it begins with: --start.")
    if motion not in ("low", "high"):
        fail(Exit.USAGE, f"--motion is low or high, not {motion!r}.")
    first, last = (present([path])[0].read_bytes() if path else None for path in (start, end))
    running.run(
        made(lambda mj: mj.video(prompt, first, last, motion=motion, loop=loop), way, making)
    )


@taking(Making, Way)
def describe(
    image: Annotated[str, typer.Argument(help="An image's file, or a link to one.")],
    *,
    way: Way,
    making: Making,
) -> None:
    """Find prompts that fit an image.

    \b
    Examples:
      athena describe cat.png
      athena describe cat.png --json
    """
    is_link = image.startswith(("http://", "https://"))
    given = image if is_link else present([Path(image)])[0].read_bytes()
    running.run(made(lambda mj: mj.describe(given), way, making))
