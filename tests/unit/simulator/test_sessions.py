"""The simulator's sessions: found by user and by server, and gone after their time."""

from random import Random

import pytest

from athena.clock import TurnableClock
from athena.simulator.faults import Faults
from athena.simulator.sessions import ALL_INTENTS, Account, Session, Sessions


@pytest.fixture
def sessions(clock: TurnableClock) -> Sessions:
    return Sessions(clock, Random(1), Faults())


def begin(sessions: Sessions, user: str, guild: str = "g") -> Session:
    account = Account(
        user={"id": user}, token=user, is_bot=False, plan="pro", guild_id=guild, channel_id="c"
    )
    return sessions.begin(account, ALL_INTENTS)


def test_sessions_are_found_by_user_and_by_server(sessions: Sessions) -> None:
    first, second, other = (begin(sessions, *at) for at in [("a", "g"), ("a", "g"), ("b", "h")])
    assert sessions.of_user("a") == [first, second]
    assert sessions.in_guild("h") == [other]
    assert sessions.of_user("nobody") == sessions.in_guild("none") == []
    sessions.end(first)
    assert sessions.of_user("a") == sessions.in_guild("g") == [second]
    assert sessions.all() == [second, other]


def test_a_detached_session_is_kept_for_a_while(sessions: Sessions, clock: TurnableClock) -> None:
    session = begin(sessions, "a")
    sessions.detach(session)
    clock.turn(179)
    assert sessions.find(session.id) is session
    clock.turn(2)
    assert sessions.find(session.id) is None
    assert sessions.in_guild("g") == []


def test_one_that_came_back_is_kept(sessions: Sessions, clock: TurnableClock) -> None:
    back, gone, again = (begin(sessions, name) for name in "abc")
    for session in (back, again, gone):
        sessions.detach(session)
    back.detached_at = again.detached_at = None
    clock.turn(100)
    sessions.detach(again)
    clock.turn(100)
    assert [sessions.find(each.id) for each in (back, gone, again)] == [back, None, again]
    clock.turn(100)
    assert [sessions.find(each.id) for each in (back, again)] == [back, None]
