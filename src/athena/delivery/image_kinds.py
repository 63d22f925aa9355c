"""What kind of image some bytes are. Their beginning decides, never a name or a header that came
with them: several clients name the wrong one."""

from enum import StrEnum


class ImageKind(StrEnum):
    """The kinds that Discord takes and Midjourney makes; the value is also the file's ending."""

    PNG = "png"
    JPEG = "jpeg"
    GIF = "gif"
    WEBP = "webp"

    @property
    def content_type(self) -> str:
        return f"image/{self}"


def kind_of(data: bytes) -> ImageKind | None:
    """The kind of image that the bytes are, by their first 12; None for any other file."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageKind.PNG
    if data.startswith(b"\xff\xd8\xff"):
        return ImageKind.JPEG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ImageKind.GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return ImageKind.WEBP
    return None
