"""Images at links that users give, fetched once and with care.

A link goes through the same guard as a webhook, so nobody reaches into the house with it; what
comes is bounded in size and must begin as an image does. Links of Discord's own CDN are trusted.
"""

import aiohttp

from athena.delivery.guard import BadLink, check_link

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)
_LARGEST = 25 * 1024 * 1024


class NoImage(Exception):
    """The link brings no image; the text says why."""


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
        """The bytes behind a link.

        Raises:
            NoImage: the link is not allowed, not reachable, or leads to no image.
        """
        session = self._session(url)
        try:
            async with session.get(url, timeout=_TIMEOUT, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise NoImage(f"the link answered {answer.status}")
                return await _bounded(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NoImage(f"the link cannot be reached: {type(error).__name__}") from error

    def _session(self, url: str) -> aiohttp.ClientSession:
        if any(url.startswith(f"{base}/") for base in self._trusted if base):
            return self._inside
        try:
            check_link(url, "the link", allow_loopback=self._allow_loopback)
        except BadLink as error:
            raise NoImage(str(error)) from error
        return self._outside


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """The body, unless it is larger than any image that Discord would take."""
    data = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        data += piece
        if len(data) > _LARGEST:
            raise NoImage("the image is larger than 25 MB")
    return bytes(data)
