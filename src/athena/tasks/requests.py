"""What users can ask for, as types. A dialect decodes its bodies into these; nothing else does.

Each is stored with its task, so a restart knows exactly what was asked.
"""

from typing import TypeAlias

from msgspec import Struct


class Upload(Struct, frozen=True, kw_only=True, gc=False):
    """A picture that a user gave as bytes. Stored beside its task until the task has ended."""

    filename: str
    content_type: str
    data: bytes


class Imagine(Struct, frozen=True, kw_only=True, gc=False, tag="imagine"):
    """Make pictures of a text; the task's uploads are put before it as links."""

    prompt: str
    uploads: int = 0
    """How many pictures are stored beside the task."""


class Press(Struct, frozen=True, kw_only=True, gc=False, tag="press"):
    """Press a button of a finished task's message."""

    parent: str
    """The finished task's id."""
    message: str
    custom_id: str
    flags: int = 0
    """The message's flags; Discord wants them back."""


Request: TypeAlias = Imagine | Press
