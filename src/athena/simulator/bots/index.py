"""The bots' commands with the public ids and versions (contracts: midjourney-bot, section 1)."""

from athena.simulator.stage import Json

MIDJOURNEY = "936929561302675456"

_STRING, _ATTACHMENT = 3, 11
_PROMPT: Json = {"type": _STRING, "name": "prompt", "description": "The prompt", "required": True}

_COMMANDS: tuple[tuple[str, str, str, str, tuple[Json, ...]], ...] = (
    ("imagine", "938956540159881230", "1237876415471554623", "Create images", (_PROMPT,)),
)


def midjourney_commands() -> tuple[Json, ...]:
    """The entries of those commands that the stand-in's Midjourney plays."""
    return tuple(
        {
            "id": command_id,
            "application_id": MIDJOURNEY,
            "version": version,
            "type": 1,
            "name": name,
            "description": description,
            "options": list(options),
            "dm_permission": True,
            "integration_types": [0, 1],
        }
        for name, command_id, version, description, options in _COMMANDS
    )
