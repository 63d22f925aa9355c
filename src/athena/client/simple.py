"""For scripts: one call, without `async`.

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
    """Make an image and wait for it; the paths of the grid and its four tiles.

    Through a running server; or, with `token`, `guild` and `channel`, with one's own account and no
    server; or, with `simulate`, with the simulator.

    Raises:
        AthenaError: it could not be made; the text says why and what to do.
        OSError: a file could not be written.
    """

    def way() -> AbstractAsyncContextManager[Athena]:
        if simulate:
            return Athena.simulated()
        if token:
            return Athena.direct(token, guild, channel)
        return Athena.connect(server, secret)

    async def make() -> list[Path]:
        async with way() as mj:
            return await (await (await mj.imagine(prompt))).save(download_path)

    return asyncio.run(make())
