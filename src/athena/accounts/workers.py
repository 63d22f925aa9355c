"""All account workers of this process, and the commands that they carry out.

A worker is replaced when its account begins a new session. The old one ends first: only one session
of an account is ever open. Until the new one runs, the directory shows the account as connecting,
so requests are accepted; the next worker loads its tasks from the repository, including cancelled
ones.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog

from athena.accounts.worker import AccountWorker, WorkerEnvironment
from athena.discord.errors import DiscordError, UnknownObject
from athena.discord.wire import Message
from athena.errors import NoAccount, NoAnswer
from athena.settings import AccountSettings
from athena.store.account_directory import AccountStatus
from athena.store.changes import Change
from athena.store.commands import AccountLoad
from athena.tasks.model import Task
from athena.tasks.requests import Upload

log = structlog.get_logger(__name__)

_LIVE = frozenset(
    {
        "remark", "core_size", "queue_size", "modal_limit", "allow_modes", "mode", "weight",
        "remix_auto_submit", "relax_when_exhausted", "timeout_minutes", "refresh_minutes",
        "send_again",
    }
)  # fmt: skip
"""Settings that can be changed without a new session."""


class AccountWorkers:
    """The workers of this process. It carries out the commands of `store.commands`."""

    def __init__(self, environment: WorkerEnvironment, cursors: Mapping[str, str]) -> None:
        self._environment = environment
        self._cursors = dict(cursors)
        self._workers: dict[str, AccountWorker] = {}
        self._changing: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def running(self, accounts: Sequence[AccountSettings]) -> AsyncIterator[None]:
        """Work for these accounts, and for those that are configured later, for as long as it is
        entered."""
        unsubscribe = self._environment.repository.changes.subscribe(self._follow)
        try:
            for settings in accounts:
                self._environment.directory.put(AccountStatus(settings=settings))
            for settings in accounts:
                self._start(settings)
            yield
        finally:
            unsubscribe()
            await asyncio.gather(*(self._close(each) for each in list(self._workers)))

    def get(self, account: str) -> AccountWorker | None:
        """The worker of an account."""
        return self._workers.get(account)

    def _follow(self, change: Change) -> None:
        """Report a change on disk to the workers of its accounts."""
        before, after = change.before, change.after
        here = after.account if after is not None else None
        if here is not None and (worker := self._workers.get(here)):
            worker.follow(change)
        there = before.account if before is not None else here
        if there is not None and there != here and (worker := self._workers.get(there)):
            worker.follow(change)

    # Commands

    async def configure(self, settings: AccountSettings) -> None:
        """See `AccountCommands.configure`."""

        async def configure() -> None:
            worker = self._workers.get(settings.channel_id)
            if worker is not None and _changed(worker.settings, settings) <= _LIVE:
                worker.status.configure(settings)
            else:
                await self._replace(settings)

        await self._exclusively(settings.channel_id, configure)

    async def reconnect(self, account: str) -> None:
        """See `AccountCommands.reconnect`."""

        async def reconnect() -> None:
            await self._replace(self._worker(account).settings)

        await self._exclusively(account, reconnect)

    async def remove(self, account: str) -> None:
        """See `AccountCommands.remove`."""

        async def remove() -> None:
            await self._close(account)
            self._environment.directory.remove(account)

        await self._exclusively(account, remove)

    async def load(self, account: str) -> AccountLoad:
        """See `AccountCommands.load`."""
        queue = self._worker(account).tasks.queue
        return AccountLoad(queue.running_count, queue.waiting_count)

    async def refresh(self, account: str) -> None:
        """See `AccountCommands.refresh`."""
        worker = self._worker(account)
        if not worker.status.is_online:
            raise NoAccount(worker.status.reason or "the account is not online")
        await worker.refresher.refresh()

    async def seed(self, task: Task) -> str:
        """See `AccountCommands.seed`."""
        return await self._working(task.account).seeds.ask(task)

    async def post_images(self, account: str, images: Sequence[Upload]) -> list[str]:
        """See `AccountCommands.post_images`."""
        with _answered():
            return await self._working(account).interactor.post_images(images)

    async def upload(self, account: str, image: Upload) -> tuple[str, str]:
        """See `AccountCommands.upload`."""
        with _answered():
            return await self._working(account).interactor.upload(image)

    async def post_uploaded(self, account: str, name: str) -> str:
        """See `AccountCommands.post_uploaded`."""
        with _answered():
            return await self._working(account).interactor.post_uploaded(name)

    async def refresh_urls(self, account: str, urls: Sequence[str]) -> dict[str, str]:
        """See `AccountCommands.refresh_urls`."""
        with _answered():
            return await self._working(account).connection.rest.refresh_urls(urls)

    async def message(self, account: str, message_id: str) -> Message | None:
        """See `AccountCommands.message`."""
        rest = self._working(account).connection.rest
        with _answered():
            try:
                return await rest.message(account, message_id)
            except UnknownObject:
                return None

    # Parts

    def _worker(self, account: str) -> AccountWorker:
        worker = self._workers.get(account)
        if worker is None:
            raise NoAccount("the account is not configured, or is being started")
        return worker

    def _working(self, account: str) -> AccountWorker:
        worker = self._worker(account)
        if worker.status.is_stopped:
            raise NoAccount(worker.status.reason)
        return worker

    def _start(self, settings: AccountSettings) -> None:
        account = settings.channel_id
        worker = AccountWorker(settings, self._environment, self._cursors.get(account))
        self._workers[account] = worker
        worker.start()

    async def _replace(self, settings: AccountSettings) -> None:
        """Replace a worker; in between, the directory shows the account as connecting."""
        await self._close(settings.channel_id)
        self._start(settings)

    async def _close(self, account: str) -> None:
        worker = self._workers.pop(account, None)
        if worker is None:
            return
        if not worker.status.is_stopped:
            status = worker.status.connecting()
            self._environment.directory.put(status)
        self._cursors[account] = await worker.close()

    async def _exclusively(
        self, account: str, change: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """One change of an account at a time. A caller that disconnects does not interrupt it."""

        async def in_turn() -> None:
            async with self._changing.setdefault(account, asyncio.Lock()):
                await change()

        await asyncio.shield(asyncio.create_task(in_turn(), name=f"{account}/change"))


@contextmanager
def _answered() -> Iterator[None]:
    """Discord's errors as `NoAnswer`."""
    try:
        yield
    except DiscordError as error:
        raise NoAnswer(str(error)) from error


def _changed(before: AccountSettings, after: AccountSettings) -> set[str]:
    known = before.model_dump()
    return {name for name, value in after.model_dump().items() if value != known[name]}
