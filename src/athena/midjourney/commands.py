"""Requests become what is done at Discord, and what the bot's answer to it will look like.

Commands are named here and looked up in Discord's index when they are sent; nothing knows an id
or a version by heart.
"""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from athena.midjourney import INSIGHT_FACE, MIDJOURNEY, NIJI, buttons, prompts
from athena.tasks.matching import Expected
from athena.tasks.model import Action, Bot, Speed, Task
from athena.tasks.requests import Imagine, Press

APPLICATIONS = {
    Bot.MIDJOURNEY: MIDJOURNEY,
    Bot.NIJI: NIJI,
    Bot.INSIGHT_FACE: INSIGHT_FACE,
}

_SPEEDS = {Speed.FAST: "fast", Speed.RELAX: "relax", Speed.TURBO: "turbo"}


class UseCommand(Struct, frozen=True, kw_only=True):
    application: str
    name: str
    options: dict[str, str]


class PressButton(Struct, frozen=True, kw_only=True):
    application: str
    message: str
    custom_id: str
    flags: int = 0


Deed: TypeAlias = UseCommand | PressButton


def deed(task: Task, links: Sequence[str] = ()) -> Deed:
    """What to do at Discord for a task; `links` are those of its uploaded pictures."""
    application = APPLICATIONS[task.bot]
    match task.request:
        case Imagine(prompt=prompt):
            text = " ".join([*links, with_speed(prompt, task.speed)])
            return UseCommand(application=application, name="imagine", options={"prompt": text})
        case Press(message=message, custom_id=custom_id, flags=flags):
            return PressButton(
                application=application, message=message, custom_id=custom_id, flags=flags
            )


def with_speed(prompt: str, speed: Speed | None) -> str:
    """The prompt with the parameter of a wished speed, unless it names a speed itself."""
    named = any(prompts.has(prompt, name) for name in _SPEEDS.values())
    return prompt if speed is None or named else f"{prompt} --{_SPEEDS[speed]}"


def expected(task: Task) -> Expected:
    """How the bot's messages on the task will begin, for matching without ids."""
    match task.request:
        case Imagine(prompt=prompt):
            return Expected(
                actions=frozenset({Action.IMAGINE, Action.VIDEO}), essence=prompts.essence(prompt)
            )
        case Press(custom_id=custom_id):
            meaning = buttons.meaning(custom_id)
            if meaning.action is Action.REROLL:
                return Expected(actions=frozenset({Action.REROLL, Action.IMAGINE, task.action}))
            return Expected(actions=frozenset({task.action}), index=meaning.index)
