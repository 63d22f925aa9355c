"""How a command reaches Midjourney: through a server, with your own account, or the simulator.

The command line takes precedence, then the profile that `athena config init` writes. Without
either, the command uses a server on this machine if one responds, else the configured account, else
it fails.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from athena.terminal import configured
from athena.terminal.exits import Exit, fail

if TYPE_CHECKING:
    from athena.client import Athena
    from athena.terminal.options import ConnectionOptions

_NO_CONNECTION = """No server at {server} and no account configured. Choose one:
  athena serve --simulate            start a server with the simulator, then try again
  athena config init                 set up your Discord account
  --simulate                         use the built-in simulator for this command"""


class ConnectionProfile(Struct, frozen=True, kw_only=True):
    """The server that commands use by default."""

    server: str = ""
    secret: str = ""


def profile_file() -> Path:
    """The path of the profile."""
    named = os.environ.get("ATHENA_PROFILE")
    return Path(named) if named else Path(typer.get_app_dir("athena")) / "profile.toml"


def profile() -> ConnectionProfile:
    """The profile; an empty one if there is none."""
    try:
        said = tomllib.loads(profile_file().read_text())
    except FileNotFoundError:
        return ConnectionProfile()
    except (OSError, ValueError) as error:
        fail(Exit.USAGE, f"Cannot read {profile_file()}: {error}")
    return ConnectionProfile(server=str(said.get("server", "")), secret=str(said.get("secret", "")))


@asynccontextmanager
async def connected(connection: ConnectionOptions) -> AsyncIterator[Athena]:
    """The library's client, connected as the options and the profile say."""
    from athena.client import DEFAULT_SERVER, Athena

    known = profile()
    if connection.simulate:
        _quiet()
        async with Athena.simulated(speed=connection.speed) as mj:
            yield mj
    elif connection.direct:
        async with _directly() as mj:
            yield mj
    elif server := connection.server or known.server:
        async with Athena.connect(server, connection.secret or known.secret) as mj:
            yield mj
    elif await _answers(DEFAULT_SERVER):
        async with Athena.connect(DEFAULT_SERVER, connection.secret) as mj:
            yield mj
    elif configured.settings().accounts:
        async with _directly() as mj:
            yield mj
    else:
        fail(Exit.UNREACHABLE, _NO_CONNECTION.format(server=DEFAULT_SERVER))


@asynccontextmanager
async def _directly() -> AsyncIterator[Athena]:
    from athena.client import Athena, local

    settings = configured.settings()
    if not settings.accounts:
        fail(Exit.USAGE, "No account is configured. Run `athena config init`.")
    _quiet()
    async with local.served(settings) as (url, secret), Athena.connect(url, secret) as mj:
        yield mj


def _quiet() -> None:
    """Log errors only: other log lines would overwrite the live view."""
    from athena.settings import LogSettings
    from athena.terminal import logs

    logs.set_up(LogSettings(level="ERROR"))


async def _answers(server: str) -> bool:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"{server}/health/live") as answer,
        ):
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
