"""Commands that begin with words: `imagine`, `shorten`."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal import batch, permutations, running
from athena.terminal.exits import Exit, fail
from athena.terminal.options import Making, Way, taking
from athena.terminal.ways import connected

if TYPE_CHECKING:
    from athena.client import Athena, Task

_ASKS_BEYOND = 10
"""So many images at once are made without a question."""

_AT_ONCE = 8
"""Tasks of a batch that are under way together."""

_PICTURE = re.compile(r"(?:~|\.{0,2}/|[\w-]+/)?[^\s\"']*\.(?:png|jpe?g|webp|gif)", re.IGNORECASE)


@taking(Making, Way)
def imagine(
    prompt: Annotated[
        str | None, typer.Argument(help="What to draw, with Midjourney's parameters.")
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option(help="An image to put before the prompt; repeatable.")
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from", help="A file of prompts, one a line; begun again it goes on."),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="So many times each.")] = 1,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before more than ten images.")
    ] = False,
    *,
    way: Way,
    making: Making,
) -> None:
    """Make images: each grid and its four tiles are saved, their paths printed.

    Links and image files in the prompt are image prompts. `{red, blue} car` are two prompts.

    \b
    Examples:
      athena imagine "a cute cat --ar 3:2" --out images/
      athena imagine "a {red, blue} car"
      athena imagine "sketch.png the same, in oil"
      athena imagine --from prompts.txt --out batch/
      athena imagine "a cute cat" --simulate
    """
    if (prompt is None) == (from_file is None):
        fail(Exit.USAGE, "Say what to draw, or name a file of prompts with --from.")
    prompts = _expanded([prompt] if prompt is not None else _read(from_file))
    total = len(prompts) * repeat
    if total > _ASKS_BEYOND and not yes:
        typer.confirm(f"These are {total} images. Make them all?", abort=True, err=True)
    given = [path.read_bytes() for path in present(image or [])]
    if from_file is not None:
        wanted = batch.wanted(from_file.name, prompts, repeat)
        journal = batch.Journal(making.out / f".{from_file.name}.athena")
        running.run(_batch(wanted, journal, given, way, making))
    else:
        running.run(_imagine([each for each in prompts for _ in range(repeat)], given, way, making))


@taking(Making, Way)
def shorten(
    prompt: Annotated[str, typer.Argument(help="A long prompt.")],
    *,
    way: Way,
    making: Making,
) -> None:
    """Find which words of a prompt matter, and shorter prompts.

    \b
    Examples:
      athena shorten "a very beautiful and extremely detailed image of a cat"
    """
    running.run(made(lambda mj: mj.shorten(prompt), way, making))


async def made(ask: "Callable[[Athena], Awaitable[Task]]", way: Way, making: Making) -> Exit:
    """Ask for one thing, and follow it to its files."""
    from athena.terminal import following

    async with connected(way) as mj:
        return await following.finish(mj, [await ask(mj)], making, way)


async def _imagine(
    prompts: Sequence[str], given: Sequence[bytes], way: Way, making: Making
) -> Exit:
    from athena.terminal import following

    async with connected(way) as mj:
        tasks = [await ask(mj, prompt, given) for prompt in prompts]
        return await following.finish(mj, tasks, making, way)


async def _batch(
    wanted: Sequence[batch.Wanted],
    journal: batch.Journal,
    given: Sequence[bytes],
    way: Way,
    making: Making,
) -> Exit:
    left = [each for each in wanted if each.key not in journal.done]
    typer.echo(f"{len(wanted)} images, {len(left)} to be made.", err=True)
    worst = Exit.DONE
    async with connected(way) as mj:
        while left and worst is not Exit.INTERRUPTED:
            some, left = left[:_AT_ONCE], left[_AT_ONCE:]
            worst = max(worst, await _together(mj, some, journal, given, way, making))
    return worst


async def _together(
    mj: "Athena",
    some: Sequence[batch.Wanted],
    journal: batch.Journal,
    given: Sequence[bytes],
    way: Way,
    making: Making,
) -> Exit:
    from athena.terminal import following

    keys: dict[str, str] = {}
    tasks = []
    for each in some:
        task = await ask(mj, each.prompt, given, each.key)
        journal.asked(each.key, task.id)
        keys[task.id] = each.key
        tasks.append(task)

    def told(task: "Task", paths: list[Path]) -> None:
        if task.now.status == "SUCCESS":
            journal.finished(keys[task.id], [str(path) for path in paths])

    return await following.finish(mj, tasks, making, way, told)


async def ask(
    mj: "Athena", prompt: str, given: Sequence[bytes] = (), key: str | None = None
) -> "Task":
    """Ask for images of a prompt; files that it names become image prompts. While the queue
    is full, wait."""
    from athena.client import RequestRefused

    words, found = with_images(prompt)
    while True:
        try:
            return await mj.imagine(words, [*given, *found], key=key)
        except RequestRefused as refused:
            if refused.code != _QUEUE_FULL:
                raise
            await asyncio.sleep(1)


_QUEUE_FULL = 23


def with_images(prompt: str) -> tuple[str, list[bytes]]:
    """A prompt without the names of image files that are there, and those files."""
    before, dashes, parameters = prompt.partition(" --")
    found: list[bytes] = []
    kept: list[str] = []
    for word in before.split(" "):
        path = Path(word).expanduser()
        if _PICTURE.fullmatch(word) and path.is_file():
            found.append(path.read_bytes())
        else:
            kept.append(word)
    return (" ".join(kept).strip() + dashes + parameters), found


def _expanded(prompts: Sequence[str]) -> list[str]:
    try:
        return [each for prompt in prompts for each in permutations.expand(prompt)]
    except permutations.BadChoices as error:
        fail(Exit.USAGE, f"The choices in braces do not fit together: {error}.")


def _read(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        prompts = batch.read(file.read_text().splitlines())
    except (OSError, UnicodeDecodeError) as error:
        fail(Exit.USAGE, f"{file} cannot be read: {error}")
    if not prompts:
        fail(Exit.USAGE, f"There is no prompt in {file}.")
    return prompts


def present(paths: Sequence[Path]) -> Sequence[Path]:
    """Files that are all there; one that is not ends the program."""
    for path in paths:
        if not path.is_file():
            fail(Exit.USAGE, f"There is no file {path}.")
    return paths
