"""How an account is: everybody reads the current state, and hears of each change."""

import pytest

from athena.accounts.status import WorkerStatus
from athena.store.account_directory import AccountState, AccountStatus, LocalDirectory
from athena.tasks.bot_events import Profile
from athena.tasks.model import Bot
from tests.unit.accounts.assembly import account_settings


class Watched(WorkerStatus):
    """A status whose effects are noted."""

    def __init__(self) -> None:
        self.woken = 0
        self.directory = LocalDirectory()
        self.heard: list[AccountStatus] = []
        self.directory.subscribe(self.heard.append)
        super().__init__(account_settings(), self.directory, self._wake_up)

    def _wake_up(self) -> None:
        self.woken += 1


@pytest.fixture
def status() -> Watched:
    return Watched()


def test_an_account_begins_connecting_and_is_published_when_asked(status: Watched) -> None:
    assert status.heard == []
    status.publish()
    assert [each.state for each in status.heard] == [AccountState.CONNECTING]
    assert (status.account, status.is_online, status.is_stopped) == ("5", False, False)
    assert status.woken == 0


def test_going_online_wakes_whoever_sends_and_takes_the_reason_away(status: Watched) -> None:
    status.stop("no")
    assert (status.is_stopped, status.reason, status.woken) == (True, "no", 0)
    status.go_online()
    assert (status.is_online, status.reason, status.woken) == (True, "", 1)
    assert status.directory.get("5") == status.heard[-1]
    assert [each.state for each in status.heard] == [AccountState.STOPPED, AccountState.ONLINE]


def test_an_interrupted_session_is_connecting(status: Watched) -> None:
    status.go_online()
    status.go_offline()
    assert status.state is AccountState.CONNECTING


def test_a_stopped_account_stays_stopped_when_its_session_ends(status: Watched) -> None:
    status.stop("no")
    status.go_offline()
    assert (status.state, status.reason) == (AccountState.STOPPED, "no")


def test_other_settings_count_at_once_and_wake_whoever_sends(status: Watched) -> None:
    """Finding 25."""
    status.configure(account_settings(core_size=7))
    assert status.settings.core_size == 7
    assert status.heard[-1].settings.core_size == 7
    assert status.woken == 1


def test_what_each_bot_says_is_kept_apart_and_adds_up(status: Watched) -> None:
    status.learn(Profile(mode="Fast"))
    status.learn(Profile(remix=True))
    status.learn(Profile(mode="Turbo"), Bot.NIJI)
    assert status.profile == Profile(mode="Fast", remix=True)
    assert status.heard[-1].niji_profile == Profile(mode="Turbo")


def test_problems_are_told_and_gone(status: Watched) -> None:
    status.note_problem("watchdog: fault")
    status.note_problem("watchdog: fault")
    status.note_problem("")
    assert [each.problem for each in status.heard] == ["watchdog: fault", ""]
