"""Masks: which region of an image is to be redrawn, white on black."""

from io import BytesIO

from PIL import ImageOps

from athena.delivery.tiles import NotAImage, opened


def erased(image: bytes, mask: bytes) -> bytes:
    """The image as PNG, transparent where the mask is white; the mask is scaled to it.

    Decodes and encodes whole images: run it in a thread.

    Raises:
        NotAImage: one of the two is none.
    """
    whole = opened(image).convert("RGB")
    white = opened(mask).convert("L").resize(whole.size)
    whole.putalpha(ImageOps.invert(white))
    out = BytesIO()
    whole.save(out, "PNG", compress_level=3)
    return out.getvalue()


def checked(mask: bytes) -> bytes:
    """The same mask, once it is known to be an image that marks something.

    Raises:
        NotAImage: it is none, or holds no white at all.
    """
    if opened(mask).convert("L").getextrema()[1] < 128:  # type: ignore[operator]
        raise NotAImage("the mask marks nothing: make white what is to be redrawn")
    return mask
