"""Images at links that users give, fetched once and with care.

A link goes through the same guard as a webhook, so it leads to no private address; what comes is
bounded in size. Links of Discord's own CDN are trusted. A link that fails is answered with one text
whatever the reason: an answer that told status codes and closed ports would make a port scanner of
the server.
"""

import aiohttp
import structlog

from athena.delivery.guard import BadLink, check_link
from athena.errors import AthenaError

log = structlog.get_logger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)
_LARGEST = 25 * 1024 * 1024


class NoImage(AthenaError):
    """The link brings no image; the text says why."""


class _Failed(Exception):
    """No bytes came; the text says why, for the operator."""


class Fetcher:
    """Fetches images. `trusted` are base URLs that need no guard."""

    def __init__(
        self,
        outside: aiohttp.ClientSession,
        inside: aiohttp.ClientSession,
        trusted: tuple[str, ...],
        *,
        allow_loopback: bool,
    ) -> None:
        self._outside = outside
        self._inside = inside
        self._trusted = trusted
        self._allow_loopback = allow_loopback

    async def fetch(self, url: str) -> bytes:
        """The bytes behind a link, at most 25 MB.

        Raises:
            NoImage: the link is not allowed, not reachable, or what it leads to is too large.
        """
        session = self._session(url)
        try:
            return await _load(session, url)
        except _Failed as error:
            if session is self._inside:
                raise NoImage(f"the link {error}") from error
            log.info("image.not_fetched", reason=str(error))
            raise NoImage("the link brings no image") from error

    def _session(self, url: str) -> aiohttp.ClientSession:
        if any(url.startswith(f"{base}/") for base in self._trusted if base):
            return self._inside
        try:
            check_link(url, "the link", allow_loopback=self._allow_loopback)
        except BadLink as error:
            raise NoImage(str(error)) from error
        return self._outside


async def _load(session: aiohttp.ClientSession, url: str) -> bytes:
    try:
        async with session.get(url, timeout=_TIMEOUT, allow_redirects=False) as answer:
            if answer.status != 200:
                raise _Failed(f"answered {answer.status}")
            return await _bounded(answer)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _Failed(f"cannot be reached: {type(error).__name__}") from error


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """The body, unless it is larger than any image that Discord would take."""
    data = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        data += piece
        if len(data) > _LARGEST:
            raise NoImage("the image is larger than 25 MB")
    return bytes(data)
