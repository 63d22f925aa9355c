"""The judge: compares what users requested, what the simulator created, and what users received.

lost        a request that did not end, that failed although its job was created, or that failed
            because of its account although nothing was done to that account
mixed       an image that is not the requested one, or that two tasks show
twice       more jobs created than requested
leaked      places in queues and slots that are still occupied when everything has ended
undelivered webhooks that did not receive the end of a task, or much too late
backwards   states that went back for a user

The judge knows the simulator's jobs by their nonces, and the prompts and buttons that users
requested; it knows nothing of how the server works.
"""

import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from msgspec import Struct, field

from athena.midjourney import prompts
from athena.tasks.model import Status, Task
from chaos.ledger import Asked, Glimpse, Kind, Ledger, percent

Json = dict[str, Any]

_RANK = {"NOT_START": 0, "MODAL": 0, "SUBMITTED": 1, "IN_PROGRESS": 2}
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"::(?:upsample|variation|video_virtual_upscale)::([1-4])::")
_LATE = 10 * 60 * 1000
"""Milliseconds within which a working receiver is told of an end, whatever others do."""
_OF_ACCOUNT = "Its account "
"""The start of failures that are the account's."""
BY_HAND = "by hand"
"""The start of prompts of people who use Midjourney by hand in the same channels."""


_KINDS = {
    "::upsample::": "upscale", "upsample_": "enlarge", "variation": "variation",
    "reroll": "reroll", "Outpaint": "zoom", "CustomZoom": "zoom", "pan_": "pan",
    "Inpaint": "region", "video_virtual": "video_upscale", "animate": "video",
}  # fmt: skip


class Evidence(Struct, kw_only=True):
    """All evidence of a run."""

    ledger: Ledger
    tasks: dict[str, Task]
    """Their final state."""
    jobs: list[Json]
    """The jobs of the simulator's bots, each with its `end`."""
    deliveries: dict[str, list[Json]]
    """The requests to each inbox."""
    held: int
    """Places that are still occupied."""
    users: dict[str, str]
    """The simulator's user for each of the server's accounts."""


