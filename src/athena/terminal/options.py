"""Options that many commands share.

A command names the groups of options that it takes. The decorator adds them to the command's own
options and passes each group as a struct.
"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer
from msgspec import Struct
from msgspec.structs import fields

from athena.client.files import TEMPLATE

_F = TypeVar("_F", bound=Callable[..., None])


class ConnectionOptions(Struct, frozen=True, kw_only=True):
    """How a command reaches Midjourney."""

    server: Annotated[
        str | None,
        typer.Option(envvar="ATHENA_SERVER_URL", help="Server URL."),
    ] = None
    secret: Annotated[
        str | None, typer.Option(envvar="ATHENA_SECRET", help="API secret or access token.")
    ] = None
    direct: Annotated[
        bool, typer.Option("--direct", help="Use the configured Discord account without a server.")
    ] = False
    simulate: Annotated[bool, typer.Option("--simulate", help="Use the built-in simulator.")] = (
        False
    )
    speed: Annotated[
        float, typer.Option(min=0.01, help="With --simulate: speed-up factor for jobs.")
    ] = 20.0


class OutputOptions(Struct, frozen=True, kw_only=True):
    """Where images are saved, and what is printed."""

    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")] = Path("images")
    name: Annotated[
        str,
        typer.Option(
            help="File name template; fields: {date} {slug} {job8} {job} {task} {tile}.",
            show_default=True,
        ),
    ] = TEMPLATE
    preview: Annotated[
        bool | None,
        typer.Option(help="Show previews in the terminal (default: auto)."),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


class JobOptions(OutputOptions, frozen=True, kw_only=True):
    """The same for commands that start jobs."""

    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the task, or print its id and exit.")
    ] = True


def with_options(**groups: type[Struct]) -> Callable[[_F], _F]:
    """Add the options of these groups to a command. Each group is passed as the named argument."""

    def decorate(command: _F) -> _F:
        hints = get_type_hints(command, include_extras=True)
        own = inspect.signature(command).parameters.values()
        kept = [p.replace(annotation=hints[p.name]) for p in own if p.name not in groups]
        added = [parameter for group in groups.values() for parameter in _parameters(group)]

        @functools.wraps(command)
        def wrapped(**given: Any) -> None:
            for name, group in groups.items():
                values = {f.name: given.pop(f.name) for f in fields(group)}
                given[name] = group(**values)
            command(**given)

        every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*kept, *added)]
        wrapped.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {p.name: p.annotation for p in every}
        return wrapped  # type: ignore[return-value]

    return decorate


def _parameters(group: type[Struct]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
