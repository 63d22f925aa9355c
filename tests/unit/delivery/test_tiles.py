"""Tiles and the guard of outgoing links."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from athena.delivery.guard import BadLink, PublicResolver, check_link
from athena.delivery.tiles import NotAImage, split


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


def test_a_grid_s_words_stay_with_its_tiles() -> None:
    assert all(Image.open(io.BytesIO(t)).info["Job"] == "j-1" for t in split(image(8, 8)))


@pytest.mark.parametrize("data", [b"", b"no image", image(20, 20)[:-60], image(1, 9)])
def test_what_cannot_be_cut(data: bytes) -> None:
    with pytest.raises(NotAImage):
        split(data)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "http://hooks.example.com:8080/a?b=c",
        "https://xn--bcher-kva.example/",
    ],
)
def test_webhooks_that_may_be(url: str) -> None:
    check_link(url, "notifyHook", allow_loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "ftp://example.com",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://localhost/",
        "http://intranet/",
        "http://example.com:99999/",
        "http://[broken/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_webhooks_that_may_not_be(url: str) -> None:
    with pytest.raises(BadLink):
        check_link(url, "notifyHook", allow_loopback=False)


def test_localhost_needs_the_operator_s_word_and_addresses_never_pass() -> None:
    check_link("http://localhost:9000/hook", "x", allow_loopback=True)
    with pytest.raises(BadLink):
        check_link("http://127.0.0.1:9000/hook", "x", allow_loopback=True)


async def test_names_that_lead_inside_are_not_followed() -> None:
    guarded = PublicResolver(allow_loopback=False)
    with pytest.raises(OSError, match="no public address"):
        await guarded.resolve("localhost", 80)
    await guarded.close()
    allowed = PublicResolver(allow_loopback=True)
    assert await allowed.resolve("localhost", 80)
    await allowed.close()
