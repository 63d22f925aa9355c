"""All settings of an operator, and their sources.

Sources, the first that names a value wins: arguments of the program, the environment
(`ATHENA_…`, nested by two underscores), `.env` in the working folder, `athena.toml` there (or the
file that `ATHENA_CONFIG` names). One account may also come from the plain names USER_TOKEN,
GUILD_ID and CHANNEL_ID (contracts: athena-dialect, section 4), or from the one-line files of a
folder `Keys` (athena-dialect, the terminal tool). A token that is given nowhere is read from
the system's keyring, if the package for that is installed.

The older server's QUEUE_RELEASE_API and DRAW_VERSION have no effect here: slots are given back by
themselves, and Discord says which version a command has.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from athena.tasks.model import ImageLinks, Speed


class DiscordSettings(BaseModel):
    """Discord's addresses. Only these differ between Discord and the simulator."""

    api_url: str = "https://discord.com/api/v9"
    gateway_url: str = ""
    """Empty: ask Discord for it."""
    cdn_url: str = "https://cdn.discordapp.com"
    apps_url: str = "https://936929561302675456.discordsays.com"
    proxy_url: str = ""
    user_agent: str = ""
    """Empty: a current browser's."""
    rest_connections: int = Field(default=100, ge=1, le=10_000)
    """The most connections to Discord's API at a time, of all accounts together."""


class AccountSettings(BaseModel):
    """One Discord user with a Midjourney plan, in one channel."""

    token: SecretStr
    bot_token: SecretStr | None = None
    """Of a bot in the same channel that listens in the user's place; it sees neither nonces nor
    ephemeral messages, so modals and the account's settings are out of its reach."""
    guild_id: str = Field(pattern=r"^\d{1,20}$")
    channel_id: str = Field(pattern=r"^\d{1,20}$")
    enable: bool = True
    """False: it does not sign in and takes nothing."""
    user_agent: str = ""
    """The browser that it looks like; empty: that of the Discord settings."""
    remark: str = ""
    allow_modes: list[Speed] = list(Speed)
    """The speeds in which it may be asked to work."""
    mode: Speed | None = None
    """The speed of tasks that name none; None: as is set at Midjourney."""
    weight: int = Field(default=1, ge=1, le=1000)
    """Its share under the choice rule Weight."""
    core_size: int = Field(default=3, ge=1, le=15)
    """Jobs that may run at once (mj-dialect: coreSize)."""
    queue_size: int = Field(default=10, ge=0, le=100_000)
    """Tasks that may wait (mj-dialect: queueSize)."""
    modal_limit: int = Field(default=50, ge=1, le=10_000)
    """Tasks that may wait for their user to fill in a modal."""
    remix_auto_submit: bool = False
    """With Remix on: submit the modals of reroll, variation and pan as they are."""
    relax_when_exhausted: bool = False
    """Switch to relaxed mode when the plan's fast hours are used up."""
    refresh_minutes: float = Field(default=360, ge=0)
    """How often `/info` and `/settings` are queried; 0: never."""
    timeout_minutes: float = Field(default=5, gt=0, le=24 * 60)
    """How long a job may give no sign of life before it fails; twice as long for videos, six times
    as long in relaxed mode."""
    send_again: bool = False
    """Send a command again when it is unknown whether Discord accepted it and no message about it
    arrived. A job may then be created twice; False: the task fails and says so."""


class AccountChoice(BaseModel):
    rule: Literal["BestWaitIdle", "Random", "Weight", "Polling"] = "BestWaitIdle"


class ServerSettings(BaseModel):
    host: str = "127.0.0.1"
    port: int = Field(default=8062, ge=0, le=65535)
    secret: SecretStr | None = None
    """The API secret. None: open on a loopback address, closed elsewhere."""
    allow_open: bool = False
    """Serve without a secret on addresses that are not loopback. At your own risk."""
    body_limit_mb: int = Field(default=50, ge=1, le=500)
    public_url: str = ""
    """This server as its users reach it, for links in webhooks; empty: as it listens."""


class ImageSettings(BaseModel):
    links: ImageLinks = ImageLinks.ORIGIN
    """What kind of image link is given where neither token nor path says it."""
    proxy_host: str = ""
    """The host of `proxy` links, e.g. `https://img.example.com`."""
    store_url: str = ""
    """Where relayed images are kept: `s3://bucket/path` (credentials from the environment), or
    empty for the folder `images` in the data folder."""


class WebhookSettings(BaseModel):
    url: str = ""
    """The webhook of tasks that name none."""
    signing_secret: SecretStr | None = None
    """`whsec_…`: webhooks are signed with it (Standard Webhooks)."""
    allow_loopback: bool = False
    """Let `http://localhost:…` be a webhook, for development."""


class PromptSettings(BaseModel):
    banned_words_file: Path | None = None
    """One word or phrase a line, added to the built-in list; `-word` takes one out of it. None:
    `banned_words.txt` in the data folder. Read again whenever it changes."""
    built_in_words: bool = True
    """False: only the words of that file count."""


class TranslationSettings(BaseModel):
    """Prompts are translated into English before they are sent, results into Chinese."""

    provider: Literal["none", "openai", "baidu", "deepl"] = "none"
    url: str = ""
    """Empty: the provider's own. For `openai`, any server that speaks its chat completions."""
    key: SecretStr = SecretStr("")
    app_id: str = ""
    """Baidu's."""
    model: str = "gpt-4o-mini"
    timeout: float = Field(default=5, gt=0, le=60)
    """Seconds before a prompt goes on untranslated."""


