"""The simulator's images: real files of the announced size that name their job."""

import io
import zlib
from random import Random

import pytest
from PIL import Image

from athena.simulator import images
from athena.simulator.bots import encoding
from athena.simulator.images import Label
from athena.simulator.scenes import Sketch, tile_size
from athena.simulator.stage import Drawing

PROMPTS = [
    "a cat", "a lighthouse at night", "a boat", "city, neon", "a house in the snow", "red flowers",
    "an old tree", "pine forest", "a woman", "balloons over the desert", "猫", "",
]  # fmt: skip


def label(prompt: str = "a cat", tile: int = 0) -> Label:
    return Label(job="j", prompt=prompt, tile=tile, parent="p", author="ada")


def art(prompt: str = "a cat", *, job: str = "j-1", kin: str = "j-1") -> list[Sketch]:
    return [Sketch(prompt=prompt, kin=kin, job=job, index=n) for n in range(1, 5)]


SIZE = tile_size((1, 1))


def opened(drawing: Drawing) -> Image.Image:
    data = drawing.draw()
    assert len(data) == drawing.size
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.size == (drawing.width, drawing.height)
    return image


@pytest.mark.parametrize("prompt", PROMPTS)
def test_whatever_the_words_the_file_is_as_promised(prompt: str) -> None:
    single = opened(images.single(art(prompt)[1], SIZE, label(prompt, 2), "t.png"))
    assert single.info["Description"] == f"{prompt} Job ID: j"
    assert (single.info["Job"], single.info["Parent"], single.info["Author"]) == ("j", "p", "ada")
    assert single.info["Prompt"] == prompt


def test_the_four_tiles_of_a_grid_differ() -> None:
    tiles = {opened(images.single(tile, SIZE, label(), "t.png")).tobytes() for tile in art()}
    assert len(tiles) == 4


def test_a_variation_has_its_parents_colours_and_other_details() -> None:
    def mean(of: list[Sketch]) -> tuple[int, ...]:
        small = opened(images.preview(of, SIZE, 100, "p.webp")).convert("RGB").resize((1, 1))
        pixel = small.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        return tuple(int(part) for part in pixel)

    parent = art("something", job="j-1", kin="j-1")
    child = art("something", job="j-2", kin="j-1")
    near = sum(abs(a - b) for a, b in zip(mean(parent), mean(child), strict=True))
    strangers = [art("something", job=f"k-{n}", kin=f"k-{n}") for n in range(5)]
    far = max(
        sum(abs(a - b) for a, b in zip(mean(parent), mean(each), strict=True)) for each in strangers
    )
    assert near * 2 < far
    assert (
        images.preview(parent, SIZE, 31, "p").draw() != images.preview(child, SIZE, 31, "p").draw()
    )


def test_previews_become_sharper() -> None:
    def detail(percent: int) -> int:
        image = opened(images.preview(art(), SIZE, percent, "p.webp")).convert("L")
        return len(zlib.compress(image.tobytes()))

    assert detail(15) < detail(46) < detail(93)


def test_what_does_not_fit_is_packed_harder() -> None:
    image = Image.linear_gradient("L").convert("RGB").resize((512, 512))
    loose = io.BytesIO()
    image.save(loose, "PNG", compress_level=1)
    promised = loose.tell() - 1
    data = encoding.png(image, label(), promised)
    assert len(data) == promised
    assert Image.open(io.BytesIO(data)).convert("RGB").tobytes() == image.tobytes()


def test_noise_is_coarsened_until_it_fits() -> None:
    noise = Image.frombytes("RGB", (256, 256), Random(1).randbytes(3 * 256 * 256))
    data = encoding.png(noise, label(), 100_000)
    assert len(data) == 100_000
    assert Image.open(io.BytesIO(data)).size == noise.size
    with pytest.raises(encoding.TooLarge):
        encoding.png(noise, label(), 1_000)
