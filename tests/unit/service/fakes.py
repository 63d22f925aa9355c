"""Fakes at the service's ports, and the services over them: no thread, no socket, no disk."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, TypeVar, cast

import msgspec
from pydantic import SecretStr

from athena.clock import TurnableClock
from athena.discord.wire import Message
from athena.errors import AthenaError, NoAccount, StoreUnavailable
from athena.midjourney.moderation import WordList
from athena.service.admission import Admission
from athena.service.buttons import ButtonService
from athena.service.files import FileService
from athena.service.idempotency import IdempotencyKeys
from athena.service.task_queries import TaskQueries
from athena.service.tasks import TaskService
from athena.settings import AccountSettings
from athena.store.account_directory import AccountState, AccountStatus, LocalDirectory
from athena.store.commands import AccountLoad
from athena.store.record_kinds import RecordKind
from athena.store.repository import IdempotencyRecord, TaskRepository
from athena.tasks.bot_events import Profile
from athena.tasks.model import Button, CorrelationIds, Sending, Status, Task
from athena.tasks.requests import Upload
from tests.unit.fakes import MemoryRepository, make_task

T = TypeVar("T", bound=msgspec.Struct)

JOB = "0f3a5c62-7d1e-4b8f-9a27-4c1b6d2e8f90"
U1, V2 = f"MJ::JOB::upsample::1::{JOB}", f"MJ::JOB::variation::2::{JOB}"
REROLL = f"MJ::JOB::reroll::0::{JOB}::SOLO"
CUSTOM_ZOOM = f"MJ::CustomZoom::{JOB}"
REGION = f"MJ::Inpaint::1::{JOB}::SOLO"
BOOKMARK = f"MJ::BOOKMARK::{JOB}"


class FakeCommands:
    """Workers that do what they are asked. `errors` are raised by what is named, once each;
    `before` runs while the answer is on its way."""

    def __init__(self, directory: LocalDirectory) -> None:
        self.directory = directory
        self.called: list[tuple[str, object]] = []
        self.errors: dict[str, list[AthenaError]] = {}
        self.before: Callable[[], Coroutine[Any, Any, None] | None] = lambda: None
        self.links: dict[str, str] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.loads: dict[str, AccountLoad] = {}

    async def load(self, account: str) -> AccountLoad:
        if account not in self.loads:
            raise NoAccount("it has no worker")
        return self.loads[account]

    async def seed(self, task: Task) -> str:
        await self._call("seed", task.id)
        return "4711"

    async def post_images(self, account: str, images: Sequence[Upload]) -> list[str]:
        await self._call("post_images", account)
        return [f"https://cdn/{account}/{each.filename}" for each in images]

    async def upload(self, account: str, image: Upload) -> tuple[str, str]:
        await self._call("upload", account)
        return f"{account}/{image.filename}", "https://uploads/1"

    async def post_uploaded(self, account: str, name: str) -> str:
        await self._call("post_uploaded", account)
        return f"https://cdn/{name}"

    async def refresh_urls(self, account: str, urls: Sequence[str]) -> dict[str, str]:
        await self._call("refresh_urls", (account, tuple(urls)))
        return {url: self.links[url] for url in urls if url in self.links}

    async def message(self, account: str, message_id: str) -> Message | None:
        await self._call("message", account)
        return self.messages.get(account, {}).get(message_id)

    async def refresh(self, account: str) -> None:
        await self._call("refresh", account)

    async def configure(self, settings: AccountSettings) -> None:
        await self._call("configure", settings)
        self.directory.put(AccountStatus(settings=settings, state=AccountState.ONLINE))

    async def reconnect(self, account: str) -> None:
        await self._call("reconnect", account)

    async def remove(self, account: str) -> None:
        await self._call("remove", account)
        self.directory.remove(account)

    async def _call(self, name: str, about: object) -> None:
        self.called.append((name, about))
        if work := self.before():
            await work
        await asyncio.sleep(0)
        if self.errors.get(name):
            raise self.errors[name].pop(0)


class Repository(MemoryRepository):
    """One that keeps the answer of an idempotency key with a save, too."""

    def save(
        self,
        before: Task,
        after: Task,
        *,
        uploads: Sequence[Upload] = (),
        claim: IdempotencyRecord | None = None,
        retried: bool = True,
    ) -> "asyncio.Future[None]":
        done = super().save(before, after, uploads=uploads, retried=retried)
        if claim:
            self.records[claim.key] = claim
        return done


class MemoryRecords:
    """Records that are encoded as the disk's are. `refuses` makes every write fail; `put_by` plays
    another process."""

    def __init__(self) -> None:
        self.refuses = False
        self.kept: dict[tuple[str, str], bytes] = {}
        self._changed = True

    def changed(self) -> bool:
        changed, self._changed = self._changed, False
        return changed

    def all(self, kind: RecordKind[T]) -> list[T]:
        found = sorted((key, body) for key, body in self.kept.items() if key[0] == kind.name)
        return [msgspec.json.decode(body, type=kind.type) for _, body in found]

    def put(self, kind: RecordKind[T], record_id: str, record: T) -> None:
        self._write()
        self.kept[kind.name, record_id] = msgspec.json.encode(record)

    def remove(self, kind: RecordKind[T], record_id: str) -> bool:
        self._write()
        return self.kept.pop((kind.name, record_id), None) is not None

    def put_by_another(self, kind: RecordKind[T], record_id: str, record: T) -> None:
        self.put(kind, record_id, record)
        self._changed = True

    def close(self) -> None:
        pass

    def _write(self) -> None:
        if self.refuses:
            raise StoreUnavailable("the disk is full")


class Services:
    """The services of one process with the accounts that are put into `directory`."""

    def __init__(self, clock: TurnableClock) -> None:
        self.clock = clock
        self.repository = Repository()
        self.directory = LocalDirectory()
        self.commands = FakeCommands(self.directory)
        store = cast(TaskRepository, self.repository)
        self.keys = IdempotencyKeys(store, clock)
        self.queries = TaskQueries(store, clock)
        self.admission = Admission(store, self.directory, self.keys, WordList(), clock, Random(1))
        self.files = FileService(
            store, self.directory, self.admission, self.keys, self.commands, clock
        )
        self.tasks = TaskService(
            store, self.queries, self.admission, self.keys, self.files, self.commands, clock
        )
        self.buttons = ButtonService(self.queries, self.admission, self.keys, self.files)

    def put(self, *accounts: AccountStatus) -> None:
        """Accounts are so from now on."""
        for each in accounts:
            self.directory.put(each)

    async def store(self, *tasks: Task) -> None:
        """Tasks that there are already."""
        for task in tasks:
            await self.repository.add(task)

    async def task(self, task_id: str) -> Task:
        """A task as it is."""
        return await self.queries.find(task_id)


def settings(account: str = "5", **fields: Any) -> AccountSettings:
    return AccountSettings(
        **{"token": SecretStr("t"), "guild_id": "9", "channel_id": account, **fields}
    )


def status(
    account: str = "5",
    state: AccountState = AccountState.ONLINE,
    *,
    reason: str = "",
    problem: str = "",
    profile: Profile | None = None,
    niji_profile: Profile | None = None,
    **fields: Any,
) -> AccountStatus:
    """An account, online; `fields` are of its settings."""
    return AccountStatus(
        settings=settings(account, **fields),
        state=state,
        reason=reason,
        problem=problem,
        profile=profile or Profile(),
        niji_profile=niji_profile or Profile(),
    )


def stopped(account: str = "5", reason: str = "Midjourney: [Blocked]") -> AccountStatus:
    return status(account, AccountState.STOPPED, reason=reason)


def finished(number: int = 1, account: str = "5", *custom_ids: str, **fields: Any) -> Task:
    """A task that succeeded, whose message shows these buttons."""
    return make_task(
        number,
        account,
        **{
            "status": Status.SUCCESS,
            "sending": Sending.SENT,
            "buttons": tuple(Button(custom_id=each) for each in custom_ids or (U1, V2)),
            "ids": CorrelationIds(message=f"{number}00", job=JOB),
            "finished_at": number,
            **fields,
        },
    )


def running(number: int = 1, account: str = "5", **fields: Any) -> Task:
    """A task whose job runs."""
    return make_task(
        number, account,
        **{"status": Status.SUBMITTED, "sending": Sending.SENT, "revision": 3,
           "ids": CorrelationIds(nonce="77"), **fields},
    )  # fmt: skip


def upload(name: str = "one.png") -> Upload:
    return Upload(filename=name, content_type="image/png", data=b"x")
