"""The Midjourney bot of the stand-in (contracts: midjourney-bot, sections 1 to 5 and 8).

A request becomes a job at once, or an embed that says why not. A job waits for one of its user's
slots (the plan says how many there are), then goes through its messages: waiting, progress with
previews, and the result in a new message. What Midjourney does sometimes one way and sometimes
another (order of deletion and result, missing previews, the website's link) is drawn by lot from
the job's own seed, so that the same seed plays the same evening again.
"""

import asyncio
import math
import re
from collections import defaultdict, deque
from collections.abc import Callable
from random import Random

from athena.simulator import pictures
from athena.simulator.bots import forms, jobs
from athena.simulator.bots.index import MIDJOURNEY, midjourney_commands
from athena.simulator.bots.jobs import Job, Kind
from athena.simulator.bots.prompts import Refused, rewrite
from athena.simulator.config import Plan
from athena.simulator.pictures import Label
from athena.simulator.stage import Call, Draft, Drawing, Json, Stage

PlanOf = Callable[[str], str]

_RUNNING = {Plan.BASIC: 3, Plan.STANDARD: 3, Plan.PRO: 12, Plan.MEGA: 12}
_WAITING = 10
_SECONDS = {"fast": (15.0, 40.0), "relaxed": (30.0, 120.0), "turbo": (6.0, 12.0)}
_UPSCALE_SECONDS = (1.0, 3.0)
_HEARING = (0.1, 0.3)
"""Seconds between a call and the bot's answer. No job's time, so no speed shortens it: many
clients rely on hearing from REST first."""

_STEPS = (0, 15, 31, 46, 62, 78, 93)
_NUMBERED = re.compile(r"MJ::JOB::(upsample|variation)::([1-4])::([0-9a-f-]{36})")
_REROLL = re.compile(r"MJ::JOB::reroll::0::([0-9a-f-]{36})::SOLO")
_CANCEL = re.compile(r"MJ::CancelJob::ByJobid::([0-9a-f-]{36})")
_REMEMBERED = 20_000


