"""An account's gateway session: its events, and how they change the account's state."""

import structlog

from athena.accounts.connection import Connection
from athena.accounts.receiver import Receiver
from athena.accounts.recovery import Recovery
from athena.accounts.refresher import AccountRefresher
from athena.accounts.status import WorkerStatus
from athena.discord import events
from athena.discord.errors import DiscordError, GatewayRefused, TokenRefused, Unauthorized
from athena.supervision import Supervisor

log = structlog.get_logger(__name__)

_BAD_LOGIN = "Discord refused this account's token. Put in a valid one and start again."


class AccountSession:
    """Keeps one account connected. `run` ends when Discord refuses the session for good."""

    def __init__(
        self,
        status: WorkerStatus,
        connection: Connection,
        receiver: Receiver,
        recovery: Recovery,
        refresher: AccountRefresher,
        supervisor: Supervisor,
    ) -> None:
        self._status = status
        self._connection = connection
        self._receiver = receiver
        self._recovery = recovery
        self._refresher = refresher
        self._supervisor = supervisor

    async def run(self) -> None:
        """Run until cancelled. A final refusal by Discord stops the account."""
        try:
            await self._connection.listen(self._receive)
        except (TokenRefused, Unauthorized):
            self._status.stop(_BAD_LOGIN)
        except GatewayRefused as error:
            self._status.stop(f"Discord closed the session for good: {error}")
        finally:
            self._status.go_offline()

    def _receive(self, event: events.Event) -> None:
        match event:
            case events.Ready(user=user, first=first):
                self._ready(user.id)
                log.info("account.ready", account=self._status.account, user=user.username,
                         first=first)  # fmt: skip
            case events.Gap(missing=missing):
                log.warning("account.events_lost", account=self._status.account, events=missing)
                self._supervisor.spawn("read_gap", self._recovery.after_gap())
            case events.Resumed():
                self._online()
                log.info("account.resumed", account=self._status.account)
            case events.Disconnected(code=code):
                self._status.go_offline()
                log.warning("account.disconnected", account=self._status.account, code=code)
            case _:
                self._read(event)

    def _ready(self, user_id: str) -> None:
        """A new session: read from the history what the former one missed."""
        if self._connection.listens_as_bot:
            self._supervisor.spawn("learn_user", self._learn_user())
        else:
            self._connection.user_id = user_id
        if not self._online():
            return
        self._supervisor.spawn("catch_up", self._recovery.until_read())
        if self._status.settings.refresh_minutes and not self._connection.listens_as_bot:
            self._supervisor.spawn("refresh", self._refresher.refresh())

    def _online(self) -> bool:
        if self._status.is_stopped:
            return False
        self._status.go_online()
        return True

    def _read(self, event: events.Event) -> None:
        """An exception in one event must not end the session; the history has it again."""
        try:
            self._receiver.receive(event)
        except Exception:
            log.exception("event.failed", account=self._status.account, kind=type(event).__name__)

    async def _learn_user(self) -> None:
        """Learn who sends. A token that is refused here would be refused for every task."""
        try:
            await self._connection.learn_user()
        except Unauthorized:
            self._status.stop(_BAD_LOGIN)
        except DiscordError as error:
            log.warning("account.user_unknown", account=self._status.account,
                        error=type(error).__name__)  # fmt: skip
