"""Commands that run until they are stopped: `serve` and `simulate`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal import configured, loop
from athena.terminal.exits import Exit, fail

if TYPE_CHECKING:
    from athena.settings import Settings
    from athena.simulator.app import Urls
    from athena.simulator.config import Config

_NO_ACCOUNT = (
    "No account is configured. Run `athena config init`, set USER_TOKEN, GUILD_ID and CHANNEL_ID "
    "(in the environment or in .env), or use `athena serve --simulate`, which needs none."
)


def serve(
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Use the built-in simulator instead of Discord.")
    ] = False,
    or_simulate: Annotated[
        bool, typer.Option("--or-simulate", help="Use the simulator if no account is configured.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (8062).")] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Data folder (with --simulate: a temporary one)."),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.01, help="With --simulate: speed-up factor for jobs.")
    ] = 20.0,
) -> None:
    """Run the server.

    With --simulate it needs no account. Otherwise it uses the configured accounts (environment,
    .env or athena.toml).
    """
    import structlog

    from athena.settings import meaningless
    from athena.terminal import logs

    settings = configured.settings(host=host, port=port, data_dir=data_dir)
    has_accounts = _has_accounts(settings)
    simulate = simulate or (or_simulate and not has_accounts)
    if not simulate and not has_accounts:
        fail(Exit.USAGE, _NO_ACCOUNT)
    logs.set_up(settings.log)
    for name in meaningless(type(settings)):
        structlog.get_logger().info("settings.ignored", name=name)
    try:
        if simulate:
            with _data_folder(data_dir) as folder:
                simulated = settings.model_copy(update={"data_dir": Path(folder)})
                loop.run(_serve_simulated(simulated, speed))
        else:
            loop.run(_serve(settings))
    except KeyboardInterrupt:
        pass
    except Exception as error:
        fail(Exit.FAILED, _why(error, settings))


def simulate(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9001,
    seed: Annotated[int, typer.Option(help="Random seed; same seed, same behavior.")] = 7,
    speed: Annotated[float, typer.Option(min=0.01, help="Speed-up factor for jobs.")] = 1.0,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with users, tokens and channels.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run only the simulator for Discord and Midjourney.

    Any Discord library or Midjourney client can connect to it. It needs no account and spends no
    GPU time.
    """
    from athena.simulator.config import DEMO, BadConfig, load

    try:
        chosen = load(config) if config else DEMO
        loop.run(_simulate(chosen, host, port, seed, speed))
    except BadConfig as error:
        fail(Exit.USAGE, str(error))
    except OSError as error:
        fail(Exit.FAILED, f"Cannot listen on {host}:{port}: {error.strerror}.")
    except KeyboardInterrupt:
        pass


def _has_accounts(settings: Settings) -> bool:
    """Whether an account is configured, or an administrator has added one."""
    if settings.accounts or not (settings.data_dir / "athena.db").exists():
        return bool(settings.accounts)
    from athena.errors import SchemaTooOld, StoreError
    from athena.service.accounts import ACCOUNTS
    from athena.store.sqlite import SqliteRecords

    try:
        records = SqliteRecords(settings.data_dir)
    except SchemaTooOld:
        return True  # starting the server brings the database up to date
    except StoreError as error:
        fail(Exit.FAILED, str(error))
    try:
        return bool(records.all(ACCOUNTS))
    finally:
        records.close()


async def _serve(settings: Settings) -> None:
    from athena import server as serving

    await serving.serve(settings, ready=_greet)


async def _serve_simulated(settings: Settings, speed: float) -> None:
    from athena import server as serving
    from athena.client.local import running_simulator

    async with running_simulator(settings, speed=speed) as (simulated, urls):
        typer.echo(f"Simulator for Discord and Midjourney: {urls.cdn}  (speed {speed:g}x)")
        await serving.serve(simulated, ready=_greet)


def _data_folder(data_dir: Path | None) -> contextlib.AbstractContextManager[Path | str]:
    """The data folder of a simulated server; temporary unless one is given, because the next
    simulator does not know the tasks of this one."""
    if data_dir:
        return contextlib.nullcontext(data_dir)
    return tempfile.TemporaryDirectory(prefix="athena-")


def _greet(url: str) -> None:
    typer.echo(
        f"""
Athena is ready: {url}

  Web UI            {url}/
  API docs          {url}/docs
  Try it            {_this_program()} imagine "a cute cat --ar 3:2" --server {url}
  With curl         curl -X POST {url}/mj/submit/imagine \\
                         -H "Content-Type: application/json" \\
                         -d '{{"prompt": "a cute cat --ar 3:2"}}'
                    curl {url}/mj/task/TASK_ID/fetch

Press Ctrl-C to stop.
"""
    )


def _this_program() -> str:
    """The command that runs this program from the current folder."""
    if shutil.which("athena"):
        return "athena"
    return os.path.relpath(sys.argv[0])


async def _simulate(config: Config, host: str, port: int, seed: int, speed: float) -> None:
    from athena.simulator.app import Simulator

    async with Simulator(config, host=host, port=port, seed=seed, speed=speed) as simulator:
        _describe(config, simulator.urls)
        await asyncio.Event().wait()


def _describe(config: Config, urls: Urls) -> None:
    """Print the settings that connect a client to the simulator, in .env format."""
    typer.echo(f"ATHENA_DISCORD__API_URL={urls.api}")
    typer.echo(f"ATHENA_DISCORD__GATEWAY_URL={urls.gateway}")
    typer.echo(f"ATHENA_DISCORD__CDN_URL={urls.cdn}")
    typer.echo(f"ATHENA_DISCORD__APPS_URL={urls.apps}")
    for user in config.users:
        kind = "BOT_TOKEN" if user.bot else "USER_TOKEN"
        typer.echo(f"# {user.name}: {kind}={user.token} GUILD_ID={config.guild_of(user)} "
                   f"CHANNEL_ID={config.channel_of(user)}")  # fmt: skip
    typer.echo(f"# control: {urls.cdn}/_control/state   Press Ctrl-C to stop.")


def _why(error: Exception, settings: Settings) -> str:
    """What stopped the server from starting, and what to do about it."""
    from athena.errors import AthenaError, FolderInUse

    match error:
        case FolderInUse():
            return f"{error}. Stop it, or choose another folder with --data-dir."
        case AthenaError():
            return str(error)
        case OSError():
            place = f"{settings.server.host}:{settings.server.port}"
            return f"Cannot start on {place}: {error.strerror or error}. Try another --port."
        case _:
            raise error
