"""What can go wrong for a program that makes images. Every text says what to do."""


class AthenaError(Exception):
    """Base of all."""


class ServerUnreachable(AthenaError):
    """No server answers at the URL, or it speaks another language."""


class Refused(AthenaError):
    """The request was not taken; `code` is the `/mj` dialect's."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


class TaskFailed(AthenaError):
    """The task ended without an image; the text is the reason. It was `cancelled` by its user,
    or `moderated` by Midjourney, or neither."""

    def __init__(
        self, reason: str, *, task_id: str = "", cancelled: bool = False, moderated: bool = False
    ) -> None:
        super().__init__(reason)
        self.task_id = task_id
        self.cancelled = cancelled
        self.moderated = moderated


class NoSuchButton(AthenaError):
    """The image has no such button; the text names those that it has."""
