"""Explains how Athena interprets a bot's message: the core of `athena read`.

The field names are those used in reports: action, state, prompt, progress,
mode, index, job, title, modal, supported, and seed; a field that does not apply is absent.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from athena.discord import wire
from athena.errors import AthenaError
from athena.midjourney import buttons, jobtext, reader
from athena.tasks.bot_events import (
    AccountInfo,
    BotEvent,
    Finished,
    Notice,
    Progress,
    SeedInfo,
    Stopped,
    Verdict,
    Waiting,
)
from athena.tasks.model import Bot

Explanation = dict[str, Any]


class NotAMessage(AthenaError, ValueError):
    """The object is not a bot's message; the error message says why."""


def explain(said: Mapping[str, Any]) -> Explanation:
    """Explain a message object, or one part of one: content, embed, filename or custom_id.

    Raises:
        NotAMessage: it is neither.
    """
    found = _part(said)
    return {name: value for name, value in found.items() if value is not None}


def _part(said: Mapping[str, Any]) -> Explanation:
    match said:
        case {"t": str(), "d": Mapping() as data}:
            return _part(data)
        case {"custom_id": str(custom_id)} if "components" not in said:
            return _button(custom_id)
        case {"filename": str(filename)} if "attachments" not in said:
            return {"job": reader.job_of_file(filename)}
        case {"embed": Mapping() as embed}:
            return _message({"embeds": [embed]})
        case {"content": _} | {"embeds": _} | {"components": _} | {"attachments": _}:
            return _message(said)
    raise NotAMessage("neither a message nor its content, embed, filename or custom_id")


def _button(custom_id: str) -> Explanation:
    meaning = buttons.meaning(custom_id)
    return {
        "action": meaning.action,
        "index": meaning.index,
        "job": buttons.job_of(custom_id),
        "modal": meaning.modal if meaning.supported else None,
        "supported": meaning.supported,
    }


def _message(said: Mapping[str, Any]) -> Explanation:
    try:
        message = msgspec.convert({**said, "id": "0"}, wire.Message, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise NotAMessage(f"not as Discord writes it: {error}") from error
    event = reader.read(message) or reader.read_as(Bot.MIDJOURNEY, message)
    text = jobtext.read(message.content)
    evidence = event.evidence
    return {
        "action": evidence.action,
        "state": _state(event, text),
        "prompt": event.text if isinstance(event, Finished) and event.text
        else (text.prompt if text else None),
        "progress": event.percent if isinstance(event, Progress) else None,
        "mode": text.mode if text else None,
        "index": evidence.index,
        "job": event.job if isinstance(event, SeedInfo) else evidence.job,
        "title": _title(event, message),
        "seed": event.seed if isinstance(event, SeedInfo) else None,
    }  # fmt: skip


_FATES: dict[type, str] = {Waiting: "waiting", Finished: "done", Stopped: "failed"}


def _state(event: BotEvent, text: jobtext.Reading | None) -> str:
    match event:
        case Notice(verdict=verdict):
            return verdict.value
        case AccountInfo() | SeedInfo():
            return Verdict.NOTICE.value
        case Progress() if text and text.state is jobtext.State.DONE:
            return "done"
        case Progress():
            return "progress"
        case _:
            return _FATES.get(type(event), "unknown")


def _title(event: BotEvent, message: wire.Message) -> str | None:
    if isinstance(event, Notice) and event.title:
        return event.title
    return next((embed.title for embed in message.embeds if embed.title), None)
