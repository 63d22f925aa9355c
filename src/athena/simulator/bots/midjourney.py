"""The Midjourney bot of the simulator, and niji・journey beside it (contracts: midjourney-bot).

A call becomes a job, a modal, a text answer, or an embed with an error. Tables define which:
commands here, buttons and modals in `presses`. Random choices depend on the seed and the number of
the call, so that the same calls in the same order have the same job ids, times and images, at any
speed.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from itertools import count
from random import Random
from typing import Any

import structlog
from msgspec import Struct

from athena.simulator.bots import jobs, notices, words
from athena.simulator.bots.index import MIDJOURNEY, NIJI, commands_of
from athena.simulator.bots.job_lifecycle import result
from athena.simulator.bots.notices import Delivery, Notice
from athena.simulator.bots.parameters import FORMER_NOTICE_FLAG, NOTICE_FLAG, Refused
from athena.simulator.bots.presses import Presses
from athena.simulator.bots.prompts import Rewritten, rewrite
from athena.simulator.bots.reading import Reading
from athena.simulator.bots.studio import PlanOf, Studio
from athena.simulator.stage import Call, Draft, Json, Stage

_HEARING = (0.1, 0.3)
"""Seconds between a call and the bot's answer. Speed does not shorten them: many clients rely on
the REST response arriving first."""

_ENVELOPES = ("✉️", "✉", "envelope")
_SWITCHES = ("fast", "relax", "turbo", "stealth", "public", "remix")
_ABOUT_ACCOUNT = ("info", "settings", "ask", "subscribe", "variability", "suffix", *_SWITCHES)

_log = structlog.get_logger(__name__)


class Face(Struct, frozen=True, kw_only=True):
    """Which of the two bots this is."""

    application_id: str = MIDJOURNEY
    username: str = "Midjourney Bot"
    defaults: dict[str, str] = {}


NIJI_FACE = Face(application_id=NIJI, username="niji・journey Bot", defaults={"niji": "6"})


class Midjourney:
    """A `Player`. `speed` divides the duration of jobs; infinity makes them instant."""

    def __init__(
        self,
        stage: Stage,
        plan_of: PlanOf,
        *,
        speed: float = 1.0,
        seed: int = 7,
        face: Face | None = None,
    ) -> None:
        self._face = face or Face()
        self.application_id = self._face.application_id
        self.username = self._face.username
        self.studio = Studio(stage, plan_of, speed)
        self._stage = stage
        self._hears_at_once = not math.isfinite(speed)
        self._seed = seed
        self._numbers = count(1)
        self._working: set[asyncio.Task[None]] = set()
        self._requested: deque[tuple[str | None, Notice]] = deque()
        self._reading = Reading(stage, speed)
        self._presses = Presses(stage, self.studio, self._reading, self._rewrite, self._do)
        self._commands: dict[str, Callable[[Call, str], None]] = {
            "imagine": self._imagine,
            "blend": self._blend,
            "describe": lambda call, _: self._do(self._reading.describe(call)),
            "shorten": lambda call, job_id: self._do(self._reading.shorten(call, job_id)),
            "show": self._show,
            "info": self._info,
            "settings": self._settings,
        }

    def commands(self) -> tuple[Json, ...]:
        return commands_of(self.application_id)

    def state(self) -> Json:
        return self.studio.state()

    def request_notice(self, user_id: str | None, text: str, times: int) -> None:
        self._requested.extend([(user_id, notices.parse(text))] * times)

    def forget_notices(self) -> None:
        """Answer no more calls with a requested notice."""
        self._requested.clear()

    async def close(self) -> None:
        for work in tuple(self._working):
            work.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self.studio.close()

    # Actions of users

    def called(self, call: Call) -> None:
        self._do(self._answer(call, self._random()))

    def page_submitted(self, token: str, prompt: str, mask: bytes) -> bool:
        opened = self._presses.page(token)
        if opened is None:
            return False
        job_id = jobs.new_id(self._random())
        call, parent = opened

        async def redraw() -> None:
            await self._hear(Random(job_id))
            self._or_say(call, lambda: self._presses.redraw(call, job_id, parent, prompt, mask))

        self._do(redraw())
        return True

    def reacted(self, channel_id: str, message_id: str, user_id: str, emoji: str) -> None:
        job = self.studio.job_of(message_id)
        if emoji not in _ENVELOPES or job is None:
            return

        async def send_seed() -> None:
            await self._hear(job.random("seed's time"))
            direct = self._stage.direct_channel(self.application_id, user_id)
            self._stage.post(self.application_id, direct, Draft(content=words.seed(job)))

        self._do(send_seed())

    # Calls

    def _random(self) -> Random:
        return Random(f"{self._seed}/{next(self._numbers)}")

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("call failed", exc_info=error)

    async def _hear(self, random: Random) -> None:
        """Wait for the bot's reaction time."""
        hearing = random.uniform(*_HEARING)
        await self._stage.clock.sleep(0 if self._hears_at_once else hearing)

    async def _answer(self, call: Call, random: Random) -> None:
        job_id = jobs.new_id(random)
        await self._hear(random)
        self._or_say(call, lambda: self._take(call, job_id))

    def _or_say(self, call: Call, act: Callable[[], None]) -> None:
        try:
            act()
        except Refused as refused:
            self.studio.say(call, refused.title, refused.description)

    def _take(self, call: Call, job_id: str) -> None:
        if self._answer_with_notice(call, job_id):
            return
        if call.kind != 2:
            self._presses.take(call, job_id)
        elif command := self._commands.get(call.name):
            command(call, job_id)
        elif call.name in _SWITCHES:
            said = words.turned(self.studio.preferences[call.user_id], call.name)
            self._stage.respond(call, Draft(content=said, ephemeral=True))
        else:
            self._stage.fail(call, 0)

    def _answer_with_notice(self, call: Call, job_id: str) -> bool:
        """Answer with a requested notice; False if a job is to run."""
        notice = self._notice_for(call)
        if notice is None:
            return False
        match notice.delivery:
            case Delivery.FRESH | Delivery.PLAIN:
                self._stage.respond(call, notice.draft())
            case Delivery.PAGE:
                self._stage.open_page(call, f"MJ::iframe::{job_id}", notice.title, "/check")
            case _:
                self._presses.ends[job_id] = notice
                return False
        return True

    def _notice_for(self, call: Call) -> Notice | None:
        if call.name in _ABOUT_ACCOUNT or call.custom_id.startswith("MJ::CancelJob::"):
            return None
        if self._requested and self._requested[0][0] in (None, call.user_id):
            return self._requested.popleft()[1]
        prompt = str(call.options.get("prompt") or "")
        if not any(f"--{flag}" in prompt for flag in (NOTICE_FLAG, FORMER_NOTICE_FLAG)):
            return None
        try:
            return notices.parse(rewrite(prompt, wordless=True).parameters[NOTICE_FLAG])
        except ValueError as error:
            raise Refused("Invalid parameter", f"`--{NOTICE_FLAG}`: {error}") from error

    def _rewrite(self, prompt: str, *, wordless: bool = False) -> Rewritten:
        return rewrite(prompt, self._face.defaults, wordless=wordless)

    # Commands

    def _imagine(self, call: Call, job_id: str) -> None:
        self._presses.imagine(call, job_id, str(call.options.get("prompt") or ""))

    def _blend(self, call: Call, job_id: str) -> None:
        images = [call.options.get(f"image{n}") for n in range(1, 6)]
        links = [str(image["url"]) for image in images if image]
        shape = str(call.options.get("dimensions") or "")
        prompt = self._rewrite(f"{' '.join(links)} {shape}")
        self._presses.queue(jobs.blend(job_id, call, prompt, self._reading.scenes(links)))

    def _show(self, call: Call, job_id: str) -> None:
        try:
            shown = self.studio.job(str(call.options.get("job_id")).strip())
        except Refused:
            raise Refused("Failed to process your command", "There is no such job.") from None
        message = self._stage.respond(call, result(shown))
        self.studio.remember_result(shown, message["id"])

    def _info(self, call: Call, job_id: str) -> None:
        running, waiting = self.studio.busy(call.user_id)
        plan, own = self.studio.plan_of(call.user_id), self.studio.preferences[call.user_id]
        embed = words.info(call.username, plan, own, running, waiting)
        self._stage.respond(call, Draft(embeds=(embed,), ephemeral=True))

    def _settings(self, call: Call, job_id: str) -> None:
        self._stage.respond(call, words.settings(self.studio.preferences[call.user_id]))
