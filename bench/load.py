"""Load from this process: many connections that send the next request after each response."""

import asyncio
import time
from collections.abc import Callable


async def requests_per_second(
    url: str, make: Callable[[int], bytes], *, callers: int, seconds: float
) -> float:
    """Requests per second answered with status 200, over persistent connections.

    `make` gives the bytes of the n-th request. It uses raw sockets, so that the load costs little.
    """
    host, port = url.removeprefix("http://").split(":")
    count = 0
    ends_at = time.perf_counter() + seconds

    async def call(number: int) -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.perf_counter() < ends_at:
            writer.write(make(number))
            number += callers
            await _answer(reader)
            count += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(call(number) for number in range(callers)))
    return count / (time.perf_counter() - began)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    return await reader.readexactly(length)


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """One HTTP/1.1 request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
