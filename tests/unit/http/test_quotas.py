"""A token's daily quota: what counts, and when the day ends."""

from collections.abc import Awaitable, Callable

import pytest
from tests.contract.store.making import make_task

from athena.clock import TurnableClock
from athena.errors import BadRequest, QuotaExceeded
from athena.service.options import Accepted
from athena.service.quotas import Quotas
from athena.store.tokens import Token, new

Ask = Callable[[], Awaitable[Accepted]]


def answer(*, repeated: bool = False) -> Ask:
    async def ask() -> Accepted:
        return Accepted(task=make_task(1), repeated=repeated)

    return ask


async def refuse() -> Accepted:
    raise BadRequest("no")


@pytest.fixture
def quotas(clock: TurnableClock) -> Quotas:
    """Nothing is read from the store here."""
    return Quotas(None, clock)  # type: ignore[arg-type]


@pytest.fixture
def token() -> Token:
    return new("me", 0, daily_limit=2)[0]


async def test_only_what_is_accepted_counts_and_counts_once(quotas: Quotas, token: Token) -> None:
    await quotas.count(token, answer())
    await quotas.count(token, answer(repeated=True))
    with pytest.raises(BadRequest):
        await quotas.count(token, refuse)
    assert quotas.used(token) == 1
    await quotas.count(token, answer())
    with pytest.raises(QuotaExceeded, match="2 tasks a day"):
        await quotas.count(token, answer())
    assert quotas.used(token) == 2


async def test_a_day_ends_for_everybody(quotas: Quotas, clock: TurnableClock, token: Token) -> None:
    unlimited, _ = new("other", 0)
    for each in (token, unlimited):
        await quotas.count(each, answer())
    clock.turn(86_400)
    assert (quotas.used(token), quotas.used(unlimited)) == (0, 0)


async def test_a_refusal_after_midnight_costs_nothing_of_the_new_day(
    quotas: Quotas, clock: TurnableClock, token: Token
) -> None:
    async def refuse_late() -> Accepted:
        clock.turn(86_400)
        quotas.used(token)
        return await refuse()

    with pytest.raises(BadRequest):
        await quotas.count(token, refuse_late)
    assert quotas.used(token) == 0


async def test_who_needs_no_token_is_not_counted(quotas: Quotas) -> None:
    assert (await quotas.count(None, answer())).task.id
