"""The state of accounts: a port between their workers and the service.

Workers publish the state of their account here; admission chooses by it, and health checks and
administrators see it. The number of an account's tasks is not here: the repository counts them.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, TypeAlias

import structlog
from msgspec import Struct

from athena.settings import AccountSettings
from athena.tasks.bot_events import Profile
from athena.tasks.model import Bot

log = structlog.get_logger(__name__)


class AccountState(StrEnum):
    CONNECTING = "connecting"
    ONLINE = "online"
    STOPPED = "stopped"
    """It cannot work until a person has done something; `AccountStatus.reason` says what."""


class AccountStatus(Struct, frozen=True, kw_only=True):
    """One account as its worker sees it."""

    settings: AccountSettings
    state: AccountState = AccountState.CONNECTING
    reason: str = ""
    """Why it is stopped."""
    problem: str = ""
    """A part of its worker that fails at the moment, and is tried again."""
    profile: Profile = Profile()
    """What the Midjourney bot says of it."""
    niji_profile: Profile = Profile()
    """What the niji bot says of it: it has a Remix switch of its own."""

    def profile_of(self, bot: Bot) -> Profile:
        """What a bot reported about it."""
        return self.niji_profile if bot is Bot.NIJI else self.profile

    @property
    def id(self) -> str:
        """The account's id: that of its channel."""
        return self.settings.channel_id

    @property
    def places(self) -> int:
        """How many unfinished tasks it takes, in slots and queue."""
        return self.settings.core_size + self.settings.queue_size


StatusListener: TypeAlias = Callable[[AccountStatus], None]


class AccountDirectory(Protocol):
    """The accounts and their states."""

    def put(self, status: AccountStatus) -> None:
        """Publish an account's new state; listeners are called."""

    def remove(self, account_id: str) -> None:
        """The account no longer exists."""

    def get(self, account_id: str) -> AccountStatus | None:
        """One account."""

    def all(self) -> list[AccountStatus]:
        """Every account, in the order in which they were added."""

    def subscribe(self, listener: StatusListener) -> Callable[[], None]:
        """Call a listener at every change; returns a function that ends the subscription. A
        listener that raises is logged and affects nobody else."""


class LocalDirectory:
    """The accounts of this process."""

    def __init__(self) -> None:
        self._statuses: dict[str, AccountStatus] = {}
        self._listeners: list[StatusListener] = []

    def put(self, status: AccountStatus) -> None:
        if self._statuses.get(status.id) == status:
            return
        self._statuses[status.id] = status
        for listener in tuple(self._listeners):
            try:
                listener(status)
            except Exception:
                log.exception("account.listener_failed", account=status.id)

    def remove(self, account_id: str) -> None:
        self._statuses.pop(account_id, None)

    def get(self, account_id: str) -> AccountStatus | None:
        return self._statuses.get(account_id)

    def all(self) -> list[AccountStatus]:
        return list(self._statuses.values())

    def subscribe(self, listener: StatusListener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
