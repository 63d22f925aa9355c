"""Commands of the service to the worker of an account: a port.

Everything that needs the account's token or session goes this way. A command to an account that has
no worker or is stopped raises `NoAccount`; one that Discord or Midjourney does not carry out raises
`NoAnswer`.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from athena.discord.wire import Message
from athena.settings import AccountSettings
from athena.tasks.model import Task
from athena.tasks.requests import Upload


class AccountLoad(Struct, frozen=True):
    """The load of a worker."""

    running: int
    """Slots in use."""
    waiting: int
    """Tasks that wait for a slot."""


class AccountCommands(Protocol):
    """Carried out by workers. Besides the documented errors, every method raises

    NoAccount: the account has no worker, or cannot work.
    NoAnswer: Discord or Midjourney did not do it; the text says why.
    """

    async def load(self, account: str) -> AccountLoad:
        """The load of the account's worker."""
        ...

    async def seed(self, task: Task) -> str:
        """The seed of a finished task's job.

        Raises:
            NotSupported: the task has no job.
        """
        ...

    async def post_images(self, account: str, images: Sequence[Upload]) -> list[str]:
        """Upload images into the account's channel; their links."""
        ...

    async def upload(self, account: str, image: Upload) -> tuple[str, str]:
        """Upload an image without posting it: its name at Discord, and the URL of the upload."""
        ...

    async def post_uploaded(self, account: str, name: str) -> str:
        """Post an image that was uploaded before; its link."""
        ...

    async def refresh_urls(self, account: str, urls: Sequence[str]) -> dict[str, str]:
        """Fresh links for Discord's old ones, at most 50."""
        ...

    async def message(self, account: str, message_id: str) -> Message | None:
        """A message in the account's channel; None when there is none of this id."""
        ...

    async def refresh(self, account: str) -> None:
        """Ask `/info` and `/settings`; the answers update the account's profile."""
        ...

    async def configure(self, settings: AccountSettings) -> None:
        """Start an account's worker, or give a running one other settings. What needs a new session
        begins one; the account's tasks wait for it."""
        ...

    async def reconnect(self, account: str) -> None:
        """Begin a new session; a stopped account tries again."""
        ...

    async def remove(self, account: str) -> None:
        """End an account's worker permanently."""
        ...
