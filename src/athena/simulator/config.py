"""Who lives in the stand-in's Discord: users, servers, channels, tokens. From a small TOML file.

    link_life = 86400                     # seconds that a CDN link lives
    heartbeat_interval = 41250            # milliseconds
    limits = true                         # enforce rate limits

    [[users]]
    name = "ada"
    token = "ada-token"
    plan = "standard"                     # basic, standard, pro or mega
    channel = "atelier"                   # made when no server has a channel of that name

Ids may be given (`id`, `channel_id`, `[guild] id`); those left out are made from the names, so the
same file gives the same ids every time.
"""

import hashlib
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct, field


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
    channel: str = "general"
    channel_id: str = ""
    id: str = ""
    bot: bool = False
    """A bot of the operator's own, which only listens."""


class GuildConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str = "1100000000000000001"
    name: str = "Athena's atelier"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    users: tuple[UserConfig, ...]
    guild: GuildConfig = field(default_factory=GuildConfig)
    link_life: float = 24 * 60 * 60.0
    heartbeat_interval: int = 41_250
    limits: bool = True

    def channel_of(self, user: UserConfig) -> str:
        """The id of a user's channel; users who name the same channel share it."""
        namesakes = (each for each in self.users if each.channel == user.channel)
        given = next((each.channel_id for each in namesakes if each.channel_id), "")
        return given or stable_id("channel", user.channel)


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
        config = msgspec.toml.decode(path.read_bytes(), type=Config)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadConfig(f"{path}: {error}") from error
    tokens = [user.token for user in config.users]
    if len(set(tokens)) != len(tokens):
        raise BadConfig(f"{path}: two users have the same token")
    return config


def stable_id(*names: str) -> str:
    """The id of something that the file names without one: 19 digits, the same every time."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return str(10**18 + int.from_bytes(digest[:7]) % 10**17)
