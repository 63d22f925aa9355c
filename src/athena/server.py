"""Puts the parts together and keeps them running: store, accounts, services, webhooks, HTTP."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any, cast

import structlog
import uvicorn
from msgspec import Struct, field

from athena.accounts.prompt_translation import PromptTranslation
from athena.accounts.unknown_forms import UnknownForms
from athena.accounts.worker import WorkerEnvironment
from athena.accounts.workers import AccountWorkers
from athena.backoff import Backoff
from athena.clock import Clock, SystemClock
from athena.delivery.fetching import Fetcher, NoImage
from athena.delivery.guard import Guard, PublicResolver, guarded_connector
from athena.delivery.served import Gallery, ImageNotDeleted, Source
from athena.delivery.translation import translator
from athena.delivery.webhooks import Signer, Webhooks
from athena.discord.http_sessions import ConnectionLimits, HttpSessions, open_sessions
from athena.discord.open_files import ensure_open_files, open_files_needed
from athena.discord.pacing import IdentifyPacer
from athena.http import app
from athena.http.auth import Authenticator
from athena.http.calls import Services
from athena.http.events import Feed
from athena.http.fast_path import ASGIApp
from athena.http.mj.task_view import render
from athena.http.path_options import PathOptions
from athena.http.trigger import view as trigger_view
from athena.midjourney.moderation import WordList
from athena.service.accounts import AccountRegistry, AccountService
from athena.service.admission import Admission
from athena.service.buttons import ButtonService
from athena.service.files import FileService
from athena.service.health import Health
from athena.service.idempotency import IdempotencyKeys
from athena.service.link_renewal import LinkRenewal
from athena.service.preferences import Preferences
from athena.service.quotas import Quotas
from athena.service.reassignment import Reassignment
from athena.service.task_queries import TaskQueries
from athena.service.tasks import TaskService
from athena.service.token_registry import LOOK, TokenRegistry
from athena.settings import Settings
from athena.sockets import listen
from athena.store.account_directory import AccountDirectory, LocalDirectory
from athena.store.changes import Change
from athena.store.encryption import Encryption
from athena.store.record_kinds import Records
from athena.store.repository import TaskRepository
from athena.store.retention import Retention
from athena.store.sqlite import SqliteRecords, Writer, WriterFactory, open_store
from athena.supervision import Supervisor
from athena.tasks.model import Api, Task

log = structlog.get_logger(__name__)

_SWEEP = 60.0
"""Seconds between two looks for what retention no longer keeps."""


async def serve(settings: Settings, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is told the base URL once calls are answered.

    Raises:
        StoreError: the data folder cannot be used.
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
    """What a server runs on: time, chance, and the way to its disk."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=Random)
    make_writer: WriterFactory = Writer


class Server(Struct, frozen=True, kw_only=True):
    """A server's parts."""

    repository: TaskRepository
    workers: AccountWorkers
    services: Services


@asynccontextmanager
async def serving(settings: Settings, runtime: Runtime | None = None) -> AsyncIterator[str]:
    """A running server inside this process; yields its base URL. Raises as `serve`."""
    async with AsyncExitStack() as stack:
        listening = listen(settings.server.host, settings.server.port)
        stack.callback(listening.close)
        url = _url(listening)
        server = await stack.enter_async_context(running(settings, runtime, url))
        await stack.enter_async_context(_http(app.make(server.services), listening))
        stack.callback(server.services.feed.close)
        log.info("server.ready", url=url)
        yield url


@asynccontextmanager
async def running(
    settings: Settings, runtime: Runtime | None = None, url: str = ""
) -> AsyncIterator[Server]:
    """Everything but HTTP, at work. `url` is where the server will listen."""
    async with AsyncExitStack() as stack:
        base = await _open(settings, runtime or Runtime(), stack)
        registry = AccountRegistry(base.records, base.encryption)
        accounts = registry.load(settings.accounts)
        _check_open_files(settings, len(accounts))
        workers = AccountWorkers(_environment(base), await base.repository.cursors())
        services, reassignment = await _services(base, workers, registry, url)
        await stack.enter_async_context(workers.running(accounts))
        reassignment.start()
        _start_loops(base, services)
        yield Server(repository=base.repository, workers=workers, services=services)


class _Base(Struct, frozen=True, kw_only=True):
    """What both sides, workers and services, stand on."""

    settings: Settings
    clock: Clock
    random: Random
    repository: TaskRepository
    records: Records
    directory: AccountDirectory
    encryption: Encryption
    resolver: PublicResolver
    http: HttpSessions
    supervisor: Supervisor


async def _open(settings: Settings, runtime: Runtime, stack: AsyncExitStack) -> _Base:
    clock, random = runtime.clock, runtime.random
    repository = await open_store(
        settings.data_dir,
        make_writer=runtime.make_writer,
        retention=Retention(**settings.retention.model_dump()),
        clock=clock,
    )
    stack.push_async_callback(repository.close)
    records = SqliteRecords(settings.data_dir)
    stack.callback(records.close)
    resolver = PublicResolver(allow_loopback=settings.webhooks.allow_loopback)
    guarded = partial(guarded_connector, resolver)
    http = await stack.enter_async_context(open_sessions(_limits(settings), guarded))
    supervisor = Supervisor("server", clock, random)
    stack.push_async_callback(supervisor.close)
    return _Base(
        settings=settings,
        clock=clock,
        random=random,
        repository=repository,
        records=records,
        directory=LocalDirectory(),
        encryption=Encryption(settings.data_dir),
        resolver=resolver,
        http=http,
        supervisor=supervisor,
    )


