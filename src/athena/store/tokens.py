"""API tokens: who may call the server, and with which fixed options.

A token's secret is shown once, when it is made. Only its SHA-256 is stored, from which nobody can
compute 256 random bits. All tokens are held in memory, so a call costs no query.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct, structs

from athena.store.record_kinds import RecordKind
from athena.tasks.model import ImageLinks, Millis, Speed

_PREFIX = "at-"
"""How every secret begins, so that people and scanners recognise one."""


class Role(StrEnum):
    READER = "reader"
    """May look at everything that users see, and ask for nothing."""
    USER = "user"
    ADMIN = "admin"


class Token(Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    name: str
    hash: str
    role: Role = Role.USER
    speed: Speed | None = None
    """The speed of all its tasks, whatever the path says."""
    image_links: ImageLinks | None = msgspec.field(default=None, name="images")
    """The kind of all its image links, whatever the path says."""
    image_host: str | None = msgspec.field(default=None, name="images_host")
    """Its own host for `proxy` links."""
    rate: int | None = None
    """Submits a minute."""
    daily_limit: int | None = None
    """Tasks a day (UTC)."""
    created_at: Millis = 0
    expires_at: Millis | None = None

    def is_valid(self, now: Millis) -> bool:
        return self.expires_at is None or now < self.expires_at


TOKENS = RecordKind("token", Token)


def new(name: str, now: Millis, **given: object) -> tuple[Token, str]:
    """A new token and its secret.

    Raises:
        msgspec.ValidationError: a field that a token cannot have.
    """
    secret = _PREFIX + secrets.token_urlsafe(32)
    made = {"id": secrets.token_hex(6), "hash": digest(secret), "created_at": now}
    names = {field.name: field.encode_name for field in structs.fields(Token)}
    fields = {**given, "name": name, **made}
    return msgspec.convert({names[key]: value for key, value in fields.items()}, Token), secret


def digest(secret: str) -> str:
    """The hash that is stored for a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Tokens:
    """The known tokens, by the hashes of their secrets."""

    def __init__(self, known: Sequence[Token] = ()) -> None:
        self._by_hash: dict[str, Token] = {}
        self.replace(known)

    def replace(self, known: Sequence[Token]) -> None:
        self._by_hash = {token.hash: token for token in known}

    def all(self) -> list[Token]:
        return list(self._by_hash.values())

    def find(self, secret: str, now: Millis) -> Token | None:
        """The token of a secret, unless it has expired."""
        kept = digest(secret)
        token = self._by_hash.get(kept)
        if token is None or not hmac.compare_digest(token.hash, kept):
            return None
        return token if token.is_valid(now) else None
