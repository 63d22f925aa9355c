"""Translates requests into interactions at Discord, and into the answers expected from the bot.

Commands are named here and looked up in Discord's index when they are sent; ids and versions are
never hard-coded. Some requests take two steps, of which the first creates nothing: a modal is
opened and then submitted, a face is saved and then used, a video is selected from its grid and then
extended. `preparation` is the first step, `following` the second.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from athena.errors import AthenaError
from athena.midjourney import INSIGHT_FACE, MIDJOURNEY, NIJI, buttons, prompts
from athena.tasks.bot_events import BotEvent, Finished, Notice, Verdict
from athena.tasks.matching import Expected
from athena.tasks.model import Action, Bot, Task
from athena.tasks.requests import (
    Blend,
    Describe,
    Dimensions,
    Extend,
    Imagine,
    Press,
    Shorten,
    Show,
    SwapFace,
)

APPLICATIONS = {
    Bot.MIDJOURNEY: MIDJOURNEY,
    Bot.NIJI: NIJI,
    Bot.INSIGHT_FACE: INSIGHT_FACE,
}

_SHAPES = {
    Dimensions.PORTRAIT: "--ar 2:3",
    Dimensions.SQUARE: "--ar 1:1",
    Dimensions.LANDSCAPE: "--ar 3:2",
}


class Switch(StrEnum):
    """Commands that change an account's settings at Midjourney."""

    FAST = "fast"
    RELAX = "relax"
    TURBO = "turbo"
    STEALTH = "stealth"
    PUBLIC = "public"
    REMIX = "prefer remix"


class Question(StrEnum):
    """Commands that query those settings."""

    INFO = "info"
    SETTINGS = "settings"


class UseCommand(Struct, frozen=True, kw_only=True):
    """A command by its name as users type it (`imagine`, `prefer remix`)."""

    application: str
    name: str
    options: dict[str, str] = {}
    files: dict[str, int] = {}
    """Options that take an image, and the number of the task's upload."""
    uploaded: dict[str, str] = {}
    """Options that take an image already uploaded to Discord, and its name there."""


class PressButton(Struct, frozen=True, kw_only=True):
    application: str
    message: str
    custom_id: str
    flags: int = 0


Interaction: TypeAlias = UseCommand | PressButton


class CannotFollow(AthenaError):
    """The answer to the first step does not allow the second; the message says what is missing."""


def preparation(task: Task) -> Interaction | None:
    """The first step of a two-step request; None for other requests."""
    application = APPLICATIONS[task.bot]
    match task.request:
        case Press(custom_id=custom_id) if buttons.meaning(custom_id).modal:
            return _pressing(task, task.request)
        case SwapFace():
            options = {"idname": _face_name(task)}
            return UseCommand(
                application=application, name="saveid", options=options, files={"image": 0}
            )
        case Extend(message=message, custom_id=custom_id, flags=flags):
            return PressButton(
                application=application, message=message, custom_id=custom_id, flags=flags
            )
        case _:
            return None


def has_second_step(task: Task) -> bool:
    """Whether the answer to the first step is a message, after which the second step follows."""
    return isinstance(task.request, SwapFace | Extend)


def is_prepared(task: Task, seen: BotEvent) -> bool:
    """Whether a bot event is that answer."""
    match task.request:
        case SwapFace():
            kind = seen.verdict if isinstance(seen, Notice) else None
            return kind is Verdict.NOTICE or isinstance(seen, Finished)
        case Extend():
            return isinstance(seen, Finished)
        case _:
            return False


def following(task: Task, seen: BotEvent) -> Interaction:
    """The second step, now that the first has been answered.

    Raises:
        CannotFollow: the answer lacks the button to press.
    """
    match task.request:
        case Extend(then=then) if isinstance(seen, Finished):
            for button in seen.shown.buttons:
                if button.custom_id.startswith(then):
                    return PressButton(
                        application=APPLICATIONS[task.bot],
                        message=seen.evidence.message or "",
                        custom_id=button.custom_id,
                        flags=seen.shown.flags,
                    )
            raise CannotFollow("Midjourney does not offer to extend this video.")
        case _:
            return interaction(task)


