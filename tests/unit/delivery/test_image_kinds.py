"""Kinds of images by their first bytes."""

import io

import pytest
from PIL import Image

from athena.delivery.image_kinds import ImageKind, kind_of


@pytest.mark.parametrize("kind", list(ImageKind))
def test_each_kind_as_pillow_writes_it(kind: ImageKind) -> None:
    out = io.BytesIO()
    Image.new("RGB", (3, 2)).save(out, kind.value)
    assert kind_of(out.getvalue()) is kind
    assert kind_of(out.getvalue()[:12]) is kind
    assert kind.content_type == f"image/{kind.value}"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG", b"\xff\xd8", b"GIF88a..", b"RIFF\0\0\0\0WAVE", b"<svg/>", b"BM\0\0"],
)
def test_other_files_are_none(data: bytes) -> None:
    assert kind_of(data) is None
