"""Speed and image links by path (contracts: mj-dialect, section 1).

    /mj   /mj-fast/mj   /mj-relay/mj   /mj-turbo-proxy/mj   …

Every path of the dialect exists under every prefix. A prefix is taken off before routing, so the
rest of the program knows one path and the two wishes that it stood for. What a token says goes
before the path, the path before the system's default, for each of the two separately.
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
    """What a call wishes; None leaves it to the account, or to the system's default."""

    speed: Speed | None = None
    image_links: ImageLinks | None = None
    image_host: str | None = None

    def over(self, other: "PathOptions") -> "PathOptions":
        """These wishes, and the other's where these are silent."""
        return PathOptions(
            self.speed or other.speed,
            self.image_links or other.image_links,
            self.image_host or other.image_host,
        )


NONE = PathOptions()


@lru_cache(maxsize=4096)
def of_path(path: str) -> tuple[str, PathOptions]:
    """The path without its prefix, and what the prefix stood for."""
    if path.startswith(_PLAIN):
        return path, NONE
    found = _PREFIX.fullmatch(path)
    if found is None:
        return path, NONE
    speed, images = found["speed"], found["images"]
    wishes = PathOptions(
        Speed(speed.upper()) if speed else None, ImageLinks(images) if images else None
    )
    return f"/mj{found['rest']}", wishes


def of_token(token: Token) -> PathOptions:
    """What a token's maker decided for all its calls."""
    return PathOptions(token.speed, token.image_links, token.image_host)
