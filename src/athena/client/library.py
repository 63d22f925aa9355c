"""The Python library.

    from athena import Athena

    async with Athena.connect("http://127.0.0.1:8062") as mj:
        task = await mj.imagine("a cute cat --ar 3:2")
        async for change in task:
            print(change.progress)
        cat = await task
        print(await cat.save("images"))
        closer = await (await cat.upscale(2))

`connect` talks to a server, `direct` uses one's own account without one, `simulated` needs neither.
All three are the same to what follows.
"""

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from athena.client import choosing, files
from athena.client.errors import AthenaError, TaskFailed
from athena.client.server import (
    DEFAULT_SERVER,
    WAIT,
    Account,
    Button,
    Server,
    Snapshot,
    Submitted,
    text_of,
)


class Athena:
    """A way to make images. Make one with `connect`, `direct` or `simulated`.

    Every method may raise `ServerUnreachable`, and `Refused` when a request is not taken.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, server: str = DEFAULT_SERVER, secret: str | None = None
    ) -> AsyncIterator["Athena"]:
        """Through the server at a base URL, with its API secret or a token if it wants one."""
        async with aiohttp.ClientSession() as http:
            yield cls(Server(http, server, secret or ""))

    @classmethod
    @asynccontextmanager
    async def direct(
        cls, token: str, guild: str, channel: str, *, data_dir: Path | str = "data"
    ) -> AsyncIterator["Athena"]:
        """With one's own Discord account and no server. What was asked for is kept in `data_dir`,
        so a program that is started again goes on with it.

        Raises:
            AthenaError: the folder is in use, or an id cannot be one.
        """
        from athena.client import local

        settings = local.direct(token, guild, channel, Path(data_dir))
        async with local.served(settings) as (url, secret), cls.connect(url, secret) as mj:
            yield mj

    @classmethod
    @asynccontextmanager
    async def simulated(cls, *, speed: float = 20.0) -> AsyncIterator["Athena"]:
        """With the simulator: no account, no GPU time. `speed` divides the time that jobs take."""
        from athena.client import local

        async with local.simulated(speed) as (url, secret), cls.connect(url, secret) as mj:
            yield mj

    async def imagine(
        self, prompt: str, images: Sequence[bytes] = (), *, key: str | None = None
    ) -> "Task":
        """Ask for images of a text, with images put before it. With a `key` of one's own the
        same request may be made twice and is taken once."""
        body = {"prompt": prompt, "base64Array": [text_of(each) for each in images]}
        return await self.ask("submit/imagine", body, key)

    async def blend(self, images: Sequence[bytes], shape: str = "") -> "Task":
        """Ask for a mixture of two to five images; `shape` is portrait, square or landscape."""
        wish = {"dimensions": shape.upper()} if shape else {}
        body = {"base64Array": [text_of(each) for each in images], **wish}
        return await self.ask("submit/blend", body)

    async def swap(self, face: bytes, image: bytes) -> "Task":
        """Ask for an image with another face in it."""
        body = {"sourceBase64": text_of(face), "targetBase64": text_of(image)}
        return await self.ask("insight-face/swap", body)

    async def edit(self, prompt: str, image: bytes, mask: bytes | None = None) -> "Task":
        """Ask for an image of one's own, changed as a text says, where the mask is white."""
        masked = {"maskBase64": text_of(mask)} if mask else {}
        return await self.ask("submit/edits", {"prompt": prompt, "image": text_of(image), **masked})

    async def video(
        self,
        prompt: str = "",
        start: bytes | None = None,
        end: bytes | None = None,
        *,
        motion: str = "low",
        loop: bool = False,
    ) -> "Task":
        """Ask for videos of a text, of a first image, or of both; `motion` is low or high."""
        frames = {"image": start, "endImage": end}
        given = {name: text_of(frame) for name, frame in frames.items() if frame}
        body = {"prompt": prompt, "motion": motion, "loop": loop, **given}
        return await self.ask("submit/video", body)

    film = video
    """Its former name."""

    async def describe(self, image: bytes | str) -> "Task":
        """Ask for prompts that fit an image, or the one behind a link; the result's `words`."""
        given = {"link": image} if isinstance(image, str) else {"base64": text_of(image)}
        return await self.ask("submit/describe", given)

    async def shorten(self, prompt: str) -> "Task":
        """Ask which words of a prompt matter; the result's `words`."""
        return await self.ask("submit/shorten", {"prompt": prompt})

    async def task(self, task_id: str) -> "Task":
        """A task by its id, however long ago it was asked for."""
        return Task(self.server, await self.server.fetch(task_id))

    async def tasks(self, most: int = 100) -> list["Task"]:
        """The newest tasks, newest first."""
        return [Task(self.server, each) for each in await self.server.tasks(most)]

    async def accounts(self) -> list[Account]:
        """The accounts that make the images."""
        return await self.server.accounts()

    async def upload(self, images: Sequence[bytes]) -> list[str]:
        """Bring images to Discord; their links can stand in prompts."""
        return await self.server.upload(images)

    async def ask(self, what: str, body: Mapping[str, Any], key: str | None = None) -> "Task":
        """Any submit of the `/mj` dialect."""
        taken = await self.server.submit(what, body, key)
        return Task(self.server, await self.server.fetch(taken.task_id))


