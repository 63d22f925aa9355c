"""Speed and image links by path (contracts: mj-dialect, section 1).

    /mj   /mj-fast/mj   /mj-relay/mj   /mj-turbo-proxy/mj   …

Every path of the API exists under every prefix. A prefix is removed before routing, so the rest of
the program knows one path and the two options that the prefix stood for. A token's options take
precedence over the path's, and those over the server's default, for each of the two separately.
"""

import re
from functools import lru_cache

from msgspec import Struct

from athena.store.tokens import Token
from athena.tasks.model import ImageLinks, Speed

_PREFIX = re.compile(
    r"/mj(?:-(?P<speed>fast|turbo|relax))?(?:-(?P<images>relay|origin|proxy))?/mj(?P<rest>/.*)"
)
_PLAIN = "/mj/"


class PathOptions(Struct, frozen=True):
    """Options of a call; None leaves it to the account, or to the server's default."""

    speed: Speed | None = None
    image_links: ImageLinks | None = None
    image_host: str | None = None

    def over(self, other: "PathOptions") -> "PathOptions":
        """These options, and the other's where these are None."""
        return PathOptions(
            self.speed or other.speed,
            self.image_links or other.image_links,
            self.image_host or other.image_host,
        )


NONE = PathOptions()


@lru_cache(maxsize=4096)
def of_path(path: str) -> tuple[str, PathOptions]:
    """The path without its prefix, and the prefix's options."""
    if path.startswith(_PLAIN):
        return path, NONE
    found = _PREFIX.fullmatch(path)
    if found is None:
        return path, NONE
    speed, images = found["speed"], found["images"]
    options = PathOptions(
        Speed(speed.upper()) if speed else None, ImageLinks(images) if images else None
    )
    return f"/mj{found['rest']}", options


def of_token(token: Token) -> PathOptions:
    """The options that are fixed by a token."""
    return PathOptions(token.speed, token.image_links, token.image_host)
