"""Follows submitted tasks until their files are saved, and shows the progress.

Ctrl-C once detaches: the tasks keep running, and the command to resume is printed. Twice cancels
them at Midjourney. With the simulator there is nothing to resume, so once cancels.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from athena.terminal.exits import Exit
from athena.terminal.running import Interrupts
from athena.terminal.view import View

if TYPE_CHECKING:
    from athena.client import Athena, Result, Snapshot, Task
    from athena.terminal.options import ConnectionOptions, JobOptions

_SECOND = 3.0
"""Seconds within which a second Ctrl-C cancels."""

OnEnded = Callable[["Task", list[Path]], None]
"""Called with each task that has ended, and its files."""


async def finish(
    mj: Athena,
    tasks: Sequence[Task],
    output: JobOptions,
    connection: ConnectionOptions,
    on_ended: OnEnded | None = None,
) -> Exit:
    """Follow tasks until they end, save their results, and print the paths."""
    if not output.wait:
        for task in tasks:
            _print({"id": task.id}, task.id, output)
        return Exit.DONE
    view = View(previews=output.preview)
    with Interrupts() as interrupts, view:
        work = [asyncio.create_task(_one(mj, task, output, view, on_ended)) for task in tasks]
        every = asyncio.gather(*work)
        interrupted = asyncio.create_task(interrupts.first.wait())
        both: list[asyncio.Future[Any]] = [every, interrupted]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if every.done():
            return max(every.result(), default=Exit.DONE)
        every.cancel()
        await asyncio.gather(every, return_exceptions=True)
        return await _leave(tasks, view, interrupts, connection)


async def _one(
    mj: Athena, task: Task, output: JobOptions, view: View, on_ended: OnEnded | None
) -> Exit:
    from athena.client import AthenaError

    view.show(task.now)
    async for change in task:
        view.show(change)
        await _preview(mj, change, view)
    paths: list[Path] = []
    try:
        result = task.ended()
        if result.url and not _is_words(result):
            paths = await result.save(output.out, output.name)
            await _show(result, view)
    except AthenaError as error:
        view.say(f"Failed: {error}")
    _print_result(task.now, paths, output)
    if on_ended:
        on_ended(task, paths)
    return Exit.DONE if task.now.status == "SUCCESS" else Exit.FAILED


async def _leave(
    tasks: Sequence[Task], view: View, interrupts: Interrupts, connection: ConnectionOptions
) -> Exit:
    running = [task for task in tasks if not task.now.ended]
    if not connection.simulate:
        names = ", ".join(task.id for task in running)
        view.say(
            f"Detached. Task {names} keeps running. Resume: athena show {running[0].id} --wait\n"
            f"Press Ctrl-C again within {_SECOND:g} seconds to cancel it at Midjourney."
        )
        try:
            await asyncio.wait_for(interrupts.second.wait(), _SECOND)
        except TimeoutError:
            return Exit.INTERRUPTED
    for task in running:
        await task.cancel()
        view.show(task.now)
    return Exit.INTERRUPTED


async def _preview(mj: Athena, change: Snapshot, view: View) -> None:
    """Show the preview of an unfinished image; errors are ignored."""
    from athena.client import AthenaError

    if view.easel.is_there and change.image_url and not change.ended:
        try:
            view.draw(await mj.server.download(change.image_url))
        except AthenaError:
            return


async def _show(result: Result, view: View) -> None:
    if view.easel.is_there:
        view.easel.show(await result.image())


def _print_result(task: Snapshot, paths: list[Path], output: JobOptions) -> None:
    said = {
        "id": task.id,
        "action": task.action,
        "status": task.status,
        "prompt": task.prompt,
        "job": task.job or None,
        "words": task.final_prompt or None,
        "reason": task.fail_reason,
        "files": [str(path) for path in paths],
    }
    words = task.final_prompt if task.action in ("DESCRIBE", "SHORTEN") else ""
    _print(said, words or "\n".join(map(str, paths)), output)


def _is_words(result: Result) -> bool:
    return result.task.action in ("DESCRIBE", "SHORTEN")


def _print(said: dict[str, Any], text: str, output: JobOptions) -> None:
    if output.json:
        typer.echo(json.dumps(said, ensure_ascii=False))
    elif text:
        typer.echo(text)
