"""Exit codes that scripts can use, and the one way to fail."""

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
    """The server did not take the request."""
    INTERRUPTED = 130


def fail(code: Exit, message: str) -> NoReturn:
    """Say on stderr what went wrong and leave."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
