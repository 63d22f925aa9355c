"""Which accounts there are: those of the settings, and those that administrators add.

An account that was added or changed while the server runs stands in the records, its Discord token
sealed; where one of the settings has the same channel, the record counts. Changing what only the
queue heeds takes effect at once; a new token, channel or browser begins a new session.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
from msgspec import Struct
from pydantic import SecretStr

from athena.accounts.pool import Pool, Runner
from athena.discord.http_sessions import HttpSessions
from athena.errors import BadRequest, Refused
from athena.settings import AccountSettings, DiscordSettings
from athena.store.records import RecordKind, Records
from athena.store.sealing import Seal

_LIVE = frozenset(
    {
        "remark", "core_size", "queue_size", "allow_modes", "mode", "weight", "remix_auto_submit",
        "relax_when_exhausted", "timeout_minutes", "refresh_minutes",
        "send_again",
    }
)  # fmt: skip
"""What can be changed without a new session."""


class UnknownAccount(Refused):
    """No account has this id."""


class AccountRecord(Struct, frozen=True, kw_only=True):
    """An account as it is kept."""

    id: str
    sealed_token: str
    settings: dict[str, Any]


ACCOUNTS = RecordKind("AccountRecord", AccountRecord)


class AccountRegistry:
    """Adds, changes and removes the accounts of a pool."""

    def __init__(
        self,
        pool: Pool,
        records: Records,
        seal: Seal,
        discord: DiscordSettings,
        http: HttpSessions,
    ) -> None:
        self._pool = pool
        self._records = records
        self._seal = seal
        self._discord = discord
        self._http = http
        self._configured: set[str] = set()
        self._changing = asyncio.Lock()

    def load(self, configured: Sequence[AccountSettings]) -> None:
        """Put every account into the pool, before it runs.

        Raises:
            SealBroken: a kept token cannot be opened.
        """
        self._configured = {each.channel_id for each in configured}
        kept = {record.id: self._opened(record) for record in self._records.all(ACCOUNTS)}
        for settings in {**{each.channel_id: each for each in configured}, **kept}.values():
            self._pool.add(settings, self._discord, self._http)

    def find(self, account_id: str) -> Runner:
        """An account by its id.

        Raises:
            UnknownAccount: there is none.
        """
        runner = self._pool.runner(account_id)
        if runner is None:
            raise UnknownAccount(f"there is no account {account_id!r}")
        return runner

    async def add(self, fields: Mapping[str, Any]) -> Runner:
        """Add an account, which starts to work at once.

        Raises:
            BadRequest: a field is missing or impossible, or there is such an account already.
        """
        settings = _settings(fields)
        async with self._changing:
            if self._pool.runner(settings.channel_id):
                raise BadRequest(f"channelId: the account {settings.channel_id} is there already")
            await self._keep(settings)
            return await self._pool.start(settings, self._discord, self._http)

    async def change(self, account_id: str, fields: Mapping[str, Any]) -> Runner:
        """Change some fields of an account; its id, the channel, stays.

        Raises:
            UnknownAccount: there is none.
            BadRequest: a field is impossible.
        """
        async with self._changing:
            runner = self.find(account_id)
            known = runner.settings.model_dump()
            settings = _settings({**known, **fields, "channel_id": account_id})
            await self._keep(settings)
            changed = {
                name for name, value in settings.model_dump().items() if value != known[name]
            }
            if changed <= _LIVE:
                runner.settings = runner.account.settings = settings
                return runner
            await self._pool.stop(account_id)
            return await self._pool.start(settings, self._discord, self._http)

    async def remove(self, account_id: str) -> None:
        """Remove an account; what waits at it goes to others.

        Raises:
            UnknownAccount: there is none.
            BadRequest: it stands in the settings.
        """
        async with self._changing:
            self.find(account_id)
            if account_id in self._configured:
                raise BadRequest("the account stands in the server's settings: disable it instead")
            await asyncio.to_thread(self._records.remove, ACCOUNTS, account_id)
            await self._pool.stop(account_id, for_good=True)

    async def reconnect(self, account_id: str) -> Runner:
        """Begin a new session of an account, which also lets one that stopped try again.

        Raises:
            UnknownAccount: there is none.
        """
        async with self._changing:
            settings = self.find(account_id).settings
            await self._pool.stop(account_id)
            return await self._pool.start(settings, self._discord, self._http)

    async def _keep(self, settings: AccountSettings) -> None:
        fields = settings.model_dump(mode="json", exclude={"token"})
        sealed = self._seal.close(settings.token.get_secret_value())
        record = AccountRecord(id=settings.channel_id, sealed_token=sealed, settings=fields)
        await asyncio.to_thread(self._records.put, ACCOUNTS, record.id, record)

    def _opened(self, record: AccountRecord) -> AccountSettings:
        token = SecretStr(self._seal.open(record.sealed_token))
        return AccountSettings(token=token, **record.settings)


def _settings(fields: Mapping[str, Any]) -> AccountSettings:
    try:
        return AccountSettings(**fields)
    except pydantic.ValidationError as error:
        faults = (f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
        raise BadRequest("; ".join(faults)) from error
