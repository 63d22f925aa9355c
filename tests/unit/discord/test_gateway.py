"""A gateway session over fake sockets: nothing that Discord sends ends it for good."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.discord.fakes import OWN, RESUME, TOKEN, FakeSocket, Session
from tests.unit.discord.settling import settle

from athena.clock import TurnableClock
from athena.discord import events
from athena.discord.errors import DiscordError, GatewayRefused, TokenRefused, Unreachable
from athena.errors import AthenaError


@pytest.fixture
async def session(clock: TurnableClock) -> AsyncIterator[Session]:
    session = Session(clock)
    yield session
    await session.close()


def greeted(socket: FakeSocket) -> None:
    socket.hello()
    socket.ready()


def broken(socket: FakeSocket) -> None:
    socket.hello()
    socket.say(BROKEN)


ODD_EVENTS: list[tuple[str, bytes]] = [
    ("MESSAGE_CREATE", b'{"id": 5}'),
    ("MESSAGE_CREATE", b'{"id": "5x"}'),
    ("MESSAGE_CREATE", b'{"id": "5", "embeds": [{"title": null}]}'),
    ("MESSAGE_CREATE", b'{"id": "5", "content": null}'),
    ("MESSAGE_CREATE", b'{"id": "5", "components": [{"type": 1, "components": null}]}'),
    ("MESSAGE_CREATE", b'{"id": "5", "message_reference": {"message_id": 5}}'),
    ("MESSAGE_CREATE", b"null"),
    ("MESSAGE_UPDATE", b'{"id": 5}'),
    ("MESSAGE_UPDATE", b'{"id": "5", "content": null}'),
    ("MESSAGE_UPDATE", b'{"id": "5", "embeds": null}'),
    ("MESSAGE_DELETE", b"[]"),
    ("MESSAGE_DELETE_BULK", b'{"ids": null}'),
    ("INTERACTION_CREATE", b'{"id": null}'),
    ("INTERACTION_MODAL_CREATE", b'{"id": "5", "title": null}'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data"), ODD_EVENTS)
async def test_an_event_that_cannot_be_read_costs_itself_alone(
    session: Session, name: str, data: bytes
) -> None:
    await session.online()
    with capture_logs() as logs:
        session.socket.say(b'{"op":0,"s":2,"t":"%s","d":%s}'.decode() % (name, data.decode()))
        session.socket.message(3)
        await settle()
    assert session.kinds() == ["Ready", "MessageCreated"]
    assert session.gateway.unreadable == {name: 1}
    (line,) = [each for each in logs if each["event"] == "gateway.unreadable_event"]
    assert line["kind"] == name


async def test_an_owner_that_fails_over_an_event_does_not_end_the_session(
    clock: TurnableClock,
) -> None:
    session = Session(clock)
    heard = session.heard

    def receive(event: events.Event) -> None:
        if isinstance(event, events.MessageCreated | events.Gap):
            raise KeyError(event)
        heard.append(event)

    session.receive = receive
    await session.online()
    session.socket.message(2)
    session.socket.message(9)
    session.socket.tell(0, {"id": "5", "channel_id": "5"}, 10, "MESSAGE_DELETE")
    await settle()
    assert session.kinds() == ["Ready", "MessagesDeleted"]
    assert session.gateway.unreadable == {"MESSAGE_CREATE": 2, "GAP": 1}
    await session.close()


async def test_an_unknown_event_is_nothing(session: Session) -> None:
    await session.online()
    session.socket.tell(0, {"x": 1}, 2, "SOMETHING_NEW")
    await settle()
    assert session.kinds() == ["Ready"]
    assert not session.gateway.unreadable


async def test_a_resumed_of_any_form_is_one(session: Session) -> None:
    await session.online()
    session.socket.end()
    await session.pass_time(3)
    session.socket.tell(0, None, 2, "RESUMED")
    await settle()
    assert session.kinds()[-1] == "Resumed"


@pytest.mark.parametrize("changes", [{"session_id": 5}, {"user": None}])
async def test_a_ready_that_cannot_be_read_is_a_failed_connection(
    session: Session, changes: dict[str, Any]
) -> None:
    def greet(socket: FakeSocket) -> None:
        socket.hello()
        socket.ready(**changes)

    session.when_opened = greet
    await session.pass_time(300)
    assert 4 <= len(session.sockets) <= 12, "pauses grow up to two minutes"
    assert all(socket.ops() == [2] for socket in session.sockets)
    assert all(each.startswith("READY cannot be read: ValidationError") for each in
               session.reasons())  # fmt: skip
    session.when_opened = greeted
    await session.pass_time(200)
    assert session.kinds()[-1] == "Ready"


def packed(raw: bytes) -> bytes:
    deflate = zlib.compressobj()
    return deflate.compress(raw) + deflate.flush(zlib.Z_SYNC_FLUSH)


ODD_PAYLOADS: list[bytes | str] = [
    '{"op": 0, "s": 2, "d": ' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"op": 0, "s": 2, "d": ' + '[{"components":' * 5_000 + "[]" + "}]" * 5_000 + "}",
    '{"op": "zero"}',
    '{"op": 0, "s": "five", "t": "MESSAGE_CREATE"}',
    "not json",
    "",
    packed(b'{"op": 0, "t": "\xff\xfe", "s": 2}'),
]


@pytest.mark.parametrize("raw", ODD_PAYLOADS)
async def test_a_payload_that_cannot_be_read_is_a_gap(session: Session, raw: bytes | str) -> None:
    await session.online()
    session.socket.say(raw)
    await settle()
    session.socket.message(3)
    await settle()
    assert session.kinds() == ["Ready", "Gap", "Gap", "MessageCreated"]
    assert session.gateway.unreadable == {"PAYLOAD": 1}


async def test_invalid_text_inside_an_event_costs_that_event(session: Session) -> None:
    await session.online()
    session.socket.say(packed(b'{"op":0,"t":"MESSAGE_CREATE","s":2,"d":{"id":"\xff\xfe"}}'))
    session.socket.message(3)
    await settle()
    assert session.kinds()[-1] == "MessageCreated"
    assert session.gateway.unreadable.total() == 1


BROKEN = b"\xff" * 20 + b"\x00\x00\xff\xff"


async def test_a_broken_stream_reconnects_and_resumes(session: Session) -> None:
    await session.online()
    session.socket.say(BROKEN)
    await session.pass_time(3)
    assert len(session.sockets) == 2
    assert session.socket.ops() == [6]
    session.socket.tell(0, {}, 2, "RESUMED")
    await settle()
    assert session.kinds() == ["Ready", "Disconnected", "Resumed"]
    assert session.reasons()[0].startswith("the stream cannot be read: ")


async def test_a_frame_that_every_resume_replays_ends_in_a_new_session(session: Session) -> None:
    await session.online()
    session.socket.say(BROKEN)
    session.when_opened = broken
    await session.pass_time(60)
    first_ops = [socket.ops()[-1] for socket in session.sockets[1:4]]
    assert first_ops == [6, 6, 2], "two resumes, then a new session"


async def test_a_session_that_breaks_at_once_again_and_again_is_tried_ever_more_seldom(
    session: Session,
) -> None:
    def greet(socket: FakeSocket) -> None:
        greeted(socket)
        socket.say(BROKEN)

    session.when_opened = greet
    await session.pass_time(600)
    assert len(session.sockets) <= 14


async def test_a_hello_that_cannot_be_read_is_a_failed_connection(session: Session) -> None:
    session.when_opened = lambda socket: socket.tell(10, {"heartbeat_interval": None})
    await session.pass_time(120)
    assert 3 <= len(session.sockets) <= 9
    assert session.reasons()[0].startswith("HELLO cannot be read: ")


async def test_a_dead_resume_address_is_left_for_the_gateway_s_own(session: Session) -> None:
    await session.online()
    session.dead = (RESUME,)
    session.tried.clear()
    session.socket.end(4000)
    await session.pass_time(30)
    assert session.tried == [RESUME, RESUME, RESUME, OWN]
    assert session.socket.ops() == [6], "the session is resumed there"
    session.socket.tell(0, {}, 2, "RESUMED")
    await settle()
    assert session.kinds()[-1] == "Resumed"


async def test_a_resume_that_is_refused_at_the_own_address_becomes_a_new_session(
    session: Session,
) -> None:
    await session.online()
    session.dead = (RESUME,)
    session.socket.end(4000)
    await session.pass_time(30)
    session.socket.tell(9, False)
    await session.pass_time(40)
    assert session.socket.url == OWN
    assert session.socket.ops() == [2]


async def test_after_coming_back_the_resume_address_counts_again(session: Session) -> None:
    await session.online()
    session.dead = (RESUME,)
    session.socket.end(4000)
    await session.pass_time(30)
    session.socket.tell(0, {}, 2, "RESUMED")
    await settle()
    session.dead = ()
    session.tried.clear()
    session.socket.end(4000)
    await session.pass_time(5)
    assert session.tried == [RESUME]


async def test_a_host_that_takes_connections_and_never_resumes_is_given_up(
    session: Session,
) -> None:
    await session.online()
    session.when_opened = lambda socket: socket.end(1000)
    session.socket.end(4000)
    await session.pass_time(150)
    assert session.tried[1:7] == [RESUME] * 3 + [OWN] * 3
    session.when_opened = lambda socket: socket.hello()
    await session.pass_time(200)
    assert session.socket.ops() == [2]


async def test_an_unreachable_network_does_not_give_the_session_up(session: Session) -> None:
    await session.online()
    session.dead = (RESUME, OWN)
    session.socket.end(4000)
    await session.pass_time(600)
    session.dead = ()
    await session.pass_time(200)
    assert session.socket.ops() == [6]


async def test_interactions_can_wait_for_a_session(session: Session, clock: TurnableClock) -> None:
    waiting = asyncio.create_task(session.gateway.wait_for_session(30))
    await settle()
    assert not waiting.done()
    await session.online()
    assert await waiting == "s1"
    assert await session.gateway.wait_for_session(30) == "s1"


async def test_an_invalid_session_is_none_until_the_next(session: Session) -> None:
    await session.online()
    session.socket.tell(9, False)
    await session.pass_time(6)
    assert session.gateway.session_id is None
    waiting = asyncio.create_task(session.gateway.wait_for_session(30))
    await session.pass_time(20)
    session.socket.ready(session_id="s2")
    await settle()
    assert await waiting == "s2"


async def test_without_a_session_the_wait_ends(session: Session) -> None:
    waiting = asyncio.create_task(session.gateway.wait_for_session(30))
    await session.pass_time(31)
    with pytest.raises(Unreachable, match="no Discord session for 30 s"):
        await waiting


@pytest.mark.parametrize(("code", "error"), [(4004, TokenRefused), (4013, GatewayRefused)])
async def test_final_refusals_are_discord_errors(
    session: Session, code: int, error: type[DiscordError]
) -> None:
    assert not session.work.done()
    await settle()
    session.socket.end(code)
    await settle()
    with pytest.raises(error) as refused:
        await session.work
    assert isinstance(refused.value, AthenaError)
    assert TOKEN not in str(refused.value)
