"""Tokens of a running server: made and removed here, or by the command line beside it."""

import asyncio

import msgspec
import pytest

from athena.clock import TurnableClock
from athena.errors import StoreUnavailable
from athena.service.token_registry import TokenRegistry
from athena.store.tokens import TOKENS, Role, new
from tests.unit.service.fakes import MemoryRecords


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def registry(records: MemoryRecords, clock: TurnableClock) -> TokenRegistry:
    return TokenRegistry(records, clock)


def opens(registry: TokenRegistry, secret: str, clock: TurnableClock) -> bool:
    return registry.tokens.find(secret, clock.now()) is not None


async def test_a_new_token_opens_at_once_and_after_a_restart(
    registry: TokenRegistry, records: MemoryRecords, clock: TurnableClock
) -> None:
    token, secret = await registry.make("shop", role="reader", rate=3)
    assert (token.name, token.role, token.rate, token.created_at) == (
        "shop",
        Role.READER,
        3,
        clock.now(),
    )
    assert opens(registry, secret, clock)
    assert opens(TokenRegistry(records, clock), secret, clock)
    assert all(secret.encode() not in body for body in records.kept.values())


async def test_a_removed_token_opens_nothing(registry: TokenRegistry, clock: TurnableClock) -> None:
    token, secret = await registry.make("a")
    _, stays = await registry.make("b")
    assert await registry.remove(token.id)
    assert (opens(registry, secret, clock), opens(registry, stays, clock)) == (False, True)
    assert not await registry.remove(token.id)


async def test_an_impossible_wish_makes_no_token(
    registry: TokenRegistry, records: MemoryRecords
) -> None:
    with pytest.raises(msgspec.ValidationError):
        await registry.make("x", speed="WARP")
    assert (registry.tokens.all(), records.kept) == ([], {})


async def test_a_token_that_cannot_be_stored_opens_nothing(
    registry: TokenRegistry, records: MemoryRecords
) -> None:
    records.refuses = True
    with pytest.raises(StoreUnavailable):
        await registry.make("x")
    assert registry.tokens.all() == []


async def test_a_token_that_cannot_be_removed_still_opens(
    registry: TokenRegistry, records: MemoryRecords, clock: TurnableClock
) -> None:
    token, secret = await registry.make("x")
    records.refuses = True
    with pytest.raises(StoreUnavailable):
        await registry.remove(token.id)
    assert opens(registry, secret, clock)


async def test_many_made_at_once_are_all_there(registry: TokenRegistry) -> None:
    made = await asyncio.gather(*(registry.make(str(n)) for n in range(5)))
    assert {token.id for token, _ in made} == {each.id for each in registry.tokens.all()}


async def test_what_another_process_made_or_removed_is_taken_up(
    registry: TokenRegistry, records: MemoryRecords, clock: TurnableClock
) -> None:
    token, secret = new("other", 1)
    records.put_by_another(TOKENS, token.id, token)
    assert not opens(registry, secret, clock)
    await registry.look()
    assert opens(registry, secret, clock)
    records.kept.clear()
    await registry.look()
    assert opens(registry, secret, clock)  # nothing says that it changed
    records.put_by_another(TOKENS, "x", new("third", 1)[0])
    await registry.look()
    assert not opens(registry, secret, clock)


async def test_an_expired_token_opens_nothing(
    registry: TokenRegistry, clock: TurnableClock
) -> None:
    _, secret = await registry.make("x", expires_at=clock.now() + 1000)
    assert opens(registry, secret, clock)
    clock.turn(1)
    assert not opens(registry, secret, clock)
