"""The Midjourney bot of the stand-in (contracts: midjourney-bot, sections 1 to 5 and 8).

A call becomes a job or an embed that says why not: two tables, one of commands and one of buttons,
tell how a job is made of it. A job waits for one of its user's slots and then plays its evening.
What a call becomes is drawn from the seed and the call's number, so that the same calls in the
same order have the same job ids, times and pictures, at whatever speed they are played.
"""

import asyncio
import math
import re
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from random import Random

import structlog

from athena.simulator.bots import forms, jobs
from athena.simulator.bots.evening import Evening
from athena.simulator.bots.index import MIDJOURNEY, commands_of
from athena.simulator.bots.jobs import Job
from athena.simulator.bots.parameters import Refused
from athena.simulator.bots.prompts import rewrite
from athena.simulator.bots.slots import Admission, Slots
from athena.simulator.config import Plan
from athena.simulator.stage import Call, Draft, Json, Stage

PlanOf = Callable[[str], str]
"""The name of a user's plan, by the user's id."""

_JOB = "([0-9a-f-]{36})"
_CANCEL = re.compile(f"MJ::CancelJob::ByJobid::{_JOB}")
_HEARING = (0.1, 0.3)
"""Seconds between a call and the bot's answer. No job's time, so no speed shortens it: many
clients rely on hearing from REST first."""

_REMEMBERED = 20_000

_log = structlog.get_logger(__name__)

MakeJob = Callable[[str, Call, jobs.Parent], Job]

_BUTTONS: tuple[tuple[re.Pattern[str], MakeJob], ...] = (
    (re.compile(f"MJ::JOB::upsample::(?P<index>[1-4])::(?P<job>{_JOB})"), jobs.upscale),
    (re.compile(f"MJ::JOB::variation::(?P<index>[1-4])::(?P<job>{_JOB})"), jobs.variation),
    (re.compile(f"MJ::JOB::reroll::(?P<index>0)::(?P<job>{_JOB})::SOLO"), jobs.reroll),
)


def _imagine(job_id: str, call: Call) -> Job:
    return jobs.imagine(job_id, call, rewrite(str(call.options.get("prompt") or "")))


_COMMANDS: dict[str, Callable[[str, Call], Job]] = {"imagine": _imagine}


class Midjourney:
    """A `Player`. `speed` divides the time that jobs take; infinity makes them instant."""

    application_id = MIDJOURNEY
    username = "Midjourney Bot"

    def __init__(self, stage: Stage, plan_of: PlanOf, *, speed: float = 1.0, seed: int = 7) -> None:
        self._stage = stage
        self._plan_of = plan_of
        self._speed = speed
        self._seed = seed
        self._numbers = count(1)
        self._made = 0
        self._jobs: dict[str, Job] = {}
        self._slots: defaultdict[str, Slots] = defaultdict(Slots)
        self._evenings: dict[str, tuple[Evening, asyncio.Task[None]]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._closed = False

    def commands(self) -> tuple[Json, ...]:
        return commands_of(self.application_id)

    def called(self, call: Call) -> None:
        lots = Random(f"{self._seed}/{next(self._numbers)}")
        answering = asyncio.create_task(self._answer(call, lots))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)

    def reacted(self, channel_id: str, message_id: str, user_id: str, emoji: str) -> None:
        """Reactions ask for seeds; this bot does not answer them."""

    def state(self) -> Json:
        """Jobs in the order of their making (the latest 20,000), and how busy each user is."""
        return {
            "made": self._made,
            "jobs": [job.summary() for job in self._jobs.values()],
            "running": {user: len(slots.running) for user, slots in self._slots.items()},
            "waiting": {user: len(slots.waiting) for user, slots in self._slots.items()},
            "most_running": {user: slots.most for user, slots in self._slots.items()},
        }

    async def close(self) -> None:
        self._closed = True
        work = [*self._answering, *(task for _, task in self._evenings.values())]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    # Calls

    async def _answer(self, call: Call, lots: Random) -> None:
        """Take a call after the moment that a bot needs to hear of it."""
        job_id, hearing = jobs.new_id(lots), lots.uniform(*_HEARING)
        await self._stage.clock.sleep(hearing if math.isfinite(self._speed) else 0)
        try:
            self._take(call, job_id)
        except Refused as refused:
            self._say(call, refused.title, refused.description)

    def _take(self, call: Call, job_id: str) -> None:
        if call.kind == 3:
            self._press(call, job_id)
        elif call.kind == 2 and (make := _COMMANDS.get(call.name)):
            self._queue(make(job_id, call))
        else:
            self._stage.fail(call, 0)

    def _press(self, call: Call, job_id: str) -> None:
        if cancelled := _CANCEL.fullmatch(call.custom_id):
            self._cancel(call, cancelled[1])
            return
        for form, make in _BUTTONS:
            if pressed := form.fullmatch(call.custom_id):
                parent = self._parent(pressed["job"], int(pressed["index"]) or None)
                self._queue(make(job_id, call, parent))
                return
        raise Refused("Job action restricted", "This action is not available for this image.")

    def _parent(self, job_id: str, index: int | None) -> jobs.Parent:
        job = self._jobs.get(job_id)
        if job is None:
            raise Refused("Internal error", "The job is not known any more.")
        return job.as_parent(index)

    def _say(self, call: Call, title: str, description: str, *, failed: bool = True) -> None:
        embed = forms.notice(title, description, failed=failed)
        self._stage.respond(call, Draft(embeds=(embed,), ephemeral=True))

    # Jobs

    def _queue(self, job: Job) -> None:
        match self._slots[job.call.user_id].admit(job, self._plan(job)):
            case Admission.STARTS:
                self._remember(job)
                self._start(job, queued=False)
            case Admission.WAITS:
                self._remember(job)
                text = "Your job waits until one of your others is done."
                self._say(job.call, "Job queued", text, failed=False)
            case Admission.REFUSED:
                text = "Your queue is full. Please wait for a job to finish first."
                self._say(job.call, "Queue full", text)

    def _plan(self, job: Job) -> Plan:
        return Plan(self._plan_of(job.call.user_id))

    def _remember(self, job: Job) -> None:
        self._made += 1
        self._jobs[job.id] = job
        if len(self._jobs) > _REMEMBERED:
            del self._jobs[next(iter(self._jobs))]

    def _start(self, job: Job, *, queued: bool) -> None:
        evening = Evening(self._stage, job, self._speed)
        evening.answer(queued=queued)
        task = asyncio.create_task(evening.play())
        self._evenings[job.id] = evening, task
        task.add_done_callback(lambda done: self._ended(job, done))

    def _cancel(self, call: Call, job_id: str) -> None:
        if job_id not in self._slots[call.user_id].running:
            raise Refused("Job action restricted", "This job is done already.")
        self._stage.succeed(call)
        evening, task = self._evenings[job_id]
        if task.cancel():
            evening.stop()

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        """Whatever ended the job, its slot is free for the next."""
        del self._evenings[job.id]
        if not task.cancelled() and (error := task.exception()):
            _log.error("job failed", job=job.id, exc_info=error)
        if self._closed:
            return
        following = self._slots[job.call.user_id].free(job.id, self._plan(job))
        if following:
            self._start(following, queued=True)
