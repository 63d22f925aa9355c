"""Runs a command: turns errors into messages and exit codes, and handles Ctrl-C."""

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
    """Counts Ctrl-C inside its context: once detaches, twice cancels."""

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
    """Run a command's coroutine and exit with its exit code."""
    from athena import client
    from athena.client.files import BadTemplate

    try:
        code = loop.run(work)
    except client.ServerUnreachable as error:
        fail(Exit.UNREACHABLE, f"{_sentence(error)}\nStart one with `athena serve`, or add "
             "--simulate. `athena doctor` can help.")  # fmt: skip
    except client.RequestRefused as error:
        fail(Exit.REFUSED, f"Rejected: {error}")
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