class Task:
    """Something that was asked for. `await` it for its result, or go through its changes with
    `async for`."""

    def __init__(self, server: Server, snapshot: Snapshot) -> None:
        self._server = server
        self.now = snapshot
        """As it was when it was last heard of."""

    @property
    def id(self) -> str:
        return self.now.id

    async def __aiter__(self) -> AsyncIterator[Snapshot]:
        """The task as it is, then at each change; the last one is its end."""
        self.now = await self._server.fetch(self.id)
        yield self.now
        while not self.now.ended:
            seen = (self.now.status, self.now.progress)
            self.now = await self._server.fetch(self.id, WAIT)
            if (self.now.status, self.now.progress) != seen:
                yield self.now

    def __await__(self) -> Generator[Any, None, "Result"]:
        return self.result().__await__()

    async def result(self) -> "Result":
        """Wait for the end.

        Raises:
            TaskFailed: it ended without an image.
        """
        async for _ in self:
            pass
        return self.ended()

    def ended(self) -> "Result":
        """The result of a task that was seen to have ended.

        Raises:
            TaskFailed: it ended without an image.
            AthenaError: it has not ended.
        """
        now = self.now
        if not now.ended:
            raise AthenaError(f"task {self.id} is {now.status}: wait for its end")
        if now.status != "SUCCESS":
            raise TaskFailed(
                now.fail_reason or "it was cancelled",
                task_id=self.id,
                cancelled=now.status == "CANCEL",
                moderated=bool(now.properties.get("moderated")),
            )
        return Result(self._server, now)

    async def cancel(self) -> None:
        """End it, and its job at Midjourney."""
        self.now = await self._server.cancel(self.id)


