"""The Python library.

    from athena import Athena

    async with Athena.connect("http://127.0.0.1:8062") as mj:
        task = await mj.imagine("a cute cat --ar 3:2")
        async for change in task:
            print(change.progress)
        cat = await task
        print(await cat.save("images"))
        closer = await (await cat.upscale(2))

`connect` uses a server, `direct` your own account without a server, `simulated` the simulator. The
rest of the API is the same for all three.
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
    """The client. Create one with `connect`, `direct` or `simulated`.

    Every method may raise `ServerUnreachable`, and `RequestRefused` when a request is rejected.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, server: str = DEFAULT_SERVER, secret: str | None = None
    ) -> AsyncIterator["Athena"]:
        """Use the server at a base URL, with its API secret or a token if it requires one."""
        async with aiohttp.ClientSession() as http:
            yield cls(Server(http, server, secret or ""))

    @classmethod
    @asynccontextmanager
    async def direct(
        cls, token: str, guild: str, channel: str, *, data_dir: Path | str = "data"
    ) -> AsyncIterator["Athena"]:
        """Use your own Discord account, without a server. Tasks are stored in `data_dir`, so a
        program that is started again resumes them.

        Raises:
            AthenaError: the folder is in use, or an id is invalid.
        """
        from athena.client import local

        settings = local.direct(token, guild, channel, Path(data_dir))
        async with local.served(settings) as (url, secret), cls.connect(url, secret) as mj:
            yield mj

    @classmethod
    @asynccontextmanager
    async def simulated(cls, *, speed: float = 20.0) -> AsyncIterator["Athena"]:
        """Use the simulator: no account, no GPU time. `speed` divides the duration of jobs."""
        from athena.client import local

        async with local.simulated(speed) as (url, secret), cls.connect(url, secret) as mj:
            yield mj

    async def imagine(
        self, prompt: str, images: Sequence[bytes] = (), *, key: str | None = None
    ) -> "Task":
        """Create images from a prompt and optional image prompts. A repeated call with the same
        `key` is the same request and is accepted once."""
        body = {"prompt": prompt, "base64Array": [text_of(each) for each in images]}
        return await self.ask("submit/imagine", body, key)

    async def blend(self, images: Sequence[bytes], shape: str = "") -> "Task":
        """Blend two to five images; `shape` is portrait, square or landscape."""
        dimensions = {"dimensions": shape.upper()} if shape else {}
        body = {"base64Array": [text_of(each) for each in images], **dimensions}
        return await self.ask("submit/blend", body)

    async def swap(self, face: bytes, image: bytes) -> "Task":
        """Swap a face into an image."""
        body = {"sourceBase64": text_of(face), "targetBase64": text_of(image)}
        return await self.ask("insight-face/swap", body)

    async def edit(self, prompt: str, image: bytes, mask: bytes | None = None) -> "Task":
        """Restyle your own image from a prompt, where the mask is white."""
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
        """Create videos from a prompt, a first frame, or both; `motion` is low or high."""
        frames = {"image": start, "endImage": end}
        given = {name: text_of(frame) for name, frame in frames.items() if frame}
        body = {"prompt": prompt, "motion": motion, "loop": loop, **given}
        return await self.ask("submit/video", body)

    film = video
    """The earlier name."""

    async def describe(self, image: bytes | str) -> "Task":
        """Get prompts that describe an image or a linked image; see the result's `words`."""
        given = {"link": image} if isinstance(image, str) else {"base64": text_of(image)}
        return await self.ask("submit/describe", given)

    async def shorten(self, prompt: str) -> "Task":
        """Analyze a prompt and get shorter ones; see the result's `words`."""
        return await self.ask("submit/shorten", {"prompt": prompt})

    async def task(self, task_id: str) -> "Task":
        """A task by its id, of any age."""
        return Task(self.server, await self.server.fetch(task_id))

    async def tasks(self, most: int = 100) -> list["Task"]:
        """The latest tasks, newest first."""
        return [Task(self.server, each) for each in await self.server.tasks(most)]

    async def accounts(self) -> list[Account]:
        """The server's accounts."""
        return await self.server.accounts()

    async def upload(self, images: Sequence[bytes]) -> list[str]:
        """Upload images to Discord and return their links, for use in prompts."""
        return await self.server.upload(images)

    async def ask(self, what: str, body: Mapping[str, Any], key: str | None = None) -> "Task":
        """Send any submit of the `/mj` API."""
        taken = await self.server.submit(what, body, key)
        return Task(self.server, await self.server.fetch(taken.task_id))


