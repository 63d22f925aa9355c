"""Discord's objects in the complete form that Discord sends, so that any library can read them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from athena.clock import Millis
from athena.simulator.stage import Json


def timestamp(moment: Millis) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat()


def user(user_id: str, name: str, *, bot: bool = False) -> Json:
    return {
        "id": user_id,
        "username": name,
        "global_name": None if bot else name,
        "discriminator": "0000" if bot else "0",
        "avatar": None,
        "bot": bot,
        "public_flags": 65536 if bot else 0,
        "clan": None,
        "avatar_decoration_data": None,
        "banner": None,
    }


def member(of: Json, joined: Millis) -> Json:
    return {
        "user": of,
        "nick": None,
        "avatar": None,
        "roles": [],
        "joined_at": timestamp(joined),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }


def channel(channel_id: str, guild_id: str, name: str, position: int) -> Json:
    return {
        "id": channel_id,
        "type": 0,
        "guild_id": guild_id,
        "name": name,
        "position": position,
        "permission_overwrites": [],
        "topic": None,
        "nsfw": False,
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "parent_id": None,
        "flags": 0,
    }


def direct_channel(channel_id: str, recipients: Sequence[Json]) -> Json:
    return {
        "id": channel_id,
        "type": 1,
        "recipients": list(recipients),
        "last_message_id": None,
        "flags": 0,
    }


def guild(
    guild_id: str, name: str, owner_id: str, channels: Sequence[Json], members: Sequence[Json]
) -> Json:
    everyone = {
        "id": guild_id,
        "name": "@everyone",
        "color": 0,
        "hoist": False,
        "position": 0,
        "permissions": str((1 << 41) - 1),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    return {
        "id": guild_id,
        "name": name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": owner_id,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [everyone],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "joined_at": timestamp(1_700_000_000_000),
        "large": False,
        "unavailable": False,
        "member_count": len(members),
        "members": list(members),
        "channels": list(channels),
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def application(app_id: str, name: str) -> Json:
    return {
        "id": app_id,
        "name": name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 1 << 19,
        "owner": user(app_id, name, bot=True),
        "team": None,
        "install_params": None,
    }


def message(
    message_id: str, channel_id: str, author: Json, sent: Millis, fields: Mapping[str, object]
) -> Json:
    """A message; `fields` replace the defaults."""
    return {
        "id": message_id,
        "channel_id": channel_id,
        "type": 0,
        "content": "",
        "author": author,
        "timestamp": timestamp(sent),
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "flags": 0,
        **fields,
    }
