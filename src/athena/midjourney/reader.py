"""Reads what the bots say: a Discord message becomes a sighting.

The text of a job's message is a small language (contracts: midjourney-bot, sections 2 and 3):

    [lead] **PROMPT** - [form by ]<@USER>[ website][ (mark)]…[newline promotion]

The prompt may hold anything, the tail's own signs included, so the tail is matched from the last
`** - ` backwards and must reach the end of the text. The marks tell the state: `Waiting to start`,
`31%`, `fast`, `paused`, `Stopped`. No mark but a speed means done, if the picture is there.
No input raises; what is not understood becomes `Unknown`.
"""

import re
from enum import StrEnum

from msgspec import Struct

from athena.discord import wire
from athena.midjourney import INSIGHT_FACE, MIDJOURNEY, NIJI, buttons, notices, prompts
from athena.tasks.model import Action, Bot, Picture
from athena.tasks.sightings import (
    Evidence,
    Face,
    Finished,
    Notice,
    Progress,
    Sighting,
    Stopped,
    Unknown,
    Waiting,
)

BOTS = {MIDJOURNEY: Bot.MIDJOURNEY, NIJI: Bot.NIJI, INSIGHT_FACE: Bot.INSIGHT_FACE}
"""The application ids whose messages are read."""


class State(StrEnum):
    WAITING = "waiting"
    PROGRESS = "progress"
    DONE = "done"
    STOPPED = "stopped"
    UNCLEAR = "unclear"


class Reading(Struct, frozen=True, kw_only=True):
    """What the text alone says."""

    action: Action
    state: State
    prompt: str
    user: str
    percent: int | None = None
    mode: str | None = None
    index: int | None = None
    job: str | None = None


_LEAD = re.compile(
    r"(?:Making variations for image #(?P<vary>[1-4]) with prompt "
    r"|Upscaling image #(?P<upscale>[1-4]) with "
    r"|(?P<reroll>Rerolling )"
    r"|(?P<video>Creating video with prompt ))?\*\*"
)
_SEAM = "** - "
_TAIL = re.compile(
    r"(?:(?P<form>Variations|Remix|Upscaled|Upscaling|Zoom Out|Pan (?:Left|Right|Up|Down))"
    r"(?: \([^()\n]{1,40}\))? by |Image #(?P<image>[1-4]) )?"
    r"<@!?(?P<user>\d{1,20})>"
    r"(?: \[?\(Open on website for full quality\)\]?(?:\(<(?P<link>[^<>\s]*)>\))?)?"
    r"(?P<marks>(?: \([^()\n]{1,60}\))*)"
    r"\s*(?:\n(?:-# )?Create, explore, and organize[^\n]*)?\s*\Z"
)
_MARK = re.compile(r"\(([^()]*)\)")
_PERCENT = re.compile(r"(?:(?P<mode>\D*?) )?(?P<percent>\d{1,3})%")
_MODE = re.compile(r"(?:fast|relaxed|turbo)(?:, ?stealth)?|stealth")
_FILE_JOB = re.compile(rf"({buttons.JOB})(?=(?:_[a-z0-9_]+)?\.[a-z0-9]+\Z)")
_FORMS = {
    "Variations": Action.VARIATION,
    "Remix": Action.VARIATION,
    "Upscaled": Action.UPSCALE,
    "Upscaling": Action.UPSCALE,
    "Zoom Out": Action.ZOOM,
}


def read(message: wire.Message, me: str | None = None) -> Sighting | None:
    """What a message of a bot tells; None when it is not from a bot of Midjourney's.

    `me` is the account's user id; messages that name another user are marked as not our own.
    """
    bot = _bot(message)
    if bot is None:
        return None
    said = read_content(message.content)
    evidence = _evidence(message, bot, said, me)
    face = _face(message, said)
    for embed in message.embeds:
        if verdict := notices.verdict(embed):
            return Notice(
                evidence=evidence,
                verdict=verdict,
                title=embed.title,
                description=embed.description,
                face=face,
            )
    return _sighting(said, evidence, face)


def read_content(content: str) -> Reading | None:
    """What a job's text says, or None when it has not the form of one."""
    lead = _LEAD.match(content)
    if lead is None:
        return None
    seam = content.rfind(_SEAM)
    while seam >= lead.end():
        if tail := _TAIL.match(content, seam + len(_SEAM)):
            return _reading(lead, content[lead.end() : seam], tail)
        seam = content.rfind(_SEAM, 0, seam + len(_SEAM) - 1)
    return None


