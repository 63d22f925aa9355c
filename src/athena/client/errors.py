"""Errors of the library. Every message says what to do."""

from athena.errors import AthenaError

__all__ = [
    "AthenaError",
    "NoSuchButton",
    "Refused",
    "RequestRefused",
    "ServerUnreachable",
    "TaskFailed",
]


class ServerUnreachable(AthenaError):
    """No server responds at the URL, or it is not an Athena server."""


class RequestRefused(AthenaError):
    """The server rejected the request; `code` is the code of the `/mj` API."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


Refused = RequestRefused
"""The earlier name."""


class TaskFailed(AthenaError):
    """The task ended without an image; the message is the reason. It was `cancelled` by its user,
    `moderated` by Midjourney, or neither."""

    def __init__(
        self, reason: str, *, task_id: str = "", cancelled: bool = False, moderated: bool = False
    ) -> None:
        super().__init__(reason)
        self.task_id = task_id
        self.cancelled = cancelled
        self.moderated = moderated


class NoSuchButton(AthenaError):
    """The image has no such button; the message lists the buttons it has."""
