"""Outgoing links that users give: which may be called at all.

A webhook must be http(s) with a domain name (contracts: mj-dialect, section 10). The name is
resolved again for each connection and every address that is not public is refused then, so a name
that changes its address after it was checked gains nothing. `localhost` is for development and
needs the operator's word.
"""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

_LONGEST = 2000
_PATIENCE = 2.0
"""Seconds for a name to be resolved while its giver waits."""


class BadLink(ValueError):
    """The link may not be called; the text says why."""


def check_link(url: str, name: str, *, allow_loopback: bool) -> None:
    """Refuse a link that may never be called, without asking the network. `name` is what the
    error calls it.

    Raises:
        BadLink: no http(s), no domain name, an IP address, or longer than 2,000 characters.
    """
    host = _host(url, name)
    if host == "localhost" or host.endswith(".localhost"):
        if not allow_loopback:
            raise BadLink(f"{name}: localhost is not allowed here")
    elif "." not in host:
        raise BadLink(f"{name} must have a domain name")


def _host(url: str, name: str) -> str:
    if len(url) > _LONGEST:
        raise BadLink(f"{name} is longer than {_LONGEST} characters")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError as error:
        raise BadLink(f"{name} is not a valid link") from error
    if parts.scheme not in ("http", "https") or not host:
        raise BadLink(f"{name} must be an http or https link")
    if _is_address(host):
        raise BadLink(f"{name} must have a domain name, not an IP address")
    return host.lower()


def _is_address(host: str) -> bool:
    """Whether it is an address in any way of writing that resolvers take, `0x7f.1` included."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rsplit(".", 1)[-1]
        return last.isdecimal() or last.lower().startswith("0x")
    return True


class Guard:
    """Checks links when they are given, so that their giver hears of it at once. The resolver
    checks again for each connection."""

    def __init__(self, resolver: "PublicResolver", *, allow_loopback: bool) -> None:
        self._resolver = resolver
        self._allow_loopback = allow_loopback

    async def check(self, url: str, name: str) -> None:
        """Refuse a link that may never be called, or whose name leads to no public address. A
        name that cannot be resolved now is let pass: it may be known later.

        Raises:
            BadLink: as `check_link`, or only private addresses.
        """
        check_link(url, name, allow_loopback=self._allow_loopback)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._resolver.resolve(_host(url, name))
        except NoPublicAddress as error:
            raise BadLink(f"{name} leads into a private network") from error
        except (OSError, TimeoutError):
            pass


class NoPublicAddress(OSError):
    """A name leads to addresses, none of which may be called."""


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only; with `allow_loopback`, to this machine too."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        allowed = [result for result in found if self._allows(result["host"])]
        if not allowed:
            raise NoPublicAddress(f"{host} has no public address")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()

    def _allows(self, address: str) -> bool:
        ip = ipaddress.ip_address(address)
        return ip.is_global or (self._allow_loopback and ip.is_loopback)
