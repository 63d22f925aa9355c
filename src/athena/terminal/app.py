"""The command line's root: which commands there are."""

from typing import Annotated

import typer

from athena import __version__
from athena.terminal import moderation, token
from athena.terminal.imagine import imagine
from athena.terminal.read import read
from athena.terminal.servers import serve, simulate

app = typer.Typer(
    name="athena",
    help="Your own Midjourney subscription, from programs, a web page and a terminal.",
    epilog="First steps: `athena imagine 'a cute cat --ar 3:2' --simulate` needs no account.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.command()(imagine)
app.command()(serve)
app.command()(simulate)
app.command()(read)
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