def job_of_file(filename: str) -> str | None:
    """The job uuid that a picture's name holds (contracts: midjourney-bot, section 2)."""
    found = _FILE_JOB.search(filename)
    return found.group(1) if found else None


def _reading(lead: re.Match[str], prompt: str, tail: re.Match[str]) -> Reading:
    marks = _MARK.findall(tail["marks"])
    percent, mode = _progress(marks)
    index = lead["vary"] or lead["upscale"] or tail["image"]
    return Reading(
        action=_action(lead, prompt, tail),
        state=_state(marks, percent),
        prompt=prompt,
        user=tail["user"],
        percent=percent,
        mode=mode,
        index=int(index) if index else None,
        job=buttons.job_of(tail["link"] or ""),
    )


def _action(lead: re.Match[str], prompt: str, tail: re.Match[str]) -> Action:
    if lead["vary"]:
        return Action.VARIATION
    if lead["upscale"] or tail["image"]:
        return Action.UPSCALE
    if lead["reroll"]:
        return Action.REROLL
    if lead["video"]:
        return Action.VIDEO
    if form := tail["form"]:
        return _FORMS.get(form, Action.PAN)
    return Action.VIDEO if prompts.has(prompt, "video") else Action.IMAGINE


def _progress(marks: list[str]) -> tuple[int | None, str | None]:
    percent: int | None = None
    mode: str | None = None
    for mark in marks:
        if _MODE.fullmatch(mark):
            mode = mark
        elif found := _PERCENT.fullmatch(mark):
            percent = min(int(found["percent"]), 100)
            mode = found["mode"] or mode
    return percent, mode


def _state(marks: list[str], percent: int | None) -> State:
    if "Stopped" in marks:
        return State.STOPPED
    if "Waiting to start" in marks:
        return State.WAITING
    if percent is not None or "paused" in marks:
        return State.PROGRESS
    known = all(_MODE.fullmatch(mark) for mark in marks)
    return State.DONE if known else State.UNCLEAR


def _bot(message: wire.Message) -> Bot | None:
    author = message.author.id if message.author else None
    return BOTS.get(author or "") or BOTS.get(message.application_id or "")


def _evidence(message: wire.Message, bot: Bot, said: Reading | None, me: str | None) -> Evidence:
    cause = message.interaction_metadata or message.interaction
    user = said.user if said else (cause.user.id if cause and cause.user else None)
    replied = message.message_reference if message.type == wire.REPLY else None
    return Evidence(
        message=message.id,
        nonce=str(message.nonce) if message.nonce is not None else None,
        interaction=cause.id if cause else None,
        parent_message=replied.message_id if replied else None,
        job=_job(message, said),
        bot=bot,
        user=user,
        action=said.action if said else None,
        prompt=said.prompt if said else None,
        index=said.index if said else None,
        own=me is None or user is None or user == me,
    )


def _job(message: wire.Message, said: Reading | None) -> str | None:
    for row in message.components:
        for part in row.components:
            if job := buttons.job_of(part.custom_id):
                return job
    for attachment in message.attachments:
        if job := job_of_file(attachment.filename):
            return job
    return said.job if said else None


def _face(message: wire.Message, said: Reading | None) -> Face:
    return Face(
        content=message.content,
        picture=_picture(message),
        buttons=buttons.shown(message),
        flags=message.flags,
        mode=said.mode if said else None,
    )


def _picture(message: wire.Message) -> Picture | None:
    if not message.attachments:
        return None
    first = message.attachments[0]
    return Picture(
        url=first.url,
        proxy_url=first.proxy_url,
        filename=first.filename,
        width=first.width,
        height=first.height,
        size=first.size,
        content_type=first.content_type,
    )


def _sighting(said: Reading | None, evidence: Evidence, face: Face) -> Sighting:
    if said is None:
        return Unknown(evidence=evidence, content=face.content)
    match said.state:
        case State.WAITING:
            return Waiting(evidence=evidence, face=face)
        case State.PROGRESS:
            return Progress(evidence=evidence, face=face, percent=said.percent)
        case State.STOPPED:
            return Stopped(evidence=evidence, face=face)
        case State.DONE if face.picture:
            return Finished(evidence=evidence, face=face)
        case State.DONE:
            return Progress(evidence=evidence, face=face)
        case State.UNCLEAR if face.picture and face.buttons:
            return Finished(evidence=evidence, face=face)
        case State.UNCLEAR:
            return Unknown(evidence=evidence, content=face.content)