class Midjourney:
    """A `Player`. `speed` divides the time that jobs take; infinity makes them instant."""

    application_id = MIDJOURNEY
    username = "Midjourney Bot"

    def __init__(self, stage: Stage, plan_of: PlanOf, *, speed: float = 1.0, seed: int = 7) -> None:
        self._stage = stage
        self._plan_of = plan_of
        self._speed = speed
        self._random = Random(seed)
        self._jobs: dict[str, Job] = {}
        self._running: defaultdict[str, dict[str, asyncio.Task[None]]] = defaultdict(dict)
        self._waiting: defaultdict[str, deque[Job]] = defaultdict(deque)
        self._most: defaultdict[str, int] = defaultdict(int)
        self._progress: dict[str, Json] = {}
        self._answering: set[asyncio.Task[None]] = set()

    def commands(self) -> tuple[Json, ...]:
        return midjourney_commands()

    def called(self, call: Call) -> None:
        answering = asyncio.create_task(self._answer(call))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)

    async def _answer(self, call: Call) -> None:
        """Take a call after the moment that a bot needs to hear of it."""
        if math.isfinite(self._speed):
            await self._stage.clock.sleep(self._random.uniform(*_HEARING))
        try:
            self._take(call)
        except Refused as refused:
            self._refuse(call, refused.title, refused.description)

    def reacted(self, channel_id: str, message_id: str, user_id: str, emoji: str) -> None:
        """Reactions ask for seeds; this bot does not answer them yet."""

    def state(self) -> Json:
        """Jobs in the order of their making, and how busy each user is."""
        return {
            "jobs": [_summary(job) for job in self._jobs.values()],
            "running": {user: len(running) for user, running in self._running.items()},
            "waiting": {user: len(waiting) for user, waiting in self._waiting.items()},
            "most_running": dict(self._most),
        }

    async def close(self) -> None:
        work = [*self._answering]
        work += [task for running in self._running.values() for task in running.values()]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    # Requests

    def _take(self, call: Call) -> None:
        if call.kind == 2 and call.name == "imagine":
            prompt = rewrite(str(call.options.get("prompt") or ""))
            self._queue(jobs.imagine(jobs.new_id(self._random), call, prompt))
        elif cancelled := _CANCEL.fullmatch(call.custom_id):
            self._cancel(call, cancelled[1])
        elif call.kind == 3:
            self._press(call)
        else:
            self._stage.fail(call, 0)

    def _press(self, call: Call) -> None:
        job_id = jobs.new_id(self._random)
        if numbered := _NUMBERED.fullmatch(call.custom_id):
            parent = self._job(numbered[3])
            make = jobs.upscale if numbered[1] == "upsample" else jobs.variation
            self._queue(make(job_id, call, parent, int(numbered[2])))
        elif reroll := _REROLL.fullmatch(call.custom_id):
            self._queue(jobs.reroll(job_id, call, self._job(reroll[1])))
        else:
            raise Refused("Job action restricted", "This action is not available for this image.")

    def _job(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise Refused("Internal error", "The job is not known any more.")
        return job

    def _refuse(self, call: Call, title: str, description: str, *, failed: bool = True) -> None:
        embed = forms.notice(title, description, failed=failed)
        self._stage.respond(call, Draft(embeds=(embed,), ephemeral=True))

    def _queue(self, job: Job) -> None:
        user = job.call.user_id
        if len(self._running[user]) < _RUNNING[Plan(self._plan_of(user))]:
            self._remember(job)
            self._start(job, queued=False)
        elif len(self._waiting[user]) < _WAITING:
            self._remember(job)
            self._waiting[user].append(job)
            text = "Your job waits until one of your others is done."
            self._refuse(job.call, "Job queued", text, failed=False)
        else:
            text = "Your queue is full. Please wait for a job to finish first."
            self._refuse(job.call, "Queue full", text)

    def _remember(self, job: Job) -> None:
        self._jobs[job.id] = job
        if len(self._jobs) > _REMEMBERED:
            del self._jobs[next(iter(self._jobs))]

    def _start(self, job: Job, *, queued: bool) -> None:
        user = job.call.user_id
        first = self._first_message(job, queued=queued)
        self._running[user][job.id] = asyncio.create_task(self._play(job, first))
        self._most[user] = max(self._most[user], len(self._running[user]))

    def _first_message(self, job: Job, *, queued: bool) -> Json:
        """The answer to the call; a job that was queued has given that already."""
        call = job.call
        text = forms.waiting(job.waiting_lead, job.prompt.shown, call.user_id)
        draft = Draft(content=text, components=forms.cancel_row(job.id))
        if queued:
            message = self._stage.post(
                self.application_id, call.channel_id, draft, call=call, reply_to=call.message_id
            )
        else:
            message = self._stage.respond(call, draft)
        self._progress[job.id] = message
        return message

    def _cancel(self, call: Call, job_id: str) -> None:
        running = self._running[call.user_id].get(job_id)
        if running is None:
            raise Refused("Job action restricted", "This job is done already.")
        self._stage.succeed(call)
        running.cancel()
        job = self._jobs[job_id]
        text = forms.running(job.form, job.prompt.shown, call.user_id, "(Stopped)")
        self._stage.edit(call.channel_id, self._progress[job_id]["id"], Draft(content=text))
        self._ended(job)

    # A job's evening

    async def _play(self, job: Job, first: Json) -> None:
        lots = Random(job.id)
        if job.kind is Kind.UPSCALE:
            await self._pause(lots.uniform(*_UPSCALE_SECONDS))
        else:
            await self._progress_by_steps(job, first, lots)
        self._finish(job, first, lots)
        self._ended(job)

    async def _progress_by_steps(self, job: Job, first: Json, lots: Random) -> None:
        seconds = lots.uniform(*_SECONDS[job.prompt.mode])
        shown = lots.random() > 0.1
        await self._pause(seconds / (len(_STEPS) + 1))
        for percent in _STEPS:
            self._stage.edit(job.call.channel_id, first["id"], _step(job, percent, shown=shown))
            await self._pause(seconds / (len(_STEPS) + 1))

    async def _pause(self, seconds: float) -> None:
        await self._stage.clock.sleep(seconds / self._speed)

    def _finish(self, job: Job, first: Json, lots: Random) -> None:
        """The result, and the end of the progress message, in either order."""
        acts: list[Callable[[], object]] = [
            lambda: self._stage.delete(job.call.channel_id, first["id"]),
            lambda: self._post_result(job, lots),
        ]
        if lots.random() < 0.3:
            acts.reverse()
        for act in acts:
            act()

    def _post_result(self, job: Job, lots: Random) -> None:
        call = job.call
        self._stage.post(
            self.application_id,
            call.channel_id,
            _result(job, website=lots.random() < 0.5),
            call=call,
            reply_to=call.message_id,
        )

    def _ended(self, job: Job) -> None:
        user = job.call.user_id
        self._running[user].pop(job.id, None)
        self._progress.pop(job.id, None)
        if self._waiting[user]:
            self._start(self._waiting[user].popleft(), queued=True)


def _step(job: Job, percent: int, *, shown: bool) -> Draft:
    marks = f"({percent}%) ({job.mode})"
    drawn: tuple[Drawing, ...] = ()
    if shown and percent:
        drawn = (pictures.preview(job.art, percent, f"{job.id}_grid_0.webp"),)
    return Draft(
        content=forms.running(job.form, job.prompt.shown, job.call.user_id, marks),
        components=forms.cancel_row(job.id),
        drawings=drawn,
    )


def _result(job: Job, *, website: bool) -> Draft:
    prompt, user = job.prompt, job.call.user_id
    if job.kind is Kind.UPSCALE:
        index = job.index or 1
        drawing = pictures.single(job.art, index, _label(job), _filename(job))
        square = prompt.ratio[0] == prompt.ratio[1]
        rows = forms.single_rows(job.id, prompt.version, square=square)
        text = forms.image_number(prompt.shown, index, user)
    else:
        drawing = pictures.grid(job.art, _label(job), _filename(job))
        rows = forms.grid_rows(job.id)
        text = forms.done(job.form, prompt.shown, user, job.mode, job.id if website else None)
    return Draft(content=text, components=rows, drawings=(drawing,))


def _label(job: Job) -> Label:
    return Label(
        job=job.id,
        prompt=job.prompt.shown,
        tile=job.index or 0 if job.kind is Kind.UPSCALE else 0,
        parent=job.parent.id if job.parent else "",
        author=job.call.username,
    )


def _filename(job: Job) -> str:
    return f"{job.call.username}_{forms.slug(job.prompt.shown)}_{job.id}.png"


def _summary(job: Job) -> Json:
    return {
        "id": job.id,
        "kind": job.kind,
        "user": job.call.user_id,
        "prompt": job.prompt.shown,
        "parent": job.parent.id if job.parent else None,
        "index": job.index,
        "interaction": job.call.id,
        "nonce": job.call.nonce,
    }
