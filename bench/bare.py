"""The reference: a bare ASGI program on the same server.

Run as `python -m bench.bare FILE`: responds to every request with the bytes of the file.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn

from athena.sockets import listen
from athena.terminal import loop

Message = MutableMapping[str, Any]


def application(body: bytes) -> Any:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]

    async def answer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["method"] == "POST":
            await receive()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return answer


async def main(body: bytes) -> None:
    listening = listen("127.0.0.1", 0)
    print(f"bare: http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        application(body), log_config=None, access_log=False, lifespan="off", server_header=False
    )
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    loop.run(main(Path(sys.argv[1]).read_bytes()))
