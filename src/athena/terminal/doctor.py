"""`athena doctor`: looks for what keeps images from being made, and says what to do."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec import Struct

from athena.terminal import configured, running
from athena.terminal.exits import Exit

if TYPE_CHECKING:
    import aiohttp

    from athena.accounts.connection import Connection
    from athena.discord.http_sessions import HttpSessions
    from athena.settings import AccountSettings, Settings

_SPACE = 200 * 1024 * 1024
_SKEW = 5.0
_SESSION = 30.0
_DIRECTORY = "https://discord.com/application-directory"


class Mark(StrEnum):
    GOOD = "ok"
    BAD = "bad"
    UNSURE = "unsure"


_SIGNS = {Mark.GOOD: "✓", Mark.BAD: "✗", Mark.UNSURE: "?"}


class Finding(Struct, frozen=True):
    """What was looked at, how it is, and what to do where it is not well."""

    what: str
    mark: Mark
    said: str
    advice: str = ""


def doctor(
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Look at the simulator instead of Discord.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for what keeps images from being made: settings, disk, clock, token, server, channel,
    bot, plan. No secret is printed.

    \b
    Examples:
      athena doctor
      athena doctor --simulate
    """
    running.run(_doctor(simulate=simulate, json=json))


async def _doctor(*, simulate: bool, json: bool) -> Exit:
    from athena.settings import LogSettings
    from athena.terminal import logs

    logs.set_up(LogSettings(level="ERROR"))
    findings: list[Finding] = []
    async with _settings(simulate=simulate) as settings:
        async for finding in _examine(settings):
            findings.append(finding)
            if not json:
                _print(finding)
    if json:
        typer.echo(msgspec.json.encode(findings).decode())
    bad = any(finding.mark is Mark.BAD for finding in findings)
    return Exit.FAILED if bad else Exit.DONE


@asynccontextmanager
async def _settings(*, simulate: bool) -> AsyncIterator[Settings]:
    settings = configured.settings()
    if not simulate:
        yield settings
        return
    from athena.client.local import running_simulator

    async with running_simulator(settings, speed=20) as (led, _):
        yield led


async def _examine(settings: Settings) -> AsyncIterator[Finding]:
    from athena.discord.http_sessions import open_sessions

    yield _accounts(settings)
    yield _disk(settings.data_dir)
    yield await asyncio.to_thread(_store, settings.data_dir)
    async with open_sessions() as http:
        yield await _clock(http.rest, settings)
        for account in settings.accounts:
            async for finding in _account(http, settings, account):
                yield finding


def _accounts(settings: Settings) -> Finding:
    number = len(settings.accounts)
    if number:
        return Finding("settings", Mark.GOOD, f"{number} account{'s' * (number > 1)} configured")
    return Finding("settings", Mark.BAD, "no account is configured",
                   "`athena config init` asks for what is needed.")  # fmt: skip


def _disk(folder: Path) -> Finding:
    place = next(each for each in (folder, *folder.resolve().parents) if each.exists())
    free = shutil.disk_usage(place).free
    said = f"{free // 1024**2} MB free for {folder}"
    if free < _SPACE:
        return Finding("disk", Mark.BAD, said, "Make room, or choose another data folder.")
    return Finding("disk", Mark.GOOD, said)


def _store(folder: Path) -> Finding:
    from athena.errors import StoreError
    from athena.store.sqlite.reports import examine

    try:
        found = examine(folder)
    except StoreError as error:
        return Finding("store", Mark.BAD, str(error), "Restore a copy of it, or move it away.")
    if found is None:
        return Finding("store", Mark.GOOD, f"{folder} gets a database at the first start")
    if found.fault:
        return Finding("store", Mark.BAD, f"{folder}: {found.fault}", "Restore a copy of it.")
    if found.unreadable:
        return Finding("store", Mark.UNSURE,
                       f"{len(found.unreadable)} tasks cannot be read by this version",
                       f"They stay as they are: {', '.join(found.unreadable[:5])}")  # fmt: skip
    return Finding("store", Mark.GOOD, f"the database in {folder} is sound")


