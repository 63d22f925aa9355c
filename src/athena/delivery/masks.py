"""Masks: the region of an image to repaint, white on black."""

from io import BytesIO

from PIL import ImageOps

from athena.delivery.tiles import NotAnImage, opened


def erased(image: bytes, mask: bytes) -> bytes:
    """The image as PNG, transparent where the mask is white; the mask is scaled to it.

    Decodes and encodes whole images: run it in a thread.

    Raises:
        NotAnImage: one of the two is not an image.
    """
    whole = opened(image).convert("RGB")
    white = opened(mask).convert("L").resize(whole.size)
    whole.putalpha(ImageOps.invert(white))
    out = BytesIO()
    whole.save(out, "PNG", compress_level=3)
    return out.getvalue()


def checked(mask: bytes) -> bytes:
    """Validate a mask and return it.

    Raises:
        NotAnImage: it is not an image, or has no white pixels.
    """
    if opened(mask).convert("L").getextrema()[1] < 128:  # type: ignore[operator]
        raise NotAnImage("the mask marks nothing: make white what is to be redrawn")
    return mask
