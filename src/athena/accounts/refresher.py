"""Keeps true what is known of an account: plan, hours left, mode, remix, model.

`/info` and `/settings` are asked when the session begins and seldom after that; in between, the
answers to the account's switches tell what changed. Nothing waits for the answers: they come in
like everything else that the bot says, and the receiver updates the account's profile.
"""

from random import Random

import structlog

from athena.accounts.sender import Sender
from athena.accounts.status import WorkerStatus
from athena.clock import Clock
from athena.discord.errors import DiscordError
from athena.midjourney import commands
from athena.tasks.bot_events import Profile
from athena.tasks.model import Bot

log = structlog.get_logger(__name__)

_RELAXED = "Relaxed"
_GRACE = 120_000
"""Milliseconds after the change to relaxed mode in which jobs sent before may still be refused."""

_NEVER = 3_600.0
"""Seconds until the setting is read again when it says that nothing is to be asked."""


class AccountRefresher:
    """Asks for one account's settings at Midjourney."""

    def __init__(self, status: WorkerStatus, sender: Sender, clock: Clock, random: Random) -> None:
        self._status = status
        self._sender = sender
        self._clock = clock
        self._random = random
        self._relaxed_at = 0

    def pause(self) -> float:
        """Seconds until the next turn, as the settings are now."""
        pause = self._status.settings.refresh_minutes * 60
        return pause * (0.9 + 0.2 * self._random.random()) if pause else _NEVER

    async def turn(self) -> None:
        """Refresh, if the account is online and is to be refreshed at all."""
        if self._status.is_online and self._status.settings.refresh_minutes:
            await self.refresh()

    async def refresh(self) -> None:
        """Ask the bot about the account; a failure is logged, the next time tries again."""
        for question in commands.Question:
            await self._use(question)

    def may_relax(self) -> bool:
        """Whether used-up hours are to be answered by relaxed mode, and that is still to be
        tried: what was sent before the change may be refused for a moment after it."""
        if not self._status.settings.relax_when_exhausted:
            return False
        return not self._is_relaxed() or self._clock.now() - self._relaxed_at < _GRACE

    async def relax(self) -> None:
        """Go on in relaxed mode; nothing is sent until the bot has been told."""
        if self._is_relaxed():
            return
        self._relaxed_at = self._clock.now()
        self._status.learn(Profile(mode=_RELAXED))
        self._status.go_offline()
        log.info("account.relaxing", account=self._status.account)
        try:
            await self._use(commands.Switch.RELAX)
        finally:
            if not self._status.is_stopped:
                self._status.go_online()

    async def use_switch(self, switch: commands.Switch, bot: Bot = Bot.MIDJOURNEY) -> None:
        """Use one of the account's switches; the bot's answer comes into its profile.

        Raises:
            DiscordError: the command could not be used.
        """
        await self._sender.use(commands.account_command(switch, bot))

    def _is_relaxed(self) -> bool:
        return self._status.profile.mode == _RELAXED

    async def _use(self, name: commands.Switch | commands.Question) -> None:
        try:
            await self._sender.use(commands.account_command(name))
        except DiscordError as error:
            log.warning("account.refresh_failed", account=self._status.account, command=name,
                        error=type(error).__name__)  # fmt: skip
