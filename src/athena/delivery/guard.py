"""Outgoing links that users give: which may be called at all.

A webhook must be http(s) with a domain name (contracts: mj-dialect, section 10). Three checks stand
behind each other:

1. `check_link` judges the link as aiohttp reads it: yarl normalizes the host (UTS 46), so an
   address written with other digits or dots counts as the address that it becomes.
2. `PublicResolver` resolves the name again for each connection and drops every address that is not
   public, so a name that changes its address after it was checked gains nothing.
3. `guarded_connector` judges the address once more when the socket is made. aiohttp does not ask
   the resolver for a host that is an address; it always makes a socket.

What is public says `public_addresses`. `localhost` is for development and needs the operator's
permission.
"""

import asyncio
import ipaddress
import re
import socket
from functools import partial

from aiohttp import AddrInfoType, TCPConnector, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from athena.delivery.public_addresses import is_loopback, is_public
from athena.errors import AthenaError

_LONGEST = 2000
_RESOLVE_TIMEOUT = 2.0
"""Seconds for a name to be resolved while its caller waits."""

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


class BadLink(AthenaError, ValueError):
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
    """The host that aiohttp would connect to: normalized, in lower case, without a last dot."""
    if len(url) > _LONGEST:
        raise BadLink(f"{name} is longer than {_LONGEST} characters")
    try:
        link = URL(url)
    except ValueError as error:  # UnicodeError, of names that no DNS knows, is one
        raise BadLink(f"{name} is not a valid link") from error
    host = (link.raw_host or "").lower().removesuffix(".")
    if link.scheme not in ("http", "https") or not host:
        raise BadLink(f"{name} must be an http or https link")
    if _is_address(host):
        raise BadLink(f"{name} must have a domain name, not an IP address")
    if not _HOST.fullmatch(host):
        raise BadLink(f"{name} is not a valid link")
    return host


def _is_address(host: str) -> bool:
    """Whether it is an address in any form that resolvers take, `0x7f.1` included."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rsplit(".", 1)[-1]
        return ":" in host or last.isdecimal() or last.startswith("0x")
    return True


class Guard:
    """Checks links when they are given, so that the caller hears of it at once. The resolver and
    the connector check again for each connection."""

    def __init__(self, resolver: "PublicResolver", *, allow_loopback: bool) -> None:
        self._resolver = resolver
        self._allow_loopback = allow_loopback

    async def check(self, url: str, name: str) -> None:
        """Refuse a link that may never be called, or whose name leads to no public address. A
        name that cannot be resolved within 2 seconds is let pass: it may be known later.

        Raises:
            BadLink: as `check_link`, or only private addresses.
        """
        check_link(url, name, allow_loopback=self._allow_loopback)
        try:
            async with asyncio.timeout(_RESOLVE_TIMEOUT):
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
        """The addresses of a name that may be called.

        Raises:
            NoPublicAddress: none of them may be.
            OSError: the name cannot be resolved.
        """
        found = await self._resolver.resolve(host, port, family)
        allowed = [result for result in found if self.allows(result["host"])]
        if not allowed:
            raise NoPublicAddress(f"{host} has no public address")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()

    def allows(self, address: str) -> bool:
        """Whether an IP address may be connected to."""
        return is_public(address) or (self._allow_loopback and is_loopback(address))


def guarded_connector(resolver: PublicResolver, limit: int = 100) -> TCPConnector:
    """A connector for links that users give. It resolves the name for each connection and judges
    each address, whether the resolver found it or the link named it. `limit` is how many
    connections it holds at once; 0 is no limit."""
    return TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        socket_factory=partial(_guarded_socket, resolver),
        limit=limit,
    )


def _guarded_socket(resolver: PublicResolver, info: AddrInfoType) -> socket.socket:
    family, kind, protocol, _, address = info
    host = str(address[0])
    if not resolver.allows(host):
        raise NoPublicAddress(f"{host} is not a public address")
    return socket.socket(family, kind, protocol)
