"""Pictures that come in as text: data URLs or bare base64 (contracts: mj-dialect, section 2).

Several clients leave the prefix off or name the wrong type, so the bytes themselves decide.
"""

import binascii
import re

from athena.engine.refusals import BadRequest
from athena.tasks.requests import Upload

_PREFIX = re.compile(r"data:[\w.+/-]{0,100};base64,")
_MOST = 10
"""Pictures in one request."""


def decode_all(texts: list[str], task_name: str) -> tuple[Upload, ...]:
    """Every picture of a request, named after it.

    Raises:
        BadRequest: too many, not base64, or no picture.
    """
    if len(texts) > _MOST:
        raise BadRequest(f"base64Array holds more than {_MOST} pictures")
    return tuple(_decode(text, f"{task_name}_{i}") for i, text in enumerate(texts, 1))


def _decode(text: str, name: str) -> Upload:
    prefix = _PREFIX.match(text)
    try:
        data = binascii.a2b_base64(text[prefix.end() :] if prefix else text)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("base64Array: not base64") from error
    kind = _kind(data)
    if kind is None:
        raise BadRequest("base64Array: not a PNG, JPEG, WebP or GIF picture")
    return Upload(filename=f"{name}.{kind}", content_type=f"image/{kind}", data=data)


def _kind(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return None
