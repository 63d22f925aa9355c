"""The simulator's users, servers, channels and tokens, read from a TOML file.

    link_life = 86400                     # lifetime of a CDN link in seconds
    heartbeat_interval = 41250            # milliseconds
    limits = true                         # enforce rate limits

    [faults]                              # rates of faults (see faults.Rates)
    seed = 7
    drop_event = 0.01

    [[guilds]]                            # optional; there is a default server
    name = "atelier"

    [[users]]
    name = "ada"
    token = "ada-token"
    plan = "standard"                     # basic, standard, pro or mega
    guild = "atelier"                     # optional; the default is the first one
    channel = "general"

Ids are optional (`id`, `channel_id`). Missing ids are derived from the names, so the same file
always gives the same ids.
"""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from athena.simulator.faults import Rates, rates


class Plan(StrEnum):
    """Midjourney's plans, which set the number of concurrent jobs."""

    BASIC = "basic"
    STANDARD = "standard"
    PRO = "pro"
    MEGA = "mega"


class BadConfig(ValueError):
    """The file is invalid; the message says why."""


class UserConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    token: str
    plan: Plan = Plan.STANDARD
    guild: str = ""
    channel: str = "general"
    channel_id: str = ""
    id: str = ""
    bot: bool = False
    """The operator's own bot, which only listens."""


class GuildConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    id: str = ""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    users: tuple[UserConfig, ...]
    guilds: tuple[GuildConfig, ...] = (
        GuildConfig(name="Athena's atelier", id="1100000000000000001"),
    )
    link_life: float = 24 * 60 * 60.0
    heartbeat_interval: int = 41_250
    limits: bool = True
    faults: Rates = Rates()

    def channel_of(self, user: UserConfig) -> str:
        """The id of a user's channel; users who name the same channel share it."""
        guild_id = self.guild_of(user)
        given = (
            each.channel_id
            for each in self.users
            if each.channel_id and each.channel == user.channel and self.guild_of(each) == guild_id
        )
        return next(given, "") or stable_id("channel", guild_id, user.channel)

    def id_of(self, user: UserConfig) -> str:
        """The id of a user."""
        return user.id or stable_id("user", user.name)

    def guild_of(self, user: UserConfig) -> str:
        """The id of a user's server."""
        named = (guild for guild in self.guilds if guild.name == user.guild)
        return guild_id(next(named, self.guilds[0]))


DEMO = Config(
    users=(
        UserConfig(
            id="1100000000000000101",
            name="demo",
            token="demo-user-token",  # noqa: S106
            channel="demo",
            channel_id="1100000000000000201",
        ),
        UserConfig(
            id="1100000000000000102",
            name="demo_two",
            token="demo-user-token-2",  # noqa: S106
            channel="demo-two",
            channel_id="1100000000000000202",
            plan=Plan.PRO,
        ),
        UserConfig(
            id="1100000000000000103",
            name="listener",
            token="demo-bot-token",  # noqa: S106
            channel="demo",
            bot=True,
        ),
    )
)
"""Two users with a channel each, and a bot that listens."""


def load(path: Path) -> Config:
    """Read a configuration.

    Raises:
        BadConfig: the file cannot be read, is not TOML, or has invalid values.
    """
    try:
        read = msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
        faults = rates(read.pop("faults", {}))
        config = structs.replace(msgspec.convert(read, Config), faults=faults)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadConfig(f"{path}: {error}") from error
    names = {guild.name for guild in config.guilds}
    if not names:
        raise BadConfig(f"{path}: no guild is defined")
    if unknown := {user.guild for user in config.users} - names - {""}:
        raise BadConfig(f"{path}: unknown guild {', '.join(sorted(unknown))}")
    tokens = [user.token for user in config.users]
    if len(set(tokens)) != len(tokens):
        raise BadConfig(f"{path}: two users have the same token")
    return config


def guild_id(guild: GuildConfig) -> str:
    """A server's id."""
    return guild.id or stable_id("guild", guild.name)


def stable_id(*names: str) -> str:
    """A deterministic id for an entry without one: 19 digits."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return str(10**18 + int.from_bytes(digest[:7]) % 10**17)
