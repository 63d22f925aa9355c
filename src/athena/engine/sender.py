"""A task becomes an interaction, once.

The order is what keeps the promise. The nonce and the word "sending" are on disk before the POST.
An answer that says no, whatever kind of no, means that there is no interaction, so the task may be
sent again or fail with Discord's words. An answer that never comes leaves the word "sending"
standing: then only the bot's messages can tell, and nothing is sent twice on a guess.
"""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from athena.clock import Clock
from athena.discord import interactions
from athena.discord.errors import (
    DiscordError,
    Forbidden,
    HumanCheckRequired,
    InvalidForm,
    OutcomeUnknown,
    RateLimited,
    ServerFault,
    Unauthorized,
    Unreachable,
    VerificationRequired,
)
from athena.discord.uploads import File, upload
from athena.engine.account import Account
from athena.engine.connection import Connection
from athena.midjourney import commands
from athena.store.store import Store
from athena.tasks import lifecycle
from athena.tasks.model import Task
from athena.tasks.requests import Imagine

log = structlog.get_logger(__name__)

_PAUSE = 5_000
"""Milliseconds before a task is sent again after Discord was out of reach; doubles each time."""


class Sender:
    """Sends the tasks of one account."""

    def __init__(
        self, account: Account, connection: Connection, store: Store, clock: Clock
    ) -> None:
        self._account = account
        self._connection = connection
        self._store = store
        self._clock = clock

    async def send(self, task: Task) -> None:
        """Bring a task to Discord and store what came of it."""
        try:
            links = await self._upload(task)
            deed = commands.deed(task, links)
            task = await self._mark_sending(task)
            await self._perform(task, deed)
        except OutcomeUnknown:
            log.warning("task.outcome_unknown", task=task.id)
        except DiscordError as error:
            self._refused(task, error)
        else:
            self._advance(task, lambda now: lifecycle.mark_sent(now, self._clock.now()))

    async def press(self, message: str, custom_id: str, application: str) -> None:
        """Press a button that makes no task, such as Cancel Job."""
        deed = commands.PressButton(application=application, message=message, custom_id=custom_id)
        await self._connection.rest.interact(self._pressing(deed, self._connection.nonces.nonce()))

    async def _upload(self, task: Task) -> list[str]:
        if not isinstance(task.request, Imagine) or not task.request.uploads:
            return []
        files = [
            File(filename=each.filename, data=each.data, content_type=each.content_type)
            for each in await self._store.uploads(task.id)
        ]
        return await self.post_pictures(files)

    async def post_pictures(self, files: list[File]) -> list[str]:
        """Upload pictures into the account's channel; their links."""
        rest, channel = self._connection.rest, self._connection.channel_id
        message = await rest.post_message(channel, "", await upload(rest, channel, files))
        return [attachment.url for attachment in message.attachments]

    async def _mark_sending(self, task: Task) -> Task:
        current = self._account.current(task.id) or task
        nonce = self._connection.nonces.nonce()
        sending = lifecycle.begin_sending(current, nonce, self._clock.now())
        stored = self._account.change(current, sending)
        if stored:
            await stored
        return sending

    async def _perform(self, task: Task, deed: commands.Deed) -> None:
        if task.ended:
            return
        nonce = task.keys.nonce or ""
        match deed:
            case commands.UseCommand():
                await self._use(deed, nonce)
            case commands.PressButton():
                await self._connection.rest.interact(self._pressing(deed, nonce))

    async def _use(self, deed: commands.UseCommand, nonce: str) -> None:
        """Use a command; when Discord says that it has a newer version, use that one."""
        catalogue = self._connection.catalogue
        try:
            await self._connection.rest.interact(await self._using(deed, nonce))
        except InvalidForm as error:
            if not error.stale_command:
                raise
            log.info("commands.refreshed", account=self._account.id, command=deed.name)
            await catalogue.refresh()
            await self._connection.rest.interact(await self._using(deed, nonce))

    async def _using(self, deed: commands.UseCommand, nonce: str) -> Mapping[str, Any]:
        command = await self._connection.catalogue.find(deed.application, deed.name)
        return interactions.command(command, deed.options, self._connection.place, nonce)

    def _pressing(self, deed: commands.PressButton, nonce: str) -> Mapping[str, Any]:
        return interactions.press(
            deed.application,
            deed.message,
            deed.custom_id,
            self._connection.place,
            nonce,
            deed.flags,
        )

    def _refused(self, task: Task, error: DiscordError) -> None:
        log.warning("task.refused", task=task.id, error=type(error).__name__)
        now = self._clock.now()
        match error:
            case Unauthorized() | HumanCheckRequired() | VerificationRequired() | Forbidden():
                self._account.stop(str(error))
                self._advance(task, lambda current: lifecycle.put_back(current, now, _PAUSE))
            case RateLimited() | ServerFault() | Unreachable() if task.tries < lifecycle.MAX_TRIES:
                self._advance(task, lambda current: lifecycle.put_back(current, now, _PAUSE))
            case _:
                self._advance(task, lambda current: lifecycle.fail(current, str(error), now))

    def _advance(self, task: Task, step: Callable[[Task], Task]) -> None:
        """Apply a step to the task as it is by now; messages may have come before the answer."""
        current = self._account.current(task.id) or task
        self._account.change(current, step(current))
