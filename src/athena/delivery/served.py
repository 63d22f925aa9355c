"""What relayed pictures look like from outside; light, because their makers are not."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from athena.tasks.model import Task

Source = Callable[[Task], Awaitable[bytes]]
"""Brings a task's picture from Discord."""


class Served(Struct, frozen=True):
    """A picture that is ready to be sent."""

    data: bytes
    content_type: str
    etag: str


class Gallery(Protocol):
    """The pictures of tasks. Methods raise `fetching.NoPicture`."""

    async def whole(self, task: Task) -> Served:
        """The task's picture as Midjourney made it. While it runs, what there is now."""
        ...

    async def thumbnail(self, task: Task, width: int) -> Served:
        """The picture, no wider than about `width` pixels, as WebP."""
        ...

    async def tile(self, task: Task, number: int, width: int | None = None) -> Served:
        """One of a grid's four pictures, 1 to 4, as PNG; with a `width` smaller, as WebP."""
        ...
