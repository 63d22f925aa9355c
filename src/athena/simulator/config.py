"""Who lives in the simulator's Discord: users, servers, channels, tokens. From a small TOML file.

    link_life = 86400                     # seconds that a CDN link lives
    heartbeat_interval = 41250            # milliseconds
    limits = true                         # enforce rate limits

    [faults]                              # what goes wrong, and how often (see faults.Rates)
    seed = 7
    drop_event = 0.01

    [[guilds]]                            # one is there when none is named
    name = "atelier"

    [[users]]
    name = "ada"
    token = "ada-token"
    plan = "standard"                     # basic, standard, pro or mega
    guild = "atelier"                     # the first one when left out
    channel = "general"

Ids may be given (`id`, `channel_id`); those left out are made from the names, so the same file
gives the same ids every time.
"""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from athena.simulator.faults import Rates, rates


class Plan(StrEnum):
    """Midjourney's plans, which set how many jobs run at once."""

    BASIC = "basic"
    STANDARD = "standard"
    PRO = "pro"
    MEGA = "mega"


class BadConfig(ValueError):
    """The file cannot be used; the text says why."""


class UserConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    token: str
    plan: Plan = Plan.STANDARD
    guild: str = ""
    channel: str = "general"
    channel_id: str = ""
    id: str = ""
    bot: bool = False
    """A bot of the operator's own, which only listens."""


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
        BadConfig: the file cannot be read, is no TOML, or says something impossible.
    """
    try:
        read = msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
        faults = rates(read.pop("faults", {}))
        config = structs.replace(msgspec.convert(read, Config), faults=faults)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadConfig(f"{path}: {error}") from error
    names = {guild.name for guild in config.guilds}
    if not names:
        raise BadConfig(f"{path}: there is no guild")
    if strangers := {user.guild for user in config.users} - names - {""}:
        raise BadConfig(f"{path}: there is no guild {', '.join(sorted(strangers))}")
    tokens = [user.token for user in config.users]
    if len(set(tokens)) != len(tokens):
        raise BadConfig(f"{path}: two users have the same token")
    return config


def guild_id(guild: GuildConfig) -> str:
    """A server's id."""
    return guild.id or stable_id("guild", guild.name)


def stable_id(*names: str) -> str:
    """The id of something that the file names without one: 19 digits, the same every time."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return str(10**18 + int.from_bytes(digest[:7]) % 10**17)
