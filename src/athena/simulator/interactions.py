"""POST /interactions: validates requests as Discord does, then calls the bot.

Source: contracts, discord-wire, section 3.
"""

from io import BytesIO
from typing import Any

import msgspec
from msgspec import Struct
from PIL import Image, UnidentifiedImageError

from athena.simulator.errors import (
    invalid_form,
    missing_access,
    unknown_channel,
    unknown_interaction,
    unknown_message,
)
from athena.simulator.sessions import Account
from athena.simulator.stage import Call, Json, Player
from athena.simulator.world import World

_COMMAND, _COMPONENT, _WINDOW = 2, 3, 5
_ATTACHMENT = 11


class Body(Struct, kw_only=True):
    type: int
    application_id: str
    channel_id: str
    data: dict[str, Any]
    guild_id: str | None = None
    session_id: str = ""
    nonce: str | int | None = None
    message_id: str | None = None
    message_flags: int = 0


def take(world: World, account: Account, raw: bytes) -> None:
    """Validate an interaction, notify its session, and call the bot.

    Raises:
        ApiError: Discord would refuse it; it has no effect.
    """
    body = _decode(raw)
    if body.channel_id not in world.channels:
        raise unknown_channel()
    if not world.may_see(account, body.channel_id):
        raise missing_access()
    player = world.players.get(body.application_id)
    if player is None:
        raise invalid_form("application_id", "INVALID_APPLICATION", "Unknown application")
    call = _call(world, account, body)
    world.announce(call)
    player.called(call)


def _decode(raw: bytes) -> Body:
    try:
        return msgspec.json.decode(raw, type=Body)
    except msgspec.MsgspecError as error:
        raise invalid_form("_body", "BASE_TYPE_REQUIRED", str(error)) from error


def _call(world: World, account: Account, body: Body) -> Call:
    match body.type:
        case 2:
            specific = _command(world, body)
        case 3:
            specific = _press(world, body)
        case 5:
            specific = _modal(world, body)
        case _:
            raise invalid_form("type", "BASE_TYPE_CHOICES", "Value must be one of (2, 3, 5).")
    return Call(
        id=str(world.ids.make()),
        kind=body.type,
        application_id=body.application_id,
        guild_id=body.guild_id,
        channel_id=body.channel_id,
        user_id=account.id,
        username=str(account.user["username"]),
        session_id=body.session_id,
        nonce=None if body.nonce is None else str(body.nonce),
        **specific,
    )


def _command(world: World, body: Body) -> Json:
    data = body.data
    entry = _entry(world.players[body.application_id], str(data.get("id")))
    if entry is None or entry["name"] != data.get("name"):
        raise invalid_form("data.id", "INTERACTION_COMMAND_INVALID", "Unknown command")
    if str(data.get("version")) != world.version(entry):
        raise invalid_form(
            "data.version",
            "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION",
            "This command is outdated, please try again in a few minutes",
        )
    if chosen := _sub_command(body, entry):
        return {"name": chosen["name"], "options": _options(world, body, chosen)}
    return {"name": entry["name"], "options": _options(world, body, entry)}


def _sub_command(body: Body, entry: Json) -> Json | None:
    """The chosen subcommand of a command such as `/prefer remix`, with its options.

    Raises:
        ApiError: the command has subcommands, and none was chosen.
    """
    parts = {each["name"]: each for each in entry.get("options") or () if each["type"] == 1}
    if not parts:
        return None
    given: Json = next(iter(body.data.get("options") or ()), {})
    if given.get("name") not in parts:
        raise invalid_form(
            "data.options", "APPLICATION_COMMAND_OPTIONS_VALUE_REQUIRED", "Choose a sub-command"
        )
    body.data["options"] = given.get("options") or ()
    return dict(parts[given["name"]])


def _entry(player: Player, command_id: str) -> Json | None:
    return next((each for each in player.commands() if each["id"] == command_id), None)


def _options(world: World, body: Body, entry: Json) -> Json:
    given = {option.get("name"): option for option in body.data.get("options") or ()}
    known = {option["name"] for option in entry.get("options") or ()}
    for option in entry.get("options") or ():
        if option.get("required") and option["name"] not in given:
            raise invalid_form(
                "data.options", "APPLICATION_COMMAND_OPTIONS_VALUE_REQUIRED",
                f"Required option {option['name']!r} is missing",
            )  # fmt: skip
    files = _files(world, body)
    return {
        name: files.get(str(option.get("value")))
        if option.get("type") == _ATTACHMENT
        else option.get("value")
        for name, option in given.items()
        if name in known
    }


def _files(world: World, body: Body) -> Json:
    return {
        str(each.get("id")): attach(world, body.channel_id, each)
        for each in body.data.get("attachments") or ()
    }


def attach(world: World, channel_id: str, given: Json) -> Json:
    """The attachment object of an uploaded file.

    Raises:
        ApiError: no bytes were uploaded under its name.
    """
    announced = world.files.announced.get(str(given.get("uploaded_filename")))
    if announced is None or announced.data is None:
        raise invalid_form("attachments", "UPLOAD_NOT_FOUND", "Uploaded file not found.")
    size, kind = _measure(announced.data)
    name = str(given.get("filename") or announced.filename)
    file = world.files.add_bytes(channel_id, name, announced.data, size, kind)
    return world.files.attachment(file)


def _measure(data: bytes) -> tuple[tuple[int, int] | None, str]:
    try:
        with Image.open(BytesIO(data)) as image:
            return image.size, image.get_format_mimetype() or "application/octet-stream"
    except (UnidentifiedImageError, OSError, ValueError):
        return None, "application/octet-stream"


def _press(world: World, body: Body) -> Json:
    custom_id = str(body.data.get("custom_id", ""))
    message = world.message(body.channel_id, body.message_id or "")
    if message is None:
        raise unknown_message()
    offered = {part.get("custom_id") for row in message["components"] for part in row["components"]}
    if custom_id not in offered:
        raise invalid_form(
            "data.custom_id", "COMPONENT_VALIDATION_FAILED", "Component validation failed"
        )
    values = tuple(body.data.get("values") or ())
    return {"custom_id": custom_id, "message_id": body.message_id, "values": values}


def _modal(world: World, body: Body) -> Json:
    modal = world.submitted(str(body.data.get("id")), str(body.data.get("custom_id")))
    if modal is None:
        raise unknown_interaction()
    rows = body.data.get("components") or ()
    inputs = {
        str(part.get("custom_id")): str(part.get("value", ""))
        for row in rows
        for part in row.get("components") or ()
    }
    message_id = modal.call.message_id
    return {"custom_id": modal.custom_id, "message_id": message_id, "inputs": inputs}
