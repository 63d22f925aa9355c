"""Commands that take images: `blend`, `swap`, `edit`, `video`, `describe`."""

from pathlib import Path
from typing import Annotated

import typer

from athena.terminal import running
from athena.terminal.exits import Exit, fail
from athena.terminal.making import follow, present
from athena.terminal.options import ConnectionOptions, JobOptions, with_options


@with_options(output=JobOptions, connection=ConnectionOptions)
def blend(
    images: Annotated[list[Path], typer.Argument(help="Two to five images.")],
    shape: Annotated[
        str, typer.Option(help="portrait, square or landscape.", show_default="square")
    ] = "",
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Blend 2–5 images.

    \b
    Examples:
      athena blend cat.png castle.png --shape landscape
    """
    if not 2 <= len(images) <= 5:
        fail(Exit.USAGE, f"Two to five images are required, not {len(images)}.")
    if shape not in ("", "portrait", "square", "landscape"):
        fail(Exit.USAGE, f"--shape must be portrait, square or landscape, not {shape!r}.")
    given = [path.read_bytes() for path in present(images)]
    running.run(follow(lambda mj: mj.blend(given, shape), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def swap(
    face: Annotated[Path, typer.Argument(help="Image of the face.")],
    image: Annotated[Path, typer.Argument(help="Image to change.")],
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Swap a face (needs the InsightFaceSwap bot on your server).

    \b
    Examples:
      athena swap face.png cat.png
    """
    source, target = (path.read_bytes() for path in present([face, image]))
    running.run(follow(lambda mj: mj.swap(source, target), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def edit(
    image: Annotated[Path, typer.Argument(help="Your image.")],
    prompt: Annotated[str, typer.Argument(help="Prompt.")],
    mask: Annotated[
        Path | None, typer.Option(help="Mask of the same shape; white marks the area to change.")
    ] = None,
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Restyle your own image (sent as a strong image prompt).

    \b
    Examples:
      athena edit sketch.png "a house by the sea, in oil"
    """
    files = [path.read_bytes() for path in present([image, *([mask] if mask else [])])]
    running.run(follow(lambda mj: mj.edit(prompt, *files), connection, output))


@with_options(output=JobOptions, connection=ConnectionOptions)
def video(
    prompt: Annotated[str, typer.Argument(help="Prompt.")] = "",
    start: Annotated[Path | None, typer.Option(help="First frame.")] = None,
    end: Annotated[Path | None, typer.Option(help="Last frame.")] = None,
    motion: Annotated[str, typer.Option(help="low or high.")] = "low",
    loop: Annotated[bool, typer.Option("--loop", help="Loop.")] = False,
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Create a video from a prompt, a first frame, or both.

    \b
    Examples:
      athena video "the waves come in" --start cat.png
      athena video "a train passes" --start cat.png --end castle.png --motion high
    """
    if not prompt and start is None:
        fail(Exit.USAGE, "Give a prompt, or a first frame with --start.")
    if motion not in ("low", "high"):
        fail(Exit.USAGE, f"--motion must be low or high, not {motion!r}.")
    first, last = (present([path])[0].read_bytes() if path else None for path in (start, end))
    running.run(
        follow(
            lambda mj: mj.video(prompt, first, last, motion=motion, loop=loop), connection, output
        )
    )


@with_options(output=JobOptions, connection=ConnectionOptions)
def describe(
    image: Annotated[str, typer.Argument(help="Image file or link.")],
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Get prompts that describe an image.

    \b
    Examples:
      athena describe cat.png
      athena describe cat.png --json
    """
    is_link = image.startswith(("http://", "https://"))
    given = image if is_link else present([Path(image)])[0].read_bytes()
    running.run(follow(lambda mj: mj.describe(given), connection, output))
