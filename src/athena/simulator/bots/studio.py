"""The jobs of a bot: which may start, which run, and how they ended."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from athena.simulator.bots import forms
from athena.simulator.bots.job_lifecycle import JobLifecycle
from athena.simulator.bots.jobs import Job
from athena.simulator.bots.notices import Delivery, Notice
from athena.simulator.bots.parameters import Refused
from athena.simulator.bots.slots import Admission, Slots
from athena.simulator.bots.words import Preferences
from athena.simulator.config import Plan
from athena.simulator.stage import Call, Draft, Json, Stage

PlanOf = Callable[[str], str]
"""The name of a user's plan, by the user's id."""

_REMEMBERED = 20_000
_log = structlog.get_logger(__name__)


class Studio:
    """The jobs of one bot. `speed` divides their duration."""

    def __init__(self, stage: Stage, plan_of: PlanOf, speed: float) -> None:
        self.plan_of = plan_of
        self.preferences: defaultdict[str, Preferences] = defaultdict(Preferences)
        self._stage = stage
        self._speed = speed
        self._made = 0
        self._jobs: dict[str, Job] = {}
        self._shown: dict[str, str] = {}
        """The job of each result message."""
        self._slots: defaultdict[str, Slots] = defaultdict(Slots)
        self._lifecycles: dict[str, tuple[JobLifecycle, asyncio.Task[None]]] = {}
        self._ends: dict[str, str] = {}
        self._closed = False

    def job(self, job_id: str) -> Job:
        """A job by its id.

        Raises:
            Refused: there is none.
        """
        if job := self._jobs.get(job_id):
            return job
        raise Refused("Internal error", "The job is not known any more.")

    def job_of(self, message_id: str) -> Job | None:
        """The job whose result a message shows."""
        return self._jobs.get(self._shown.get(message_id, ""))

    def remember_result(self, job: Job, message_id: str) -> None:
        """Remember another message that shows a job's result."""
        self._shown[message_id] = job.id
        if len(self._shown) > 2 * _REMEMBERED:
            del self._shown[next(iter(self._shown))]

    def busy(self, user_id: str) -> tuple[int, int]:
        """The numbers of a user's running and waiting jobs."""
        slots = self._slots[user_id]
        return len(slots.running), len(slots.waiting)

    def state(self) -> Json:
        """The latest 20,000 jobs in order, and each user's running and waiting jobs. A job's `end`
        is done, stopped or failed."""
        return {
            "made": self._made,
            "jobs": [
                {**job.summary(), "end": self._ends.get(job.id)} for job in self._jobs.values()
            ],
            "running": {user: len(slots.running) for user, slots in self._slots.items()},
            "waiting": {user: len(slots.waiting) for user, slots in self._slots.items()},
            "most_running": {user: slots.most for user, slots in self._slots.items()},
        }

    async def close(self) -> None:
        self._closed = True
        work = [task for _, task in self._lifecycles.values()]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    def queue(self, job: Job, end: Notice | None = None) -> None:
        """Start a job, queue it, or refuse it. `end` is the notice with which it is to fail."""
        user = self.preferences[job.call.user_id]
        job = replace(job, mode=user.shown_mode(job.prompt.mode, stealth=job.prompt.stealth))
        match self._slots[job.call.user_id].admit(job, self._plan(job)):
            case Admission.STARTS:
                queued = end is not None and end.delivery is Delivery.QUEUED
                if end and queued:
                    self._stage.respond(job.call, end.draft())
                self._remember(job)
                self._start(job, queued=queued, end=None if queued else end)
            case Admission.WAITS:
                self._remember(job)
                text = "Your job waits until one of your others is done."
                self.say(job.call, "Job queued", text, failed=False)
            case Admission.REFUSED:
                text = "Your queue is full. Please wait for a job to finish first."
                self.say(job.call, "Queue full", text)

    def cancel(self, call: Call, job_id: str) -> None:
        """Stop a running job.

        Raises:
            Refused: it is not running.
        """
        if job_id not in self._slots[call.user_id].running:
            raise Refused("Job action restricted", "This job is done already.")
        self._stage.succeed(call)
        lifecycle, task = self._lifecycles[job_id]
        if task.cancel():
            lifecycle.stop()

    def say(self, call: Call, title: str, description: str, *, failed: bool = True) -> None:
        """Answer with an embed instead of a job."""
        embed = forms.notice(title, description, failed=failed)
        self._stage.respond(call, Draft(embeds=(embed,), ephemeral=True))

    def _plan(self, job: Job) -> Plan:
        return Plan(self.plan_of(job.call.user_id))

    def _remember(self, job: Job) -> None:
        self._made += 1
        self._jobs[job.id] = job
        if len(self._jobs) > _REMEMBERED:
            oldest = next(iter(self._jobs))
            del self._jobs[oldest]
            self._ends.pop(oldest, None)
        preferences = self.preferences[job.call.user_id]
        preferences.jobs += len(job.tiles)
        preferences.fast_minutes += 0.0 if job.is_relaxed or job.is_instant else 1.0

    def _start(self, job: Job, *, queued: bool, end: Notice | None = None) -> None:
        lifecycle = JobLifecycle(
            self._stage, job, self._speed, lambda made: self.remember_result(job, made), end
        )
        lifecycle.answer(queued=queued)
        task = asyncio.create_task(lifecycle.play())
        self._lifecycles[job.id] = lifecycle, task
        task.add_done_callback(lambda done: self._ended(job, done))

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        """Free the slot of an ended job and start the next one."""
        lifecycle, _ = self._lifecycles.pop(job.id)
        self._ends[job.id] = "stopped" if task.cancelled() else lifecycle.end
        if not task.cancelled() and (error := task.exception()):
            _log.error("job failed", job=job.id, exc_info=error)
        if self._closed:
            return
        following = self._slots[job.call.user_id].free(job.id, self._plan(job))
        if following:
            self._start(following, queued=True)
