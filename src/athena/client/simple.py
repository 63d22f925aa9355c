"""A single function for scripts, without `async`.

import athena

for path in athena.imagine("a cute cat", download_path="images"):
    print(path)
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from athena.client.library import Athena
from athena.client.server import DEFAULT_SERVER


def imagine(
    prompt: str,
    download_path: Path | str = ".",
    *,
    server: str = DEFAULT_SERVER,
    secret: str | None = None,
    token: str = "",
    guild: str = "",
    channel: str = "",
    simulate: bool = False,
) -> list[Path]:
    """Create an image, wait for it, and return the paths of the grid and its four tiles.

    Uses a running server by default; with `token`, `guild` and `channel` your own account, without
    a server; with `simulate` the simulator.

    Raises:
        AthenaError: no image was created; the message says why and what to do.
        OSError: a file could not be written.
    """

    def connection() -> AbstractAsyncContextManager[Athena]:
        if simulate:
            return Athena.simulated()
        if token:
            return Athena.direct(token, guild, channel)
        return Athena.connect(server, secret)

    async def make() -> list[Path]:
        async with connection() as mj:
            return await (await (await mj.imagine(prompt))).save(download_path)

    return asyncio.run(make())
