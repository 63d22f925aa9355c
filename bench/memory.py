"""Memory of the idle server: connected, nothing to do."""

from pathlib import Path

from bench.processes import server_with_simulator
from bench.result import Result

_BOUND_MB = 90


async def measure(folder: Path) -> list[Result]:
    """Resident memory of the server's process alone, as the kernel counts it."""
    async with server_with_simulator(folder, core_size=3, queue_size=10, speed="20") as (_, pid):
        kilobytes = _resident(pid)
    return [
        Result(
            what="memory of the idle server",
            measured=f"{kilobytes / 1024:.0f} MB",
            bound=f"< {_BOUND_MB} MB",
            good=kilobytes < _BOUND_MB * 1024,
        )
    ]


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:", 1)[1].split()[0])
