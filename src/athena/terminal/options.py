"""Options that many commands share, written once.

A command names the groups that it takes; the decorator adds their options to its own, and hands
them over as one struct each.
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


class Way(Struct, frozen=True, kw_only=True):
    """By which way images are made."""

    server: Annotated[
        str | None,
        typer.Option(envvar="ATHENA_SERVER_URL", help="Through the server at this URL."),
    ] = None
    secret: Annotated[
        str | None, typer.Option(envvar="ATHENA_SECRET", help="The server's secret, or a token.")
    ] = None
    direct: Annotated[
        bool, typer.Option("--direct", help="With the configured account, without a server.")
    ] = False
    simulate: Annotated[
        bool, typer.Option("--simulate", help="No server, no account: the simulator draws.")
    ] = False
    speed: Annotated[
        float, typer.Option(min=0.01, help="With --simulate: how much faster jobs go.")
    ] = 20.0


class Saving(Struct, frozen=True, kw_only=True):
    """What becomes of images that were made."""

    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")] = Path("images")
    name: Annotated[
        str,
        typer.Option(
            help="Names of the files: date, slug, job8, job, task and tile in braces.",
            show_default=True,
        ),
    ] = TEMPLATE
    preview: Annotated[
        bool | None,
        typer.Option(help="Show images in the terminal (default: where it can)."),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


class Making(Saving, frozen=True, kw_only=True):
    """What becomes of images that are to be made."""

    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Do not wait: print the task's id and leave.")
    ] = True


def taking(*groups: type[Struct]) -> Callable[[_F], _F]:
    """Add the options of these groups to a command, which gets each as `way`, `making`, …"""

    def decorate(command: _F) -> _F:
        hints = get_type_hints(command, include_extras=True)
        own = inspect.signature(command).parameters.values()
        names = [group.__name__.lower() for group in groups]
        kept = [p.replace(annotation=hints[p.name]) for p in own if p.name not in names]
        added = [parameter for group in groups for parameter in _parameters(group)]

        @functools.wraps(command)
        def wrapped(**given: Any) -> None:
            for name, group in zip(names, groups, strict=True):
                mine = {f.name: given.pop(f.name) for f in fields(group)}
                given[name] = group(**mine)
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
