"""How a command reaches Midjourney: through a server, with one's own account, or the simulator.

What is named on the command line counts, then the profile that `athena config init` writes. Without
either: a server on this machine when one answers, else the configured account, else an explanation.
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
    from athena.terminal.options import Way

_NO_WAY = """No server answers at {server}, and no account is configured. Any of these helps:
  athena serve --simulate            a server with the simulator, no account needed (then try again)
  athena config init                 tell Athena your Discord account
  --simulate                         let the simulator draw, this once"""


class Profile(Struct, frozen=True, kw_only=True):
    """A server that is always meant."""

    server: str = ""
    secret: str = ""


def profile_file() -> Path:
    """Where the profile is kept."""
    named = os.environ.get("ATHENA_PROFILE")
    return Path(named) if named else Path(typer.get_app_dir("athena")) / "profile.toml"


def profile() -> Profile:
    """The profile; an empty one where there is none."""
    try:
        said = tomllib.loads(profile_file().read_text())
    except FileNotFoundError:
        return Profile()
    except (OSError, ValueError) as error:
        fail(Exit.USAGE, f"{profile_file()} cannot be read: {error}")
    return Profile(server=str(said.get("server", "")), secret=str(said.get("secret", "")))


@asynccontextmanager
async def connected(way: Way) -> AsyncIterator[Athena]:
    """The library, by the way that is meant."""
    from athena.client import DEFAULT_SERVER, Athena

    known = profile()
    if way.simulate:
        _quiet()
        async with Athena.simulated(speed=way.speed) as mj:
            yield mj
    elif way.direct:
        async with _directly() as mj:
            yield mj
    elif server := way.server or known.server:
        async with Athena.connect(server, way.secret or known.secret) as mj:
            yield mj
    elif await _answers(DEFAULT_SERVER):
        async with Athena.connect(DEFAULT_SERVER, way.secret) as mj:
            yield mj
    elif configured.settings().accounts:
        async with _directly() as mj:
            yield mj
    else:
        fail(Exit.UNREACHABLE, _NO_WAY.format(server=DEFAULT_SERVER))


@asynccontextmanager
async def _directly() -> AsyncIterator[Athena]:
    from athena.client import Athena, local

    settings = configured.settings()
    if not settings.accounts:
        fail(Exit.USAGE, "No account is configured. `athena config init` asks for what is needed.")
    _quiet()
    async with local.served(settings) as (url, secret), Athena.connect(url, secret) as mj:
        yield mj


def _quiet() -> None:
    """The engine's log would write over what is shown; its errors still matter."""
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
