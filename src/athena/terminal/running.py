"""Runs a command's work: every error becomes words and an exit code, Ctrl-C is heard."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

import typer

from athena.terminal import loop
from athena.terminal.exits import Exit, fail


class Interrupts:
    """Counts Ctrl-C while it is entered: once is to leave, twice is to cancel."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def __enter__(self) -> Interrupts:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._hit)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    def _hit(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


def run(work: Coroutine[Any, Any, Exit | None]) -> None:
    """Do a command's work, and leave with its exit code."""
    from athena import client
    from athena.client.files import BadTemplate

    try:
        code = loop.run(work)
    except client.ServerUnreachable as error:
        fail(Exit.UNREACHABLE, f"{_sentence(error)}\nIs it running? `athena serve` starts one; "
             "--simulate needs none; `athena doctor` looks for what is wrong.")  # fmt: skip
    except client.RequestRefused as error:
        fail(Exit.REFUSED, f"Not taken: {error}")
    except client.TaskFailed as error:
        fail(Exit.FAILED, f"Failed: {error}")
    except (client.AthenaError, BadTemplate) as error:
        fail(Exit.USAGE, _sentence(error))
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        fail(Exit.FAILED, f"{error.strerror or error}{where}")
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
    if code:
        raise typer.Exit(code)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
