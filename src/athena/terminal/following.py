"""From tasks that were asked for to files on the disk, with somebody watching.

Ctrl-C once leaves: the images go on being made, and one is told how to come back. Twice cancels
them at Midjourney. With the simulator there is nothing to come back to, so once cancels.
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
    from athena.terminal.options import Making, Way

_SECOND = 3.0
"""Seconds in which a second Ctrl-C cancels."""

Finished = Callable[["Task", list[Path]], None]
"""Is told of each task that has ended, and of its files."""


async def finish(
    mj: Athena, tasks: Sequence[Task], making: Making, way: Way, told: Finished | None = None
) -> Exit:
    """Follow tasks to their ends, save what came of them, and say so."""
    if not making.wait:
        for task in tasks:
            _say({"id": task.id}, task.id, making)
        return Exit.DONE
    view = View(previews=making.preview)
    with Interrupts() as interrupts, view:
        work = [asyncio.create_task(_one(mj, task, making, view, told)) for task in tasks]
        every = asyncio.gather(*work)
        left = asyncio.create_task(interrupts.first.wait())
        both: list[asyncio.Future[Any]] = [every, left]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        if every.done():
            return max(every.result(), default=Exit.DONE)
        every.cancel()
        await asyncio.gather(every, return_exceptions=True)
        return await _leave(tasks, view, interrupts, way)


async def _one(mj: Athena, task: Task, making: Making, view: View, told: Finished | None) -> Exit:
    from athena.client import AthenaError

    view.show(task.now)
    async for change in task:
        view.show(change)
        await _preview(mj, change, view)
    paths: list[Path] = []
    try:
        result = task.ended()
        if result.url and not _is_words(result):
            paths = await result.save(making.out, making.name)
            await _show(result, view)
    except AthenaError as error:
        view.say(f"Failed: {error}")
    _tell(task.now, paths, making)
    if told:
        told(task, paths)
    return Exit.DONE if task.now.status == "SUCCESS" else Exit.FAILED


async def _leave(tasks: Sequence[Task], view: View, interrupts: Interrupts, way: Way) -> Exit:
    running = [task for task in tasks if not task.now.ended]
    if not way.simulate:
        names = ", ".join(task.id for task in running)
        view.say(
            f"Left: {names} goes on without you. Come back with: athena show {running[0].id} "
            f"--wait\nPress Ctrl-C again within {_SECOND:g} seconds to cancel it at Midjourney."
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
    """The image as far as it has come; that it cannot be had is no matter."""
    from athena.client import AthenaError

    if view.easel.is_there and change.image_url and not change.ended:
        try:
            view.draw(await mj.server.download(change.image_url))
        except AthenaError:
            return


async def _show(result: Result, view: View) -> None:
    if view.easel.is_there:
        view.easel.show(await result.image())


def _tell(task: Snapshot, paths: list[Path], making: Making) -> None:
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
    _say(said, words or "\n".join(map(str, paths)), making)


def _is_words(result: Result) -> bool:
    return result.task.action in ("DESCRIBE", "SHORTEN")


def _say(said: dict[str, Any], text: str, making: Making) -> None:
    if making.json:
        typer.echo(json.dumps(said, ensure_ascii=False))
    elif text:
        typer.echo(text)
