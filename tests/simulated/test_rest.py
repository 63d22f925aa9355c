"""Our REST client against servers that misbehave: nothing is done twice, nothing is given away."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from athena.clock import SystemClock
from athena.discord.errors import (
    HumanCheckRequired,
    OutcomeUnknown,
    Unauthorized,
    Unreachable,
    VerificationRequired,
)
from athena.discord.identity import Endpoints, Identity
from athena.discord.rest import Rest
from athena.discord.transport import HttpTransport
from athena.discord.uploads import File, upload

TOKEN = "very-secret-token"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Discord:
    """A server that records its requests and answers as configured."""

    def __init__(self, answer: Handler) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.url = ""
        self._answer = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.asked.append((request.method, request.path, request.headers.get("Authorization")))
        return await self._answer(request)


@asynccontextmanager
async def discord(answer: Handler) -> AsyncIterator[tuple[Rest, Discord]]:
    server = Discord(answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as http:
        yield rest_at(http, server.url), server
    await runner.cleanup()


def rest_at(http: aiohttp.ClientSession, url: str) -> Rest:
    endpoints = Endpoints(api_url=url + "/api/v9")
    transport = HttpTransport(http)
    return Rest(transport, endpoints, Identity(token=TOKEN), SystemClock(), random.Random(1))


async def test_an_interaction_whose_answer_is_lost_is_not_made_again() -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    async with discord(hang_up) as (rest, server):
        with pytest.raises(OutcomeUnknown) as lost:
            await rest.interact({"type": 2})
        assert [method for method, _, _ in server.asked] == ["POST"]
        assert TOKEN not in str(lost.value)


async def test_a_read_is_tried_again() -> None:
    statuses = iter([500, 502, 200])

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"id": "1", "username": "ada"}, status=next(statuses))

    async with discord(answer) as (rest, server):
        assert (await rest.me()).username == "ada"
        assert len(server.asked) == 3


async def test_after_a_401_nothing_more_is_asked() -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)

    async with discord(refuse) as (rest, server):
        for _ in range(3):
            with pytest.raises(Unauthorized):
                await rest.me()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"captcha_key": ["captcha-required"], "captcha_service": "x"}, HumanCheckRequired),
        ({"code": 40002, "message": "verify"}, VerificationRequired),
    ],
)
async def test_what_only_a_person_can_do_is_told_as_such(
    body: dict[str, object], error: type[Exception]
) -> None:
    async def ask(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=400)

    async with discord(ask) as (rest, server):
        with pytest.raises(error):
            await rest.interact({"type": 2})
        assert len(server.asked) == 1


async def test_an_upload_takes_two_steps_and_the_second_carries_no_token() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        place = f"http://{request.host}/storage/slot"
        slot = {"id": "0", "upload_url": place, "upload_filename": "u/a.png"}
        return web.json_response({"attachments": [slot]})

    async with discord(answer) as (rest, server):
        file = File(filename="a.png", data=b"x", content_type="image/png")
        (uploaded,) = await upload(rest, "5", [file])
        assert uploaded.uploaded_filename == "u/a.png"
        assert server.asked == [
            ("POST", "/api/v9/channels/5/attachments", TOKEN),
            ("PUT", "/storage/slot", None),
        ]


async def test_nobody_there_means_that_nothing_was_sent() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(Unreachable):
            await rest_at(http, "http://127.0.0.1:9").interact({"type": 2})
