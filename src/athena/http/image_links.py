"""The links that a task's images are given (contracts: mj-dialect, section 1).

`origin`: Discord's own; `proxy`: the same on another host; `relay`: this server's. A relayed link
carries a signature where the server is not open, because a page's image element cannot send a
secret; it opens that one image and nothing else.
"""

from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from athena.midjourney import buttons
from athena.store.encryption import Encryption
from athena.tasks.model import ImageLinks, Task


class Links(Struct, frozen=True):
    """How links are made for one call. `base` is this server as the caller reaches it."""

    image_links: ImageLinks
    base: str
    host: str | None = None
    encryption: Encryption | None = None
    """Signs relayed links; None: the server is open."""

    def image(self, task: Task) -> str | None:
        """The link to a task's image."""
        if task.image is None:
            return None
        match self.image_links:
            case ImageLinks.RELAY:
                return self.relayed(task)
            case ImageLinks.PROXY if self.host:
                return on_host(task.image.url, self.host)
            case _:
                return task.image.url

    def tiles(self, task: Task) -> list[str] | None:
        """The links to the four images of a grid; always relayed, because this server cuts them."""
        if not is_grid(task):
            return None
        return [self.relayed(task, number) for number in range(1, 5)]

    def relayed(self, task: Task, tile: int | None = None) -> str:
        path = f"/mj/image/{task.id}" + (f"/{tile}" if tile else "")
        signature = f"?s={self.encryption.sign(task.id)}" if self.encryption else ""
        return f"{self.base}{path}{signature}"


def on_host(url: str, host: str) -> str:
    """A link on another host, which may include a scheme and a path."""
    front = urlsplit(host if "//" in host else f"https://{host}")
    parts = urlsplit(url)
    path = front.path.rstrip("/") + parts.path
    return urlunsplit((front.scheme, front.netloc, path, parts.query, ""))


def is_grid(task: Task) -> bool:
    """Whether a finished task shows four images in one."""
    if task.image is None or not task.ended:
        return False
    return buttons.is_grid(each.custom_id for each in task.buttons)
