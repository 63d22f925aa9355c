"""What is written into files changes not one pixel, whatever their form."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from athena.delivery.labels import labelled

FIELDS = {"Prompt": 'a "cat" <&> 两只猫', "Job": "1-2-3", "Seed": ""}


def drawn(kind: str, mode: str = "RGB", **more: Any) -> bytes:
    image = Image.linear_gradient("L").resize((61, 43)).convert(mode)
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        drawn("WEBP", quality=80),
        drawn("WEBP", lossless=True),
        drawn("WEBP", "RGBA", lossless=True),
        drawn("WEBP", quality=80, xmp=b"<old/>"),
        drawn("WEBP", save_all=True, append_images=[Image.new("RGB", (61, 43))], duration=50),
    ],
)
def test_webp(data: bytes) -> None:
    before, after = Image.open(BytesIO(data)), Image.open(BytesIO(labelled(data, FIELDS)))
    assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()
    assert getattr(after, "n_frames", 1) == getattr(before, "n_frames", 1)
    said = after.info["xmp"].decode()
    assert "两只猫" in said
    assert 'mj:Job="1-2-3"' in said
    assert "Seed" not in said


def test_png() -> None:
    data = labelled(drawn("PNG"), {"Job": "older", "Tile": "2"})
    after = Image.open(BytesIO(labelled(data, FIELDS)))
    assert after.tobytes() == Image.open(BytesIO(drawn("PNG"))).tobytes()
    assert after.info == {"Tile": "2", "Prompt": FIELDS["Prompt"], "Job": "1-2-3"}


@pytest.mark.parametrize("data", [b"", b"GIF89a", drawn("JPEG"), drawn("PNG")[:30], b"RIFF\0\0"])
def test_what_cannot_be_labelled_stays_as_it_is(data: bytes) -> None:
    assert labelled(data, {}) == data or labelled(data, {})
