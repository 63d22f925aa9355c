"""Whether the process may open as many files as its connections need.

Each connection is a file descriptor. Systems allow a process 1,024 of them unless told otherwise,
which a thousand accounts use up; what fails then is whatever opens the next file.
"""

import resource

import structlog

from athena.discord.http_sessions import ConnectionLimits

log = structlog.get_logger(__name__)

_BESIDES = 256
"""Database, logs, the server's own callers, name lookups."""


class OpenFiles:
    """The system's limits; a port, so that tests have their own."""

    def limits(self) -> tuple[int, int]:
        """The soft and the hard limit; -1 is none."""
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    def raise_to(self, soft: int, hard: int) -> None:
        """Set the soft limit.

        Raises:
            OSError, ValueError: the system does not let us.
        """
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files_needed(accounts: int, limits: ConnectionLimits, callers: int = 0) -> int:
    """File descriptors for so many accounts and, at a time, so many callers of the server."""
    return accounts + limits.total + callers + _BESIDES


def ensure_open_files(needed: int, system: OpenFiles | None = None) -> str | None:
    """Raise the process's own limit if it is too low; what an operator must do when that does not
    suffice, and None when it does."""
    system = system or OpenFiles()
    soft, hard = system.limits()
    if _suffices(soft, needed):
        return None
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        system.raise_to(wanted, hard)
    except (OSError, ValueError):
        wanted = soft
    if wanted >= needed:
        log.info("open_files.raised", before=soft, now=wanted)
        return None
    return (
        f"this process needs up to {needed} open files and may have {wanted}: raise the limit with "
        f"`ulimit -n {needed}`, or `LimitNOFILE={needed}` in its systemd unit"
    )


def _suffices(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
