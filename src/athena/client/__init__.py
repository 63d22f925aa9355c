"""The Python library: create images from a program, with or without a server.

It uses the `/mj` API and knows nothing of the server's internals; `local` starts a server inside
the process. Names are loaded when they are first used, so that the command line starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from athena.client.errors import (
        AthenaError,
        NoSuchButton,
        Refused,
        RequestRefused,
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
    "RequestRefused",
    "Result",
    "ServerUnreachable",
    "Snapshot",
    "Task",
    "TaskFailed",
]

_MODULES = {
    "errors": (
        "AthenaError",
        "NoSuchButton",
        "Refused",
        "RequestRefused",
        "ServerUnreachable",
        "TaskFailed",
    ),
    "library": ("Athena", "Result", "Task"),
    "server": ("DEFAULT_SERVER", "Account", "Button", "Snapshot"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"athena.client.{module}"), name)
    raise AttributeError(f"module 'athena.client' has no attribute {name!r}")