class Verdict(Struct, kw_only=True):
    """The result; `why` describes each case."""

    tasks: int = 0
    lost: int = 0
    mixed: int = 0
    twice: int = 0
    leaked: int = 0
    undelivered: int = 0
    backwards: int = 0
    why: list[str] = field(default_factory=list)
    trace: int = 0
    """The run's checksum: equal for equal runs."""

    @property
    def is_good(self) -> bool:
        return not self.why

    def __str__(self) -> str:
        return (
            f"tasks {self.tasks} lost {self.lost} mixed {self.mixed} twice {self.twice} "
            f"leaked {self.leaked} undelivered {self.undelivered} backwards {self.backwards}"
        )

    def find(self, kind: str, why: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        self.why.append(f"{kind}: {why}")


def judge(evidence: Evidence) -> Verdict:
    """The verdict."""
    verdict = Verdict(tasks=len(evidence.ledger.asked))
    judging = _Court(evidence, verdict)
    for asked in evidence.ledger.asked:
        judging.judge(asked)
    judging.judge_jobs()
    judging.judge_images()
    judging.judge_deliveries()
    for task, glimpses in evidence.ledger.seen.items():
        judging.judge_glimpses(task, glimpses)
    for _ in range(evidence.held):
        verdict.find("leaked", "a place that is still held")
    return verdict


class _Court:
    def __init__(self, evidence: Evidence, verdict: Verdict) -> None:
        self._evidence = evidence
        self._verdict = verdict
        self._by_nonce = {(job["user"], job["nonce"]): job for job in evidence.jobs if job["nonce"]}
        self._by_id = {job["id"]: job for job in evidence.jobs}
        self._triggered: defaultdict[str, list[Task]] = defaultdict(list)
        for task in sorted(evidence.tasks.values(), key=lambda task: task.id):
            if task.trigger:
                self._triggered[task.trigger].append(task)

    def judge(self, asked: Asked) -> None:
        task = self.task_of(asked)
        if task is None:
            if not asked.deleted:
                self._verdict.find("lost", f"{asked.task or asked.trigger} is not known")
        elif not task.ended:
            self._verdict.find("lost", f"{task.id} is {task.status} ({task.sending})")
        elif task.status is Status.SUCCESS:
            self._judge_image(asked, task)
        elif not asked.cancelled:
            self._judge_failure(asked, task)

    def task_of(self, asked: Asked) -> Task | None:
        if asked.task:
            return self._evidence.tasks.get(asked.task)
        found = self._triggered[asked.trigger]
        number = 0 if asked.kind is Kind.IMAGINE else 1
        return found[number] if len(found) > number else None

    def _judge_failure(self, asked: Asked, task: Task) -> None:
        reason = task.failure.reason if task.failure else ""
        if reason.startswith(_OF_ACCOUNT) and not self._is_explained(task, reason):
            self._verdict.find("lost", f"{task.id} failed ({reason}), but its account was well")
            return
        job = self._by_nonce.get((self._evidence.users[task.account], task.ids.nonce))
        if asked.sure:
            self._verdict.find("lost", f"{task.id} failed ({reason}), but nothing disturbed it")
        elif job and job["end"] == "done" and not reason.startswith(_OF_ACCOUNT):
            self._verdict.find("lost", f"{task.id} failed ({reason}), but {job['id']} was made")

    def _is_explained(self, task: Task, reason: str) -> bool:
        """Whether something was done to a task's account that makes its tasks fail so."""
        at = task.finished_at or 0
        outages = self._evidence.ledger.outages
        return any(each.explains(task.account, reason, at) for each in outages)

    def _judge_image(self, asked: Asked, task: Task) -> None:
        if asked.kind is Kind.WORDS:
            if asked.prompt and asked.prompt.split()[0] not in (task.final_prompt or ""):
                self._verdict.find("mixed", f"{task.id} shows another's words")
            return
        job = self._shown_by(task)
        if job is None or task.image is None:
            self._verdict.find("lost", f"{task.id} has no image of a job")
            return
        if why := self._strange(asked, task, job) or self._elsewhere(asked, job):
            self._verdict.find("mixed", f"{task.id} shows {job['id']}: {why}")

    def _shown_by(self, task: Task) -> Json | None:
        """The job whose image a task shows; a face swap is identified by its file alone."""
        if task.ids.job:
            return self._by_id.get(task.ids.job)
        named = _ID.findall(task.image.filename if task.image else "")
        return self._by_id.get(named[-1]) if named else None

    def _strange(self, asked: Asked, task: Task, job: Json) -> str:
        """Why an image cannot be the requested one; empty if it can."""
        mine = (self._evidence.users[task.account], task.ids.nonce)
        if (job["user"], job["nonce"]) != mine:
            return "another interaction made it"
        if job["id"] not in (task.image.filename if task.image else ""):
            return "the file is another job's"
        if self._evidence.ledger.files.get(task.id, job["id"]) != job["id"]:
            return "its link leads to another's file"
        if asked.prompt and prompts.normalized(asked.prompt) != prompts.normalized(job["prompt"]):
            return f"it is of {job['prompt']!r}, not {asked.prompt!r}"
        return ""

    def _elsewhere(self, asked: Asked, job: Json) -> str:
        """Why an image cannot have been created from the request; empty if it can."""
        if asked.images and job["images"] != [*asked.images]:
            return "it is of other faces"
        source = self._by_id.get(job["parent"], job) if asked.kind is Kind.EXTEND else job
        if asked.parent and source["parent"] != asked.parent:
            return f"it was made of {source['parent']}, not of {asked.parent}"
        wanted = asked.index or _number(asked.button)
        if wanted and source["index"] != wanted:
            return f"it is number {source['index']}, not {wanted}"
        return ""

    def judge_jobs(self) -> None:
        """Check that there are no more jobs than requests of each kind. Selecting one video of a
        grid creates nothing new and may be repeated."""
        ours = self._evidence.users.values()
        wanted: Counter[str] = Counter(
            self._wanted(asked)
            for asked in self._evidence.ledger.asked
            if asked.kind is not Kind.WORDS
        )
        made: Counter[str] = Counter(
            self._made(job)
            for job in self._evidence.jobs
            if job["user"] in ours
            and job["kind"] != "video_upscale"
            and not job["prompt"].startswith(BY_HAND)
        )
        for what, count in (made - wanted).items():
            for _ in range(count):
                self._verdict.find("twice", f"{what}: made {made[what]}, asked {wanted[what]}")

    def _wanted(self, asked: Asked) -> str:
        """The job that a request creates, in the format of `_made`."""
        match asked.kind:
            case Kind.SWAP:
                return f"swap of {asked.images}"
            case Kind.EXTEND:
                return f"video out of {asked.parent}"
            case Kind.PRESS if "_extend" in asked.button:
                return f"video out of {self._by_id[asked.parent]['parent']}"
            case Kind.PRESS:
                return f"{_kind_of(asked.button)} of {asked.parent}"
            case _:
                return f"prompt {prompts.normalized(asked.prompt)!r}"

    def _made(self, job: Json) -> str:
        if job["kind"] == "swap":
            return f"swap of {tuple(job['images'])}"
        parent = self._by_id.get(job["parent"])
        if parent and parent["kind"] == "video_upscale":
            return f"{job['kind']} out of {parent['parent']}"
        if parent:
            return f"{job['kind']} of {parent['id']}"
        return f"prompt {prompts.normalized(job['prompt'])!r}"

    def judge_images(self) -> None:
        done = [task for task in self._evidence.tasks.values() if task.status is Status.SUCCESS]
        shown = Counter(job["id"] for task in done if (job := self._shown_by(task)))
        for job, count in shown.items():
            if count > 1:
                self._verdict.find("mixed", f"{count} tasks show {job}")

    def judge_deliveries(self) -> None:
        for asked in self._evidence.ledger.asked:
            task = self.task_of(asked)
            if task is None or not asked.webhook or not task.ended:
                continue
            deliveries = self._evidence.deliveries.get(asked.webhook, [])
            if asked.trigger:
                self._judge_callbacks(task, [each["body"] for each in deliveries])
            else:
                own = [each for each in deliveries if each["body"].get("id") == task.id]
                self._judge_webhooks(task, own)

    def _judge_webhooks(self, task: Task, deliveries: list[Json]) -> None:
        bodies = [each["body"] for each in deliveries]
        glimpses = [Glimpse(each["status"], percent(each["progress"])) for each in bodies]
        if not glimpses or glimpses[-1].status != task.status:
            received = [glimpse.status for glimpse in glimpses]
            self._verdict.find(
                "undelivered", f"{task.id} is {task.status}, its webhook received {received}"
            )
        ends = [each["at"] for each in deliveries if each["body"]["status"] == task.status]
        if ends and min(ends) - (task.finished_at or 0) > _LATE:
            self._verdict.find("undelivered", f"{task.id}: {ends[0]}, ended {task.finished_at}")
        self.judge_glimpses(task.id, glimpses)

    def _judge_callbacks(self, task: Task, deliveries: list[Json]) -> None:
        ends = [each for each in deliveries if each.get("trigger_id") == task.trigger
                and each["type"] not in ("start", "generating")]  # fmt: skip
        if not any(str(each["id"]) == (task.ids.message or "0") for each in ends):
            self._verdict.find("undelivered", f"{task.id}, of trigger {task.trigger}")

    def judge_glimpses(self, task: str, glimpses: list[Glimpse]) -> None:
        for before, after in pairwise(glimpses):
            if _is_back(before, after):
                self._verdict.find("backwards", f"{task}: {before} then {after}")


def _is_back(before: Glimpse, after: Glimpse) -> bool:
    if before.status not in _RANK:
        return after.status != before.status
    if after.status not in _RANK:
        return False
    return _RANK[after.status] < _RANK[before.status] or after.progress < before.progress


def _number(button: str) -> int | None:
    """The number of the grid image that a button belongs to."""
    found = _NUMBER.search(button)
    return int(found[1]) if found and "::SOLO" not in button else None


def _kind_of(button: str) -> str:
    """The simulator's name for the job that a button creates."""
    return next((kind for sign, kind in _KINDS.items() if sign in button), button)
