"""The bodies of interactions: use a command (type 2), press a component (3), submit a modal (5).

Source: contracts, discord-wire, section 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from athena.discord.wire import Command, ModalCreate, Uploaded

_SUB_COMMAND, _STRING, _ATTACHMENT = 1, 3, 11


class InteractionContext(Struct, frozen=True, kw_only=True):
    """Where an interaction happens: server, channel, and the session that is told of it."""

    guild_id: str | None
    """None in a direct channel."""
    channel_id: str
    session_id: str


def command(
    used: Command,
    options: Mapping[str, str],
    context: InteractionContext,
    nonce: str,
    attachments: Sequence[tuple[str, Uploaded]] = (),
    sub_command: str = "",
) -> dict[str, Any]:
    """Use a command, or one of its sub-commands, with text options and (option name, file)
    attachments."""
    texts = [{"type": _STRING, "name": name, "value": text} for name, text in options.items()]
    files = [
        {"type": _ATTACHMENT, "name": name, "value": int(file.id)} for name, file in attachments
    ]
    given: list[dict[str, Any]] = texts + files
    if sub_command:
        given = [{"type": _SUB_COMMAND, "name": sub_command, "options": given}]
    data = {
        "version": used.version,
        "id": used.id,
        "name": used.name,
        "type": 1,
        "options": given,
        "attachments": [file for _, file in attachments],
    }
    return _interaction(2, used.application_id, context, nonce, data)


def press(
    application_id: str,
    message_id: str,
    custom_id: str,
    context: InteractionContext,
    nonce: str,
    message_flags: int = 0,
) -> dict[str, Any]:
    """Press a button of a message."""
    body = _interaction(
        3, application_id, context, nonce, {"component_type": 2, "custom_id": custom_id}
    )
    return {**body, "message_id": message_id, "message_flags": message_flags}


def submit_modal(
    modal: ModalCreate, inputs: Mapping[str, str], context: InteractionContext, nonce: str
) -> dict[str, Any]:
    """Submit a modal with its own id, custom_id and input ids."""
    rows = [
        {"type": 1, "components": [{"type": 4, "custom_id": name, "value": text}]}
        for name, text in inputs.items()
    ]
    data = {"id": modal.id, "custom_id": modal.custom_id, "components": rows}
    application_id = modal.application.id if modal.application else ""
    return _interaction(5, application_id, context, nonce, data)


def _interaction(
    kind: int, application_id: str, context: InteractionContext, nonce: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "type": kind,
        "application_id": application_id,
        "guild_id": context.guild_id,
        "channel_id": context.channel_id,
        "session_id": context.session_id,
        "nonce": nonce,
        "data": data,
    }
