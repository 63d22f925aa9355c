"""Runs a command's coroutine on the fastest event loop available."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Like `asyncio.run`, with uvloop if it is installed.

    Imported modules live as long as the process, so they are excluded from garbage collection.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
