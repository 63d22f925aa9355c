"""Drafts: requests for something new, in the form in which admission takes them. Pure.

Each function checks what it can by itself; admission checks the words of the prompt.
"""

from collections.abc import Sequence

from msgspec import Struct

from athena.errors import BadRequest
from athena.midjourney import buttons, prompts
from athena.tasks.model import Action, Bot
from athena.tasks.requests import (
    Blend,
    Describe,
    Dimensions,
    Imagine,
    Request,
    Shorten,
    Show,
    SwapFace,
    Upload,
)

_FEWEST_BLENDED, _MOST_BLENDED = 2, 5
_CLOSEST = "--iw 3"
"""The weight with which an edit's image counts."""


class TaskDraft(Struct, frozen=True, kw_only=True):
    """Something new that any account can make."""

    request: Request
    action: Action
    description: str
    """`{id}` in it is replaced by the task's id."""
    prompt: str | None = None
    uploads: tuple[Upload, ...] = ()
    bot: Bot | None = None
    """The only bot that can do it; None leaves the choice to the user."""


class VideoOptions(Struct, frozen=True, kw_only=True):
    """How a video is to be made; start and end are links, or come as uploads in this order."""

    start: str = ""
    end: str = ""
    end_uploaded: bool = False
    motion: str = ""
    loop: bool = False
    batch: int | None = None


def imagine(prompt: str, uploads: Sequence[Upload] = ()) -> TaskDraft:
    """Images from a prompt.

    Raises:
        BadRequest: the prompt cannot work.
    """
    return TaskDraft(
        request=Imagine(prompt=_checked(prompt), uploads=len(uploads)),
        action=Action.IMAGINE,
        description=f"/imagine {prompt}",
        prompt=prompt,
        uploads=tuple(uploads),
    )


def video(prompt: str, options: VideoOptions, uploads: Sequence[Upload] = ()) -> TaskDraft:
    """Videos from a prompt, or from a first frame.

    Raises:
        BadRequest: there is neither, or the prompt cannot work.
    """
    if not (prompt.strip() or options.start or uploads):
        raise BadRequest("prompt, image: one of them is needed")
    asked = _checked(_videoed(prompt, options))
    return TaskDraft(
        request=Imagine(prompt=asked, uploads=len(uploads), end=options.end_uploaded),
        action=Action.VIDEO,
        description=f"/video {asked}",
        prompt=prompt,
        uploads=tuple(uploads),
    )


def edit(prompt: str, link: str = "", uploads: Sequence[Upload] = ()) -> TaskDraft:
    """An image changed by a prompt.

    The bot has no editor for your own images, so the image becomes the image prompt of
    an imagine, with the greatest weight that there is.

    Raises:
        BadRequest: the prompt cannot work.
    """
    weight = "" if prompts.has(prompt, "iw") else f" {_CLOSEST}"
    asked = _checked(f"{link} {prompt}{weight}".strip())
    return TaskDraft(
        request=Imagine(prompt=asked, uploads=len(uploads)),
        action=Action.EDIT,
        description=f"/edit {prompt}",
        prompt=prompt,
        uploads=tuple(uploads),
    )


def blend(uploads: Sequence[Upload], dimensions: Dimensions | None = None) -> TaskDraft:
    """Images made of two to five others.

    Raises:
        BadRequest: fewer or more.
    """
    count = len(uploads)
    if not _FEWEST_BLENDED <= count <= _MOST_BLENDED:
        raise BadRequest(f"base64Array: 2 to 5 images are needed, not {count}")
    return TaskDraft(
        request=Blend(uploads=count, dimensions=dimensions),
        action=Action.BLEND,
        description=f"/blend {{id}} {count}",
        uploads=tuple(uploads),
    )


def describe(link: str = "", upload: Upload | None = None) -> TaskDraft:
    """Prompts that fit an image, the one at a link or the upload.

    Raises:
        BadRequest: neither is there, or the link is none.
    """
    if upload is None and not link.startswith(("http://", "https://")):
        raise BadRequest("base64 or link: an image, or an http link to one, is needed")
    return TaskDraft(
        request=Describe(link="" if upload else link, filename=upload.filename if upload else ""),
        action=Action.DESCRIBE,
        description="/describe {id}.png" if upload else f"/describe {link}",
        uploads=(upload,) if upload else (),
    )


def describe_uploaded(name: str) -> TaskDraft:
    """Prompts that fit an image that was uploaded to Discord before, by its name there."""
    filename = name.rpartition("/")[2]
    return TaskDraft(
        request=Describe(uploaded=name, filename=filename),
        action=Action.DESCRIBE,
        description=f"/describe {filename}",
    )


def shorten(prompt: str) -> TaskDraft:
    """An analysis of a prompt, with shorter prompts.

    Raises:
        BadRequest: the prompt cannot work.
    """
    return TaskDraft(
        request=Shorten(prompt=_checked(prompt)),
        action=Action.SHORTEN,
        description=f"/shorten {prompt}",
        prompt=prompt,
    )


def show(job: str) -> TaskDraft:
    """An earlier job as a task with buttons, by its uuid or a link that holds it.

    Raises:
        BadRequest: there is no uuid in it.
    """
    found = buttons.job_of(job.lower())
    if found is None:
        raise BadRequest("jobId: a job's uuid, or a link that holds one, is needed")
    return TaskDraft(request=Show(job=found), action=Action.SHOW, description=f"/show {found}")


def swap_face(source: Upload, target: Upload) -> TaskDraft:
    """The face of one image put into another."""
    return TaskDraft(
        request=SwapFace(),
        action=Action.SWAP_FACE,
        description="/swap {id}",
        uploads=(source, target),
        bot=Bot.INSIGHT_FACE,
    )


def _checked(prompt: str) -> str:
    try:
        prompts.check(prompt)
    except prompts.BadPrompt as error:
        raise BadRequest(str(error)) from error
    return prompt


def _videoed(prompt: str, options: VideoOptions) -> str:
    """The prompt of `/imagine` that makes videos (contracts: midjourney-bot, section 9)."""
    parameters = {
        "video": "--video 1",
        "motion": options.motion and f"--motion {options.motion}",
        "loop": options.loop and "--loop",
        "bs": options.batch and f"--bs {options.batch}",
        "end": options.end and f"--end {options.end}",
    }
    said = (words for name, words in parameters.items() if not prompts.has(prompt, name))
    return " ".join(str(part) for part in (options.start, prompt.strip(), *said) if part)
