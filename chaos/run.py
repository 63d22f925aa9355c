"""A chaos run: simulator, server and users on one virtual loop, with all faults at once.

The server's machine loses power at random moments and starts again shortly after; its disk is full
from time to time; the simulator injects faults at the rates below. When all users are done, the
faults stop, so that all tasks can complete, and the judge checks the result.
"""

import asyncio
import contextlib
import gc
import random
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from unittest.mock import patch

import aiohttp
import msgspec
from pydantic import SecretStr

from athena.server import Runtime, serving
from athena.settings import (
    AccountSettings,
    DiscordSettings,
    ServerSettings,
    Settings,
    WebhookSettings,
)
from athena.simulator.app import Simulator
from athena.simulator.config import Config, Plan, UserConfig
from athena.simulator.faults import Rates
from athena.sockets import listen
from chaos import evidence
from chaos.admins import ADMINS, Administrators, AdminRates
from chaos.disk import Disk
from chaos.judge import BY_HAND, Evidence, Json, Verdict, judge
from chaos.ledger import Ledger
from chaos.loop import LoopClock, VirtualLoop
from chaos.oddities import Oddities
from chaos.users import Habits, User

STORM = Rates(
    drop_event=0.004, lose_event=0.004, delay_event=0.02, repeat_event=0.02, swap_event=0.02,
    corrupt_frame=0.0004, cut_frame=0.0004, close=0.12, half_open=0.03, mute_acks=0.03,
    refuse_resume=0.3, limited=0.01, limited_everywhere=0.002, limited_by_edge=0.0005,
    broken=0.008, slow=0.02, hanging=0.003, lost=0.008, image_missing=0.05, image_slow=0.1,
    upload_slow=0.6,
    webhook_broken=0.05, webhook_hanging=0.005, webhook_cut=0.02,
)  # fmt: skip
"""The rates of faults."""

USERS = tuple(
    UserConfig(name=name, token=f"{name}-token", plan=plan, channel=channel)
    for name, plan, channel in (
        ("ada", Plan.STANDARD, "one"), ("ben", Plan.BASIC, "two"), ("cleo", Plan.PRO, "three"),
        ("dora", Plan.MEGA, "four"), ("stranger", Plan.STANDARD, "one"),
    )
)  # fmt: skip
_ACCOUNTS = 4
"""This many of the users are the server's accounts; the last shares a channel with the first."""
_CONFIGURED = 2
"""So many of them stand in the settings; administrators add the others."""

_CRASHES = 240.0
_OFF = (0.5, 20.0)
_FULL_DISKS = 400.0
_FULL = (1.0, 15.0)
_FULL_AT_ADMISSION = 0.01
"""The probability that the disk becomes full between a submit and its commit."""
_SWEEP = 120.0
_CALM = 4 * 60 * 60.0
"""Seconds for all tasks and webhooks to complete after the faults stop."""

_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder below it is made safely)

_SERVER, _USERS, _DISCORD, _DEAF = "server", "users", "discord", "deaf"


