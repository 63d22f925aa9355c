"""The state of an account, held by its worker and published in the directory."""

from collections.abc import Callable

import structlog
from msgspec.structs import replace

from athena.settings import AccountSettings
from athena.store.account_directory import AccountDirectory, AccountState, AccountStatus
from athena.tasks.bot_events import Profile
from athena.tasks.model import Bot

log = structlog.get_logger(__name__)


class WorkerStatus:
    """One account's settings, state and profile: always current here.

    `wake` is called when the account may have begun to take tasks.
    """

    def __init__(
        self, settings: AccountSettings, directory: AccountDirectory, wake: Callable[[], None]
    ) -> None:
        self._status = AccountStatus(settings=settings)
        self._directory = directory
        self._wake = wake

    @property
    def account(self) -> str:
        """The account's id."""
        return self._status.id

    @property
    def settings(self) -> AccountSettings:
        return self._status.settings

    @property
    def state(self) -> AccountState:
        return self._status.state

    @property
    def reason(self) -> str:
        """Why the account is stopped."""
        return self._status.reason

    @property
    def profile(self) -> Profile:
        return self._status.profile

    @property
    def is_online(self) -> bool:
        return self.state is AccountState.ONLINE

    @property
    def is_stopped(self) -> bool:
        return self.state is AccountState.STOPPED

    def connecting(self) -> AccountStatus:
        """The account between two sessions: with all that is known of it."""
        return replace(self._status, state=AccountState.CONNECTING, reason="", problem="")

    def publish(self) -> None:
        """Publish the account for the first time."""
        self._directory.put(self._status)

    def configure(self, settings: AccountSettings) -> None:
        """Use other settings from now on."""
        self._change(settings=settings)
        self._wake()

    def go_online(self) -> None:
        self._change(state=AccountState.ONLINE, reason="")
        self._wake()

    def go_offline(self) -> None:
        """The session is interrupted; a stopped account stays stopped."""
        if self.is_online:
            self._change(state=AccountState.CONNECTING)

    def stop(self, reason: str) -> None:
        """Send nothing more until a person has fixed the reason."""
        log.error("account.stopped", account=self.account, reason=reason)
        self._change(state=AccountState.STOPPED, reason=reason)

    def learn(self, profile: Profile, bot: Bot = Bot.MIDJOURNEY) -> None:
        """A bot reported something about the account."""
        updated = self._status.profile_of(bot).updated(profile)
        if bot is Bot.NIJI:
            self._change(niji_profile=updated)
        else:
            self._change(profile=updated)

    def note_problem(self, problem: str) -> None:
        """A part of the worker fails; empty when all parts work again."""
        self._change(problem=problem)

    def _change(self, **changes: object) -> None:
        self._status = replace(self._status, **changes)
        self._directory.put(self._status)
