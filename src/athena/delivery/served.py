"""What relayed images look like from outside; light, because their makers are not."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from athena.errors import AthenaError
from athena.tasks.model import Task

Source = Callable[[Task], Awaitable[bytes]]
"""Brings a task's image from Discord."""


class ImageNotDeleted(AthenaError):
    """The object store did not delete a task's images; some may still be there."""


class Served(Struct, frozen=True):
    """An image that is ready to be sent."""

    data: bytes
    content_type: str
    etag: str


class Gallery(Protocol):
    """The images of tasks. Methods that serve raise `fetching.NoImage`."""

    async def whole(self, task: Task) -> Served:
        """The task's image as Midjourney made it. While it runs, what there is now."""
        ...

    async def thumbnail(self, task: Task, width: int) -> Served:
        """The image, no wider than about `width` pixels, as WebP."""
        ...

    async def tile(self, task: Task, number: int, width: int | None = None) -> Served:
        """One of a grid's four images, 1 to 4, as PNG; with a `width` smaller, as WebP."""
        ...

    async def forget(self, task_id: str) -> None:
        """Delete everything that is kept of a deleted task.

        Raises:
            image_store.ImageNotDeleted: the store failed; call it again later.
        """
        ...
