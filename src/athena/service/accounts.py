"""Which accounts there are: those of the settings, and those that administrators add.

An account that was added or changed while the server runs is stored in the records, with its tokens
encrypted; it takes precedence over one of the settings that has the same channel. Changing what
only the queue needs takes effect at once; a new token, channel or browser begins a new session.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pydantic
from msgspec import Struct
from pydantic import SecretStr

from athena.errors import BadRequest, NoAccount, UnknownAccount
from athena.service.reassignment import REMOVED, Reassignment
from athena.settings import AccountSettings
from athena.store.account_directory import AccountDirectory, AccountStatus
from athena.store.commands import AccountCommands, AccountLoad
from athena.store.encryption import Encryption
from athena.store.record_kinds import RecordKind, Records
from athena.store.repository import TaskRepository


class AccountRecord(Struct, frozen=True, kw_only=True):
    """An account as it is stored."""

    id: str
    sealed_token: str
    sealed_bot_token: str | None = None
    settings: dict[str, Any]


ACCOUNTS = RecordKind("account", AccountRecord)


class AccountReport(Struct, frozen=True, kw_only=True):
    """An account and its current state."""

    status: AccountStatus
    running: int
    waiting: int


class AccountRegistry:
    """The stored accounts."""

    def __init__(self, records: Records, encryption: Encryption) -> None:
        self._records = records
        self._encryption = encryption

    def load(self, configured: Sequence[AccountSettings]) -> list[AccountSettings]:
        """Every account: those of the records, and those of the settings that no record replaces.

        Raises:
            WrongKey: a stored token cannot be decrypted.
        """
        stored = {record.id: self._decrypted(record) for record in self._records.all(ACCOUNTS)}
        return list({**{each.channel_id: each for each in configured}, **stored}.values())

    def put(self, settings: AccountSettings) -> None:
        """Store an account. Blocks for the time of a small write."""
        fields = settings.model_dump(mode="json", exclude={"token", "bot_token"})
        bot_token = settings.bot_token
        record = AccountRecord(
            id=settings.channel_id,
            sealed_token=self._encryption.encrypt(settings.token.get_secret_value()),
            sealed_bot_token=(
                self._encryption.encrypt(bot_token.get_secret_value()) if bot_token else None
            ),
            settings=fields,
        )
        self._records.put(ACCOUNTS, record.id, record)

    def remove(self, account: str) -> None:
        """Delete an account. Blocks for the time of a small write."""
        self._records.remove(ACCOUNTS, account)

    def _decrypted(self, record: AccountRecord) -> AccountSettings:
        tokens = {"token": SecretStr(self._encryption.decrypt(record.sealed_token))}
        if record.sealed_bot_token:
            tokens["bot_token"] = SecretStr(self._encryption.decrypt(record.sealed_bot_token))
        # An earlier version stored the bot's token masked.
        settings = {k: v for k, v in record.settings.items() if k != "bot_token"}
        return AccountSettings(**{**settings, **tokens})


class AccountService:
    """Adds, changes and removes accounts. `configured` are the ids in the settings."""

    def __init__(
        self,
        registry: AccountRegistry,
        directory: AccountDirectory,
        commands: AccountCommands,
        repository: TaskRepository,
        reassignment: Reassignment,
        configured: Sequence[str],
    ) -> None:
        self._registry = registry
        self._directory = directory
        self._commands = commands
        self._repository = repository
        self._reassignment = reassignment
        self._configured = frozenset(configured)
        self._changing = asyncio.Lock()

    async def all(self) -> list[AccountReport]:
        """Every account."""
        return [await self._view(each) for each in self._directory.all()]

    async def find(self, account_id: str) -> AccountReport:
        """An account by its id.

        Raises:
            UnknownAccount: there is none.
        """
        return await self._view(self._status(account_id))

    async def add(self, fields: Mapping[str, Any]) -> str:
        """Add an account, which starts to work at once; its id.

        Raises:
            BadRequest: a field is missing or impossible, or there is such an account already.
        """
        settings = _settings(fields)

        async def add() -> None:
            if self._directory.get(settings.channel_id):
                raise BadRequest(f"channelId: the account {settings.channel_id} already exists")
            await self._apply(settings)

        await self._in_turn(add)
        return settings.channel_id

    async def change(self, account_id: str, fields: Mapping[str, Any]) -> None:
        """Change some fields of an account; its id, the channel, stays.

        Raises:
            UnknownAccount: there is none.
            BadRequest: a field is impossible.
        """

        async def change() -> None:
            known = self._status(account_id).settings.model_dump()
            await self._apply(_settings({**known, **fields, "channel_id": account_id}))

        await self._in_turn(change)

    async def remove(self, account_id: str) -> None:
        """Remove an account. Its waiting tasks move to other accounts, its other tasks end.

        Raises:
            UnknownAccount: there is none.
            BadRequest: it is in the settings.
        """

        async def remove() -> None:
            self._status(account_id)
            if account_id in self._configured:
                raise BadRequest("the account is in the server's settings: disable it instead")
            await asyncio.to_thread(self._registry.remove, account_id)
            await self._commands.remove(account_id)
            self._reassignment.account_gone(account_id, REMOVED)

        await self._in_turn(remove)

    async def reconnect(self, account_id: str) -> None:
        """Begin a new session of an account; a stopped account tries again.

        Raises:
            UnknownAccount: there is none.
        """
        self._status(account_id)
        await self._commands.reconnect(account_id)

    async def refresh(self, account_id: str) -> None:
        """Ask `/info` and `/settings` again.

        Raises:
            UnknownAccount: there is none.
            NoAccount: it is not online.
        """
        self._status(account_id)
        await self._commands.refresh(account_id)

    async def _in_turn(self, change: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """One change at a time. A caller that goes away does not stop it halfway: an account
        without a record, or tasks without an account, would be left."""

        async def in_turn() -> None:
            async with self._changing:
                await change()

        await asyncio.shield(asyncio.create_task(in_turn(), name="accounts/change"))

    async def _apply(self, settings: AccountSettings) -> None:
        await asyncio.to_thread(self._registry.put, settings)
        await self._commands.configure(settings)

    def _status(self, account_id: str) -> AccountStatus:
        status = self._directory.get(account_id)
        if status is None:
            raise UnknownAccount(account_id)
        return status

    async def _view(self, status: AccountStatus) -> AccountReport:
        """With its worker's load; without a worker all of its tasks wait."""
        try:
            load = await self._commands.load(status.id)
        except NoAccount:
            load = AccountLoad(0, self._repository.unfinished_count(status.id))
        return AccountReport(status=status, running=load.running, waiting=load.waiting)


def _settings(fields: Mapping[str, Any]) -> AccountSettings:
    try:
        return AccountSettings(**fields)
    except pydantic.ValidationError as error:
        details = (f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
        raise BadRequest("; ".join(details)) from error
