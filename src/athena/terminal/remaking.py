"""Commands that begin with pictures: `blend`, `swap`, `edit`, `film`, `describe`."""

from pathlib import Path
from typing import Annotated

import typer

from athena.terminal import running
from athena.terminal.exits import Exit, fail
from athena.terminal.making import made, present
from athena.terminal.options import Making, Way, taking


@taking(Making, Way)
def blend(
    pictures: Annotated[list[Path], typer.Argument(help="Two to five pictures.")],
    shape: Annotated[
        str, typer.Option(help="portrait, square or landscape.", show_default="square")
    ] = "",
    *,
    way: Way,
    making: Making,
) -> None:
    """Mix two to five pictures.

    \b
    Examples:
      athena blend cat.png castle.png --shape landscape
    """
    if not 2 <= len(pictures) <= 5:
        fail(Exit.USAGE, f"Two to five pictures are needed, not {len(pictures)}.")
    if shape not in ("", "portrait", "square", "landscape"):
        fail(Exit.USAGE, f"--shape is portrait, square or landscape, not {shape!r}.")
    given = [path.read_bytes() for path in present(pictures)]
    running.run(made(lambda mj: mj.blend(given, shape), way, making))


@taking(Making, Way)
def swap(
    face: Annotated[Path, typer.Argument(help="A picture of the face.")],
    picture: Annotated[Path, typer.Argument(help="Where it is to go.")],
    *,
    way: Way,
    making: Making,
) -> None:
    """Put a face into a picture, by the InsightFaceSwap bot, which must be on the server.

    \b
    Examples:
      athena swap face.png cat.png
    """
    source, target = (path.read_bytes() for path in present([face, picture]))
    running.run(made(lambda mj: mj.swap(source, target), way, making))


@taking(Making, Way)
def edit(
    picture: Annotated[Path, typer.Argument(help="A picture of your own.")],
    prompt: Annotated[str, typer.Argument(help="What it is to become.")],
    mask: Annotated[
        Path | None, typer.Option(help="A picture of the same shape, white where to change it.")
    ] = None,
    *,
    way: Way,
    making: Making,
) -> None:
    """Change a picture of your own as a text says: it becomes a strong picture prompt.

    \b
    Examples:
      athena edit sketch.png "a house by the sea, in oil"
    """
    files = [path.read_bytes() for path in present([picture, *([mask] if mask else [])])]
    running.run(made(lambda mj: mj.edit(prompt, *files), way, making))


@taking(Making, Way)
def film(
    prompt: Annotated[str, typer.Argument(help="What happens.")] = "",
    start: Annotated[Path | None, typer.Option(help="A picture it begins with.")] = None,
    end: Annotated[Path | None, typer.Option(help="A picture it ends with.")] = None,
    motion: Annotated[str, typer.Option(help="low or high.")] = "low",
    loop: Annotated[bool, typer.Option("--loop", help="It ends as it begins.")] = False,
    *,
    way: Way,
    making: Making,
) -> None:
    """Make films of a text, of a first picture, or of both.

    \b
    Examples:
      athena film "the waves come in" --start cat.png
      athena film "a train passes" --start cat.png --end castle.png --motion high
    """
    if not prompt and start is None:
        fail(Exit.USAGE, "Say what happens, or name a picture it begins with: --start.")
    if motion not in ("low", "high"):
        fail(Exit.USAGE, f"--motion is low or high, not {motion!r}.")
    first, last = (present([path])[0].read_bytes() if path else None for path in (start, end))
    running.run(
        made(lambda mj: mj.film(prompt, first, last, motion=motion, loop=loop), way, making)
    )


@taking(Making, Way)
def describe(
    picture: Annotated[str, typer.Argument(help="A picture's file, or a link to one.")],
    *,
    way: Way,
    making: Making,
) -> None:
    """Find prompts that fit a picture.

    \b
    Examples:
      athena describe cat.png
      athena describe cat.png --json
    """
    is_link = picture.startswith(("http://", "https://"))
    given = picture if is_link else present([Path(picture)])[0].read_bytes()
    running.run(made(lambda mj: mj.describe(given), way, making))
