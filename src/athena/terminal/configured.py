"""The settings of this run: as configured, with the overrides of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from athena.terminal.exits import Exit, fail

if TYPE_CHECKING:
    from athena.settings import Settings


def settings(
    *, host: str | None = None, port: int | None = None, data_dir: Path | None = None
) -> Settings:
    """The settings; exits with a message if they are invalid."""
    from pydantic import ValidationError

    from athena.settings import Settings

    try:
        found = Settings()
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        fail(Exit.USAGE, f"Invalid settings: {'; '.join(faults)}")
    except ValueError as error:
        fail(Exit.USAGE, f"Cannot read the settings: {error}")
    given = {"host": host, "port": port}
    server = found.server.model_copy(update={k: v for k, v in given.items() if v is not None})
    return found.model_copy(update={"server": server, "data_dir": data_dir or found.data_dir})
