"""REST over a fake transport: what is repeated, what is not, and which errors are raised."""

import asyncio
import random

import pytest
from structlog.testing import capture_logs
from tests.unit.discord.fakes import API, TOKEN, FakeTransport, answered
from tests.unit.discord.settling import settle

from athena.clock import TurnableClock
from athena.discord.errors import (
    DiscordError,
    Forbidden,
    OutcomeUnknown,
    RequestRejected,
    ServerFault,
    Unauthorized,
    UnknownObject,
    Unreachable,
)
from athena.discord.identity import Endpoints, Identity
from athena.discord.iframe_modals import submit_region
from athena.discord.rest import Rest

ENDPOINTS = Endpoints(api_url=API, apps_url="http://127.0.0.1:9/apps")


def rest_over(
    transport: FakeTransport, clock: TurnableClock, storage: FakeTransport | None = None
) -> Rest:
    identity = Identity(token=TOKEN)
    return Rest(transport, ENDPOINTS, identity, clock, random.Random(1), storage=storage)


async def turned(work: "asyncio.Task[None]", clock: TurnableClock) -> None:
    for _ in range(200):
        await settle()
        if work.done():
            break
        clock.turn(0.5)
    await work


@pytest.mark.parametrize("lost", [OutcomeUnknown("lost"), answered(status=500)])
async def test_an_interaction_that_may_have_been_taken_is_not_made_again(
    clock: TurnableClock, lost: DiscordError
) -> None:
    transport = FakeTransport(lost)
    with pytest.raises(OutcomeUnknown):
        await rest_over(transport, clock).interact({"type": 2})
    assert len(transport.asked) == 1


async def test_an_interaction_without_a_connection_is_made_again(clock: TurnableClock) -> None:
    transport = FakeTransport(Unreachable("x"), Unreachable("x"), answered(status=204))
    await turned(asyncio.create_task(rest_over(transport, clock).interact({})), clock)
    assert len(transport.asked) == 3


async def test_a_message_that_cannot_be_read_is_logged_once(clock: TurnableClock) -> None:
    body = b'[{"id": "9", "channel_id": "5"}, {"id": "8", "content": null}]'
    rest = rest_over(FakeTransport(otherwise=answered(body)), clock)
    with capture_logs() as logs:
        pages = [await rest.messages("5", limit=2) for _ in range(3)]
    assert [len(page.messages) for page in pages] == [1, 1, 1]
    assert [each["message"] for each in logs if each["event"] == "message.unreadable"] == ["8"]


async def test_a_history_that_is_none_is_a_fault_of_the_server(clock: TurnableClock) -> None:
    rest = rest_over(FakeTransport(answered(b"{}")), clock)
    with pytest.raises(ServerFault, match="not understood"):
        await rest.messages("5")


async def test_paths_are_filled_in_and_quoted(clock: TurnableClock) -> None:
    transport = FakeTransport(answered([]), answered(status=204), answered({"id": "1"}))
    rest = rest_over(transport, clock)
    await rest.messages("5", limit=10, before="77")
    await rest.react("5", "6", "✉️")
    await rest.message("5", "1/../2")
    assert [each.url.removeprefix(API) for each in transport.asked] == [
        "/channels/5/messages?limit=10&before=77",
        "/channels/5/messages/6/reactions/%E2%9C%89%EF%B8%8F/@me",
        "/channels/5/messages/1%2F..%2F2",
    ]


async def test_bytes_go_to_the_storage_without_the_token_and_again(clock: TurnableClock) -> None:
    storage = FakeTransport(OutcomeUnknown("cut"), answered(status=503), answered(status=200))
    rest = rest_over(FakeTransport(), clock, storage)
    await turned(asyncio.create_task(rest.put_bytes("http://x/y", b"1", "image/png")), clock)
    assert [each.body for each in storage.asked] == [b"1"] * 3
    assert not any("Authorization" in each.headers for each in storage.asked)


async def test_a_refused_upload_is_not_tried_again(clock: TurnableClock) -> None:
    storage = FakeTransport(answered(status=403))
    rest = rest_over(FakeTransport(), clock, storage)
    with pytest.raises(Forbidden):
        await rest.put_bytes("http://x/y", b"1", "image/png")


async def test_after_a_401_nothing_more_is_asked(clock: TurnableClock) -> None:
    transport = FakeTransport(answered({"code": 0}, 401))
    rest = rest_over(transport, clock)
    for _ in range(3):
        with pytest.raises(Unauthorized):
            await rest.me()


async def test_an_index_that_is_being_built_is_waited_for_a_bounded_time(
    clock: TurnableClock,
) -> None:
    building = answered({"retry_after": 1e300}, 202)
    rest = rest_over(FakeTransport(building, answered({"application_commands": []})), clock)
    asking = asyncio.create_task(rest.command_index("1"))
    await settle()
    clock.turn(61)
    assert (await asking).application_commands == ()


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, UnknownObject), (410, UnknownObject), (422, RequestRejected), (502, OutcomeUnknown)],
)
async def test_the_editor_says_what_it_made_of_a_region(
    status: int, error: type[DiscordError]
) -> None:
    transport = FakeTransport(answered(status=status))
    with pytest.raises(error):
        await submit_region(transport, ENDPOINTS, "one-time", b"mask", "a cat")
    (asked,) = transport.asked
    assert "Authorization" not in asked.headers
