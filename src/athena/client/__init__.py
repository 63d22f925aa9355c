"""The Python library: pictures from a program, through a server or without one.

It knows the `/mj` dialect and nothing of the engine; `local` starts a server where none is wanted.
"""

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
