"""Commands that take a prompt: `imagine`, `shorten`."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal import batch, permutations, running
from athena.terminal.connections import connected
from athena.terminal.exits import Exit, fail
from athena.terminal.options import ConnectionOptions, JobOptions, with_options

if TYPE_CHECKING:
    from athena.client import Athena, Task

_ASKS_BEYOND = 10
"""Up to this number of jobs, no confirmation is needed."""

_AT_ONCE = 8
"""Concurrent tasks of a batch."""

_PICTURE = re.compile(r"(?:~|\.{0,2}/|[\w-]+/)?[^\s\"']*\.(?:png|jpe?g|webp|gif)", re.IGNORECASE)


@with_options(output=JobOptions, connection=ConnectionOptions)
def imagine(
    prompt: Annotated[
        str | None, typer.Argument(help="Prompt, with Midjourney's parameters.")
    ] = None,
    image: Annotated[list[Path] | None, typer.Option(help="Image prompt (repeatable).")] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from", help="Read prompts from FILE, one per line; re-running resumes."),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="Run each prompt N times.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Create images from a prompt and save them.

    Links and image files in the prompt become image prompts. `{red, blue} car` is two prompts.

    \b
    Examples:
      athena imagine "a cute cat --ar 3:2" --out images/
      athena imagine "a {red, blue} car"
      athena imagine "sketch.png the same, in oil"
      athena imagine --from prompts.txt --out batch/
      athena imagine "a cute cat" --simulate
    """
    if (prompt is None) == (from_file is None):
        fail(Exit.USAGE, "Give a prompt, or a file with --from.")
    prompts = _expanded([prompt] if prompt is not None else _read(from_file))
    total = len(prompts) * repeat
    if total > _ASKS_BEYOND and not yes:
        typer.confirm(
            f"This starts {total} jobs ({total * 4} images). Continue?", abort=True, err=True
        )
    given = [path.read_bytes() for path in present(image or [])]
    if from_file is not None:
        jobs = batch.jobs(from_file.name, prompts, repeat)
        journal = batch.Journal(output.out / f".{from_file.name}.athena")
        running.run(_batch(jobs, journal, given, connection, output))
    else:
        running.run(
            _imagine([each for each in prompts for _ in range(repeat)], given, connection, output)
        )


@with_options(output=JobOptions, connection=ConnectionOptions)
def shorten(
    prompt: Annotated[str, typer.Argument(help="Prompt.")],
    *,
    connection: ConnectionOptions,
    output: JobOptions,
) -> None:
    """Analyze a prompt and suggest shorter ones.

    \b
    Examples:
      athena shorten "a very beautiful and extremely detailed image of a cat"
    """
    running.run(follow(lambda mj: mj.shorten(prompt), connection, output))


async def follow(
    submit: "Callable[[Athena], Awaitable[Task]]", connection: ConnectionOptions, output: JobOptions
) -> Exit:
    """Submit one task, wait for it, and save its files."""
    from athena.terminal import following

    async with connected(connection) as mj:
        return await following.finish(mj, [await submit(mj)], output, connection)


async def _imagine(
    prompts: Sequence[str],
    given: Sequence[bytes],
    connection: ConnectionOptions,
    output: JobOptions,
) -> Exit:
    from athena.terminal import following

    async with connected(connection) as mj:
        tasks = [await submit(mj, prompt, given) for prompt in prompts]
        return await following.finish(mj, tasks, output, connection)


async def _batch(
    jobs: Sequence[batch.BatchJob],
    journal: batch.Journal,
    given: Sequence[bytes],
    connection: ConnectionOptions,
    output: JobOptions,
) -> Exit:
    left = [each for each in jobs if each.key not in journal.done]
    done = len(jobs) - len(left)
    typer.echo(f"{len(jobs)} jobs: {done} already done, {len(left)} to do.", err=True)
    worst = Exit.DONE
    async with connected(connection) as mj:
        while left and worst is not Exit.INTERRUPTED:
            some, left = left[:_AT_ONCE], left[_AT_ONCE:]
            worst = max(worst, await _together(mj, some, journal, given, connection, output))
    return worst


async def _together(
    mj: "Athena",
    some: Sequence[batch.BatchJob],
    journal: batch.Journal,
    given: Sequence[bytes],
    connection: ConnectionOptions,
    output: JobOptions,
) -> Exit:
    from athena.terminal import following

    keys: dict[str, str] = {}
    tasks = []
    for each in some:
        task = await submit(mj, each.prompt, given, each.key)
        journal.submitted(each.key, task.id)
        keys[task.id] = each.key
        tasks.append(task)

    def ended(task: "Task", paths: list[Path]) -> None:
        if task.now.status == "SUCCESS":
            journal.finished(keys[task.id], [str(path) for path in paths])

    return await following.finish(mj, tasks, output, connection, ended)


async def submit(
    mj: "Athena", prompt: str, given: Sequence[bytes] = (), key: str | None = None
) -> "Task":
    """Submit a prompt; image files in it become image prompts. Waits while the queue is full."""
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
    """The prompt without the names of existing image files, and the contents of those files."""
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
        fail(Exit.USAGE, f"Unbalanced braces in the prompt: {error}.")


def _read(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        prompts = batch.read(file.read_text().splitlines())
    except (OSError, UnicodeDecodeError) as error:
        fail(Exit.USAGE, f"Cannot read {file}: {error}")
    if not prompts:
        fail(Exit.USAGE, f"No prompts in {file}.")
    return prompts


def present(paths: Sequence[Path]) -> Sequence[Path]:
    """The paths, if all files exist; otherwise the program ends with an error."""
    for path in paths:
        if not path.is_file():
            fail(Exit.USAGE, f"No such file: {path}")
    return paths