async def _clock(http: aiohttp.ClientSession, settings: Settings) -> Finding:
    """Nonces carry our hour; one far from Discord's makes old messages look new."""
    import aiohttp

    try:
        began = time.time()
        async with http.get(f"{settings.discord.api_url}/gateway") as answer:
            theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Finding("discord", Mark.BAD, f"out of reach: {type(error).__name__}",
                       "Is the network there? Does it need ATHENA_DISCORD__PROXY_URL?")  # fmt: skip
    except (KeyError, ValueError):
        return Finding("discord", Mark.UNSURE, "it answers, but tells no time")
    skew = abs(theirs + 0.5 - (began + time.time()) / 2)
    if skew > _SKEW:
        return Finding("clock", Mark.BAD, f"this machine's clock is {skew:.0f} s off",
                       "Set it by a time server (NTP).")  # fmt: skip
    return Finding("discord", Mark.GOOD, "it answers, and the clocks agree")


async def _account(
    http: HttpSessions, settings: Settings, account: AccountSettings
) -> AsyncIterator[Finding]:
    from athena.accounts.connection import Connection
    from athena.clock import SystemClock

    connection = Connection(http, settings.discord, account, SystemClock(), Random())
    name = account.remark or account.channel_id
    for what, look in (("token", _token), ("channel", _channel), ("bot", _bot)):
        finding = await _asked(what, lambda look=look: look(connection, account))  # type: ignore[misc]
        yield msgspec.structs.replace(finding, what=f"{name}: {what}")
        if finding.mark is Mark.BAD:
            return
    yield await _plan(settings, account, name)


async def _asked(what: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    from athena.discord.errors import DiscordError, Forbidden, Unauthorized, UnknownObject

    try:
        return await look()
    except Unauthorized:
        return Finding(what, Mark.BAD, "Discord refuses the token",
                       "Get a new one; `athena config init` tells where.")  # fmt: skip
    except (Forbidden, UnknownObject) as error:
        return Finding(what, Mark.BAD, str(error),
                       "Are the ids right, and is this user in that server?")  # fmt: skip
    except DiscordError as error:
        return Finding(what, Mark.BAD, str(error), "Try again in a few minutes.")


async def _token(connection: Connection, account: AccountSettings) -> Finding:
    user = await connection.rest.me()
    return Finding("token", Mark.GOOD, f"signed in as {user.username}")


async def _channel(connection: Connection, account: AccountSettings) -> Finding:
    await connection.rest.messages(account.channel_id, limit=1)
    return Finding("channel", Mark.GOOD, "it can be read")


async def _bot(connection: Connection, account: AccountSettings) -> Finding:
    from athena.discord.errors import DiscordError
    from athena.midjourney import MIDJOURNEY

    try:
        command, _ = await connection.catalogue.find(MIDJOURNEY, "imagine")
    except DiscordError:
        return Finding("bot", Mark.BAD, "the Midjourney bot has no /imagine in this server",
                       f"Invite it: {_DIRECTORY}/{MIDJOURNEY}")  # fmt: skip
    return Finding("bot", Mark.GOOD, f"it is there, /imagine is version {command.version}")


async def _plan(settings: Settings, account: AccountSettings, name: str) -> Finding:
    """Begins a session and lets the bot tell of the plan."""
    import tempfile

    from athena.server import running

    with tempfile.TemporaryDirectory() as folder:
        asking = account.model_copy(update={"refresh_minutes": 60})
        alone = settings.model_copy(update={"accounts": [asking], "data_dir": Path(folder)})
        async with running(alone) as server:
            worker = server.workers.get(account.channel_id)
            assert worker is not None  # noqa: S101 (it was configured above)
            status = worker.status
            until = time.monotonic() + _SESSION
            while time.monotonic() < until and status.profile.plan is None:
                if status.is_stopped:
                    return Finding(f"{name}: session", Mark.BAD, status.reason)
                await asyncio.sleep(0.1)
            profile = status.profile
    if profile.plan is None:
        return Finding(f"{name}: plan", Mark.UNSURE, "the bot told nothing of it in time")
    hours = f", {profile.fast_left:g} fast hours left" if profile.fast_left is not None else ""
    return Finding(f"{name}: plan", Mark.GOOD, f"{profile.plan}{hours}")


def _print(finding: Finding) -> None:
    typer.echo(f"{_SIGNS[finding.mark]} {finding.what}: {finding.said}")
    if finding.advice:
        typer.echo(f"    {finding.advice}")
