"""Who may come in (contracts: mj-dialect, section 9).

A call brings a secret: `mj-api-secret`, or `Authorization` with or without the word Bearer. It is
the operator's own, which may do everything, or a token that an administrator made. Without a
secret in the settings the server is open on a loopback address; there, pages of other sites are
kept out by their Origin, and names that merely resolve to this machine by their Host.
"""

import hmac
import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from athena.clock import Clock
from athena.errors import AthenaError
from athena.http import path_options
from athena.http.path_options import PathOptions
from athena.settings import ServerSettings
from athena.store.tokens import Role, Token, Tokens

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


class OpenToTheWorld(AthenaError):
    """Without a secret or a token the server may only listen on a loopback address."""


class Caller(Struct, frozen=True):
    """Who calls, as far as the server cares."""

    role: Role
    token: Token | None = None
    modes: PathOptions = path_options.NONE

    @property
    def only_reads(self) -> bool:
        return self.role is Role.READER

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


_OPERATOR = Caller(Role.ADMIN)
_ANYBODY = Caller(Role.USER)


class Authenticator:
    """Decides about one call by its headers."""

    def __init__(self, server: ServerSettings, tokens: Tokens, clock: Clock) -> None:
        secret = server.secret.get_secret_value() if server.secret else ""
        self._secret = secret.encode()
        self._tokens = tokens
        self._clock = clock
        self._opens_to_all = not secret and server.allow_open
        self._opens_here = not secret and is_loopback(server.host)
        if not (secret or self._opens_to_all or self._opens_here or tokens.all()):
            raise OpenToTheWorld(
                f"{server.host} can be reached from outside: set ATHENA_SERVER__SECRET, make a "
                "token with `athena token create`, or set ATHENA_SERVER__ALLOW_OPEN=1 if everyone "
                "may use your subscription"
            )

    @property
    def is_open(self) -> bool:
        """Whether a call without any secret may come in."""
        return self._opens_to_all or self._opens_here

    def knows(self, secret: str) -> bool:
        """Whether this is the operator's secret or a token."""
        operator = self._secret and hmac.compare_digest(secret.encode(), self._secret)
        return bool(operator) or self._tokens.find(secret, self._clock.now()) is not None

    def admit(self, headers: Headers) -> Caller | None:
        """Who calls, or None for somebody who may not."""
        for secret in _secrets(headers):
            if self._secret and hmac.compare_digest(secret, self._secret):
                return _OPERATOR
            token = self._tokens.find(secret.decode("latin-1"), self._clock.now())
            if token:
                return Caller(token.role, token, path_options.of_token(token))
        if self._opens_here and _is_local(headers):
            return _OPERATOR
        return _ANYBODY if self._opens_to_all else None


def _secrets(headers: Headers) -> Iterator[bytes]:
    """What a call brings as its secret; clients send empty ones too."""
    for name, value in headers:
        if name == b"authorization":
            value = value.removeprefix(b"Bearer ").strip()
        elif name != b"mj-api-secret":
            continue
        if value:
            yield value


def _is_local(headers: Headers) -> bool:
    for name, value in headers:
        if name == b"host" and not _leads_here(b"//" + value):
            return False
        if name == b"origin" and not _leads_here(value):
            return False
    return True


@lru_cache(maxsize=1024)
def _leads_here(url: bytes) -> bool:
    try:
        return is_loopback(urlsplit(url.decode("latin-1")).hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine and nothing else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