class Task:
    """A submitted task. `await` it for its result, or iterate over its changes with `async for`."""

    def __init__(self, server: Server, snapshot: Snapshot) -> None:
        self._server = server
        self.now = snapshot
        """Its last known state."""

    @property
    def id(self) -> str:
        return self.now.id

    async def __aiter__(self) -> AsyncIterator[Snapshot]:
        """The task's current state, then its state at each change until it ends."""
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
        """Wait until the task ends.

        Raises:
            TaskFailed: it ended without an image.
        """
        async for _ in self:
            pass
        return self.ended()

    def ended(self) -> "Result":
        """The result of a task that is known to have ended.

        Raises:
            TaskFailed: it ended without an image.
            AthenaError: it has not ended.
        """
        now = self.now
        if not now.ended:
            raise AthenaError(f"task {self.id} has not ended ({now.status}); await it first")
        if now.status != "SUCCESS":
            raise TaskFailed(
                now.fail_reason or "the task was cancelled",
                task_id=self.id,
                cancelled=now.status == "CANCEL",
                moderated=bool(now.properties.get("moderated")),
            )
        return Result(self._server, now)

    async def cancel(self) -> None:
        """Cancel the task, and its job at Midjourney."""
        self.now = await self._server.cancel(self.id)


class Result:
    """A finished task: its image or text, and the actions on it."""

    def __init__(self, server: Server, task: Snapshot) -> None:
        self._server = server
        self.task = task
        self._image: bytes | None = None

    @property
    def id(self) -> str:
        return self.task.id

    @property
    def words(self) -> str:
        """The text of a describe or shorten; for an image, the prompt as Midjourney interpreted
        it."""
        return self.task.final_prompt

    @property
    def url(self) -> str:
        """The image's link, which may expire after a day; empty if there is none."""
        return self.task.image_url or ""

    @property
    def buttons(self) -> tuple[Button, ...]:
        return self.task.buttons

    @property
    def is_grid(self) -> bool:
        """Whether the image is a grid of four."""
        ids = [button.custom_id for button in self.buttons]
        return any(each.startswith("MJ::JOB::upsample::") for each in ids)

    # Files

    async def image(self) -> bytes:
        """The image as Midjourney created it; for a grid, the whole grid."""
        if self._image is None:
            self._image = await self._server.download(self.url)
        return self._image

    async def tile(self, number: int) -> bytes:
        """One tile of a grid, 1 to 4 in reading order, as PNG.

        Raises:
            AthenaError: the image is not a grid, or has no such tile.
        """
        if not self.is_grid:
            raise AthenaError("the image is not a grid and has no tiles")
        if not 1 <= number <= 4:
            raise AthenaError(f"tile must be 1 to 4, not {number}")
        return (await self._tiles())[number - 1]

    async def save(self, folder: Path | str = ".", name: str = files.TEMPLATE) -> list[Path]:
        """Write the image, and the four tiles of a grid, to a folder and return the paths. `name`
        is a template (see `athena.client.files`); files are never overwritten. Each file contains
        prompt, job and seed.

        Raises:
            BadTemplate: the template is invalid.
            OSError: a file could not be written.
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
        from athena.delivery.tiles import NotAnImage, split

        try:
            return await asyncio.to_thread(split, await self.image())
        except NotAnImage as error:
            raise AthenaError(f"cannot split the grid: {error}") from error

    # Actions. All raise `NoSuchButton` if the image does not offer the action.

    async def upscale(self, number: int | None = None, way: str = "") -> Task:
        """Upscale one image of a grid, or a single image (`way`: `subtle` or `creative`)."""
        action = f"upscale {number or way}".strip()
        return await self._press(choosing.upscale(number, way), action)

    async def vary(self, number: int | None = None, way: str = "strong") -> Task:
        """Create variations of one image of a grid, or of a single image (`way`: `subtle` or
        `strong`)."""
        return await self._press(choosing.vary(number, way), f"vary {number or way}")

    async def reroll(self) -> Task:
        """Run the same prompt again."""
        return await self._press(choosing.reroll(), "reroll")

    async def zoom(self, factor: float = 2.0) -> Task:
        """Zoom out by a factor of 1 to 2."""
        prompt = f"{self.task.final_prompt} --zoom {factor:g}"
        return await self._press(choosing.zoom(factor), f"zoom {factor:g}", prompt)

    async def square(self) -> Task:
        """Extend the image to a square."""
        return await self._press(choosing.square(), "make square")

    async def pan(self, direction: str) -> Task:
        """Extend the image to the left, right, up or down."""
        return await self._press(choosing.pan(direction), f"pan {direction}")

    async def region(self, mask: bytes, prompt: str = "") -> Task:
        """Repaint part of the image. `mask` is an image of the same size; white marks the area."""
        return await self._press(choosing.region(), "vary region", prompt, mask)

    async def animate(self, motion: str = "high") -> Task:
        """Animate the image; `motion` is high or low."""
        return await self._press(choosing.animate(motion), f"animate {motion}")

    async def press(self, name: str, prompt: str = "", mask: bytes | None = None) -> Task:
        """Press any button, by its label. `prompt` and `mask` fill in its modal; without a prompt,
        the modal is submitted with the prompt that it proposes."""
        return await self._pressed(choosing.named(self.buttons, name), prompt, mask)

    async def seed(self) -> str:
        """The job's seed, requested from Midjourney the first time."""
        return await self._server.seed(self.id)

    async def _press(
        self, forms: Sequence[str], action: str, prompt: str = "", mask: bytes | None = None
    ) -> Task:
        return await self._pressed(choosing.find(self.buttons, forms, action), prompt, mask)

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
