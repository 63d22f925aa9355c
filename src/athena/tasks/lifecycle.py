"""The state machine: a task and an event give the next task.

    NOT_START -> SUBMITTED -> IN_PROGRESS -> SUCCESS | FAILURE      CANCEL from any but an end
    MODAL -> NOT_START once its user has confirmed the modal

Three rules hold for events in any order and number, because Discord repeats and reorders them: an
end never changes; the status never goes back; the progress never falls. A task that Midjourney
asked to retry later keeps its status and only becomes unsent again.
"""

from msgspec.structs import replace

from athena.tasks.bot_events import (
    AccountInfo,
    Acknowledged,
    BotEvent,
    Evidence,
    Finished,
    MessageContent,
    Notice,
    Progress,
    Rejected,
    Removed,
    SeedInfo,
    Stopped,
    Unknown,
    Verdict,
    Waiting,
)
from athena.tasks.model import CorrelationIds, Failure, Image, Millis, Sending, Status, Task
from athena.tasks.requests import ModalReply, Press, Request

MAX_TRIES = 3
"""How often a task goes back to the queue when the bot says `Slow Down!` or the like."""

RETRY_PAUSE: Millis = 30_000
"""The first such pause; it doubles with each try."""

REMOVAL_GRACE: Millis = 60_000
"""How long a result may come after its progress message went (contracts: midjourney-bot, 2)."""

PREPARING_TIMEOUT: Millis = 30_000
"""How long a modal may take to open; after that it is opened again."""

RELAXED_FACTOR = 6
"""How many times longer a job may be silent in relaxed mode."""

MODAL_TIMEOUT: Millis = 60 * 60 * 1000
"""How long a task waits for its user to confirm a modal."""

UNCERTAIN = (
    "It is not known whether Discord took the command, and no answer came. "
    "It was not sent again, so that no job is made twice."
)
REMOVED = "[Removed] Midjourney removed the image while it was being made (output filter)."
UNPREPARED = "The bot did not open the modal of this button, or did not take its first step."
UNCONFIRMED = "The modal was not confirmed in time."
STOPPED = "[Stopped] The job was stopped at Midjourney."


def begin_preparing(task: Task, nonce: str, now: Millis) -> Task:
    """A first step without effect is about to be sent; it may be repeated."""
    return _begin(task, Sending.PREPARING, nonce, now + PREPARING_TIMEOUT)


def begin_sending(task: Task, nonce: str, now: Millis, pressed: str | None = None) -> Task:
    """To be on disk before the POST: from here on the interaction may exist. `pressed` is the
    message whose button is pressed, where only now that is known."""
    begun = _begin(task, Sending.SENDING, nonce, now + _idle_timeout(task))
    if pressed is None or begun is task:
        return begun
    return replace(begun, ids=replace(begun.ids, parent_message=pressed))


def _begin(task: Task, sending: Sending, nonce: str, deadline: Millis) -> Task:
    if task.ended:
        return task
    keys = task.ids
    if nonce != keys.nonce:
        keys = replace(keys, nonce=nonce, interaction=None)
    return _next(task, sending=sending, deadline=deadline, ids=keys)


def mark_sent(task: Task, now: Millis) -> Task:
    """Discord accepted the interaction. The bot's answer may have arrived before this."""
    if task.ended or task.sending is Sending.NOT_SENT:
        return task
    preparing = task.sending is Sending.PREPARING
    return _next(
        task,
        sending=Sending.PREPARING if preparing else Sending.SENT,
        status=_later(task.status, Status.SUBMITTED),
        started_at=task.started_at or now,
        deadline=task.deadline or now + _idle_timeout(task),
    )


def fail(task: Task, reason: str, now: Millis, *, moderated: bool = False) -> Task:
    """End the task without an image."""
    if task.ended:
        return task
    failure = Failure(reason=reason, moderated=moderated)
    return _next(task, status=Status.FAILURE, failure=failure, finished_at=now, deadline=None)


