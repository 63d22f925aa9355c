"""Lets everything happen that needs no time to pass."""

import asyncio


async def settle() -> None:
    """Several turns of the event loop: enough for a chain of callbacks among fakes."""
    for _ in range(12):
        await asyncio.sleep(0)
