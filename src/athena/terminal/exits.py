"""Exit codes for scripts, and the function that exits with an error."""

from enum import IntEnum
from typing import NoReturn

import typer


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    """The task, or the server, failed."""
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    """The server rejected the request."""
    INTERRUPTED = 130


def fail(code: Exit, message: str) -> NoReturn:
    """Print an error to stderr and exit."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
