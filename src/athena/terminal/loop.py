"""Runs a command's coroutine on the fastest event loop that is there."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Like `asyncio.run`, on uvloop where it can be installed.

    What was imported by now lives as long as the process, so the garbage collector need not look
    through it again and again.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