def time_out(task: Task, now: Millis, *, send_again: bool = False) -> Task:
    """End a task whose deadline has passed. `send_again`: the operator would rather have a job
    twice than not at all, if it is unknown whether Discord accepted the command."""
    if task.removed:
        return fail(task, REMOVED, now, moderated=True)
    if task.status is Status.MODAL:
        return fail(task, UNCONFIRMED, now)
    if task.sending is Sending.PREPARING:
        return put_back(task, now, 0) if task.tries < MAX_TRIES else fail(task, UNPREPARED, now)
    if task.sending is Sending.SENDING:
        again = send_again and task.tries < MAX_TRIES
        return put_back(task, now, 0) if again else fail(task, UNCERTAIN, now)
    return fail(task, f"No sign of life for {_idle_timeout(task) // 1000} seconds.", now)


def put_back(task: Task, now: Millis, pause: Millis = RETRY_PAUSE) -> Task:
    """Unsend a task that Midjourney or Discord asked to retry later; pauses double each time."""
    if task.ended:
        return task
    later = now + pause * 2**task.tries
    return _unsent(task, tries=task.tries + 1, not_before=later)


def unsend(task: Task, now: Millis) -> Task:
    """Unsend a task because its account cannot work."""
    return task if task.ended else _unsent(task, not_before=now)


def open_modal(task: Task, proposal: str, now: Millis) -> Task:
    """A new task whose user has to fill in a modal first."""
    return replace(
        task, status=Status.MODAL, final_prompt=proposal or None, deadline=now + MODAL_TIMEOUT
    )


def with_image(task: Task, image: Image) -> Task:
    """The task with a renewed link to the same image."""
    return _next(task, image=image)


def translated(task: Task, request: Request, prompt: str) -> Task:
    """The task with its request in English."""
    return _next(task, request=request, prompt_english=prompt)


def with_note(task: Task, note: str) -> Task:
    """The task with a note on a problem that did not affect the result."""
    return _next(task, note=note)


def with_seed(task: Task, seed: str) -> Task:
    """The task with its job's seed, which is requested after the task's end."""
    return _next(task, seed=seed)


def confirm(task: Task, press: Press, reply: ModalReply) -> Task:
    """The user has filled in the modal of a MODAL task: it may be sent."""
    return _next(
        task,
        request=replace(press, reply=reply),
        status=Status.NOT_START,
        prompt=reply.prompt or task.prompt,
        deadline=None,
    )


def move(task: Task, account: str) -> Task:
    """Give an unsent task to another account."""
    return _next(task, account=account)


def cancel(task: Task, now: Millis) -> Task:
    """End the task because its user no longer wants it. A job that it may have at Midjourney is
    still to be cancelled."""
    if task.ended:
        return task
    cancel_job = task.sending is not Sending.NOT_SENT
    return _next(task, status=Status.CANCEL, finished_at=now, deadline=None, cancel_job=cancel_job)


def job_cancelled(task: Task) -> Task:
    """The job of a cancelled task was cancelled too, or will never come."""
    return _next(task, cancel_job=False) if task.cancel_job else task


def advance(task: Task, seen: BotEvent, now: Millis) -> Task:
    """The task after a bot event that is its own. The same task when nothing changed."""
    if task.ended:
        return task
    match seen:
        case Acknowledged(evidence=evidence):
            return _apply_ids(task, evidence)
        case Rejected():
            return fail(task, "The bot did not answer the interaction.", now)
        case Waiting() | Progress():
            return _move(task, seen, now)
        case Finished():
            return _finish(task, seen, now)
        case Stopped():
            return fail(task, STOPPED, now)
        case Notice():
            return _apply_notice(task, seen, now)
        case Removed(evidence=evidence):
            return _apply_removal(task, evidence, now)
        case AccountInfo() | SeedInfo() | Unknown():
            return task


def _unsent(task: Task, **changes: object) -> Task:
    return _next(
        task,
        sending=Sending.NOT_SENT,
        deadline=None,
        removed=False,
        ids=CorrelationIds(parent_message=task.ids.parent_message),
        **changes,
    )


def _next(task: Task, **changes: object) -> Task:
    return replace(task, revision=task.revision + 1, **changes)


_RANK = {Status.NOT_START: 0, Status.MODAL: 0, Status.SUBMITTED: 1, Status.IN_PROGRESS: 2}


def _later(known: Status, new: Status) -> Status:
    return new if _RANK[new] > _RANK[known] else known


