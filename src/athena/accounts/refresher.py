"""Keeps true what is known of an account: plan, hours left, mode, remix, model.

`/info` and `/settings` are asked when the session begins and seldom after that; in between, the
answers to the account's switches tell what changed. Nothing waits for the answers: they come in
like everything else that the bot says, and the receiver updates the account's profile.
"""

from random import Random

import structlog

from athena.accounts.account import Account, AccountState
from athena.accounts.sender import Sender
from athena.clock import Clock
from athena.discord.errors import DiscordError
from athena.midjourney import commands
from athena.settings import AccountSettings
from athena.tasks.bot_events import Profile
from athena.tasks.model import Bot

log = structlog.get_logger(__name__)

_RELAXED = "Relaxed"
_GRACE = 120_000
"""Milliseconds after the change to relaxed mode in which jobs sent before may still be refused."""


class AccountRefresher:
    """Looks after one account's settings at Midjourney."""

    def __init__(
        self,
        account: Account,
        sender: Sender,
        settings: AccountSettings,
        clock: Clock,
        random: Random,
    ) -> None:
        self._account = account
        self._sender = sender
        self._settings = settings
        self._clock = clock
        self._random = random
        self._relaxed_at = 0

    async def run(self) -> None:
        """Refresh from time to time, until cancelled."""
        pause = self._settings.refresh_minutes * 60
        while pause:
            await self._clock.sleep(pause * (0.9 + 0.2 * self._random.random()))
            if self._account.state is AccountState.ONLINE:
                await self.refresh()

    async def refresh(self) -> None:
        """Ask the bot about the account; a failure is logged, the next time tries again."""
        for question in commands.Question:
            await self._use(question)

    async def turn(self, switch: commands.Switch, bot: Bot = Bot.MIDJOURNEY) -> None:
        """Change a setting of the account; what the bot answers comes into its profile.

        Raises:
            DiscordError: the command could not be used.
        """
        await self._sender.use(commands.account_command(switch, bot))

    def may_relax(self) -> bool:
        """Whether used-up hours are to be answered by relaxed mode, and that is still to be
        tried: what was sent before the change may be refused for a moment after it."""
        if not self._settings.relax_when_exhausted:
            return False
        return not self._is_relaxed() or self._clock.now() - self._relaxed_at < _GRACE

    async def relax(self) -> None:
        """Go on in relaxed mode; nothing is sent until the bot has been told."""
        if self._is_relaxed():
            return
        self._relaxed_at = self._clock.now()
        self._account.profile = self._account.profile.updated(Profile(mode=_RELAXED))
        self._account.go_offline()
        log.info("account.relaxing", account=self._account.id)
        try:
            await self._use(commands.Switch.RELAX)
        finally:
            if self._account.state is AccountState.CONNECTING:
                self._account.go_online()

    def _is_relaxed(self) -> bool:
        return self._account.profile.mode == _RELAXED

    async def _use(self, name: commands.Switch | commands.Question) -> None:
        try:
            await self._sender.use(commands.account_command(name))
        except DiscordError as error:
            log.warning("account.refresh_failed", account=self._account.id, command=name,
                        error=type(error).__name__)  # fmt: skip
