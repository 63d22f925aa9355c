"""Who may come in (contracts: mj-dialect, section 9).

With a secret set, every call of a dialect must bring it: `mj-api-secret`, or `Authorization` with
or without the word Bearer. Without one the server is open, on a loopback address only; there,
pages of other sites are kept out by their Origin, and names that merely resolve to this machine
by their Host.
"""

import hmac
import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

from athena.settings import ServerSettings

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


class OpenToTheWorld(Exception):
    """Without a secret the server may only listen on a loopback address."""


class Gate:
    """Decides about one call by its headers."""

    def __init__(self, server: ServerSettings) -> None:
        secret = server.secret.get_secret_value() if server.secret else ""
        self._secret = secret.encode()
        self._only_local = not secret and not server.allow_open
        if self._only_local and not is_loopback(server.host):
            raise OpenToTheWorld(
                f"{server.host} can be reached from outside: set ATHENA_SERVER__SECRET, or "
                "ATHENA_SERVER__ALLOW_OPEN=1 if everyone may use your subscription"
            )

    def admits(self, headers: Headers) -> bool:
        """Whether a call with these headers may go on."""
        if self._secret:
            return any(self._is_secret(name, value) for name, value in headers)
        return not self._only_local or _is_local(headers)

    def _is_secret(self, name: bytes, value: bytes) -> bool:
        if name == b"authorization":
            value = value.removeprefix(b"Bearer ").strip()
        elif name != b"mj-api-secret":
            return False
        return hmac.compare_digest(value, self._secret)


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
