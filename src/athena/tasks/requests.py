"""What users can ask for, as types. A dialect decodes its bodies into these; nothing else does.

Each is stored with its task, so a restart knows exactly what was asked. Images that come with a
request are stored beside its task as `Upload`s; the request says how many there are.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Upload(Struct, frozen=True, kw_only=True, gc=False):
    """An image that a user gave as bytes. Stored beside its task until the task has ended."""

    filename: str
    content_type: str
    data: bytes


class Imagine(Struct, frozen=True, kw_only=True, gc=False, tag="imagine"):
    """Make images, or with `--video` a video, of a text."""

    prompt: str
    uploads: int = 0
    """How many images are stored beside the task; their links are put before the prompt."""
    end: bool = False
    """The last of them is the video's last frame (`--end`) instead."""


class Dimensions(StrEnum):
    """The shape of a blend."""

    PORTRAIT = "PORTRAIT"
    SQUARE = "SQUARE"
    LANDSCAPE = "LANDSCAPE"


class Blend(Struct, frozen=True, kw_only=True, gc=False, tag="blend"):
    """Make one of two to five images."""

    uploads: int
    dimensions: Dimensions | None = None


class Describe(Struct, frozen=True, kw_only=True, gc=False, tag="describe"):
    """Find prompts for an image: for the one at `link`, the one that is `uploaded` at Discord
    already, else for the one upload."""

    link: str = ""
    uploaded: str = ""
    filename: str = ""
    """The image's name, by which the bot's answer may be known again."""


class Shorten(Struct, frozen=True, kw_only=True, gc=False, tag="shorten"):
    """Find the words of a prompt that matter."""

    prompt: str


class Show(Struct, frozen=True, kw_only=True, gc=False, tag="show"):
    """Bring an old job back, with its buttons."""

    job: str


class SwapFace(Struct, frozen=True, kw_only=True, gc=False, tag="swap_face"):
    """Put the face of the first upload into the second."""


class ModalReply(Struct, frozen=True, kw_only=True, gc=False):
    """What the user puts into a button's modal."""

    prompt: str = ""
    """Empty: what the modal itself proposes."""
    mask: bool = False
    """An image of the region to redraw, white on black, is stored beside the task."""


class Press(Struct, frozen=True, kw_only=True, gc=False, tag="press"):
    """Press a button of a finished task's message."""

    parent: str
    """The finished task's id."""
    message: str
    custom_id: str
    flags: int = 0
    """The message's flags; Discord wants them back."""
    reply: ModalReply | None = None
    """Given once the user has confirmed the modal that the button opens."""


class Extend(Struct, frozen=True, kw_only=True, gc=False, tag="extend"):
    """Go on with one video of a finished task that shows several: take it out by a press of
    `custom_id`, then press the button named `then` of what comes."""

    parent: str
    message: str
    custom_id: str
    then: str
    """How that button's custom_id begins."""
    flags: int = 0


Request: TypeAlias = Imagine | Blend | Describe | Shorten | Show | SwapFace | Press | Extend
