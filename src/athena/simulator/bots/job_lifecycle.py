"""The messages of a running job (contracts: midjourney-bot, sections 2 and 3).

The first message, edits with the per cent and previews, then the result in a new message. What
Midjourney does sometimes one way and sometimes another (order of deletion and result, missing
previews, the website's link, an upscale without a first message) is chosen at random from the job's
id, so that the same seed makes the same choices. A job that is to fail runs half its time and then
shows its notice.
"""

from collections.abc import Callable

from athena.simulator import images
from athena.simulator.bots import forms
from athena.simulator.bots.encoding import Label
from athena.simulator.bots.jobs import Job, Kind
from athena.simulator.bots.notices import Delivery, Notice
from athena.simulator.stage import Draft, Drawing, Json, Stage

_SECONDS = {"fast": (15.0, 40.0), "relaxed": (30.0, 120.0), "turbo": (6.0, 12.0)}
_INSTANT_SECONDS = (1.0, 3.0)
_STEPS = (0, 15, 31, 46, 62, 78, 93)
_NO_PREVIEWS, _LOST_PREVIEW = 0.1, 0.15
_RESULT_FIRST = 0.3
_SILENT_UPSCALE = 0.5


class JobLifecycle:
    """One running job. `speed` divides its duration; `on_result` gets the result's message id."""

    def __init__(
        self,
        stage: Stage,
        job: Job,
        speed: float,
        on_result: Callable[[str], None],
        bad_end: Notice | None = None,
    ) -> None:
        self._stage = stage
        self._job = job
        self._speed = speed
        self._on_result = on_result
        self._bad_end = bad_end
        self._message_id: str | None = None
        """The progress message, if there is one."""

    def answer(self, *, queued: bool) -> None:
        """Send the first message; a queued job has already answered its call."""
        job, call = self._job, self._job.call
        silent = job.is_instant and job.random("answer").random() < _SILENT_UPSCALE
        draft = Draft(content=_waiting(job), components=forms.cancel_row(job.id))
        if queued:
            message = self._stage.post(
                call.application_id, call.channel_id, draft, call=call, reply_to=call.message_id
            )
        elif silent and not self._bad_end:
            self._stage.succeed(call)
            return
        else:
            message = self._stage.respond(call, draft)
        self._message_id = message["id"]

    @property
    def end(self) -> str:
        """How it ends, unless it is stopped."""
        return "failed" if self._bad_end else "done"

    async def play(self) -> None:
        """Run everything after the first message."""
        if self._bad_end:
            await self._fail(self._bad_end)
            return
        if self._job.is_instant:
            await self._pause(self._job.random("time").uniform(*_INSTANT_SECONDS))
        else:
            await self._progress(_STEPS)
        self._finish()

    def stop(self) -> None:
        """The user has cancelled the job."""
        job = self._job
        text = forms.running(job.running_form, job.prompt.shown, job.call.user_id, "(Stopped)")
        self._edit(Draft(content=text))

    async def _fail(self, notice: Notice) -> None:
        await self._progress(_STEPS[:3])
        call, message_id = self._job.call, self._message_id or ""
        match notice.delivery:
            case Delivery.REPLY:
                self._stage.post(
                    call.application_id, call.channel_id, notice.draft(), reply_to=message_id
                )
                self._delete_progress()
            case Delivery.REMOVED:
                self._delete_progress()
            case _:
                self._edit(notice.draft())

    async def _progress(self, steps: tuple[int, ...]) -> None:
        seconds = self._job.random("time").uniform(*_SECONDS[self._job.speed])
        random = self._job.random("previews")
        shows = random.random() >= _NO_PREVIEWS
        for percent in steps:
            await self._pause(seconds / (len(_STEPS) + 1))
            self._edit(self._step(percent, preview=shows and random.random() >= _LOST_PREVIEW))
        await self._pause(seconds / (len(_STEPS) + 1))

    async def _pause(self, seconds: float) -> None:
        await self._stage.clock.sleep(seconds / self._speed)

    def _step(self, percent: int, *, preview: bool) -> Draft:
        job = self._job
        marks = f"({percent}%) ({job.mode})"
        return Draft(
            content=forms.running(job.running_form, job.prompt.shown, job.call.user_id, marks),
            components=forms.cancel_row(job.id),
            drawings=(_preview(job, percent),) if preview and percent else (),
        )

    def _edit(self, draft: Draft) -> None:
        if self._message_id:
            self._stage.edit(self._job.call.channel_id, self._message_id, draft)

    def _finish(self) -> None:
        """Post the result and delete the progress message, in either order."""
        acts: list[Callable[[], None]] = [self._delete_progress, self._post_result]
        if self._job.random("order").random() < _RESULT_FIRST:
            acts.reverse()
        for act in acts:
            act()

    def _delete_progress(self) -> None:
        if self._message_id:
            self._stage.delete(self._job.call.channel_id, self._message_id)

    def _post_result(self) -> None:
        call = self._job.call
        message = self._stage.post(
            call.application_id,
            call.channel_id,
            result(self._job),
            call=call,
            reply_to=call.message_id,
        )
        self._on_result(message["id"])


def result(job: Job) -> Draft:
    """The final message of a job."""
    shown, user = job.prompt.shown, job.call.user_id
    if job.is_instant:
        text = forms.image_number(shown, job.index or 1, user)
    else:
        website = job.id if job.random("website").random() < 0.5 else None
        text = forms.done(job.form, shown, user, job.mode, website)
    return Draft(content=text, components=_rows(job), drawings=(_image(job),))


def _rows(job: Job) -> tuple[Json, ...]:
    model = job.prompt.model
    match job.kind:
        case Kind.UPSCALE:
            return forms.single_rows(job.id, model, square=job.size[0] == job.size[1])
        case Kind.ENLARGE:
            return forms.enlarged_rows(job.id, model)
        case Kind.VIDEO_UPSCALE:
            return forms.video_rows(job.id)
        case _ if job.videos:
            return forms.videos_rows(job.id, len(job.videos))
        case _:
            return forms.grid_rows(job.id)


def _image(job: Job) -> Drawing:
    alone = len(job.videos or job.tiles) == 1
    label, name = _label(job, (job.index or 1) if alone else 0), _filename(job)
    if job.videos:
        return images.video(job.videos, job.size, label, f"{name}.webp")
    if alone:
        return images.single(job.tiles[0], job.size, label, f"{name}.png")
    return images.grid(job.tiles, job.size, label, f"{name}.png")


def _preview(job: Job, percent: int) -> Drawing:
    if job.videos:
        name = f"{job.id}_{percent % len(job.videos)}_step_{percent}.jpeg"
        return images.step(job.videos[0], job.size, percent, name)
    return images.preview(job.tiles, job.size, percent, f"{job.id}_grid_0.webp")


def _waiting(job: Job) -> str:
    form = "" if job.lead else job.running_form
    return forms.waiting(job.lead, form, job.prompt.shown, job.call.user_id)


def _label(job: Job, tile: int) -> Label:
    return Label(
        job=job.id,
        prompt=job.prompt.shown,
        tile=tile,
        parent=job.parent.id if job.parent else "",
        author=job.call.username,
    )


def _filename(job: Job) -> str:
    return f"{job.call.username}_{forms.slug(job.prompt.shown)}_{job.id}"