class Result:
    """A finished task: its image, its words, and what can be made of it."""

    def __init__(self, server: Server, task: Snapshot) -> None:
        self._server = server
        self.task = task
        self._image: bytes | None = None

    @property
    def id(self) -> str:
        return self.task.id

    @property
    def words(self) -> str:
        """Of a describe or a shorten; of an image, the prompt as Midjourney understood it."""
        return self.task.final_prompt

    @property
    def url(self) -> str:
        """The image's link, which may die after a day; empty where there is none."""
        return self.task.image_url or ""

    @property
    def buttons(self) -> tuple[Button, ...]:
        return self.task.buttons

    @property
    def is_grid(self) -> bool:
        """Whether the image holds four."""
        ids = [button.custom_id for button in self.buttons]
        return any(each.startswith("MJ::JOB::upsample::") for each in ids)

    # Files

    async def image(self) -> bytes:
        """The image as Midjourney made it: of a grid, all four."""
        if self._image is None:
            self._image = await self._server.download(self.url)
        return self._image

    async def tile(self, number: int) -> bytes:
        """One image of a grid, 1 to 4 in reading order, cut out as PNG.

        Raises:
            AthenaError: there is no such tile.
        """
        if not self.is_grid or not 1 <= number <= 4:
            raise AthenaError(f"there is no tile {number}: the image is no grid of four")
        return (await self._tiles())[number - 1]

    async def save(self, folder: Path | str = ".", name: str = files.TEMPLATE) -> list[Path]:
        """Write the image, and of a grid the four tiles, into a folder; the paths. `name` is a
        template (see `athena.client.files`); no file is ever overwritten. Prompt, job and seed are
        written into each file.

        Raises:
            BadTemplate: the template cannot be used.
            OSError: a file cannot be written.
        """
        files.check(name)
        made = await self._files(name)
        return await asyncio.to_thread(files.write, Path(folder), made)

    async def _files(self, template: str) -> list[files.File]:
        from athena.delivery.labels import labelled

        whole = await self.image()
        parts = {"grid" if self.is_grid else "1": whole}
        if self.is_grid:
            parts |= {str(n): tile for n, tile in enumerate(await self._tiles(), 1)}
        return [
            files.File(
                files.stem(template, self.task, tile) + files.ending(data),
                labelled(data, self._labels(tile)),
            )
            for tile, data in parts.items()
        ]

    def _labels(self, tile: str) -> dict[str, str]:
        prompt, dashes, parameters = self.task.final_prompt.partition(" --")
        return {
            "Prompt": self.task.final_prompt,
            "Words": prompt,
            "Parameters": (dashes + parameters).strip(),
            "Job": self.task.job,
            "Seed": self.task.seed,
            "Tile": "" if tile == "grid" else tile,
            "Software": "Athena",
        }

    async def _tiles(self) -> tuple[bytes, ...]:
        from athena.delivery.tiles import NotAImage, split

        try:
            return await asyncio.to_thread(split, await self.image())
        except NotAImage as error:
            raise AthenaError(f"the grid cannot be cut: {error}") from error

    # What can be made of it. All raise `NoSuchButton` where the image does not offer it.

    async def upscale(self, number: int | None = None, way: str = "") -> Task:
        """One of a grid's four; of a single image again, `subtle` or `creative`."""
        wish = f"upscale {number or way}".strip()
        return await self._press(choosing.upscale(number, way), wish)

    async def vary(self, number: int | None = None, way: str = "strong") -> Task:
        """One of a grid's four; of a single image `subtle` or `strong`."""
        return await self._press(choosing.vary(number, way), f"vary {number or way}")

    async def reroll(self) -> Task:
        """The same once more."""
        return await self._press(choosing.reroll(), "reroll")

    async def zoom(self, factor: float = 2.0) -> Task:
        """Step back, by 1 to 2."""
        prompt = f"{self.task.final_prompt} --zoom {factor:g}"
        return await self._press(choosing.zoom(factor), f"zoom {factor:g}", prompt)

    async def square(self) -> Task:
        """Widen it to a square."""
        return await self._press(choosing.square(), "make square")

    async def pan(self, direction: str) -> Task:
        """Go on to the left, right, up or down."""
        return await self._press(choosing.pan(direction), f"pan {direction}")

    async def region(self, mask: bytes, prompt: str = "") -> Task:
        """Draw a region anew: `mask` is an image of the same size, white where."""
        return await self._press(choosing.region(), "vary region", prompt, mask)

    async def animate(self, motion: str = "high") -> Task:
        """Make videos of it; `motion` is high or low."""
        return await self._press(choosing.animate(motion), f"animate {motion}")

    async def press(self, name: str, prompt: str = "", mask: bytes | None = None) -> Task:
        """Any button, by what is written on it. `prompt` and `mask` fill in its modal; without
        a prompt the modal stays as it proposes."""
        return await self._pressed(choosing.named(self.buttons, name), prompt, mask)

    async def seed(self) -> str:
        """The job's seed, asked of Midjourney the first time."""
        return await self._server.seed(self.id)

    async def _press(
        self, forms: Sequence[str], wish: str, prompt: str = "", mask: bytes | None = None
    ) -> Task:
        return await self._pressed(choosing.find(self.buttons, forms, wish), prompt, mask)

    async def _pressed(self, button: Button, prompt: str, mask: bytes | None) -> Task:
        body = {"taskId": self.id, "customId": button.custom_id}
        taken = await self._server.submit("submit/action", body)
        if taken.modal is not None:
            taken = await self._fill_in(taken, prompt, mask)
        return Task(self._server, await self._server.fetch(taken.task_id))

    async def _fill_in(self, opened: Submitted, prompt: str, mask: bytes | None) -> Submitted:
        masked = {"maskBase64": text_of(mask)} if mask else {}
        body = {"taskId": opened.task_id, "prompt": prompt or opened.modal, **masked}
        try:
            return await self._server.submit("submit/modal", body)
        except AthenaError:
            await self._server.cancel(opened.task_id)
            raise
