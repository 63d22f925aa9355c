"""Puts the parts together and keeps them running: store, accounts, webhooks, HTTP."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast

import structlog
import uvicorn
from msgspec import Struct, field

from athena.accounts.pool import Pool
from athena.accounts.prompt_translation import PromptTranslation
from athena.accounts.unknown_forms import UnknownForms
from athena.clock import Clock, SystemClock
from athena.delivery.fetching import Fetcher, NoImage
from athena.delivery.guard import Guard, PublicResolver
from athena.delivery.served import Gallery, Source
from athena.delivery.translation import translator
from athena.delivery.webhooks import Signer, Webhooks
from athena.discord.http_sessions import ConnectionLimits, open_sessions
from athena.discord.open_files import ensure_open_files, open_files_needed
from athena.http import app
from athena.http.auth import Authenticator
from athena.http.calls import Services
from athena.http.events import Feed
from athena.http.fast_path import ASGIApp
from athena.http.mj.task_view import render
from athena.http.path_options import PathOptions
from athena.http.trigger import view as trigger_view
from athena.midjourney.moderation import WordList
from athena.service.account_registry import AccountRegistry
from athena.service.link_renewal import LinkRenewal
from athena.service.preferences import Preferences
from athena.service.quotas import Quotas
from athena.service.tasks import TaskService
from athena.service.token_registry import TokenRegistry
from athena.settings import Settings
from athena.sockets import listen
from athena.store.records import Records
from athena.store.sealing import Seal
from athena.store.store import MakeWriter, Store
from athena.store.writer import Writer
from athena.tasks.model import Api, Task

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


class Runtime(Struct, frozen=True, kw_only=True):
    """What a server stands on: time, chance, and the way to its disk."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=Random)
    make_writer: MakeWriter = Writer


@asynccontextmanager
async def serving(settings: Settings, runtime: Runtime | None = None) -> AsyncIterator[str]:
    """A running server inside this process; yields its base URL. Raises as `serve`."""
    async with AsyncExitStack() as stack:
        listening = listen(settings.server.host, settings.server.port)
        stack.callback(listening.close)
        url = _url(listening)
        services = await stack.enter_async_context(engine(settings, runtime, url))
        await stack.enter_async_context(_http(app.make(services), listening))
        stack.callback(services.feed.close)
        log.info("server.ready", url=url)
        yield url


@asynccontextmanager
async def engine(
    settings: Settings, runtime: Runtime | None = None, url: str = ""
) -> AsyncIterator[Services]:
    """Store, accounts and webhooks without HTTP. `url` is where the server will listen."""
    runtime = runtime or Runtime()
    clock, random = runtime.clock, runtime.random
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.data_dir, runtime.make_writer)
        stack.push_async_callback(store.close)
        records = Records(settings.data_dir)
        stack.callback(records.close)
        loopback = settings.webhooks.allow_loopback
        resolver = PublicResolver(allow_loopback=loopback)
        limits = ConnectionLimits(rest=settings.discord.rest_connections)
        sessions = await stack.enter_async_context(open_sessions(limits, resolver))
        unknown_forms = UnknownForms(settings.data_dir / "unknown-forms.jsonl")
        translation = PromptTranslation(translator(settings.translation, sessions.translation))
        seen = await store.seen()
        pool = Pool(store, clock, random, unknown_forms, translation, seen)
        seal = Seal(settings.data_dir)
        registry = AccountRegistry(pool, records, seal, settings.discord, sessions)
        registry.load(settings.accounts)
        if problem := ensure_open_files(open_files_needed(len(pool.runners()), limits)):
            log.warning("open_files.too_few", problem=problem)
        pool.remember(store.recent())
        pool.resume(store.unfinished())
        token_registry = TokenRegistry(records, clock)
        quotas = Quotas(store, clock)
        await quotas.load()
        built_in = settings.prompts.built_in_words
        banned = WordList(settings.banned_words_file, built_in=built_in, now=clock.monotonic)
        fetcher = Fetcher(
            sessions.images, sessions.cdn, (settings.discord.cdn_url,), allow_loopback=loopback
        )
        renewal = LinkRenewal(store, pool, clock)
        services = Services(
            settings=settings,
            preferences=Preferences(records, settings, pool.chooser),
            clock=clock,
            tasks=TaskService(store, pool, banned, clock, random),
            registry=registry,
            token_registry=token_registry,
            authenticator=Authenticator(settings.server, token_registry.tokens, clock),
            fetcher=fetcher,
            guard=Guard(resolver, allow_loopback=loopback),
            webhooks=Webhooks(
                store, sessions.webhooks, clock, random, lambda task: _told(services, task, url),
                _signer(settings),
            ),
            gallery=_gallery(settings, _source(renewal, fetcher)),
            renewal=renewal,
            quotas=quotas,
            feed=Feed(store, clock),
            seal=seal,
        )  # fmt: skip
        for work in (token_registry.run(), services.webhooks.run(), pool.run()):
            stack.push_async_callback(_cancel, asyncio.create_task(work))
        yield services


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{'[' + host + ']' if ':' in host else host}:{port}"


def _told(services: Services, task: Task, url: str) -> bytes | None:
    """A webhook's body, in the language of the dialect that asked, with the kind of links that were
    asked for; None while there is nothing to tell in it."""
    if task.api is Api.TRIGGER:
        return trigger_view.callback(task)
    wishes = PathOptions(None, task.image_links, task.image_host)
    return render(task, services.links(wishes, url))


def _signer(settings: Settings) -> Signer | None:
    secret = settings.webhooks.signing_secret
    return Signer(secret.get_secret_value()) if secret else None


def _gallery(settings: Settings, source: Source) -> Callable[[], Gallery]:
    @cache
    def opened() -> Gallery:
        from obstore.store import LocalStore, from_url

        from athena.delivery.images import Images

        if settings.images.store_url:
            return Images(from_url(settings.images.store_url), source)
        return Images(LocalStore(_image_folder(settings.data_dir), mkdir=True), source)

    return opened


def _image_folder(data: Path) -> Path:
    """Where relayed images are kept; an earlier version called it `pictures`."""
    former, folder = data / "pictures", data / "images"
    if former.is_dir() and not folder.exists():
        former.rename(folder)
    return folder


def _source(renewal: LinkRenewal, fetcher: Fetcher) -> Source:
    """Brings a task's image by a link that lives."""

    async def upload(task: Task) -> bytes:
        (fresh,) = await renewal.renewed([task])
        if fresh.image is None:
            raise NoImage("the task has no image")
        return await fetcher.fetch(fresh.image.url)

    return upload


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