def _environment(base: _Base) -> WorkerEnvironment:
    settings, clock = base.settings, base.clock
    return WorkerEnvironment(
        repository=base.repository,
        directory=base.directory,
        discord=settings.discord,
        http=base.http,
        pacer=IdentifyPacer(clock),
        translation=PromptTranslation(translator(settings.translation, base.http.translation)),
        unknown_forms=UnknownForms(settings.data_dir / "unknown-forms.jsonl"),
        clock=clock,
        random=base.random,
    )


async def _services(
    base: _Base, workers: AccountWorkers, registry: AccountRegistry, url: str
) -> tuple[Services, Reassignment]:
    settings, repository, clock = base.settings, base.repository, base.clock
    directory = base.directory
    keys = IdempotencyKeys(repository, clock)
    built_in = settings.prompts.built_in_words
    banned = WordList(settings.banned_words_file, built_in=built_in, now=clock.monotonic)
    admission = Admission(repository, directory, keys, banned, clock, base.random)
    reassignment = Reassignment(repository, directory, admission, clock)
    queries = TaskQueries(repository, clock)
    files = FileService(repository, directory, admission, keys, workers, clock)
    token_registry = TokenRegistry(base.records, clock)
    quotas = Quotas(repository, clock)
    await quotas.load()
    fetcher = _fetcher(base)
    renewal = LinkRenewal(repository, directory, workers, clock)
    configured = [each.channel_id for each in settings.accounts]
    services = Services(
        settings=settings,
        preferences=Preferences(base.records, settings, admission.chooser),
        clock=clock,
        queries=queries,
        tasks=TaskService(repository, queries, admission, keys, files, workers, clock),
        buttons=ButtonService(queries, admission, keys, files),
        files=files,
        accounts=AccountService(registry, directory, workers, repository, reassignment, configured),
        triggers=admission.triggers,
        banned=banned,
        health=Health(repository, directory, base.supervisor),
        token_registry=token_registry,
        authenticator=Authenticator(settings.server, token_registry.tokens, clock),
        fetcher=fetcher,
        guard=Guard(base.resolver, allow_loopback=settings.webhooks.allow_loopback),
        webhooks=_webhooks(base, lambda task: _body(services, task, url)),
        gallery=_gallery(settings, _source(renewal, fetcher)),
        renewal=renewal,
        quotas=quotas,
        feed=Feed(repository, clock),
        encryption=base.encryption,
    )
    return services, reassignment


def _start_loops(base: _Base, services: Services) -> None:
    supervisor = base.supervisor
    supervisor.start("webhooks", services.webhooks.run)
    supervisor.periodic("tokens", lambda: LOOK, services.token_registry.look)
    supervisor.periodic("retention", lambda: _SWEEP, lambda: _sweep(base.repository))

    def forget_images(change: Change) -> None:
        if change.after is None and change.before is not None:
            forgetting = _forget_images(base, services.gallery, change.before.id)
            supervisor.spawn("forget_images", forgetting)

    base.repository.changes.subscribe(forget_images)


async def _forget_images(base: _Base, gallery: Callable[[], Gallery], task_id: str) -> None:
    """Delete what is kept of a deleted task's image; a store that fails is tried again."""
    backoff = Backoff(1.0, 600.0, base.random)
    while True:
        try:
            await gallery().forget(task_id)
            return
        except ImageNotDeleted as error:
            log.warning("image.not_deleted", task=task_id, error=str(error))
        await base.clock.sleep(backoff.next())


async def _sweep(repository: TaskRepository) -> None:
    """Delete what retention no longer keeps, in small steps."""
    while await repository.sweep():
        pass


def _check_open_files(settings: Settings, accounts: int) -> None:
    if problem := ensure_open_files(open_files_needed(accounts, _limits(settings))):
        log.error("open_files.too_few", problem=problem)


def _limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(rest=settings.discord.rest_connections)


def _fetcher(base: _Base) -> Fetcher:
    trusted = (base.settings.discord.cdn_url,)
    loopback = base.settings.webhooks.allow_loopback
    return Fetcher(base.http.images, base.http.cdn, trusted, allow_loopback=loopback)


def _webhooks(base: _Base, render: Callable[[Task], bytes | None]) -> Webhooks:
    return Webhooks(
        base.repository, base.http.webhooks, base.clock, base.random, render,
        _signer(base.settings),
    )  # fmt: skip


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{'[' + host + ']' if ':' in host else host}:{port}"


def _body(services: Services, task: Task, url: str) -> bytes | None:
    """A webhook's body, in the form of the API that the task came by, with the kind of links that
    were asked for; None while there is nothing to tell in it."""
    if task.api is Api.TRIGGER:
        return trigger_view.callback(task)
    options = PathOptions(None, task.image_links, task.image_host)
    return render(task, services.links(options, url))


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
        folder = _image_folder(settings.data_dir)
        return Images(LocalStore(folder, mkdir=True, automatic_cleanup=True), source)

    return opened


def _image_folder(data: Path) -> Path:
    """Where relayed images are kept; an earlier version called it `pictures`."""
    former, folder = data / "pictures", data / "images"
    if former.is_dir() and not folder.exists():
        former.rename(folder)
    return folder


def _source(renewal: LinkRenewal, fetcher: Fetcher) -> Source:
    """Brings a task's image by a link that lives."""

    async def fetch(task: Task) -> bytes:
        fresh = await renewal.one(task)
        if fresh.image is None:
            raise NoImage("the task has no image")
        return await fetcher.fetch(fresh.image.url)

    return fetch


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
