"""What handlers get: the services, and the call that they answer."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from athena.clock import Clock
from athena.delivery.fetching import Fetcher
from athena.delivery.guard import Guard
from athena.delivery.served import Gallery
from athena.delivery.webhooks import Webhooks
from athena.errors import BadRequest, NotAllowed
from athena.http.auth import Authenticator, Caller, Headers
from athena.http.events import Feed
from athena.http.image_links import Links
from athena.http.mj.responses import Language
from athena.http.path_options import PathOptions
from athena.midjourney.moderation import WordList
from athena.service.accounts import AccountService
from athena.service.buttons import ButtonService
from athena.service.files import FileService
from athena.service.health import Health
from athena.service.idempotency import IdempotencyKey
from athena.service.ids import TriggerIds
from athena.service.link_renewal import LinkRenewal
from athena.service.preferences import Preferences
from athena.service.quotas import Quotas
from athena.service.task_queries import TaskQueries
from athena.service.tasks import TaskService
from athena.service.token_registry import TokenRegistry
from athena.settings import Settings
from athena.store.encryption import Encryption
from athena.tasks.model import Task

KEY = "athena.call"
"""The key in the ASGI scope under which the fast path stores the call."""

_LONGEST_KEY = 255


class Services(Struct, frozen=True, kw_only=True):
    """Everything that handlers use."""

    settings: Settings
    preferences: Preferences
    clock: Clock
    queries: TaskQueries
    tasks: TaskService
    buttons: ButtonService
    files: FileService
    accounts: AccountService
    triggers: TriggerIds
    banned: WordList
    health: Health
    token_registry: TokenRegistry
    authenticator: Authenticator
    fetcher: Fetcher
    guard: Guard
    webhooks: Webhooks
    gallery: Callable[[], Gallery]
    """Opens the relayed images; the decoders are loaded at the first use."""
    renewal: LinkRenewal
    quotas: Quotas
    feed: Feed
    encryption: Encryption

    def links(self, options: PathOptions, base: str) -> Links:
        """How links are made for a call with these options."""
        return Links(
            options.image_links or self.preferences.links,
            self.settings.server.public_url.rstrip("/") or base,
            options.image_host or self.settings.images.proxy_host or None,
            None if self.authenticator.is_open else self.encryption,
        )


class Call(Struct, frozen=True, kw_only=True):
    """One call: who makes it, with which options, and in which language it is answered."""

    caller: Caller
    path_options: PathOptions
    """Those of the token, then those of the path."""
    links: Links
    language: Language
    key: str | None = None
    """Its `Idempotency-Key`."""

    def once(self, asked: Struct) -> IdempotencyKey | None:
        """The key together with a fingerprint of the request; None without a key.

        Raises:
            BadRequest: the key is not valid.
        """
        if self.key is None:
            return None
        if not 1 <= len(self.key) <= _LONGEST_KEY or not self.key.isprintable():
            raise BadRequest(f"Idempotency-Key: 1 to {_LONGEST_KEY} printable characters")
        token = self.caller.token
        asked_for = (type(asked).__name__, asked, self.path_options)
        fingerprint = hashlib.sha256(msgspec.json.encode(asked_for, order="deterministic"))
        return IdempotencyKey(f"{token.id if token else ''}:{self.key}", fingerprint.hexdigest())

    def must_own(self, task: Task) -> None:
        """Reject callers who do not own the task; administrators may do everything.

        Raises:
            NotAllowed: the task is another token's.
        """
        token = self.caller.token
        if not self.caller.is_admin and task.token != (token.id if token else None):
            raise NotAllowed("this task belongs to another token")

    def must_be_admin(self) -> None:
        """Reject everybody who is not an administrator.

        Raises:
            NotAllowed: the caller is not an administrator.
        """
        if not self.caller.is_admin:
            raise NotAllowed("this needs an administrator's token")


def base_of(headers: Headers, scheme: Any) -> str:
    """The server's URL as the call addresses it."""
    host = next((value for name, value in headers if name == b"host"), b"localhost")
    return f"{scheme}://{host.decode('latin-1')}"


def key_of(headers: Headers) -> str | None:
    """The `Idempotency-Key` header."""
    found = (value for name, value in headers if name == b"idempotency-key")
    given = next(found, None)
    return None if given is None else given.decode("latin-1")


def language_of(headers: Headers) -> Language:
    header = next((value for name, value in headers if name == b"accept-language"), b"")
    return Language.of(header.decode("latin-1"))
