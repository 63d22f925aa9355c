"""Images that come in: data URLs, bare base64, links (contracts: mj-dialect, section 2).

Several clients leave the prefix off or name the wrong type, so the bytes themselves decide. What
decodes images is loaded when the first mask comes: most servers never see one.
"""

import asyncio
import binascii
import re
from collections.abc import Callable

from athena.delivery.fetching import Fetcher, NoImage
from athena.delivery.image_kinds import kind_of
from athena.errors import BadRequest
from athena.tasks.requests import Upload

_PREFIX = re.compile(r"data:[\w.+/-]{0,100};base64,")
_MOST = 10
"""Images in one request."""


def decode_all(texts: list[str], name: str) -> tuple[Upload, ...]:
    """Every image of a request, named after it.

    Raises:
        BadRequest: too many, not base64, or no image.
    """
    if len(texts) > _MOST:
        raise BadRequest(f"base64Array holds more than {_MOST} images")
    return tuple(decode(text, f"{name}_{i}") for i, text in enumerate(texts, 1))


def decode(text: str, name: str, field: str = "base64Array") -> Upload:
    """One image; `field` is what the error calls it.

    Raises:
        BadRequest: not base64, or no image.
    """
    prefix = _PREFIX.match(text)
    try:
        data = binascii.a2b_base64(text[prefix.end() :] if prefix else text)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"{field}: not base64") from error
    return _upload(data, name, field)


async def fetch(fetcher: Fetcher, url: str, name: str, field: str) -> Upload:
    """The image behind a link.

    Raises:
        BadRequest: there is none, or it may not be fetched.
    """
    try:
        return _upload(await fetcher.fetch(url), name, field)
    except NoImage as error:
        raise BadRequest(f"{field}: {error}") from error


async def decode_mask(text: str) -> Upload:
    """A mask: an image that is white somewhere.

    Raises:
        BadRequest: it is none.
    """
    from athena.delivery import masks

    mask = decode(text, "mask", "maskBase64")
    await _judged(masks.checked, mask.data)
    return mask


async def erased(image: Upload, mask: Upload) -> Upload:
    """The image with what the mask marks taken out of it.

    Raises:
        BadRequest: one of the two is broken.
    """
    from athena.delivery import masks

    data = await _judged(masks.erased, image.data, mask.data)
    return Upload(filename="edited.png", content_type="image/png", data=data)


def is_link(text: str) -> bool:
    """Whether an image was given by its link."""
    return text.startswith(("http://", "https://"))


async def _judged(work: Callable[..., bytes], *images: bytes) -> bytes:
    from athena.delivery.tiles import NotAnImage

    try:
        return await asyncio.to_thread(work, *images)
    except NotAnImage as error:
        raise BadRequest(f"maskBase64: {error}") from error


def _upload(data: bytes, name: str, field: str) -> Upload:
    kind = kind_of(data)
    if kind is None:
        raise BadRequest(f"{field}: not a PNG, JPEG, WebP or GIF image")
    return Upload(filename=f"{name}.{kind}", content_type=kind.content_type, data=data)