def _keys(task: Task, evidence: Evidence, message: str | None) -> CorrelationIds:
    known = task.ids
    return replace(
        known,
        interaction=known.interaction or evidence.interaction,
        job=known.job or evidence.job,
        message=message or known.message,
    )


def _apply_ids(task: Task, evidence: Evidence) -> Task:
    keys = _keys(task, evidence, None)
    return task if keys == task.ids else _next(task, ids=keys)


def _move(task: Task, seen: Waiting | Progress, now: Millis) -> Task:
    moved = Status.IN_PROGRESS if isinstance(seen, Progress) else Status.SUBMITTED
    percent = (seen.percent if isinstance(seen, Progress) else None) or 0
    message = seen.evidence.message
    after = _next(
        task,
        status=_later(task.status, moved),
        sending=Sending.SENT,
        started_at=task.started_at or now,
        removed=False,
        progress=max(task.progress or 0, percent),
        ids=replace(_keys(task, seen.evidence, message), progress_message=message),
        **_shown(task, seen.shown),
    )
    if _is_alive(task, after):
        return replace(after, deadline=now + _idle_timeout(after))
    return task if replace(after, revision=task.revision) == task else after


def _is_alive(before: Task, after: Task) -> bool:
    """Whether a bot event shows that the job goes on. What is only seen again does not, else a job
    that hangs would live for ever by being looked at."""
    return (before.status, before.progress, before.ids, before.removed) != (
        after.status,
        after.progress,
        after.ids,
        after.removed,
    )


def _shown(task: Task, shown: MessageContent) -> dict[str, object]:
    return {
        "image": shown.image or task.image,
        "content": shown.content,
        "flags": shown.flags,
        "mode": shown.mode or task.mode,
        "relaxed": task.relaxed or (shown.mode or "").startswith("relaxed"),
    }


def _idle_timeout(task: Task) -> Millis:
    return task.idle_timeout * (RELAXED_FACTOR if task.relaxed else 1)


def _finish(task: Task, seen: Finished, now: Millis) -> Task:
    return _next(
        task,
        status=Status.SUCCESS,
        sending=Sending.SENT,
        started_at=task.started_at or now,
        finished_at=now,
        deadline=None,
        removed=False,
        progress=100,
        buttons=seen.shown.buttons,
        final_prompt=seen.text or seen.evidence.prompt or task.final_prompt,
        text_translated=seen.translated or task.text_translated,
        ids=replace(
            _keys(task, seen.evidence, seen.evidence.message),
            job=seen.evidence.job or task.ids.job,
        ),
        **_shown(task, seen.shown),
    )


def _apply_notice(task: Task, notice: Notice, now: Millis) -> Task:
    match notice.verdict:
        case Verdict.NOTICE:
            return _apply_remark(task, notice.evidence, now)
        case Verdict.RETRY if task.tries < MAX_TRIES:
            return put_back(task, now)
        case Verdict.MODERATED:
            failed = fail(task, notice.reason, now, moderated=True)
            return replace(failed, buttons=notice.shown.buttons)
        case Verdict.ACCOUNT_DOWN | Verdict.HUMAN_CHECK:
            return unsend(task, now)
        case _:
            return fail(task, notice.reason, now)


def _apply_remark(task: Task, evidence: Evidence, now: Millis) -> Task:
    """A notice that ends nothing is a sign of life when it is news: read again in the history, it
    is none."""
    known = task.ids.notice_message
    newest = evidence.message if _is_newer(evidence.message, known) else known
    ids = replace(_keys(task, evidence, None), notice_message=newest)
    if ids == task.ids:
        return task
    return _next(task, ids=ids, deadline=now + _idle_timeout(task))


def _is_newer(message: str | None, known: str | None) -> bool:
    """Whether a message was written after another; their ids are numbers that grow."""
    if message is None or known is None:
        return message is not None
    return (len(message), message) > (len(known), known)


def _apply_removal(task: Task, gone: Evidence, now: Millis) -> Task:
    if task.removed or gone.message is None or gone.message != task.ids.progress_message:
        return task
    return _next(task, removed=True, deadline=now + REMOVAL_GRACE)
