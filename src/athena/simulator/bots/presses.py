"""Buttons and modals: the effect of pressing a button and of submitting a modal.

Two tables, of custom_ids and of modals (contracts: midjourney-bot, sections 5 and 6). With remix
on, the buttons that make new images open a modal with the prompt first.
"""

import re
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Protocol

from athena.simulator.bots import jobs, modals
from athena.simulator.bots.jobs import Job, Kind, Parent
from athena.simulator.bots.notices import Notice
from athena.simulator.bots.parameters import Refused
from athena.simulator.bots.prompts import Rewritten
from athena.simulator.bots.reading import Reading
from athena.simulator.bots.studio import Studio
from athena.simulator.bots.words import settings, turned
from athena.simulator.scenes import Repainted
from athena.simulator.stage import Call, Draft, Stage

_JOB = "(?P<job>[0-9a-f-]{36})"
_SOLO = "(?:::SOLO)?"
_ZOOMS = {"50": "2", "75": "1.5"}
_MOST_PAGES = 1_000

Do = Callable[[Coroutine[Any, Any, None]], None]
"""Runs work in the background."""

Press = Callable[[Call, str, "re.Match[str]"], None]


class Rewrite(Protocol):
    """Reads a prompt with the bot's own defaults."""

    def __call__(self, prompt: str, *, wordless: bool = False) -> Rewritten: ...


