"""A grid cut into its four tiles."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from athena.delivery.tiles import NotAnImage, split


def image(wide: int, high: int, kind: str = "PNG") -> bytes:
    image = Image.new("RGB", (wide, high))
    image.putdata([(x % 256, y % 256, (x * y) % 256) for y in range(high) for x in range(wide)])
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("Job", "j-1")
    out = io.BytesIO()
    image.save(out, kind, **({"pnginfo": chunks} if kind == "PNG" else {"lossless": True}))
    return out.getvalue()


@given(st.integers(2, 40), st.integers(2, 40), st.sampled_from(["PNG", "WEBP"]))
def test_tiles_put_together_again_are_the_grid(wide: int, high: int, kind: str) -> None:
    data = image(wide, high, kind)
    tiles = [Image.open(io.BytesIO(tile)) for tile in split(data)]
    whole = Image.new("RGB", (wide, high))
    for tile, place in zip(
        tiles,
        [(0, 0), (wide // 2, 0), (0, high // 2), (wide // 2, high // 2)],
        strict=True,
    ):
        whole.paste(tile, place)
    assert whole.tobytes() == Image.open(io.BytesIO(data)).convert("RGB").tobytes()
    assert [tile.info["Tile"] for tile in tiles] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "size", [(512, 512), (728, 408), (416, 624), (768, 256), (511, 383), (513, 2)]
)
def test_every_shape_is_cut_on_its_midlines(size: tuple[int, int]) -> None:
    wide, high = size
    tiles = [Image.open(io.BytesIO(tile)).size for tile in split(image(wide, high))]
    assert tiles[0] == (wide // 2, high // 2)
    assert tiles[3] == (wide - wide // 2, high - high // 2)


def test_the_text_of_a_grid_stays_with_its_tiles() -> None:
    assert all(Image.open(io.BytesIO(t)).info["Job"] == "j-1" for t in split(image(8, 8)))


@pytest.mark.parametrize("data", [b"", b"no image", image(20, 20)[:-60], image(1, 9)])
def test_what_cannot_be_cut(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        split(data)
