"""`athena config`: shows the settings and sets them up interactively."""

import os
from pathlib import Path
from typing import Annotated

import typer

from athena.terminal import configured
from athena.terminal.connections import profile, profile_file
from athena.terminal.exits import Exit, fail

app = typer.Typer(help="Show and create settings.")

_WHERE_TO_SIGN_IN = """
Your Discord token. It lets Athena act as you, so treat it like a password; automating a user
account is against Discord's terms, and the risk is yours.
  1. Open https://discord.com/channels/@me in a desktop browser and sign in.
  2. Press F12, choose Network, type `/api` into its filter, and click any channel.
  3. Click a request; under Request Headers copy the value of `authorization`."""

_GUILD = """
The server in which the Midjourney bot is a member, preferably one of your own.
  In Discord, open Settings, Advanced and enable Developer Mode. Then right-click the server's icon
  and choose Copy Server ID."""

_CHANNEL = """
A channel in it that you use for nothing else.
  Right-click the channel and choose Copy Channel ID."""

_SERVICE = "athena"


@app.command()
def init(
    file: Annotated[Path, typer.Option(help="Where to write the settings.")] = Path(".env"),
    server: Annotated[
        str, typer.Option(help="URL of the server to use by default, instead of an account.")
    ] = "",
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Store the token in the system's keyring.")
    ] = False,
) -> None:
    """Set up your account or server interactively.

    \b
    Examples:
      athena config init
      athena config init --server https://athena.example.com
    """
    if server:
        _write_profile(server)
        return
    if file.exists() and not typer.confirm(f"{file} already exists. Add to it?", err=True):
        raise typer.Abort
    typer.echo(_WHERE_TO_SIGN_IN)
    token = typer.prompt("Token", hide_input=True).strip().strip('"')
    typer.echo(_GUILD)
    guild = _snowflake("Server ID")
    typer.echo(_CHANNEL)
    channel = _snowflake("Channel ID")
    values = {"GUILD_ID": guild, "CHANNEL_ID": channel}
    if keyring:
        _keep(channel, token)
    else:
        values["USER_TOKEN"] = token
    _write(file, values)
    typer.echo(f"\nWritten to {file}, readable only by you. Next: athena doctor")


@app.command()
def show() -> None:
    """Print the effective settings (secrets hidden).

    \b
    Examples:
      athena config show
    """
    typer.echo(configured.settings().model_dump_json(indent=2))


@app.command()
def path() -> None:
    """Print the locations of the settings.

    \b
    Examples:
      athena config path
    """
    toml = Path(os.environ.get("ATHENA_CONFIG", "athena.toml"))
    for name, place in (("environment", None), (".env", Path(".env")), ("TOML", toml),
                        ("Keys", Path("Keys")), ("profile", profile_file())):  # fmt: skip
        there = "" if place is None else f"  {place.resolve()}"
        missing = "" if place is None or place.exists() else "  (not found)"
        typer.echo(f"{name:<12}{there}{missing}")


def _snowflake(name: str) -> str:
    while True:
        given: str = typer.prompt(name).strip()
        if given.isdecimal() and 15 <= len(given) <= 20:
            return given
        typer.echo(f"Invalid id {given!r}: an id has 17 to 20 digits.")


def _keep(channel: str, token: str) -> None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        fail(Exit.USAGE, "The keyring needs another package: pip install 'athena-mj[keyring]'")
    try:
        keyring.set_password(_SERVICE, channel, token)
    except KeyringError as error:
        fail(Exit.FAILED, f"The system's keyring rejected the token: {error}")


def _write(file: Path, values: dict[str, str]) -> None:
    """Add lines, replacing those with the same names."""
    lines = file.read_text().splitlines() if file.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() not in values]
    text = "\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n"
    _write_privately(file, text)


def _write_profile(server: str) -> None:
    if not server.startswith(("http://", "https://")):
        fail(Exit.USAGE, f"Expected a URL such as http://127.0.0.1:8062, "
             f"not {server!r}.")  # fmt: skip
    known = profile().secret
    secret = typer.prompt("API secret or token (empty for none)", default=known or "",
                          hide_input=True, show_default=False)  # fmt: skip
    file = profile_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    quoted = {"server": server.rstrip("/"), "secret": secret.strip()}
    lines = (f"{name} = {_toml(value)}\n" for name, value in quoted.items() if value)
    _write_privately(file, "".join(lines))
    typer.echo(f"Written to {file}. Next: athena tasks")


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write_privately(file: Path, text: str) -> None:
    """Write a file atomically, readable only by its owner."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:  # noqa: PTH123
        out.write(text)
    fresh.replace(file)