class ChaosRun:
    """One run. Call `play` on its loop."""

    def __init__(
        self,
        seed: int,
        tasks: int,
        folder: Path,
        rates: Rates = STORM,
        admin_rates: AdminRates = ADMINS,
    ) -> None:
        self.loop = VirtualLoop(seed)
        self._seed = seed
        self._tasks = tasks
        self._folder = folder
        self._admin_rates = admin_rates
        self._rates = msgspec.structs.replace(rates, seed=seed)
        self._clock = LoopClock(self.loop)
        self._disk = Disk(self.loop, seed, _FULL_AT_ADMISSION)
        self._random = Random(f"town/{seed}")  # another text would change every run
        self._ledger = Ledger()
        self._simulator: Simulator
        self._http: aiohttp.ClientSession
        self._port, self._deaf_port = _free_port(), _free_port()
        self.crashes = 0

    async def play(self) -> Verdict:
        """Run until everything is complete, and judge the result."""
        async with self._discord() as self._simulator, aiohttp.ClientSession() as http:
            self.loop.start(_DEAF, self._hear_nothing())
            server = self.loop.start(_SERVER, self._serve())
            admins = self._administrators(http)
            curing = asyncio.create_task(self._add_and_cure(admins))
            await self._storm(admins)
            if server.done() or self.crashes:
                await self._restart()  # it may be off at this moment
            await admins.finish()
            await self._settle()
            curing.cancel()
            await admins.try_all()
            await self._settle()
            webhooks = f"{self._simulator.urls.cdn}/_hooks"
            deliveries = await evidence.deliveries(http, webhooks, self._ledger)
            held = await evidence.held(http, f"http://127.0.0.1:{self._port}")
            await self.loop.switch_off(_SERVER)
            return judge(self._evidence(deliveries, held))

    async def _storm(self, admins: Administrators) -> None:
        """All faults at once, until the users are done."""
        users = self.loop.start(_USERS, self._live())
        by_hand = self.loop.start("hands", self._use_by_hand())
        oddities = Oddities(self._simulator.world, self._clock, self._seed)
        work = (self._crash(), self._fill_disk(), self._sweep(), admins.work(), oddities.post())
        storm = [asyncio.create_task(each) for each in work]
        await users
        for each in (*storm, by_hand):
            each.cancel()
        await asyncio.gather(*storm, by_hand, return_exceptions=True)
        self._simulator.faults.set_rates(Rates())

    # Parts of the run

    @contextlib.asynccontextmanager
    async def _discord(self) -> AsyncIterator[Simulator]:
        config = Config(users=USERS, faults=self._rates)
        simulator = Simulator(config, clock=self._clock, seed=self._seed)
        started = self.loop.start(_DISCORD, simulator.start())
        await started
        yield simulator
        await simulator.close()

    async def _serve(self) -> None:
        runtime = Runtime(
            clock=self._clock,
            random=Random(f"server/{self._seed}/{self.crashes}"),
            make_writer=self._disk.writer,
        )
        async with serving(self._settings(), runtime):
            await asyncio.Event().wait()

    def _settings(self) -> Settings:
        urls = self._simulator.urls
        discord = DiscordSettings(
            api_url=urls.api, gateway_url=urls.gateway, cdn_url=urls.cdn, apps_url=urls.apps
        )
        return Settings(
            discord=discord,
            accounts=list(self._accounts().values())[:_CONFIGURED],
            data_dir=self._folder,
            server=ServerSettings(port=self._port),
            webhooks=WebhookSettings(url=f"{self._inboxes()}/all", allow_loopback=True),
        )

    def _accounts(self) -> dict[str, AccountSettings]:
        """The server's accounts by their ids."""
        world = self._simulator.world
        accounts = [
            AccountSettings(
                token=SecretStr(user.token),
                guild_id=world.config.guild_of(user),
                channel_id=world.accounts[user.token].channel_id,
                core_size=3 if user.plan in (Plan.BASIC, Plan.STANDARD) else 12,
                queue_size=30,
                refresh_minutes=60,
            )
            for user in USERS[:_ACCOUNTS]
        ]
        return {each.channel_id: each for each in accounts}

    def _administrators(self, http: aiohttp.ClientSession) -> Administrators:
        accounts = self._accounts()
        return Administrators(
            f"http://127.0.0.1:{self._port}", http, self._clock, self._ledger,
            self._simulator.world, accounts, frozenset(list(accounts)[:_CONFIGURED]), self._seed,
            self._admin_rates,
        )  # fmt: skip

    async def _add_and_cure(self, admins: Administrators) -> None:
        await admins.add_accounts()
        await admins.cure()

    async def _hear_nothing(self) -> None:
        """A webhook receiver that accepts connections and never answers."""
        listening = listen("127.0.0.1", self._deaf_port)
        server = await self.loop.create_server(asyncio.Protocol, sock=listening)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()

    def _inboxes(self) -> str:
        """The simulator's receivers; a webhook's address must be a name."""
        return f"{self._simulator.urls.cdn}/_hooks".replace("127.0.0.1", "localhost")

    async def _live(self) -> None:
        """The users: each makes a share of the requests."""
        count = max(1, min(60, self._tasks // 12))
        shares = [self._tasks // count + (n < self._tasks % count) for n in range(count)]
        url, webhooks = f"http://127.0.0.1:{self._port}", self._inboxes()
        async with aiohttp.ClientSession() as http:
            users = [
                User(
                    f"user{n}",
                    url,
                    webhooks,
                    http,
                    self._clock,
                    self._ledger,
                    self._seed,
                    Habits(),
                    deaf=f"http://localhost:{self._deaf_port}/deaf",
                )
                for n in range(count)
            ]
            await asyncio.gather(*(user.live(n) for user, n in zip(users, shares, strict=True)))

    async def _use_by_hand(self) -> None:
        """Another user in the first account's channel, and that account's owner by hand."""
        async with aiohttp.ClientSession() as http:
            number = 0
            while True:
                await asyncio.sleep(self._random.expovariate(1 / 90))
                number += 1
                user = self._random.choice((USERS[0], USERS[-1]))
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await self._imagine_by_hand(http, user, f"{BY_HAND} {number}")

    async def _imagine_by_hand(
        self, http: aiohttp.ClientSession, user: UserConfig, prompt: str
    ) -> None:
        account = self._simulator.world.accounts[user.token]
        entry = next(e for e in self._simulator.world.commands() if e["name"] == "imagine")
        option = {"type": 3, "name": "prompt", "value": prompt}
        data = {name: entry[name] for name in ("id", "name", "version", "type")}
        body = {
            "type": 2, "application_id": entry["application_id"], "guild_id": account.guild_id,
            "channel_id": account.channel_id, "session_id": "by-hand",
            "data": {**data, "options": [option]},
        }  # fmt: skip
        headers = {"Authorization": user.token}
        url = f"{self._simulator.urls.api}/interactions"
        async with http.post(url, json=body, headers=headers) as answer:
            await answer.read()

    # Faults

    async def _crash(self) -> None:
        while True:
            await asyncio.sleep(self._random.expovariate(1 / _CRASHES))
            await self._restart()

    async def _restart(self) -> None:
        self._disk.cut_power()
        await self.loop.switch_off(_SERVER)
        self.crashes += 1
        await asyncio.sleep(self._random.uniform(*_OFF))
        self.loop.start(_SERVER, self._serve())

    async def _sweep(self) -> None:
        """Collect garbage at the same moments in every run."""
        while True:
            gc.collect()
            await asyncio.sleep(_SWEEP)

    async def _fill_disk(self) -> None:
        while True:
            await asyncio.sleep(self._random.expovariate(1 / _FULL_DISKS))
            self._disk.fail(self._random.uniform(*_FULL))

    # The end

    async def _settle(self) -> None:
        """Wait until every task has ended and every webhook was delivered, with a limit."""
        until = self.loop.time() + _CALM
        while self.loop.time() < until and not evidence.is_settled(self._folder):
            await self._clock.sleep(30)

    def _evidence(self, deliveries: dict[str, list[Json]], held: int) -> Evidence:
        world = self._simulator.world
        return Evidence(
            ledger=self._ledger,
            tasks=evidence.tasks_on_disk(self._folder),
            jobs=evidence.made(player.state() for player in world.players.values()),
            deliveries=deliveries,
            held=held,
            users={
                world.accounts[user.token].channel_id: world.accounts[user.token].id
                for user in USERS[:_ACCOUNTS]
            },
        )


def _free_port() -> int:
    with contextlib.closing(listen("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def play(seed: int, tasks: int, rates: Rates = STORM) -> Verdict:
    """Execute one run and return its verdict."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        run = ChaosRun(seed, tasks, Path(folder), rates)
        random.seed(seed)  # some libraries use the global random source
        gc.disable()  # its timing is not reproducible; `ChaosRun.play` collects itself
        try:
            # The age of pooled connections would be that of the real clock.
            with patch("aiohttp.connector.monotonic", run.loop.time):
                verdict = run.loop.run_until_complete(run.play())
            verdict.trace = run.loop.trace
            return verdict
        finally:
            run.loop.close()
            gc.enable()
