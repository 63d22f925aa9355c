"""The text of a job's message, a small language (contracts: midjourney-bot, sections 2 and 3):

    [lead ]**PROMPT** - [form by ]<@USER>[ website][ (mark)]…[newline promotion]

The prompt may contain any text, including the separators of the tail, so the tail is matched from
the last `** - ` backwards and must reach the end of the text. The marks give the state: `Waiting to
start`, `31%`, `fast`, `paused`, `Stopped`. Lead and form contain the action as a verb; new models
use new wordings, so the verb may be anywhere in them. No input raises.
"""

import re
from enum import StrEnum

from msgspec import Struct

from athena.midjourney import buttons, prompts
from athena.tasks.model import Action


class JobState(StrEnum):
    WAITING = "waiting"
    PROGRESS = "progress"
    DONE = "done"
    STOPPED = "stopped"
    UNCLEAR = "unclear"


class Reading(Struct, frozen=True, kw_only=True):
    """The information in the text alone."""

    action: Action
    state: JobState
    prompt: str
    user: str
    percent: int | None = None
    mode: str | None = None
    index: int | None = None
    job: str | None = None


_LEAD = re.compile(r"(?P<lead>[A-Z][^*\n]{0,80}? )?\*\*")
_SEAM = "** - "
_TAIL = re.compile(
    r"(?:(?P<form>[A-Z][A-Za-z]*(?: [A-Za-z]+){0,3}(?: \([^()\n]{1,40}\))?) by "
    r"|Image #(?P<image>[1-4]) (?:by )?)?"
    r"<@!?(?P<user>\d{1,20})>"
    r"(?P<marks>(?: ?(?:\[\(?[^\[\]()\n]{1,60}\)?\]\(<?[^<>\s()]{0,300}>?\)|\([^()\n]{1,60}\)))*)"
    r"\s*(?:\n(?:-# |Create, explore)[^\n]*\s*)*\Z"
)
_LINK = re.compile(r"\[[^\[\]]*\]\(<?(?P<url>[^<>()]*)>?\)")
_MARK = re.compile(r"\(([^()]*)\)")
_PERCENT = re.compile(r"(?:(?P<mode>[^\d%]*?),? ?)?(?P<percent>\d{1,3}) ?%[^\d%]*")
_MODE = re.compile(r"(?:fast|relaxed|turbo|metered)(?:, ?stealth)?|stealth")
_NUMBER = re.compile(r"#([1-4])\b")
_ENDED = frozenset({"stopped", "cancelled", "canceled"})
_IDLE = frozenset({"paused"})
_QUEUED = frozenset({"waiting to start", "queued"})

_VERBS: tuple[tuple[re.Pattern[str], Action], ...] = tuple(
    (re.compile(verbs), action)
    for verbs, action in (
        (r"\b(?:vari|remix)", Action.VARIATION),
        (r"upscal", Action.UPSCALE),
        (r"\breroll", Action.REROLL),
        (r"\b(?:zoom|mak\w+ square|outpaint)", Action.ZOOM),
        (r"\bpan(?:ning)?\b", Action.PAN),
        (r"\b(?:video|animat|extend)", Action.VIDEO),
        (r"\bblend", Action.BLEND),
        (r"\b(?:edit|retextur|refram)", Action.EDIT),
    )
)


def read(content: str) -> Reading | None:
    """The information in a job's text, or None if it does not have that form."""
    lead = _LEAD.match(content)
    if lead is None:
        return None
    seam = content.rfind(_SEAM)
    while seam >= lead.end():
        if tail := _TAIL.match(content, seam + len(_SEAM)):
            return _reading(lead["lead"] or "", content[lead.end() : seam], tail)
        seam = content.rfind(_SEAM, 0, seam + len(_SEAM) - 1)
    return None


def _reading(lead: str, prompt: str, tail: re.Match[str]) -> Reading:
    link = _LINK.search(tail["marks"])
    marks = _MARK.findall(_LINK.sub("", tail["marks"]))
    percent, mode = _progress(marks)
    return Reading(
        action=_action(lead, prompt, tail),
        state=_state(marks, percent),
        prompt=prompt,
        user=tail["user"],
        percent=percent,
        mode=mode,
        index=_index(lead, tail),
        job=buttons.job_of(link["url"]) if link else None,
    )


def _index(lead: str, tail: re.Match[str]) -> int | None:
    numbered = _NUMBER.search(lead)
    number = numbered[1] if numbered else tail["image"]
    return int(number) if number else None


def _action(lead: str, prompt: str, tail: re.Match[str]) -> Action:
    """The verb of the lead, else of the form; the prompt's parameters identify a video."""
    if tail["image"]:
        return Action.UPSCALE
    said = (lead or tail["form"] or "").lower()
    for verbs, action in _VERBS:
        if verbs.search(said):
            return action
    return Action.VIDEO if prompts.has(prompt, "video") else Action.IMAGINE


def _progress(marks: list[str]) -> tuple[int | None, str | None]:
    percent: int | None = None
    mode: str | None = None
    for mark in marks:
        if _MODE.fullmatch(mark):
            mode = mark
        elif found := _PERCENT.fullmatch(mark):
            percent = min(int(found["percent"]), 100)
            named = found["mode"] or ""
            mode = named if _MODE.fullmatch(named) else mode
    return percent, mode


def _state(marks: list[str], percent: int | None) -> JobState:
    said = {mark.lower() for mark in marks}
    if said & _ENDED:
        return JobState.STOPPED
    if said & _QUEUED:
        return JobState.WAITING
    if percent is not None or said & _IDLE:
        return JobState.PROGRESS
    known = all(_MODE.fullmatch(mark) or mark.startswith("Open on ") for mark in marks)
    return JobState.DONE if known else JobState.UNCLEAR