class Presses:
    """The buttons and modals of one bot."""

    def __init__(
        self, stage: Stage, studio: Studio, reading: Reading, rewrite: Rewrite, do: Do
    ) -> None:
        self.ends: dict[str, Notice] = {}
        """The notices of jobs that are to fail."""
        self._stage = stage
        self._studio = studio
        self._reading = reading
        self._rewrite = rewrite
        self._do = do
        self._pages: dict[str, tuple[Call, Parent]] = {}
        self._buttons = _table(
            (rf"MJ::CancelJob::ByJobid::{_JOB}", self._cancel),
            (rf"MJ::JOB::upsample::(?P<index>[1-4])::{_JOB}{_SOLO}", self._upscale),
            (rf"MJ::JOB::variation::(?P<index>[1-4])::{_JOB}{_SOLO}", self._vary),
            (rf"MJ::JOB::(?P<strength>low|high)_variation::1::{_JOB}::SOLO", self._vary_one),
            (rf"MJ::JOB::reroll::0::{_JOB}{_SOLO}", self._reroll),
            (rf"MJ::JOB::upsample_(?P<way>\w+)::1::{_JOB}::SOLO", self._enlarge),
            (rf"MJ::Outpaint::(?P<percent>50|75|100)::1::{_JOB}::SOLO", self._outpaint),
            (rf"MJ::CustomZoom::{_JOB}", self._custom_zoom),
            (rf"MJ::Inpaint::1::{_JOB}::SOLO", self._open_page),
            (rf"MJ::JOB::pan_(?P<way>left|right|up|down)::1::{_JOB}::SOLO", self._pan),
            (rf"MJ::JOB::animate_(?P<motion>high|low)::1::{_JOB}::SOLO", self._animate),
            (rf"MJ::JOB::animate_(?P<motion>high|low)_extend::1::{_JOB}", self._extend),
            (rf"MJ::JOB::video_virtual_upscale::(?P<index>[1-4])::{_JOB}", self._take_video),
            (rf"MJ::BOOKMARK::{_JOB}", self._bookmark),
            (r"MJ::Job::PicReader::(?P<number>[1-4])", self._pick_description),
            (r"MJ::Job::PicReader::all", self._imagine_all),
            (r"MJ::Picread::Retry", self._describe_again),
            (r"MJ::Job::PromptAnalyzer::(?P<number>[1-5])::(?P<token>.+)", self._pick_shortened),
            (r"MJ::Job::PromptAnalyzerExtended::(?P<token>.+)", self._details),
            (r"MJ::Settings::\w+", self._turn),
        )
        self._windows = _table(
            (modals.REMIX.pattern, self._remixed),
            (modals.PAN.pattern, self._panned),
            (modals.CUSTOM_ZOOM.pattern, self._zoomed),
            (modals.ANIMATE.pattern, self._animated),
            (modals.IMAGINE.pattern, self._imagined),
        )

    def take(self, call: Call, job_id: str) -> None:
        """Handle a pressed button or a submitted modal.

        Raises:
            Refused: it has no effect, or not now.
        """
        for form, press in self._buttons if call.kind == 3 else self._windows:
            if found := form.fullmatch(call.custom_id):
                press(call, job_id, found)
                return
        raise Refused("Job action restricted", "This action is not available for this image.")

    def queue(self, job: Job) -> None:
        self._studio.queue(job, self.ends.pop(job.id, None))

    def imagine(self, call: Call, job_id: str, prompt: str) -> None:
        """Queue a job for a prompt."""
        read = self._rewrite(prompt)
        self.queue(jobs.imagine(job_id, call, read, self._reading.scenes(_shown_links(read))))

    def page(self, token: str) -> tuple[Call, Parent] | None:
        """The call that opened an iframe modal; returned only once."""
        return self._pages.pop(token, None)

    def redraw(self, call: Call, job_id: str, parent: Parent, prompt: str, mask: bytes) -> None:
        """Repaint a region of an image, as its iframe modal requests."""
        read = self._rewrite(prompt or parent.job.prompt.shown)
        self.queue(jobs.region(job_id, call, parent, read, mask))

    # Buttons

    def _cancel(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        self._studio.cancel(call, found["job"])

    def _upscale(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        self.queue(jobs.upscale(job_id, call, self._parent(found)))

    def _vary(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        parent = self._parent(found)
        if self._remix(call):
            modals.remix(parent.job, parent.index or 1, strong=True).open(self._stage, call)
            return
        way = parent.job.random(job_id).choice(("Strong", ""))
        self.queue(jobs.variation(job_id, call, parent, way=way))

    def _vary_one(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        strong = found["strength"] == "high"
        parent = self._parent(found)
        if self._remix(call):
            modals.remix(parent.job, 1, strong=strong).open(self._stage, call)
            return
        way = "Strong" if strong else "Subtle"
        self.queue(jobs.variation(job_id, call, parent, way=way))

    def _reroll(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        old = self._studio.job(found["job"])
        if self._remix(call) and not old.videos:
            opening = modals.reroll(call.message_id or "0", old.prompt.shown)
            opening.open(self._stage, call)
            return
        self.queue(jobs.reroll(job_id, call, Parent(job=old), self._again(call, job_id, old)))

    def _enlarge(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        verb = found["way"]
        way = verb.rsplit("_", 1)[-1]
        factor = 4 if way == "4x" else 2
        named = way if way[0].isdigit() else way.title()
        self.queue(jobs.enlarge(job_id, call, self._parent(found), factor, named))

    def _outpaint(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        parent = self._parent(found)
        zoom = _ZOOMS.get(found["percent"])
        change = f"--zoom {zoom}" if zoom else "--ar 1:1 --zoom 1"
        read = self._rewrite(f"{parent.job.prompt.shown} {change}", wordless=True)
        self.queue(jobs.zoom(job_id, call, parent, read))

    def _custom_zoom(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        modals.custom_zoom(self._parent(found).job).open(self._stage, call)

    def _open_page(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        self._pages[job_id] = call, self._parent(found)
        if len(self._pages) > _MOST_PAGES:
            del self._pages[next(iter(self._pages))]
        path = f"/inpaint/index.html?customId={job_id}"
        self._stage.open_page(call, f"MJ::iframe::{job_id}", "Editor", path)

    def _pan(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        parent = self._parent(found)
        if self._remix(call):
            modals.pan(parent.job, found["way"]).open(self._stage, call)
            return
        self._queue_pan(call, job_id, parent, found["way"], parent.job.prompt.shown)

    def _animate(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        parent = self._parent(found)
        if self._remix(call):
            modals.animate(parent.job, found["motion"]).open(self._stage, call)
            return
        prompt = jobs.videoed(parent.job.prompt, found["motion"])
        self.queue(jobs.video(job_id, call, prompt, parent.scene, parent))

    def _extend(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        parent = self._parent(found)
        prompt = jobs.videoed(parent.job.prompt, found["motion"])
        self.queue(jobs.video(job_id, call, prompt, parent.scene, parent))

    def _take_video(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        parent = self._parent(found)
        if (parent.index or 1) > len(parent.job.videos):
            raise Refused("Job action restricted", "There is no such video.")
        self.queue(jobs.one_video(job_id, call, parent))

    def _bookmark(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        link = f"https://discord.com/channels/{call.guild_id}/{call.channel_id}/{call.message_id}"
        said = f"You have successfully rated [this job]({link}) with 😍"
        self._stage.respond(call, Draft(content=said, ephemeral=True))

    def _pick_description(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        number = int(found["number"])
        prompt = self._reading.described(call.message_id or "").prompts[number - 1]
        modals.describe(number, prompt).open(self._stage, call)

    def _imagine_all(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        prompts = self._reading.described(call.message_id or "").prompts
        for number, prompt in enumerate(prompts):
            each = job_id if number == 0 else jobs.new_id(Random(f"{job_id}/{number}"))
            self.imagine(call, each, prompt)

    def _describe_again(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        self._do(self._reading.describe(call, self._reading.described(call.message_id or "")))

    def _pick_shortened(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        prompt = self._reading.choice(found["token"], int(found["number"]))
        modals.reroll(call.message_id or "0", prompt).open(self._stage, call)

    def _details(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        self._reading.details(call, found["token"])

    def _turn(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        preferences = self._studio.preferences[call.user_id]
        turned(preferences, call.custom_id)
        self._stage.succeed(call)
        self._stage.edit(call.channel_id, call.message_id or "", settings(preferences))

    # Modals

    def _remixed(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        job = self._studio.job(found["job"])
        index = int(found["index"]) if len(job.tiles) > 1 else None
        way = "Strong" if found["strong"] == "1" else "Subtle"
        prompt = self._rewrite(_text(call), wordless=True)
        self.queue(jobs.variation(job_id, call, Parent(job=job, index=index), prompt, way))

    def _panned(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        self._queue_pan(call, job_id, self._parent(found), found["way"], _text(call))

    def _zoomed(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        read = self._rewrite(_text(call), wordless=True)
        if "zoom" not in read.parameters:
            raise Refused("Invalid parameter", "`--zoom` is missing: it takes 1 to 2.")
        self.queue(jobs.zoom(job_id, call, self._parent(found), read))

    def _animated(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        parent = self._parent(found)
        prompt = jobs.videoed(self._rewrite(_text(call), wordless=True), found["motion"])
        self.queue(jobs.video(job_id, call, prompt, parent.scene, parent))

    def _imagined(self, call: Call, job_id: str, found: "re.Match[str]") -> None:
        self.imagine(call, job_id, _text(call))

    # Helpers

    def _parent(self, found: "re.Match[str]") -> Parent:
        index = found.groupdict().get("index")
        return Parent(job=self._studio.job(found["job"]), index=int(index) if index else None)

    def _remix(self, call: Call) -> bool:
        return self._studio.preferences[call.user_id].remix

    def _queue_pan(self, call: Call, job_id: str, parent: Parent, way: str, prompt: str) -> None:
        wide, high = parent.job.size
        sides = (3 * wide, 2 * high) if way in ("left", "right") else (2 * wide, 3 * high)
        read = self._rewrite(f"{prompt} --ar {jobs.reduced(*sides)}", wordless=True)
        self.queue(jobs.pan(job_id, call, parent, read, way))

    def _again(self, call: Call, job_id: str, old: Job) -> Job:
        """A job like an earlier one, with new images."""
        parent, prompt = old.parent, old.prompt
        if parent is None or old.kind is Kind.REROLL:
            scenes = self._reading.scenes(_shown_links(prompt))
            if old.kind is Kind.BLEND:
                return jobs.blend(job_id, call, prompt, scenes or old.tiles)
            return jobs.imagine(job_id, call, prompt, scenes)
        match old.kind:
            case Kind.ZOOM:
                return jobs.zoom(job_id, call, parent, prompt)
            case Kind.PAN:
                way = old.form.removeprefix("Pan ").partition(" ")[0].lower()
                return jobs.pan(job_id, call, parent, prompt, way)
            case Kind.REGION if isinstance(old.tiles[0], Repainted):
                return jobs.region(job_id, call, parent, prompt, old.tiles[0].mask)
            case Kind.VIDEO:
                return jobs.video(job_id, call, prompt, old.tiles[0], parent)
            case _:
                return jobs.variation(job_id, call, parent)


def _table(*rows: tuple[str, Press]) -> tuple[tuple["re.Pattern[str]", Press], ...]:
    return tuple((re.compile(form), press) for form, press in rows)


def _text(call: Call) -> str:
    """The text in the modal's only input."""
    return next(iter(call.inputs.values()), "").strip()


def _shown_links(prompt: Rewritten) -> tuple[str, ...]:
    """Image prompts; a video's last frame is in a separate parameter."""
    end = prompt.parameters.get("end")
    return (*prompt.links, end.strip("<>")) if end else prompt.links
