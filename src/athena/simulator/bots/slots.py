"""The number of a user's running and waiting jobs.

A plan has slots (contracts: midjourney-bot, section 7): 3 on Basic and Standard, 12 on Pro and
Mega, of which 3 for relaxed jobs. At most 10 more wait; the next is refused. When a job ends, the
first waiting job that fits starts.
"""

from enum import Enum

from athena.simulator.bots.jobs import Job
from athena.simulator.config import Plan

_SLOTS = {Plan.BASIC: 3, Plan.STANDARD: 3, Plan.PRO: 12, Plan.MEGA: 12}
_RELAXED_SLOTS = 3
_WAITING = 10


class Admission(Enum):
    STARTS = "starts"
    WAITS = "waits"
    REFUSED = "refused"


class Slots:
    """The slots of one user."""

    def __init__(self) -> None:
        self.running: dict[str, Job] = {}
        self.waiting: list[Job] = []
        self.most = 0
        """The largest number of jobs that ran at the same time."""

    def admit(self, job: Job, plan: Plan) -> Admission:
        """Admit a new job."""
        if self._fits(job, plan):
            self._take(job)
            return Admission.STARTS
        if len(self.waiting) < _WAITING:
            self.waiting.append(job)
            return Admission.WAITS
        return Admission.REFUSED

    def free(self, job_id: str, plan: Plan) -> Job | None:
        """Free the slot of a job; returns the waiting job to start, if any."""
        self.running.pop(job_id, None)
        following = next((job for job in self.waiting if self._fits(job, plan)), None)
        if following:
            self.waiting.remove(following)
            self._take(following)
        return following

    def _fits(self, job: Job, plan: Plan) -> bool:
        relaxed = sum(each.is_relaxed for each in self.running.values())
        crowded = job.is_relaxed and relaxed >= _RELAXED_SLOTS
        return len(self.running) < _SLOTS[plan] and not crowded

    def _take(self, job: Job) -> None:
        self.running[job.id] = job
        self.most = max(self.most, len(self.running))
