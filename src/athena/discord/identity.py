"""The identity of a client, and Discord's base URLs.

A user session looks like a browser's: IDENTIFY, the X-Super-Properties header and the User-Agent
have the same properties (contracts: discord-wire,
sections 1 and 3). A token is sent only to Discord's API and gateway.
"""

import base64
import re
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/146.0.0.0 Safari/537.36"
)
_BUILD = 502_913
_CAPABILITIES = 16_381

GUILDS = 1 << 0
GUILD_MESSAGES = 1 << 9
DIRECT_MESSAGES = 1 << 12
MESSAGE_CONTENT = 1 << 15


class IdentityKind(Enum):
    USER = "user"
    BOT = "bot"


class Endpoints(Struct, frozen=True, kw_only=True):
    """Base URLs. An empty gateway URL is requested from Discord."""

    api_url: str = "https://discord.com/api/v9"
    gateway_url: str = ""
    cdn_url: str = "https://cdn.discordapp.com"
    apps_url: str = "https://936929561302675456.discordsays.com"

    def trusts(self, gateway_url: str) -> bool:
        """Whether a token may be sent to this gateway: as secure as the API, and in the same
        domain."""
        api, gateway = urlsplit(self.api_url), urlsplit(gateway_url)
        if api.scheme == "https" and gateway.scheme != "wss":
            return False
        host = gateway.hostname or ""
        if api.hostname in ("discord.com", "discordapp.com"):
            return host == "discord.gg" or host.endswith(".discord.gg")
        return host in (api.hostname, urlsplit(self.gateway_url).hostname)


class Identity(Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """One token and its client properties."""

    token: str
    kind: IdentityKind = IdentityKind.USER
    user_agent: str = BROWSER

    def __repr__(self) -> str:
        return f"Identity({self.kind.value})"

    @property
    def is_bot(self) -> bool:
        return self.kind is IdentityKind.BOT

    def headers(self) -> dict[str, str]:
        """The headers of a REST call."""
        if self.is_bot:
            return {"Authorization": f"Bot {self.token}", "User-Agent": _BOT_AGENT}
        return {
            "Authorization": self.token,
            "User-Agent": self.user_agent,
            "X-Super-Properties": _super_properties(self.user_agent),
            "X-Discord-Locale": "en-US",
        }

    def properties(self) -> dict[str, Any]:
        """The client properties of a session."""
        if self.is_bot:
            return {"os": "linux", "browser": "athena", "device": "athena"}
        return _browser_properties(self.user_agent)

    def identify(self) -> dict[str, Any]:
        """The data of IDENTIFY (op 2); the token has no prefix, for users and bots alike."""
        if self.is_bot:
            intents = GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES | MESSAGE_CONTENT
            return {"token": self.token, "intents": intents, "properties": self.properties()}
        return {
            "token": self.token,
            "capabilities": _CAPABILITIES,
            "properties": self.properties(),
            "presence": {"status": "online", "since": 0, "activities": [], "afk": False},
            "compress": False,
            "client_state": {"guild_versions": {}},
        }


_BOT_AGENT = "DiscordBot (athena, 1)"


def _browser_properties(user_agent: str) -> dict[str, Any]:
    version = re.search(r"(?:Chrome|Firefox|Version)/([\d.]+)", user_agent)
    return {
        "os": _os(user_agent),
        "browser": "Firefox" if "Firefox/" in user_agent else "Chrome",
        "device": "",
        "system_locale": "en-US",
        "browser_user_agent": user_agent,
        "browser_version": version.group(1) if version else "",
        "os_version": "10",
        "referrer": "",
        "referring_domain": "",
        "referrer_current": "",
        "referring_domain_current": "",
        "release_channel": "stable",
        "client_build_number": _BUILD,
        "client_event_source": None,
    }


@lru_cache(maxsize=64)
def _super_properties(user_agent: str) -> str:
    """Made once for each browser: all accounts that look like it share the text."""
    return base64.b64encode(msgspec.json.encode(_browser_properties(user_agent))).decode()


def _os(user_agent: str) -> str:
    if "Windows" in user_agent:
        return "Windows"
    return "Mac OS X" if "Mac OS X" in user_agent else "Linux"
