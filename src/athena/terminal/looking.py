"""Commands that show and manage tasks and accounts: `tasks`, `show`, `open`, `cancel`, `seed`,
`info`, `accounts`."""

import json as json_module
import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from msgspec import structs

from athena.terminal import running
from athena.terminal.connections import connected
from athena.terminal.exits import Exit, fail
from athena.terminal.options import ConnectionOptions, JobOptions, OutputOptions, with_options
from athena.terminal.pressing import TaskId, find
from athena.terminal.states import state

if TYPE_CHECKING:
    from athena.client import Account, Snapshot

_MOMENT = re.compile(r"<t:(\d{1,12})(?::\w)?>")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@with_options(connection=ConnectionOptions)
def tasks(
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=1000, help="Maximum number of tasks.")
    ] = 20,
    status: Annotated[
        str, typer.Option(help="Filter: waiting, sent, drawing, done, failed, cancelled or modal.")
    ] = "",
    search: Annotated[str, typer.Option(help="Filter by words in the prompt.")] = "",
    json: Json = False,
    *,
    connection: ConnectionOptions,
) -> None:
    """List the latest tasks.

    \b
    Examples:
      athena tasks --status failed
      athena tasks --search cat --json
    """

    async def work() -> None:
        async with connected(connection) as mj:
            found = [task.now for task in await mj.tasks(1000)]
        fitting = [task for task in found if _fits(task, status, search)][:number]
        if json:
            _print([_as_json(task) for task in fitting])
            return
        for task in fitting:
            typer.echo(_line(task))
        if not fitting:
            typer.echo("No tasks found.", err=True)

    running.run(work())


@with_options(output=OutputOptions, connection=ConnectionOptions)
def show(
    task: TaskId = "last",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the task and save its images.")
    ] = False,
    save: Annotated[bool, typer.Option("--save", help="Save its images again.")] = False,
    *,
    connection: ConnectionOptions,
    output: OutputOptions,
) -> None:
    """Show a task; --wait waits for it and saves its images.

    \b
    Examples:
      athena show last
      athena show last --wait
      athena show last --save --out images/
    """

    async def work() -> Exit | None:
        from athena.terminal import following

        options = JobOptions(**structs.asdict(output))
        async with connected(connection) as mj:
            found = await find(mj, task)
            if wait or save:
                return await following.finish(mj, [found], options, connection)
            if output.json:
                _print(_as_json(found.now))
            else:
                typer.echo(_described(found.now))
        return None

    running.run(work())


@with_options(connection=ConnectionOptions)
def open(
    task: TaskId = "last",
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the link without opening it.")
    ] = False,
    *,
    connection: ConnectionOptions,
) -> None:
    """Open a task's image in the browser.

    \b
    Examples:
      athena open last
    """

    async def work() -> None:
        async with connected(connection) as mj:
            found = (await find(mj, task, made=task == "last")).now
        if not found.image_url:
            fail(Exit.FAILED, f"Task {found.id} is {state(found)} and has no image.")
        typer.echo(found.image_url)
        if not print_only:
            typer.launch(found.image_url)

    running.run(work())


@with_options(connection=ConnectionOptions)
def cancel(task: TaskId, json: Json = False, *, connection: ConnectionOptions) -> None:
    """Cancel a task.

    \b
    Examples:
      athena cancel last
    """

    async def work() -> None:
        async with connected(connection) as mj:
            found = await find(mj, task)
            if found.now.ended:
                fail(Exit.REFUSED, f"Task {found.id} has already finished.")
            await found.cancel()
            if json:
                _print(_as_json(found.now))
            else:
                typer.echo(f"Cancelled {found.id}.")

    running.run(work())


@with_options(connection=ConnectionOptions)
def seed(task: TaskId = "last", json: Json = False, *, connection: ConnectionOptions) -> None:
    """Get an image's seed.

    \b
    Examples:
      athena seed last
    """

    async def work() -> None:
        async with connected(connection) as mj:
            found = (await find(mj, task, made=True)).ended()
            number = await found.seed()
            if json:
                _print({"id": found.id, "seed": number})
            else:
                typer.echo(number)

    running.run(work())


@with_options(connection=ConnectionOptions)
def info(json: Json = False, *, connection: ConnectionOptions) -> None:
    """Show plan, remaining hours and mode.

    \b
    Examples:
      athena info
    """
    running.run(_accounts(connection, json=json, full=True))


@with_options(connection=ConnectionOptions)
def accounts(json: Json = False, *, connection: ConnectionOptions) -> None:
    """List accounts and their state.

    \b
    Examples:
      athena accounts --json
    """
    running.run(_accounts(connection, json=json, full=False))


async def _accounts(connection: ConnectionOptions, *, json: bool, full: bool) -> None:
    async with connected(connection) as mj:
        found = await mj.accounts()
    if json:
        _print([msgspec.to_builtins(each) for each in found])
        return
    for each in found:
        typer.echo(_account(each))
        if full:
            for name, value in _properties(each):
                typer.echo(f"  {name:<12}{value}")


def _account(account: "Account") -> str:
    name = account.remark or account.id
    load = f"{account.running_count} of {account.core_size} running"
    line = f"{name}  {account.state}  {load}, {account.queue_count} waiting"
    return f"{line}  {account.disabled_reason}" if account.disabled_reason else line


def _properties(account: "Account") -> list[tuple[str, object]]:
    said = account.properties
    left, total = said.get("fastTimeLeft"), said.get("fastTimeTotal")
    rows = [
        ("plan", _dated(said.get("planRenews") or said.get("plan"))),
        ("fast hours", f"{left:g} of {total:g} left" if left is not None and total else None),
        ("mode", said.get("jobMode")),
        ("visibility", said.get("visibility")),
        ("remix", {True: "on", False: "off"}.get(said.get("remix"))),  # type: ignore[arg-type]
        ("model", said.get("version")),
        ("jobs", said.get("concurrentJobs")),
    ]
    known = [(name, value) for name, value in rows if value is not None]
    return known or [("", "Not queried yet; available shortly after the start.")]


def _dated(text: str | None) -> str | None:
    """Replaces Discord timestamps with dates."""
    return text and _MOMENT.sub(lambda found: f"{datetime.fromtimestamp(int(found[1])):%x}", text)


def _fits(task: "Snapshot", status: str, search: str) -> bool:
    words = (task.prompt or task.description).casefold()
    return (not status or state(task) == status) and search.casefold() in words


def _line(task: "Snapshot") -> str:
    when = datetime.fromtimestamp((task.submit_time or 0) / 1000)
    words = (task.prompt or task.description).replace("\n", " ")[:60]
    return f"{task.id}  {when:%m-%d %H:%M}  {state(task):<9} {task.percent:3d}%  {words}"


def _described(task: "Snapshot") -> str:
    rows = [
        ("task", task.id),
        ("action", task.action.lower()),
        ("state", f"{state(task)} {task.percent}%"),
        ("reason", task.fail_reason),
        ("prompt", task.prompt),
        ("as drawn", task.final_prompt if task.final_prompt != task.prompt else None),
        ("job", task.job),
        ("seed", task.seed),
        ("image", task.image_url),
        ("buttons", ", ".join(button.name for button in task.buttons)),
    ]
    return "\n".join(f"{name:<9} {value}" for name, value in rows if value)


def _as_json(task: "Snapshot") -> Any:
    return msgspec.to_builtins(task)


def _print(said: object) -> None:
    typer.echo(json_module.dumps(said, ensure_ascii=False))
