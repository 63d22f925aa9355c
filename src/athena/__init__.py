"""Athena: your own Midjourney subscription, from programs, a web page and a terminal."""

from typing import TYPE_CHECKING, Any

from athena.version import __version__

if TYPE_CHECKING:
    from athena.client import (
        Athena,
        AthenaError,
        NoSuchButton,
        Refused,
        RequestRefused,
        Result,
        ServerUnreachable,
        Task,
        TaskFailed,
    )
    from athena.client.simple import imagine

__all__ = [
    "Athena",
    "AthenaError",
    "NoSuchButton",
    "Refused",
    "RequestRefused",
    "Result",
    "ServerUnreachable",
    "Task",
    "TaskFailed",
    "__version__",
    "imagine",
]


def __getattr__(name: str) -> Any:
    """The library is loaded when it is first used; the server does not need it."""
    if name not in __all__:
        raise AttributeError(f"module 'athena' has no attribute {name!r}")
    if name == "imagine":
        from athena.client import simple

        return simple.imagine
    from athena import client

    return getattr(client, name)
