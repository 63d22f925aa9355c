"""The root of the command line: lists the commands."""

from collections.abc import Callable
from typing import Annotated

import typer

from athena.terminal import config, looking, making, moderation, pressing, remaking, token
from athena.terminal.doctor import doctor
from athena.terminal.read import read
from athena.terminal.servers import serve, simulate
from athena.terminal.shell import shell
from athena.version import __version__

app = typer.Typer(
    name="athena",
    help="Use your own Midjourney subscription from programs, a web page and a terminal.",
    epilog="Try `athena imagine 'a cute cat --ar 3:2' --simulate`: it needs no account.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)
_COMMANDS: tuple[Callable[..., None], ...] = (
    making.imagine, pressing.upscale, pressing.vary, pressing.reroll, pressing.zoom, pressing.pan,
    pressing.region, pressing.animate, pressing.action, remaking.describe, making.shorten,
    remaking.blend, remaking.swap, remaking.edit, remaking.video, looking.seed, looking.tasks,
    looking.show, looking.open, looking.cancel, looking.info, looking.accounts, shell, doctor,
    serve, simulate, read,
)  # fmt: skip
for _command in _COMMANDS:
    app.command()(_command)
app.command("film", hidden=True)(remaking.video)  # the earlier name
app.add_typer(config.app, name="config")
app.add_typer(moderation.app, name="moderation")
app.add_typer(token.app, name="token")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"athena {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version)
    ] = False,
) -> None:
    pass
