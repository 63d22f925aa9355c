"""Our gateway session against the simulator's: what breaks is mended, on a turnable clock."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from pydantic import SecretStr

from athena.clock import TurnableClock
from athena.discord import events
from athena.discord.errors import GatewayRefused, TokenRefused
from athena.discord.gateway import Gateway
from athena.discord.identity import Endpoints, Identity, IdentityKind
from athena.discord.rest import Rest
from athena.discord.transport import HttpTransport, socket_opener
from athena.simulator.app import Simulator
from athena.simulator.config import DEMO, Config, UserConfig
from athena.simulator.stage import Draft
from tests.conftest import breathe
from tests.simulated.conftest import Build, account

CHANNEL = DEMO.users[0].channel_id
MIDJOURNEY = "936929561302675456"


class Listener:
    """A running gateway session and its events."""

    def __init__(
        self, simulator: Simulator, http: aiohttp.ClientSession, clock: TurnableClock
    ) -> None:
        self.simulator = simulator
        self.clock = clock
        self.heard: list[events.Event] = []
        self._http = http

    def start(
        self, token: str = DEMO.users[0].token, kind: IdentityKind = IdentityKind.USER
    ) -> None:
        urls = self.simulator.urls
        endpoints = Endpoints(api_url=urls.api, gateway_url=urls.gateway)
        identity = Identity(token=token, kind=kind)
        chance = random.Random(1)
        rest = Rest(HttpTransport(self._http), endpoints, identity, self.clock, chance)
        self.gateway = Gateway(
            endpoints, identity, rest, self.clock, chance, socket_opener(self._http)
        )
        self.work = asyncio.create_task(self.gateway.run(self.heard.append))

    async def until(self, done: Callable[[], bool], *, turn: float = 0.0) -> None:
        """Let the sockets work, turning the clock if asked, until it is so."""
        while not done() and not self.work.done():
            await breathe()
            self.clock.turn(turn)
        if self.work.done():
            self.work.result()

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.heard]

    def says(self, text: str) -> None:
        self.simulator.world.post(MIDJOURNEY, CHANNEL, Draft(content=text))

    def texts(self) -> list[str]:
        return [e.message.content for e in self.heard if isinstance(e, events.MessageCreated)]


@pytest.fixture
async def listener(clock: TurnableClock) -> AsyncIterator[Listener]:
    async with Simulator(clock=clock) as simulator, aiohttp.ClientSession() as http:
        listener = Listener(simulator, http, clock)
        yield listener
        listener.work.cancel()
        with contextlib.suppress(asyncio.CancelledError, TokenRefused, GatewayRefused):
            await listener.work


@pytest.mark.parametrize("number", [0, 2])
async def test_users_and_bots_hear_what_is_said(listener: Listener, number: int) -> None:
    user = DEMO.users[number]
    listener.start(user.token, IdentityKind.BOT if user.bot else IdentityKind.USER)
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.says("hello 🎨")
    await listener.until(lambda: listener.texts() == ["hello 🎨"])


@pytest.mark.parametrize("code", [4000, 4002, 4008, 1011])
async def test_what_was_missed_is_replayed(listener: Listener, code: int) -> None:
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.simulator.gateway.drop(code)
    await listener.until(lambda: "Disconnected" in listener.kinds())
    listener.says("while you were away")
    await listener.until(lambda: "Resumed" in listener.kinds(), turn=0.1)
    assert listener.texts() == ["while you were away"]
    assert listener.kinds().count("Ready") == 1


@pytest.mark.parametrize("code", [4003, 4007, 4009])
async def test_some_codes_begin_a_new_session(listener: Listener, code: int) -> None:
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.simulator.gateway.drop(code)
    await listener.until(lambda: listener.kinds().count("Ready") == 2, turn=0.1)
    firsts = [event.first for event in listener.heard if isinstance(event, events.Ready)]
    assert firsts == [True, False]
    assert "Resumed" not in listener.kinds()


async def test_a_refused_resume_begins_a_new_session(listener: Listener) -> None:
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.simulator.faults.refuse_resumes = 1
    listener.simulator.gateway.drop(4000)
    await listener.until(lambda: listener.kinds().count("Ready") == 2, turn=0.1)


async def test_op_7_resumes(listener: Listener) -> None:
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.simulator.gateway.order_reconnect()
    await listener.until(lambda: "Resumed" in listener.kinds(), turn=0.1)


async def test_an_unanswered_heartbeat_ends_the_connection(listener: Listener) -> None:
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.simulator.faults.mute_acks = True
    await listener.until(lambda: "Disconnected" in listener.kinds(), turn=1)
    reasons = [e.reason for e in listener.heard if isinstance(e, events.Disconnected)]
    assert reasons == ["no answer to a heartbeat"]
    listener.simulator.faults.mute_acks = False
    await listener.until(lambda: "Resumed" in listener.kinds(), turn=0.1)


async def test_answered_heartbeats_keep_it_alive_for_hours(listener: Listener) -> None:
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    for _ in range(400):
        listener.clock.turn(10)
        await breathe()
        await breathe()
    assert listener.kinds() == ["Ready"]


async def test_a_refused_token_is_final(listener: Listener) -> None:
    listener.start("no such token")
    with pytest.raises(TokenRefused) as refused:
        await listener.until(lambda: False)
    assert "no such token" not in str(refused.value)


async def test_other_final_codes_say_so(listener: Listener) -> None:
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.simulator.gateway.drop(4013)
    with pytest.raises(GatewayRefused, match="4013"):
        await listener.until(lambda: False)


@pytest.mark.parametrize(
    "data",
    [
        b'{"id": 5}',
        b'{"id": "5", "content": null}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"components":[' * 5_000 + b"]}" * 5_000,
        b'{"id": "\xff\xfe"}',
    ],
)
async def test_after_an_event_that_cannot_be_read_the_account_works_on(
    build: Build, data: bytes
) -> None:
    system = await build()
    while not (sessions := system.simulator.world.sessions.all()):
        await breathe()
    sessions[0].tell("MESSAGE_CREATE", data)
    task = await system.imagine("a cat")
    assert (await system.ended(task["result"]))["status"] == "SUCCESS"
    assert len(system.simulator.world.sessions.all()) == 1


async def test_a_closed_resume_address_is_left_for_the_gateway_s_own(listener: Listener) -> None:
    listener.simulator.world.gateway_url = "ws://127.0.0.1:9/gateway"
    listener.start()
    await listener.until(lambda: "Ready" in listener.kinds())
    listener.simulator.gateway.drop(4000)
    await listener.until(lambda: "Resumed" in listener.kinds(), turn=0.5)
    assert listener.kinds().count("Ready") == 1


async def test_more_accounts_than_a_session_has_connections(build: Build) -> None:
    """All are online, and one connection to the API is enough for their imagines."""
    number = 105
    users = tuple(
        UserConfig(name=f"u{n}", token=f"token-{n}", channel=f"c{n}") for n in range(number)
    )
    config = Config(users=users, limits=False)
    accounts = [
        account(token=SecretStr(user.token), channel_id=config.channel_of(user)) for user in users
    ]
    system = await build(config=config, accounts=accounts, rest_connections=1)
    while len(system.simulator.world.sessions.all()) < number:
        await breathe()
    made = [await system.imagine(f"cat {n}") for n in range(10)]
    ended = [await system.ended(each["result"]) for each in made]
    assert {task["status"] for task in ended} == {"SUCCESS"}