class RetentionSettings(BaseModel):
    """How long things are kept; None: for ever. Unfinished tasks are always kept."""

    tasks_days: float | None = Field(default=None, gt=0)
    tasks_most: int | None = Field(default=None, ge=1)
    """More ended tasks than so many are deleted, the oldest first, with their images."""
    images_days: float | None = Field(default=None, gt=0)
    """Relayed images; one that is asked for again is fetched again."""
    refused_prompts_days: float | None = Field(default=None, gt=0)
    usage_days: float | None = Field(default=None, gt=1)
    """The tasks that each token asked for, by day."""


class LogSettings(BaseModel):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    json_lines: bool = False


class _FormerSections(BaseSettings):
    """Sections by the names that they had in earlier versions."""

    model_config = SettingsConfigDict(
        env_prefix="ATHENA_", env_nested_delimiter="__", env_file=".env", extra="ignore"
    )

    pictures: dict[str, object] = {}
    hooks: dict[str, object] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls, _toml())


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="ATHENA_",
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Path("data")
    accounts: list[AccountSettings] = []
    choice: AccountChoice = AccountChoice()
    """Which account takes a task."""
    discord: DiscordSettings = DiscordSettings()
    server: ServerSettings = ServerSettings()
    images: ImageSettings = ImageSettings()
    webhooks: WebhookSettings = WebhookSettings()
    prompts: PromptSettings = PromptSettings()
    translation: TranslationSettings = TranslationSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()

    @property
    def banned_words_file(self) -> Path:
        """The operator's own list of banned words."""
        return self.prompts.banned_words_file or self.data_dir / "banned_words.txt"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            TomlConfigSettingsSource(settings_cls, _toml()),
            FormerNames(settings_cls),
            PlainNames(settings_cls),
        )

    @model_validator(mode="after")
    def _one_account_a_channel(self) -> "Settings":
        channels = [account.channel_id for account in self.accounts]
        twice = {channel for channel in channels if channels.count(channel) > 1}
        if twice:
            raise ValueError(f"channels named by more than one account: {', '.join(sorted(twice))}")
        return self


_LEVELS = {
    "DEBUG": "DEBUG", "INFO": "INFO", "WARN": "WARNING", "WARNING": "WARNING", "ERROR": "ERROR",
}  # fmt: skip


class FormerNames(PydanticBaseSettingsSource):
    """Settings whose names have changed, by their former ones."""

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        former = _FormerSections()
        named = {"images": former.pictures, "webhooks": former.hooks}
        return {name: section for name, section in named.items() if section}


def _toml() -> Path:
    return Path(os.environ.get("ATHENA_CONFIG", "athena.toml"))


class PlainNames(PydanticBaseSettingsSource):
    """One account, a webhook and the log level by the names that the older server used."""

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        names = {**_keys(Path("Keys")), **_dotenv(self.settings_cls), **os.environ}
        if names.get("CHANNEL_ID") and not names.get("USER_TOKEN"):
            names["USER_TOKEN"] = _from_keyring(names["CHANNEL_ID"])
        found: dict[str, object] = {}
        if {"USER_TOKEN", "GUILD_ID", "CHANNEL_ID"} <= {k for k, v in names.items() if v}:
            found["accounts"] = [_plain_account(names)]
        if webhook := names.get("CALLBACK_URL"):
            found["webhooks"] = {"url": webhook}
        if proxy := names.get("PROXY_URL"):
            found["discord"] = {"proxy_url": proxy}
        if (level := names.get("LOG_LEVEL", "").upper()) in _LEVELS:
            found["log"] = {"level": _LEVELS[level]}
        return found


_KEYS = {
    "authToken": "USER_TOKEN",
    "API_channel_id": "CHANNEL_ID",
    "DiscordServerID": "GUILD_ID",
    "API_guild_id": "GUILD_ID",
}
"""Files of the folder `Keys`, and what they hold. `API_session_id` may be there and is not needed:
the session comes from the gateway."""


def _keys(folder: Path) -> dict[str, str]:
    """What the older tool's folder holds; empty files say nothing."""
    found = {}
    for file, name in _KEYS.items():
        path = folder / f"{file}.key"
        if path.is_file() and (text := path.read_text().strip()):
            found[name] = text
    return found


def _from_keyring(channel: str) -> str:
    """The token that `athena config init --keyring` kept; empty when there is none."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return keyring.get_password("athena", channel) or ""
    except KeyringError:
        return ""


def meaningless(settings_cls: type[BaseSettings]) -> list[str]:
    """The older server's settings that are set and mean nothing here."""
    names = {**_dotenv(settings_cls), **os.environ}
    return [name for name in ("QUEUE_RELEASE_API", "DRAW_VERSION") if names.get(name)]


def _dotenv(settings_cls: type[BaseSettings]) -> dict[str, str]:
    source = DotEnvSettingsSource(settings_cls, case_sensitive=True)
    return {name: value for name, value in source.env_vars.items() if value is not None}


def _plain_account(names: dict[str, str]) -> dict[str, object]:
    return {
        "token": names["USER_TOKEN"],
        **({"bot_token": names["BOT_TOKEN"]} if names.get("BOT_TOKEN") else {}),
        "guild_id": names["GUILD_ID"],
        "channel_id": names["CHANNEL_ID"],
        **({"core_size": names["CONCUR_SIZE"]} if names.get("CONCUR_SIZE") else {}),
        **({"queue_size": names["WAIT_SIZE"]} if names.get("WAIT_SIZE") else {}),
    }
