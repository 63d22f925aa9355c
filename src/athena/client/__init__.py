"""The Python library: images from a program, through a server or without one.

It knows the `/mj` dialect and nothing of the engine; `local` starts a server where none is wanted.
What is named here is loaded when it is first used, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from athena.client.errors import (
        AthenaError,
        NoSuchButton,
        Refused,
        ServerUnreachable,
        TaskFailed,
    )
    from athena.client.library import Athena, Result, Task
    from athena.client.server import DEFAULT_SERVER, Account, Button, Snapshot

__all__ = [
    "DEFAULT_SERVER",
    "Account",
    "Athena",
    "AthenaError",
    "Button",
    "NoSuchButton",
    "Refused",
    "Result",
    "ServerUnreachable",
    "Snapshot",
    "Task",
    "TaskFailed",
]

_HOMES = {
    "errors": ("AthenaError", "NoSuchButton", "Refused", "ServerUnreachable", "TaskFailed"),
    "library": ("Athena", "Result", "Task"),
    "server": ("DEFAULT_SERVER", "Account", "Button", "Snapshot"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"athena.client.{home}"), name)
    raise AttributeError(f"module 'athena.client' has no attribute {name!r}")
