"""Seeds: an envelope reaction on a result, which the bot answers with a direct message.

Source: contracts, midjourney-bot, section 7. If the reaction on the result gets no answer, the job
is shown again in the bot's direct channel, and the reaction is added there.
"""

import asyncio

from athena.accounts.connection import Connection
from athena.accounts.sender import Sender
from athena.clock import Clock
from athena.discord.errors import DiscordError
from athena.discord.interactions import InteractionContext
from athena.errors import NoAnswer, NotSupported
from athena.midjourney import commands
from athena.tasks.model import Task

_ENVELOPE = "%E2%9C%89%EF%B8%8F"
_ANSWER_TIMEOUT = 20.0
"""Seconds for each of the two ways."""


class Seeds:
    """Asks for the seeds of one account's jobs; those who ask for the same share one answer."""

    def __init__(self, connection: Connection, sender: Sender, clock: Clock) -> None:
        self._connection = connection
        self._sender = sender
        self._clock = clock
        self._asked: dict[str, asyncio.Future[str]] = {}
        self._shown: dict[str, asyncio.Future[tuple[str, str]]] = {}

    async def ask(self, task: Task) -> str:
        """The seed of a finished task's job.

        Raises:
            NotSupported: the task has no job.
            NoAnswer: Midjourney did not answer in time, or Discord refused the reaction.
        """
        job, message = task.ids.job, task.ids.message
        if job is None or message is None:
            raise NotSupported("a task without a job has no seed")
        seed = self._asked.get(job)
        if seed is None:
            seed = self._asked[job] = asyncio.get_running_loop().create_future()
            asking = asyncio.create_task(self._ask(task, job, message))
            asking.add_done_callback(lambda done: self._settle(job, done))
        return await asyncio.shield(seed)

    def told(self, job: str, seed: str) -> None:
        """The bot sent a seed."""
        future = self._asked.get(job)
        if future and not future.done():
            future.set_result(seed)

    def shown(self, job: str, channel: str, message: str) -> None:
        """The bot showed a job outside the account's channel."""
        future = self._shown.get(job)
        if future and not future.done():
            future.set_result((channel, message))

    async def _ask(self, task: Task, job: str, message: str) -> None:
        await self._connection.rest.react(self._connection.channel_id, message, _ENVELOPE)
        if await self._in_time(self._asked[job]):
            return
        await self._ask_directly(task, job)
        if not await self._in_time(self._asked[job]):
            raise NoAnswer("Midjourney did not send the seed")

    async def _ask_directly(self, task: Task, job: str) -> None:
        application = commands.APPLICATIONS[task.bot]
        direct = await self._connection.rest.open_dm(application)
        here = await self._connection.interaction_context()
        context = InteractionContext(
            guild_id=None, channel_id=direct.id, session_id=here.session_id
        )
        shown = self._shown[job] = asyncio.get_running_loop().create_future()
        try:
            await self._sender.use(commands.show_command(job, task.bot), context)
            if await self._in_time(shown):
                channel, message = shown.result()
                await self._connection.rest.react(channel, message, _ENVELOPE)
        finally:
            del self._shown[job]

    async def _in_time(
        self, future: "asyncio.Future[str] | asyncio.Future[tuple[str, str]]"
    ) -> bool:
        late = asyncio.create_task(self._clock.sleep(_ANSWER_TIMEOUT))
        try:
            await asyncio.wait({future, late}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            late.cancel()
        return future.done()

    def _settle(self, job: str, asking: "asyncio.Task[None]") -> None:
        """End every wait for this seed with the reason."""
        future = self._asked.pop(job)
        if future.done():
            return
        error = None if asking.cancelled() else asking.exception()
        if isinstance(error, DiscordError):
            error = NoAnswer(str(error))
        future.set_exception(error or NoAnswer("asking for the seed was broken off"))
        future.exception()
