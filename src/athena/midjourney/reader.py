"""Reads the bots' messages: a Discord message becomes a bot event.

The readers are tried in this order: a seed, a text answer, a notice, the panel of the account's
settings, a job's text (`jobtext`). A message that none of them understands becomes `Unknown`. No
input raises.
"""

import re
from urllib.parse import urlsplit

from msgspec.structs import replace

from athena.discord import wire
from athena.midjourney import (
    INSIGHT_FACE,
    MIDJOURNEY,
    NIJI,
    answers,
    buttons,
    jobtext,
    notices,
    prompts,
)
from athena.midjourney.jobtext import JobState, Reading
from athena.midjourney.notices import Said
from athena.tasks.bot_events import (
    AccountInfo,
    BotEvent,
    Evidence,
    Finished,
    MessageContent,
    Notice,
    Progress,
    SeedInfo,
    Stopped,
    Unknown,
    Verdict,
    Waiting,
)
from athena.tasks.model import Action, Bot, Image

BOTS = {MIDJOURNEY: Bot.MIDJOURNEY, NIJI: Bot.NIJI, INSIGHT_FACE: Bot.INSIGHT_FACE}
"""The application ids whose messages are read."""

_LOADING = 128
"""Message flag: a deferred response; an edit will have the content."""

_FILE_JOB = re.compile(rf"({buttons.JOB})(?=(?:_[a-z0-9_]+)?\.[a-z0-9]+\Z)")


def read(message: wire.Message, me: str | None = None) -> BotEvent | None:
    """The bot event of a message; None if it is not from one of Midjourney's bots.

    `me` is the account's user id; messages that mention another user are marked as not our own.
    """
    bot = _bot(message)
    return None if bot is None else read_as(bot, message, me)


def read_as(bot: Bot, message: wire.Message, me: str | None = None) -> BotEvent:
    """The same for a message that is known, or assumed, to be from this bot."""
    said = jobtext.read(message.content)
    evidence = _evidence(message, bot, said, me)
    shown = _content(message, said)
    return (
        _seed(message, evidence)
        or _words(message, evidence, shown)
        or _notice(message, said, evidence, shown)
        or _settings(message, evidence)
        or _job_event(message, said, evidence, shown)
    )


def job_of_file(filename: str) -> str | None:
    """The job uuid in an image's name (contracts: midjourney-bot, section 2)."""
    found = _FILE_JOB.search(filename)
    return found.group(1) if found else None


# Kinds of messages


def _seed(message: wire.Message, evidence: Evidence) -> BotEvent | None:
    answer = answers.seed_of(message.content)
    return SeedInfo(evidence=evidence, job=answer[0], seed=answer[1]) if answer else None


def _notice(
    message: wire.Message, text: Reading | None, evidence: Evidence, shown: MessageContent
) -> BotEvent | None:
    embedded = (notice for embed in message.embeds if (notice := notices.of_embed(embed)))
    said = next(embedded, None) or (notices.of_text(message.content) if text is None else None)
    if said is None:
        return None
    if said.profile:
        return AccountInfo(evidence=evidence, profile=said.profile)
    return _noticed(said, evidence, shown)


def _noticed(said: Said, evidence: Evidence, shown: MessageContent) -> Notice:
    return Notice(
        evidence=evidence,
        verdict=said.verdict,
        title=said.title,
        description=said.description,
        shown=shown,
    )


def _words(message: wire.Message, evidence: Evidence, shown: MessageContent) -> BotEvent | None:
    for embed in message.embeds:
        if answer := answers.words_of(embed):
            return Finished(
                evidence=replace(evidence, action=answer[0], file=_file_of(embed)),
                shown=replace(shown, image=shown.image or _embedded(embed)),
                text=answer[1],
            )
        if profile := answers.info_of(embed):
            return AccountInfo(evidence=evidence, profile=profile)
    return None


def _settings(message: wire.Message, evidence: Evidence) -> BotEvent | None:
    profile = answers.settings_of(message)
    return AccountInfo(evidence=evidence, profile=profile) if profile else None


def _job_event(
    message: wire.Message, said: Reading | None, evidence: Evidence, shown: MessageContent
) -> BotEvent:
    if said is None:
        return _without_text(message, evidence, shown)
    match said.state:
        case JobState.WAITING:
            return Waiting(evidence=evidence, shown=shown)
        case JobState.PROGRESS:
            return Progress(evidence=evidence, shown=shown, percent=said.percent)
        case JobState.STOPPED:
            return Stopped(evidence=evidence, shown=shown)
        case JobState.DONE if shown.image:
            return Finished(evidence=evidence, shown=shown)
        case JobState.DONE:
            return Progress(evidence=evidence, shown=shown)
        case JobState.UNCLEAR if shown.image and shown.buttons:
            return Finished(evidence=evidence, shown=shown)
        case JobState.UNCLEAR:
            return Unknown(evidence=evidence, content=shown.content)


def _without_text(message: wire.Message, evidence: Evidence, shown: MessageContent) -> BotEvent:
    """A message without a job's text: a deferred response, or one of the face swap bot."""
    if message.flags & _LOADING and not message.content and not message.embeds:
        return Waiting(evidence=evidence, shown=shown)
    if evidence.bot is not Bot.INSIGHT_FACE:
        return Unknown(evidence=evidence, content=shown.content)
    if shown.image:
        return Finished(evidence=replace(evidence, action=Action.SWAP_FACE), shown=shown)
    said = " ".join([message.content, *(embed.description for embed in message.embeds)]).strip()
    return Notice(
        evidence=evidence, verdict=Verdict.NOTICE, title="", description=said, shown=shown
    )


# Parts of a message


def _bot(message: wire.Message) -> Bot | None:
    author = message.author.id if message.author else None
    return BOTS.get(author or "") or BOTS.get(message.application_id or "")


def _evidence(message: wire.Message, bot: Bot, said: Reading | None, me: str | None) -> Evidence:
    cause = message.interaction_metadata or message.interaction
    user = said.user if said else (cause.user.id if cause and cause.user else None)
    replied = message.message_reference if message.type == wire.REPLY else None
    return Evidence(
        message=message.id or None,
        nonce=str(message.nonce) if message.nonce is not None else None,
        interaction=cause.id if cause else None,
        parent_message=replied.message_id if replied else None,
        job=_job(message, said),
        bot=bot,
        user=user,
        action=said.action if said else None,
        prompt=prompts.unmarked(said.prompt) if said else None,
        trigger=prompts.mark_in(said.prompt) if said else None,
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


def _content(message: wire.Message, said: Reading | None) -> MessageContent:
    return MessageContent(
        content=message.content,
        image=_image(message),
        buttons=buttons.shown(message),
        flags=message.flags,
        mode=said.mode if said else None,
    )


def _image(message: wire.Message) -> Image | None:
    if not message.attachments:
        return None
    first = message.attachments[0]
    return Image(
        url=first.url,
        id=first.id,
        proxy_url=first.proxy_url,
        filename=first.filename,
        width=first.width,
        height=first.height,
        size=first.size,
        content_type=first.content_type,
    )


def _file_of(embed: wire.Embed) -> str | None:
    """The name of the file in an embed."""
    if embed.image is None:
        return None
    return urlsplit(embed.image.url).path.rpartition("/")[2] or None


def _embedded(embed: wire.Embed) -> Image | None:
    image = embed.image
    if image is None or not image.url:
        return None
    return Image(url=image.url, proxy_url=image.proxy_url, width=image.width, height=image.height)
