"""Keeps an account's profile up to date: plan, hours left, mode, remix, model.

`/info` and `/settings` are used when the session begins and rarely after that; in between, the
answers to the account's switches show what changed. Nothing waits for the answers: they arrive like
every other message of the bot, and the receiver updates the profile.
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
    """Queries one account's settings at Midjourney."""

    def __init__(self, status: WorkerStatus, sender: Sender, clock: Clock, random: Random) -> None:
        self._status = status
        self._sender = sender
        self._clock = clock
        self._random = random
        self._relaxed_at = 0

    def pause(self) -> float:
        """Seconds until the next turn, by the current settings."""
        pause = self._status.settings.refresh_minutes * 60
        return pause * (0.9 + 0.2 * self._random.random()) if pause else _NEVER

    async def turn(self) -> None:
        """Refresh, if the account is online and refreshing is on."""
        if self._status.is_online and self._status.settings.refresh_minutes:
            await self.refresh()

    async def refresh(self) -> None:
        """Query the bot; a failure is logged and tried again the next time."""
        for question in commands.Question:
            await self._use(question)

    def may_relax(self) -> bool:
        """Whether to switch to relaxed mode when the hours are used up. Not twice in a row:
        commands that were sent before the change may still be refused after it."""
        if not self._status.settings.relax_when_exhausted:
            return False
        return not self._is_relaxed() or self._clock.now() - self._relaxed_at < _GRACE

    async def relax(self) -> None:
        """Switch to relaxed mode; nothing is sent until the command has arrived."""
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
        """Use one of the account's switches; the bot's answer updates its profile.

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
