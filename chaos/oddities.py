"""Odd messages: forms that Discord's documentation does not know, live and in the history.

The wire changes without notice. Such a message may cost itself, never another one.
"""

import asyncio
from random import Random
from typing import Any

from athena.clock import Clock
from athena.simulator.bots import forms
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.bots.midjourney import Midjourney
from athena.simulator.objects import message
from athena.simulator.stage import Draft
from athena.simulator.world import World

Json = dict[str, Any]

_MEAN = 4.0
"""Seconds between two of them."""
_FORMS: tuple[Json, ...] = (
    {"embeds": [{"title": None, "description": "x"}]},
    {"embeds": [{"title": "Job queued", "description": None}]},
    {"embeds": [None]},
    {"embeds": None},
    {"content": None},
    {"components": None},
    {"components": [{"type": 1, "components": None}]},
    {"components": [{"type": 1, "components": [{"type": 2, "custom_id": 5}]}]},
    {"attachments": None},
    {"attachments": [{"id": 7, "filename": None}]},
    {"type": 19, "message_reference": {"message_id": 5}},
    {"message_reference": "gone"},
    {"interaction_metadata": {"id": 7, "user": None}},
    {"type": 9001, "content": "A kind of message that nobody knows"},
    {"type": "poll"},
    {"author": None},
    {"author": {"id": 5}},
    {"flags": None},
    {"nonce": {"is": "odd"}},
    {"content": "**\N{NO-BREAK SPACE}** - <@> (%) [](" * 40},
)  # fmt: skip
"""What replaces the fields of a usual message of the bot."""


class Oddities:
    """Posts odd messages into all channels."""

    def __init__(self, world: World, clock: Clock, seed: int, mean: float = _MEAN) -> None:
        self._world = world
        self._clock = clock
        self._random = Random(f"oddities/{seed}")
        self._mean = mean

    async def post(self) -> None:
        """Post one after the other, until cancelled."""
        acts = (self._odd_message, self._odd_message, self._odd_update, self._queued_again)
        while True:
            await self._clock.sleep(self._random.expovariate(1 / self._mean))
            self._random.choice(acts)()

    def _odd_message(self) -> None:
        channel = self._random.choice(list(self._world.messages))
        author = self._world.user(MIDJOURNEY) or {}
        odd = {"application_id": MIDJOURNEY, **self._random.choice(_FORMS)}
        made = message(str(self._world.ids.make()), channel, author, self._clock.now(), odd)
        kept = self._random.random() < 0.7
        self._world.inject("MESSAGE_CREATE", made, kept=kept)

    def _odd_update(self) -> None:
        """An update of a real message that says nothing, or nothing that can be read."""
        channel = self._random.choice(list(self._world.messages))
        if not (known := self._world.messages[channel]):
            return
        odd: tuple[Json, ...] = (
            {"pinned": False}, {"content": None}, {"components": None}, {"embeds": [None]},
            {"author": None, "flags": None}, {"edited_timestamp": 5},
        )  # fmt: skip
        message_id = self._random.choice(list(known)[-30:])
        data = {"id": message_id, "channel_id": channel, **self._random.choice(odd)}
        self._world.inject("MESSAGE_UPDATE", data)

    def _queued_again(self) -> None:
        """A notice about a job that is running, or is over, is seen twice, live and later."""
        jobs = self._midjourney.state()["jobs"][-20:]
        if not jobs:
            return
        job = self._midjourney.studio.job(self._random.choice(jobs)["id"])
        text = "Your job waits until one of your others is done."
        embed = forms.notice("Job queued", text, failed=False)
        told = self._world.post(
            MIDJOURNEY, job.call.channel_id, Draft(embeds=(embed,)), call=job.call
        )
        loop = asyncio.get_running_loop()
        again = self._random.uniform(1, 300)
        loop.call_later(again, self._world.inject, "MESSAGE_CREATE", told)

    @property
    def _midjourney(self) -> Midjourney:
        player = self._world.players[MIDJOURNEY]
        assert isinstance(player, Midjourney)  # noqa: S101
        return player