def interaction(task: Task, links: Sequence[str] = ()) -> Interaction:
    """The interaction that makes a task; `links` are those of images that its prompt names."""
    application = APPLICATIONS[task.bot]

    def use(name: str, **options: str) -> UseCommand:
        return UseCommand(application=application, name=name, options=options)

    match task.request:
        case Imagine():
            return use("imagine", prompt=_text(task, task.request, links))
        case Blend(uploads=uploads, dimensions=dimensions):
            options = {"dimensions": _SHAPES[dimensions]} if dimensions else {}
            files = {f"image{number + 1}": number for number in range(uploads)}
            return UseCommand(application=application, name="blend", options=options, files=files)
        case Describe(uploaded=uploaded) if uploaded:
            return UseCommand(
                application=application, name="describe", uploaded={"image": uploaded}
            )
        case Describe(link=""):
            return UseCommand(application=application, name="describe", files={"image": 0})
        case Describe(link=link):
            return use("describe", link=link)
        case Shorten(prompt=prompt):
            return use("shorten", prompt=prompt)
        case Show(job=job):
            return use("show", job_id=job)
        case SwapFace():
            options = {"idname": _face_name(task)}
            return UseCommand(
                application=application, name="swapid", options=options, files={"image": 1}
            )
        case Press():
            return _pressing(task, task.request)
        case Extend():
            raise CannotFollow("a video is extended by pressing what its own message shows")


deed = interaction
"""The earlier name."""


def account_command(name: Switch | Question, bot: Bot = Bot.MIDJOURNEY) -> UseCommand:
    """A command about the account itself."""
    return UseCommand(application=APPLICATIONS[bot], name=name)


def show_command(job: str, bot: Bot) -> UseCommand:
    """`/show`, for use in the bot's direct channel."""
    return UseCommand(application=APPLICATIONS[bot], name="show", options={"job_id": job})


def expected(task: Task) -> Expected:
    """The start of the bot's messages about the task, for matching without ids."""
    made = frozenset({Action.IMAGINE, Action.VIDEO})
    match task.request:
        case Imagine(prompt=prompt):
            return Expected(
                actions=made, trigger=task.trigger, normalized=prompts.normalized(prompt)
            )
        case Blend():
            return Expected(actions=frozenset({Action.IMAGINE, Action.BLEND}), normalized="")
        case Press(custom_id=custom_id, reply=reply):
            meaning = buttons.meaning(custom_id)
            again = meaning.action is Action.REROLL
            actions = {Action.REROLL, Action.IMAGINE, task.action} if again else {task.action}
            normalized = prompts.normalized(reply.prompt) if reply and reply.prompt else None
            return Expected(actions=frozenset(actions), normalized=normalized, index=meaning.index)
        case Describe(filename=filename):
            kind = None if filename else task.action
            own = frozenset({task.action})
            return Expected(actions=own, file=filename or None, kind=kind)
        case Show():
            return Expected(actions=frozenset(Action))
        case _:
            return Expected(actions=frozenset({task.action}), kind=task.action)


def _pressing(task: Task, press: Press) -> PressButton:
    return PressButton(
        application=APPLICATIONS[task.bot],
        message=press.message,
        custom_id=press.custom_id,
        flags=press.flags,
    )


def _text(task: Task, request: Imagine, links: Sequence[str]) -> str:
    """Links first, then the correlation tag, the speed last; the last link of a video may be its
    last frame."""
    *before, end = links if request.end else (*links, "")
    prompt = f"{request.prompt} --end {end}" if request.end else request.prompt
    text = prompts.with_speed(" ".join([*before, prompt]), task.speed).strip()
    return prompts.marked(text, task.trigger) if task.trigger else text


def _face_name(task: Task) -> str:
    """A name of at most ten letters and digits for the saved face."""
    return f"a{task.id[-9:]}"
