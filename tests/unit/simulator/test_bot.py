"""The simulator's Midjourney bot: images and prompts."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from athena.simulator import images
from athena.simulator.bots.parameters import Refused
from athena.simulator.bots.prompts import rewrite
from athena.simulator.images import Label
from athena.simulator.scenes import Sketch, tile_size
from athena.simulator.stage import Drawing


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a cat", "a cat --v 7.0"),
        ("  a   cat\n—ar 3:2 ", "a cat --ar 3:2 --v 7.0"),
        ("a cat --v 7 --style raw", "a cat --raw --v 7.0"),
        ("a --raw cat --ar 3:2", "a cat --raw --ar 3:2 --v 7.0"),
        ("a cat --niji 6 --fast", "a cat --niji 6"),
    ],
)
def test_prompts_are_rewritten(sent: str, shown: str) -> None:
    assert rewrite(sent).shown == shown


@given(st.text(max_size=100))
def test_rewriting_never_raises_but_refuses_and_settles(prompt: str) -> None:
    try:
        once = rewrite(prompt).shown
        again = rewrite(once).shown
    except Refused:
        return
    assert again == once


def label(tile: int) -> Label:
    return Label(job="j", prompt="猫 a cat", tile=tile, parent="p", author="ada")


def draw(drawing: Drawing) -> Image.Image:
    data = drawing.draw()
    assert len(data) == drawing.size
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.size == (drawing.width, drawing.height)
    return image


def art(job: str = "j-1", ratio: tuple[int, int] = (1, 1)) -> list[Sketch]:
    return [Sketch(prompt="a cat", job=job, kin=job, index=n, ratio=ratio) for n in range(1, 5)]


@pytest.mark.parametrize("ratio", [(1, 1), (3, 2), (9, 16), (100, 1)])
def test_a_tile_is_its_part_of_the_grid_and_says_whose_it_is(ratio: tuple[int, int]) -> None:
    size = tile_size(ratio)
    grid = draw(images.grid(art(ratio=ratio), size, label(0), "g.png"))
    wide, high = grid.width // 2, grid.height // 2
    third = draw(images.single(art(ratio=ratio)[2], size, label(3), "t.png"))
    assert third.tobytes() == grid.crop((0, high, wide, 2 * high)).tobytes()
    assert third.info["Tile"] == "3"
    assert third.info["Prompt"] == "猫 a cat"
    assert abs(wide / high - min(ratio[0] / ratio[1], 14)) < 0.6


def test_the_same_job_gives_the_same_bytes_and_another_other_ones() -> None:
    size = tile_size((1, 1))
    first, again = (images.grid(art(), size, label(0), "g.png").draw() for _ in range(2))
    assert first == again
    other = images.grid(art("j-2"), size, label(0), "g.png").draw()
    assert other != first


def test_previews_keep_their_promised_size() -> None:
    draw(images.preview(art(), tile_size((1, 1)), 31, "p.webp"))
