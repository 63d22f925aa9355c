"""Requests as types. The APIs decode their bodies into these.

Each request is stored with its task, so it is known after a restart. Images of a request are stored
beside its task as `Upload`s; the request has their number.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Upload(Struct, frozen=True, kw_only=True, gc=False):
    """An image that a user sent as bytes. It is stored beside its task until the task ends."""

    filename: str
    content_type: str
    data: bytes


class Imagine(Struct, frozen=True, kw_only=True, gc=False, tag="imagine"):
    """Create images from a prompt, or a video with `--video`."""

    prompt: str
    uploads: int = 0
    """The number of images stored beside the task; their links are put before the prompt."""
    end: bool = False
    """Whether the last of them is the video's last frame (`--end`) instead."""


class Dimensions(StrEnum):
    """The shape of a blend."""

    PORTRAIT = "PORTRAIT"
    SQUARE = "SQUARE"
    LANDSCAPE = "LANDSCAPE"


class Blend(Struct, frozen=True, kw_only=True, gc=False, tag="blend"):
    """Blend two to five images."""

    uploads: int
    dimensions: Dimensions | None = None


class Describe(Struct, frozen=True, kw_only=True, gc=False, tag="describe"):
    """Get prompts for an image: the one at `link`, the one already `uploaded` to Discord, or else
    the only upload."""

    link: str = ""
    uploaded: str = ""
    filename: str = ""
    """The image's name, by which the bot's answer can be matched."""


class Shorten(Struct, frozen=True, kw_only=True, gc=False, tag="shorten"):
    """Analyze a prompt."""

    prompt: str


class Show(Struct, frozen=True, kw_only=True, gc=False, tag="show"):
    """Show an earlier job with its buttons."""

    job: str


class SwapFace(Struct, frozen=True, kw_only=True, gc=False, tag="swap_face"):
    """Put the face of the first upload into the second."""


class ModalReply(Struct, frozen=True, kw_only=True, gc=False):
    """The user's input for a button's modal."""

    prompt: str = ""
    """Empty: the prompt that the modal proposes."""
    mask: bool = False
    """Whether a mask of the region, white on black, is stored beside the task."""


class Press(Struct, frozen=True, kw_only=True, gc=False, tag="press"):
    """Press a button of a finished task's message."""

    parent: str
    """The finished task's id."""
    message: str
    custom_id: str
    flags: int = 0
    """The message's flags; Discord requires them."""
    reply: ModalReply | None = None
    """Set when the user has confirmed the modal that the button opens."""


class Extend(Struct, frozen=True, kw_only=True, gc=False, tag="extend"):
    """Extend one video of a finished task that shows several: press `custom_id` to select it, then
    the button `then` of the result."""

    parent: str
    message: str
    custom_id: str
    then: str
    """The start of that button's custom_id."""
    flags: int = 0


Request: TypeAlias = Imagine | Blend | Describe | Shorten | Show | SwapFace | Press | Extend
