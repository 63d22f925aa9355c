"""Work in a forked process, with limits on its time and memory."""

import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

_MEMORY = 2 << 30
"""Bytes of address space that a fork may add to what it begins with."""


class Outcome(Struct, frozen=True):
    """What came of it: the bytes that the work returned; None: it died or was ended."""

    result: bytes | None
    timed_out: bool = False


def in_fork(work: Callable[[], bytes], cpu: float | None = None, wall: float = 3600) -> Outcome:
    """Run `work` in a fork. `cpu`: seconds of processor time, rounded up; `wall`: seconds."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _child(work, writer, cpu)
    os.close(writer)
    data, in_time = _read(reader, time.monotonic() + wall)
    os.close(reader)
    if not in_time:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    slow = not in_time or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
    died = slow or os.waitstatus_to_exitcode(status) != 0
    return Outcome(result=None if died else data, timed_out=slow)


def _child(work: Callable[[], bytes], writer: int, cpu: float | None) -> None:
    code = 1
    try:
        if cpu is not None:
            _limit(cpu)
        data = work()
        while data:
            data = data[os.write(writer, data) :]
        code = 0
    finally:
        os._exit(code)


def _limit(cpu: float) -> None:
    used = time.process_time()
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    soft = int(used + cpu) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, soft + 5))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + _MEMORY, hard))


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()


def _read(reader: int, until: float) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    while (left := until - time.monotonic()) > 0:
        if not select.select([reader], [], [], left)[0]:
            continue
        part = os.read(reader, 1 << 16)
        if not part:
            return b"".join(parts), True
        parts.append(part)
    return b"", False
