"""Which account takes a task: filters, modes, rules, and the reasons when none does."""

from random import Random
from typing import Any, get_args

import pytest

from athena.errors import NoAccount, QueueFull
from athena.service.choosing import Candidate, Chooser, Rule
from athena.settings import AccountChoice
from athena.store.account_directory import AccountState, AccountStatus
from athena.tasks.bot_events import Profile
from athena.tasks.model import ANY_ACCOUNT, AccountFilter, Speed
from tests.unit.service.fakes import status, stopped

ONE_PLACE: dict[str, Any] = {"core_size": 1, "queue_size": 0}


def chosen(
    *accounts: AccountStatus | Candidate,
    rule: Rule = Rule.BEST_WAIT_IDLE,
    wanted: AccountFilter = ANY_ACCOUNT,
    speed: Speed | None = None,
) -> tuple[str, Speed | None]:
    candidates = [each if isinstance(each, Candidate) else Candidate(each, 0) for each in accounts]
    account, decided = Chooser(rule, Random(1)).choose(candidates, wanted, speed)
    return account.id, decided


@pytest.mark.parametrize(
    "wanted",
    [
        AccountFilter(account="2"),
        AccountFilter(channel="2"),
        AccountFilter(remark="two"),
        AccountFilter(remix=True),
        AccountFilter(remix_auto_submit=True),
    ],
)
def test_a_filter_says_which_account(wanted: AccountFilter) -> None:
    second = status("2", remark="two", remix_auto_submit=True, profile=Profile(remix=True))
    assert chosen(status("1"), second, status("3"), wanted=wanted)[0] == "2"


@pytest.mark.parametrize(
    "wanted",
    [
        AccountFilter(remark=""),
        AccountFilter(remix=False),
        AccountFilter(remix_auto_submit=False),
        AccountFilter(niji_remix=False),
    ],
)
def test_a_filter_can_ask_for_what_is_off(wanted: AccountFilter) -> None:
    on = Profile(remix=True)
    first = status("1", remark="one", remix_auto_submit=True, profile=on, niji_profile=on)
    assert chosen(first, status("2"), wanted=wanted)[0] == "2"


def test_niji_remix_is_the_switch_of_the_niji_bot_and_not_of_midjourneys() -> None:
    midjourney = status("1", profile=Profile(remix=True))
    niji = status("2", niji_profile=Profile(remix=True))
    assert chosen(midjourney, niji, wanted=AccountFilter(niji_remix=True))[0] == "2"
    assert chosen(niji, midjourney, wanted=AccountFilter(remix=True))[0] == "1"


def test_all_wishes_of_a_filter_count_together() -> None:
    wanted = AccountFilter(remark="two", remix=True)
    with pytest.raises(NoAccount, match="no account fits the accountFilter"):
        chosen(status("1", remark="two"), status("2", profile=Profile(remix=True)), wanted=wanted)


def test_the_least_loaded_for_its_slots_goes_first() -> None:
    large = Candidate(status("1", core_size=4), 3)
    small = Candidate(status("2", core_size=1), 1)
    assert chosen(small, large)[0] == "1"
    assert chosen(large, Candidate(status("2", core_size=1), 0))[0] == "2"


def test_accounts_that_are_online_go_before_those_that_connect() -> None:
    connecting = status("1", AccountState.CONNECTING)
    assert chosen(connecting, Candidate(status("2"), 2))[0] == "2"
    assert chosen(connecting)[0] == "1"
    full = Candidate(status("2", **ONE_PLACE), 1)
    assert chosen(connecting, full)[0] == "1"


def test_accounts_that_are_stopped_take_nothing_and_say_why() -> None:
    assert chosen(stopped("1"), status("2"))[0] == "2"
    with pytest.raises(NoAccount, match=r"^blocked; banned$"):
        chosen(stopped("1", "blocked"), stopped("2", ""), stopped("3", "banned"))


def test_no_account_at_all_is_told_apart_from_none_that_fits() -> None:
    with pytest.raises(NoAccount, match="no account is configured"):
        chosen()
    with pytest.raises(NoAccount, match="no account fits the accountFilter"):
        chosen(status("1"), wanted=AccountFilter(account="2"))


def test_a_full_account_is_passed_over_until_all_are_full() -> None:
    full = Candidate(status("1", core_size=1, queue_size=2), 3)
    assert chosen(full, Candidate(status("2", core_size=1, queue_size=2), 2))[0] == "2"
    with pytest.raises(QueueFull) as raised:
        chosen(full)
    assert (raised.value.account, raised.value.size) == ("1", 2)


def test_a_speed_of_the_request_goes_only_where_it_is_allowed() -> None:
    slow = status("1", allow_modes=[Speed.RELAX])
    assert chosen(slow, status("2"), speed=Speed.FAST) == ("2", Speed.FAST)
    with pytest.raises(NoAccount, match="no account may work in the mode TURBO"):
        chosen(slow, speed=Speed.TURBO)


def test_the_first_mode_of_a_filter_that_has_room_is_the_tasks() -> None:
    fast, slow = status("1", allow_modes=[Speed.FAST], **ONE_PLACE), status("2", **ONE_PLACE)
    wanted = AccountFilter(modes=(Speed.TURBO, Speed.FAST))
    assert chosen(fast, slow, wanted=wanted) == ("2", Speed.TURBO)
    assert chosen(fast, Candidate(slow, 1), wanted=wanted) == ("1", Speed.FAST)


def test_modes_that_nobody_may_work_in_are_refused_and_full_ones_wait() -> None:
    slow = status("1", allow_modes=[Speed.RELAX], queue_size=7)
    wanted = AccountFilter(modes=(Speed.FAST, Speed.TURBO))
    with pytest.raises(NoAccount, match="FAST, TURBO"):
        chosen(slow, wanted=wanted)
    full = Candidate(status("2", queue_size=0), 3)
    with pytest.raises(QueueFull) as raised:
        chosen(slow, full, wanted=wanted)
    assert raised.value.account == "2"


def test_a_speed_of_the_request_goes_before_the_modes_of_its_filter() -> None:
    assert chosen(status(), wanted=AccountFilter(modes=(Speed.FAST,)), speed=Speed.RELAX) == (
        "5",
        Speed.RELAX,
    )


def test_the_rules_are_named_as_the_settings_name_them() -> None:
    named = get_args(AccountChoice.model_fields["rule"].annotation)
    assert {each.value for each in Rule} == set(named)


def test_turns_go_round_and_are_remembered() -> None:
    chooser = Chooser(Rule.POLLING, Random(1))
    accounts = [Candidate(status(each), 0) for each in "123"]
    assert [chooser.choose(accounts)[0].id for _ in range(5)] == ["1", "2", "3", "1", "2"]


@pytest.mark.parametrize("rule", [Rule.RANDOM, Rule.WEIGHT])
def test_lots_fall_on_every_account(rule: Rule) -> None:
    chooser = Chooser(rule, Random(1))
    accounts = [Candidate(status("1", weight=1), 0), Candidate(status("2", weight=9), 0)]
    drawn = [chooser.choose(accounts)[0].id for _ in range(200)]
    share = drawn.count("2") / 200
    assert 0.4 < share < 0.6 if rule is Rule.RANDOM else 0.8 < share < 1
