"""Helpers for tests of the bots: submit, press, download, and images."""

import base64
import io
import re

from PIL import Image, ImageDraw

from tests.simulated.conftest import Json, System

DONE = "SUCCESS"


def image(colour: str = "teal", size: tuple[int, int] = (96, 64)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def text(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def mask(size: tuple[int, int]) -> bytes:
    """A mask with a white centre."""
    image = Image.new("L", size)
    wide, high = size
    ImageDraw.Draw(image).rectangle((wide // 4, high // 4, wide // 2, high // 2), 255)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def submit(system: System, path: str, **body: object) -> Json:
    """Submit and wait for the task, which must succeed."""
    answer = await system.post(f"/mj/{path}", body)
    assert answer["code"] in (1, 22), answer
    task = await system.ended(answer["result"])
    assert task["status"] == DONE, task["failReason"]
    return task


async def press(system: System, task: Json, custom_id: str, **modal: object) -> Json:
    """Press a button, fill in its modal if it has one, and wait for the end."""
    answer = await system.post("/mj/submit/action", {"taskId": task["id"], "customId": custom_id})
    if answer["code"] == 21:
        assert (await system.fetch(answer["result"]))["status"] == "MODAL"
        filled = {"taskId": answer["result"], **modal}
        answer = await system.post("/mj/submit/modal", filled)
    assert answer["code"] in (1, 22), (custom_id, answer)
    made = await system.ended(answer["result"])
    assert made["status"] == DONE, (custom_id, made["failReason"])
    return made


async def download(system: System, task: Json) -> Image.Image:
    async with system.http.get(task["imageUrl"]) as answer:
        assert answer.status == 200
        image = Image.open(io.BytesIO(await answer.read()))
    image.load()
    return image


def button(task: Json, start: str) -> str:
    return next(str(b["customId"]) for b in task["buttons"] if b["customId"].startswith(start))


def labels(image: Image.Image) -> dict[str, str]:
    """The metadata of a file, PNG or video."""
    if "Job" in image.info:
        return {name: image.info[name] for name in ("Job", "Parent", "Tile")}
    xmp = image.info["xmp"].decode()
    return {name: re.search(f'mj:{name}="([^"]*)"', xmp)[1] for name in ("Job", "Parent", "Tile")}  # type: ignore[index]


async def grid_and_single(system: System, prompt: str) -> tuple[Json, Image.Image]:
    grid = await submit(system, "submit/imagine", prompt=prompt)
    single = await press(system, grid, button(grid, "MJ::JOB::upsample::2"))
    return single, await download(system, single)


def tile(grid: Image.Image, number: int) -> Image.Image:
    wide, high = grid.width // 2, grid.height // 2
    left, top = (number - 1) % 2 * wide, (number - 1) // 2 * high
    return grid.crop((left, top, left + wide, top + high))
