"""Simulated administrators: they stop, disable, remove and reconnect accounts under load.

Whatever may make tasks of an account fail is written down as an `Outage` before it is done, so that
the judge knows which failures are explained. An account that stopped is reconnected a little later,
one that was removed is added again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any

import aiohttp
from msgspec import Struct

from athena.clock import Clock
from athena.settings import AccountSettings
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.bots.midjourney import Midjourney
from athena.simulator.faults import Fault, Faults
from athena.simulator.stage import Draft
from athena.simulator.world import World
from chaos.ledger import Asked, Kind, Ledger, Outage

Json = dict[str, Any]

_DISABLED = ("Its account stopped: The account is disabled.",)
_REMOVED = ("Its account was removed.", "Its account is no longer configured.")
_BLOCKED = ("Its account stopped: Midjourney: [Blocked]",)
_REFUSED = ("Its account stopped: Discord answered 40",)
_UPLOADS = "POST /channels/attachments"
_TIMEOUT = aiohttp.ClientTimeout(total=40)
_TRIES = 60


class AdminRates(Struct, frozen=True, kw_only=True):
    """The mean seconds between two acts of each kind, and how long their effects last; 0 seconds:
    never."""

    reconnect: float = 100.0
    disable: float = 200.0
    remove: float = 120.0
    block: float = 240.0
    """A notice stops the account, alone or in answer to a command."""
    refuse_upload: float = 300.0
    """An upload is answered with 401 or 403."""
    during_upload: float = 20.0
    """One of the above, on an account that uploads at that moment."""
    lasts: tuple[float, float] = (3.0, 90.0)
    cure: tuple[float, float] = (10.0, 60.0)
    """Between two looks for stopped accounts."""


ADMINS = AdminRates()

CALM = AdminRates(reconnect=0, disable=0, remove=0, block=0, refuse_upload=0, during_upload=0)
"""Nothing is done to accounts."""


class Administrators:
    """They look after `accounts`. Those in `configured` stand in the server's settings, where they
    cannot be removed; the others are added by `add_accounts`."""

    def __init__(
        self,
        url: str,
        http: aiohttp.ClientSession,
        clock: Clock,
        ledger: Ledger,
        world: World,
        accounts: Mapping[str, AccountSettings],
        configured: frozenset[str],
        seed: int,
        rates: AdminRates,
    ) -> None:
        self._url = url
        self._http = http
        self._clock = clock
        self._ledger = ledger
        self._world = world
        self._accounts = accounts
        self._configured = configured
        self._random = Random(f"admins/{seed}")
        self._rates = rates
        self._away: dict[str, None] = {}
        """Accounts that are disabled or removed at the moment."""
        self._acts: dict[asyncio.Task[None], None] = {}

    async def add_accounts(self) -> None:
        """Add the accounts that do not stand in the settings."""
        for account in self._accounts:
            if account not in self._configured:
                await self._add(account)

    async def work(self) -> None:
        """Do what administrators do, until cancelled."""
        rates = self._rates
        kinds: tuple[tuple[float, Callable[[], Coroutine[Any, Any, None]]], ...] = (
            (rates.reconnect, lambda: self._reconnect(self._any())),
            (rates.disable, lambda: self._disable(self._any())),
            (rates.remove, lambda: self._remove(self._any())),
            (rates.block, lambda: self._block(self._any())),
            (rates.refuse_upload, self._refuse_upload),
            (rates.during_upload, self._during_upload),
        )
        working = [self._repeat(mean, act) for mean, act in kinds if mean]
        await asyncio.gather(*working)

    async def cure(self) -> None:
        """Reconnect stopped accounts, until cancelled."""
        while True:
            await self._clock.sleep(self._random.uniform(*self._rates.cure))
            for account in await self._call("GET", "/mj/account/list"):
                if account["state"] == "stopped" and account["id"] not in self._away:
                    await self._reconnect(account["id"])

    async def finish(self) -> None:
        """Let what was begun come to its end, and nothing new begin."""
        if self._acts:
            await asyncio.wait(list(self._acts))
        self._faults.forget_planned()
        self._midjourney.forget_notices()

    async def try_all(self) -> None:
        """Every account must work now: each is asked for one image, which cannot fail."""
        for account in self._accounts:
            prompt = f"proof of {account} {self._random.getrandbits(40)}"
            body = {"prompt": prompt, "accountFilter": {"instanceId": account}}
            asked = Asked(kind=Kind.IMAGINE, prompt=prompt, trigger=f"proof of {account}")
            asked.sure = True
            for _ in range(_TRIES):
                answer = await self._call("POST", "/mj/submit/imagine", body)
                if answer["code"] in (1, 22):
                    asked.task, asked.trigger = answer["result"], ""
                    break
                await self._clock.sleep(10)
            self._ledger.accept(asked)

    # Acts

    async def _repeat(self, mean: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await self._clock.sleep(self._random.expovariate(1 / mean))
            self._begin(act())

    def _begin(self, act: Coroutine[Any, Any, None]) -> None:
        """An act comes to its end even when the administrators stop."""
        task = asyncio.create_task(act)
        self._acts[task] = None
        task.add_done_callback(lambda done: self._acts.pop(done, None))

    async def _reconnect(self, account: str) -> None:
        await self._call("POST", f"/mj/account/{account}/reconnect")

    async def _disable(self, account: str) -> None:
        with self._alone(account) as free:
            if free:
                with self._outage(account, _DISABLED):
                    await self._call("PUT", f"/mj/account/{account}/update", {"enable": False})
                    await self._clock.sleep(self._random.uniform(*self._rates.lasts))
                    await self._call("PUT", f"/mj/account/{account}/update", {"enable": True})

    async def _remove(self, account: str) -> None:
        if account in self._configured:
            return
        with self._alone(account) as free:
            if free:
                with self._outage(account, _REMOVED):
                    await self._call("DELETE", f"/mj/account/{account}/delete")
                    await self._clock.sleep(self._random.uniform(*self._rates.lasts))
                    await self._add(account)

    async def _block(self, account: str) -> None:
        """With a notice that comes by itself, or that answers the account's next command."""
        if self._random.random() < 0.5:
            await self._tell_blocked(account)
            return
        self._ledger.outages.append(Outage(account, _BLOCKED, self._clock.now()))
        self._midjourney.request_notice(self._user(account)["id"], "Blocked", 1)

    async def _tell_blocked(self, account: str) -> None:
        """It stops whenever the notice is read, which may be after a restart."""
        self._ledger.outages.append(Outage(account, _BLOCKED, self._clock.now()))
        user = self._user(account)
        text = Draft(content="**Blocked**\nYou are blocked for an hour.")
        message = self._world.post(MIDJOURNEY, account, text)
        cause = {"id": str(self._world.ids.make()), "type": 2, "name": "imagine", "user": user}
        told = {**message, "type": 20, "interaction_metadata": cause, "mentions": [user]}
        self._world.inject("MESSAGE_CREATE", told, kept=True)

    async def _refuse_upload(self) -> None:
        """The next upload of whichever account."""
        for account in self._accounts:
            self._ledger.outages.append(Outage(account, _REFUSED, self._clock.now()))
        status = self._random.choice((401, 403))
        self._faults.plan(_UPLOADS, Fault(status=status), 1)

    async def _during_upload(self) -> None:
        announced = len(self._world.files.announced)
        for _ in range(300):
            await self._clock.sleep(0.5)
            if len(self._world.files.announced) > announced:
                break
        else:
            return
        account = next(reversed(self._world.files.announced.values())).channel_id
        if account in self._accounts:
            acts = (self._reconnect, self._disable, self._remove, self._tell_blocked)
            await self._random.choices(acts, (1, 1, 1, 3))[0](account)

    # Parts

    @property
    def _faults(self) -> Faults:
        return self._world.faults

    @property
    def _midjourney(self) -> Midjourney:
        player = self._world.players[MIDJOURNEY]
        assert isinstance(player, Midjourney)  # noqa: S101
        return player

    def _user(self, account: str) -> Json:
        token = self._accounts[account].token.get_secret_value()
        return self._world.accounts[token].user

    def _any(self) -> str:
        return self._random.choice(list(self._accounts))

    @contextlib.contextmanager
    def _alone(self, account: str) -> Any:
        """One outage of an account at a time."""
        if account in self._away:
            yield False
            return
        self._away[account] = None
        try:
            yield True
        finally:
            del self._away[account]

    @contextlib.contextmanager
    def _outage(self, account: str, reasons: tuple[str, ...]) -> Any:
        outage = Outage(account, reasons, self._clock.now())
        self._ledger.outages.append(outage)
        yield
        outage.ended = self._clock.now()

    async def _add(self, account: str) -> None:
        settings = self._accounts[account]
        await self._call("POST", "/mj/account/create", {
            "guildId": settings.guild_id, "channelId": account,
            "userToken": settings.token.get_secret_value(), "coreSize": settings.core_size,
            "queueSize": settings.queue_size, "refreshMinutes": settings.refresh_minutes,
        })  # fmt: skip

    async def _call(self, method: str, path: str, body: Json | None = None) -> Any:
        """Repeat a call until the server answers. What it refuses is done already, or is not there
        any more."""
        while True:
            try:
                async with self._http.request(
                    method, self._url + path, json=body, timeout=_TIMEOUT
                ) as answer:
                    if answer.status < 500:
                        return await answer.json()
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
                pass
            await self._clock.sleep(self._random.uniform(0.5, 4))
