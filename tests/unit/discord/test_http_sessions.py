"""Sessions by purpose: one that is full does not hold up another."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from athena.discord.errors import OutcomeUnknown, Unreachable
from athena.discord.http_sessions import ConnectionLimits, HttpSessions, open_sessions
from athena.discord.transport import HttpRequest, HttpTransport, SocketClosed, socket_opener


class Server:
    """Answers `/slow` when it is let, `/socket` as a WebSocket, `/there` with a redirect to it."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.slow = 0
        self.upgraded = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/slow":
                self.slow += 1
                await self.let.wait()
            case "/there":
                raise web.HTTPFound("/socket")
            case "/socket":
                self.upgraded += 1
                socket = web.WebSocketResponse()
                await socket.prepare(request)
                async for message in socket:
                    await socket.send_bytes(message.data.encode())
                    await socket.close(code=4000)
                return socket
        return web.Response(text="ok", headers={"X-Kind": "plain"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"127.0.0.1:{runner.addresses[0][1]}"
    yield server
    server.let.set()
    await runner.cleanup()


def get(server: Server, path: str, timeout: float = 30.0) -> HttpRequest:
    return HttpRequest(method="GET", url=f"http://{server.url}{path}", headers={}, timeout=timeout)


async def slow_calls(server: Server, session: aiohttp.ClientSession, number: int) -> None:
    transport = HttpTransport(session)
    await asyncio.gather(*(transport.exchange(get(server, "/slow", 1e4)) for _ in range(number)))


async def until_slow(server: Server, number: int) -> None:
    while server.slow < number:
        await asyncio.to_thread(int)


async def test_a_full_session_leaves_the_others_their_connections(server: Server) -> None:
    async with open_sessions(ConnectionLimits(webhooks=2, rest=1)) as sessions:
        busy = asyncio.create_task(slow_calls(server, sessions.webhooks, 5))
        await until_slow(server, 2)
        answer = await HttpTransport(sessions.rest).exchange(get(server, "/fast"))
        assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, b"ok", "plain")
        server.let.set()
        await busy


async def test_waiting_for_a_connection_is_not_counted(server: Server) -> None:
    async with open_sessions(ConnectionLimits(rest=1)) as sessions:
        busy = asyncio.create_task(slow_calls(server, sessions.rest, 1))
        await until_slow(server, 1)
        waiting = asyncio.create_task(
            HttpTransport(sessions.rest).exchange(get(server, "/fast", timeout=5.0))
        )
        for _ in range(5):
            await asyncio.to_thread(int)
        clock = asyncio.get_running_loop()
        real, clock.time = clock.time, lambda: real() + 60  # type: ignore[method-assign]
        try:
            for _ in range(5):
                await asyncio.to_thread(int)
            assert not waiting.done()
        finally:
            clock.time = real  # type: ignore[method-assign]
        server.let.set()
        assert (await waiting).status == 200
        await busy


async def test_gateway_sockets_have_no_limit(server: Server) -> None:
    async with open_sessions() as sessions:
        opener = socket_opener(sessions.gateway)
        sockets = [opener(f"ws://{server.url}/socket") for _ in range(130)]
        await asyncio.gather(*(socket.__aenter__() for socket in sockets))
        assert server.upgraded == 130
        await asyncio.gather(*(socket.__aexit__(None, None, None) for socket in sockets))


async def test_a_socket_brings_messages_and_then_its_end(server: Server) -> None:
    async with (
        open_sessions() as sessions,
        socket_opener(sessions.gateway)(f"ws://{server.url}/socket") as socket,
    ):
        await socket.send("hello")
        assert await socket.receive() == b"hello"
        with pytest.raises(SocketClosed) as closed:
            await socket.receive()
        assert closed.value.code == 4000


async def test_a_gateway_that_redirects_is_unreachable(server: Server) -> None:
    async with open_sessions() as sessions:
        with pytest.raises(Unreachable):
            async with socket_opener(sessions.gateway)(f"ws://{server.url}/there"):
                pass
        assert server.upgraded == 0


async def test_errors_name_the_host_and_nothing_else() -> None:
    async with open_sessions() as sessions:
        request = HttpRequest(method="GET", url="http://127.0.0.1:9/x?token=secret", headers={})
        with pytest.raises(Unreachable) as error:
            await HttpTransport(sessions.rest).exchange(request)
        assert str(error.value) == "127.0.0.1 cannot be reached: ClientConnectorError"


async def test_an_answer_that_does_not_come_is_an_unknown_outcome(server: Server) -> None:
    async with open_sessions() as sessions:
        with pytest.raises(OutcomeUnknown):
            await HttpTransport(sessions.rest).exchange(get(server, "/slow", timeout=0.01))


async def test_all_are_closed_together() -> None:
    async with open_sessions() as sessions:
        every = [getattr(sessions, name) for name in HttpSessions.__struct_fields__]
        assert not any(session.closed for session in every)
    assert all(session.closed for session in every)
