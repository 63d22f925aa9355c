"""What a job says while it runs (contracts: midjourney-bot, sections 2 and 3).

The first message, edits with the per cent and previews, then the result in a new message. What
Midjourney does sometimes one way and sometimes another (order of deletion and result, missing
previews, the website's link, an upscale without a first message) is drawn by lot from the job's
id, so that the same seed plays the same evening again.
"""

from collections.abc import Callable

from athena.simulator import pictures
from athena.simulator.bots import forms
from athena.simulator.bots.encoding import Label
from athena.simulator.bots.jobs import Job, Kind
from athena.simulator.stage import Draft, Drawing, Stage

_SECONDS = {"fast": (15.0, 40.0), "relaxed": (30.0, 120.0), "turbo": (6.0, 12.0)}
_UPSCALE_SECONDS = (1.0, 3.0)
_STEPS = (0, 15, 31, 46, 62, 78, 93)
_NO_PREVIEWS, _LOST_PREVIEW = 0.1, 0.15
_RESULT_FIRST = 0.3
_SILENT_UPSCALE = 0.5


class Evening:
    """One job on the stage. `speed` divides its time."""

    def __init__(self, stage: Stage, job: Job, speed: float) -> None:
        self._stage = stage
        self._job = job
        self._speed = speed
        self._message_id: str | None = None
        """The progress message, while there is one."""

    def answer(self, *, queued: bool) -> None:
        """The first message; a job that was queued has answered its call already."""
        job, call = self._job, self._job.call
        text = forms.waiting(job.waiting_lead, job.prompt.shown, call.user_id)
        draft = Draft(content=text, components=forms.cancel_row(job.id))
        if queued:
            message = self._stage.post(
                call.application_id, call.channel_id, draft, call=call, reply_to=call.message_id
            )
        elif job.kind is Kind.UPSCALE and job.lots("answer").random() < _SILENT_UPSCALE:
            self._stage.succeed(call)
            return
        else:
            message = self._stage.respond(call, draft)
        self._message_id = message["id"]

    async def play(self) -> None:
        """Everything after the first message."""
        if self._job.kind is Kind.UPSCALE:
            await self._pause(self._job.lots("time").uniform(*_UPSCALE_SECONDS))
        else:
            await self._progress()
        self._finish()

    def stop(self) -> None:
        """The user has cancelled the job."""
        job = self._job
        text = forms.running(job.form, job.prompt.shown, job.call.user_id, "(Stopped)")
        self._edit(Draft(content=text))

    async def _progress(self) -> None:
        seconds = self._job.lots("time").uniform(*_SECONDS[self._job.prompt.mode])
        lots = self._job.lots("previews")
        shows = lots.random() >= _NO_PREVIEWS
        for percent in _STEPS:
            await self._pause(seconds / (len(_STEPS) + 1))
            self._edit(self._step(percent, preview=shows and lots.random() >= _LOST_PREVIEW))
        await self._pause(seconds / (len(_STEPS) + 1))

    async def _pause(self, seconds: float) -> None:
        await self._stage.clock.sleep(seconds / self._speed)

    def _step(self, percent: int, *, preview: bool) -> Draft:
        job = self._job
        drawn: tuple[Drawing, ...] = ()
        if preview and percent:
            drawn = (pictures.preview(job.art, percent, f"{job.id}_grid_0.webp"),)
        marks = f"({percent}%) ({job.mode})"
        return Draft(
            content=forms.running(job.form, job.prompt.shown, job.call.user_id, marks),
            components=forms.cancel_row(job.id),
            drawings=drawn,
        )

    def _edit(self, draft: Draft) -> None:
        if self._message_id:
            self._stage.edit(self._job.call.channel_id, self._message_id, draft)

    def _finish(self) -> None:
        """The result, and the end of the progress message, in either order."""
        acts: list[Callable[[], None]] = [self._delete_progress, self._post_result]
        if self._job.lots("order").random() < _RESULT_FIRST:
            acts.reverse()
        for act in acts:
            act()

    def _delete_progress(self) -> None:
        if self._message_id:
            self._stage.delete(self._job.call.channel_id, self._message_id)

    def _post_result(self) -> None:
        call = self._job.call
        draft = _single(self._job) if self._job.kind is Kind.UPSCALE else _grid(self._job)
        self._stage.post(
            call.application_id, call.channel_id, draft, call=call, reply_to=call.message_id
        )


def _single(job: Job) -> Draft:
    prompt, index = job.prompt, job.index or 1
    square = prompt.ratio[0] == prompt.ratio[1]
    return Draft(
        content=forms.image_number(prompt.shown, index, job.call.user_id),
        components=forms.single_rows(job.id, prompt.version, square=square),
        drawings=(pictures.single(job.art, index, _label(job, index), _filename(job)),),
    )


def _grid(job: Job) -> Draft:
    website = job.id if job.lots("website").random() < 0.5 else None
    return Draft(
        content=forms.done(job.form, job.prompt.shown, job.call.user_id, job.mode, website),
        components=forms.grid_rows(job.id),
        drawings=(pictures.grid(job.art, _label(job, 0), _filename(job)),),
    )


def _label(job: Job, tile: int) -> Label:
    return Label(
        job=job.id,
        prompt=job.prompt.shown,
        tile=tile,
        parent=job.parent.id if job.parent else "",
        author=job.call.username,
    )


def _filename(job: Job) -> str:
    return f"{job.call.username}_{forms.slug(job.prompt.shown)}_{job.id}.png"
