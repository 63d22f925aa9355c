"""Puts the parts together and keeps them running: store, accounts, hooks, HTTP."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from random import Random
from typing import Any, cast

import aiohttp
import structlog
import uvicorn

from athena.clock import Clock, SystemClock
from athena.delivery.fetching import Fetcher
from athena.delivery.guard import PublicResolver
from athena.delivery.hooks import Hooks
from athena.engine.desk import Desk
from athena.engine.pool import Pool
from athena.engine.unknowns import Unknowns
from athena.http import app
from athena.http.front import ASGIApp
from athena.http.mj_task import render
from athena.midjourney.moderation import WordList
from athena.settings import Settings
from athena.sockets import listen
from athena.store.store import Store

log = structlog.get_logger(__name__)


async def serve(settings: Settings, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is told the base URL once calls are answered.

    Raises:
        FolderInUse, StoreBroken: the data folder cannot be used.
        OpenToTheWorld: it would be open to others without a secret.
        OSError: the port is taken.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(settings) as url:
        if ready:
            ready(url)
        await stopped.wait()


@asynccontextmanager
async def serving(settings: Settings, clock: Clock | None = None) -> AsyncIterator[str]:
    """A running server inside this process; yields its base URL. Raises as `serve`."""
    async with engine(settings, clock or SystemClock()) as (desk, fetcher):
        listening = listen(settings.server.host, settings.server.port)
        application = app.make(settings, desk, fetcher)
        host, port = listening.getsockname()[:2]
        async with _http(application, listening):
            log.info("server.ready", host=host, port=port)
            yield f"http://{'[' + host + ']' if ':' in host else host}:{port}"


@asynccontextmanager
async def engine(settings: Settings, clock: Clock) -> AsyncIterator[tuple[Desk, Fetcher]]:
    """Store, accounts and hooks without HTTP."""
    random = Random()
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.data_dir)
        stack.push_async_callback(store.close)
        discord = await stack.enter_async_context(aiohttp.ClientSession())
        resolver = PublicResolver(allow_loopback=settings.hooks.allow_loopback)
        outside = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver))
        )
        unknowns = Unknowns(settings.data_dir / "unknown-forms.jsonl")
        pool = Pool(store, clock, random, unknowns)
        for account in settings.accounts:
            pool.add(account, settings.discord, discord)
        pool.resume(store.unfinished())
        hooks = Hooks(store, outside, clock, random, render)
        stack.push_async_callback(_cancel, asyncio.create_task(hooks.run()))
        stack.push_async_callback(_cancel, asyncio.create_task(pool.run()))
        built_in = settings.prompts.built_in_words
        banned = WordList(settings.banned_words_file, built_in=built_in)
        trusted = (settings.discord.cdn_url,)
        loopback = settings.hooks.allow_loopback
        fetcher = Fetcher(outside, discord, trusted, allow_loopback=loopback)
        yield Desk(store, pool, banned, clock, random), fetcher


@asynccontextmanager
async def _http(application: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        cast(Any, application),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
        server_header=False,
        proxy_headers=False,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await server.listening.wait()
        yield
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers, telling when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _cancel(work: "asyncio.Task[None]") -> None:
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
