"""An event loop with a virtual clock and an in-memory network.

Nothing here waits. When no callback is ready the loop jumps to the next timer, so idle time costs
nothing. Sockets are pairs of objects that pass bytes to each other after a short, random delay;
thread calls are direct calls. With the same seed everything happens in the same order.

Programs run on it unchanged: they use servers, connections and timers as on any other loop. Each
runs on a *machine*, named by a context variable that its tasks inherit. A machine can be switched
off at any moment: its tasks end, its connections and listeners break, and nothing that it does
afterwards has an effect.
"""

import asyncio
import contextvars
import selectors
import socket
import struct
import traceback
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any
from zlib import crc32

_EPOCH = 1_760_000_000_000
_LATENCY = (0.0002, 0.004)
_CALL = 0.001
"""Seconds that a thread call takes."""

MACHINE: contextvars.ContextVar[str] = contextvars.ContextVar("machine", default="nobody")

Address = tuple[str, int]


class Stuck(RuntimeError):
    """Deadlock: every task waits and no timer is set."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Create it, call `run_until_complete`, close it."""

    def __init__(self, seed: int) -> None:
        self._elapsed = 0.0
        self.trace = 0
        """A checksum of all moments so far: equal for equal runs."""
        self.random = Random(f"network/{seed}")
        self._listeners: dict[Address, _Listener] = {}
        self._dialled: dict[socket.socket, Address] = {}
        self._ends: dict[_End, None] = {}
        self._machines: dict[str, dict[asyncio.Task[Any], None]] = {}
        self._off: set[str] = set()
        super().__init__(_Jumps(self._jump))
        self.set_task_factory(self._make_task)

    # Time

    def time(self) -> float:
        return self._elapsed

    def _jump(self, seconds: float | None) -> None:
        if seconds is None:
            raise Stuck("nothing is ready and no timer runs")
        self._elapsed += seconds
        self.trace = crc32(struct.pack("d", self._elapsed), self.trace)

    # Machines

    def _make_task(self, loop: Any, work: Any, **more: Any) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **more)
        context = more.get("context")
        name = context.get(MACHINE, "nobody") if context else MACHINE.get()
        tasks = self._machines.setdefault(name, {})
        tasks[task] = None
        task.add_done_callback(lambda done: tasks.pop(done, None))
        return task

    def start(self, machine: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run a coroutine on the machine with this name, which is then switched on."""
        self._off.discard(machine)
        context = contextvars.copy_context()
        context.run(MACHINE.set, machine)
        task: asyncio.Task[None] = self.create_task(work, context=context)
        task.add_done_callback(_complain)
        return task

    async def switch_off(self, machine: str) -> None:
        """Kill everything on a machine immediately."""
        self._off.add(machine)
        for address, listener in list(self._listeners.items()):
            if listener.machine == machine:
                del self._listeners[address]
        for end in [each for each in self._ends if each.machine == machine]:
            end.die()
        tasks = list(self._machines.get(machine, ()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Network

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.Protocol], *, sock: socket.socket, **_: Any
    ) -> "_Listener":
        address = sock.getsockname()
        listener = _Listener(self, protocol_factory, sock, MACHINE.get())
        self._listeners[address] = listener
        return listener

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        """Every name resolves to this machine."""
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    async def sock_connect(self, sock: socket.socket, address: Address) -> None:  # type: ignore[override]
        await asyncio.sleep(self.latency())
        if address not in self._listeners or MACHINE.get() in self._off:
            raise ConnectionRefusedError(f"no listener at {address}")
        self._dialled[sock] = address

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.Protocol], *, sock: socket.socket, **_: Any
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        address = self._dialled.pop(sock)
        sock.close()
        listener = self._listeners.get(address)
        if listener is None:
            raise ConnectionResetError(f"no listener at {address} any more")
        here = _End(self, MACHINE.get(), contextvars.copy_context(), address)
        there = _End(self, listener.machine, listener.context, address)
        here.peer, there.peer = there, here
        there.connect(listener.make)
        return here, here.connect(protocol_factory)

    def latency(self) -> float:
        return self.random.uniform(*_LATENCY)

    def forget(self, listener: "_Listener") -> None:
        self._listeners = {a: each for a, each in self._listeners.items() if each is not listener}

    def enlist(self, end: "_End") -> None:
        self._ends[end] = None

    def discard(self, end: "_End") -> None:
        self._ends.pop(end, None)

    # Threads

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        done = self.create_future()

        def work() -> None:
            if done.cancelled():
                return
            try:
                done.set_result(func(*args))
            except Exception as error:
                done.set_exception(error)

        self.call_later(_CALL, work)
        return done

    def _write_to_self(self) -> None:
        """Not needed: the loop never sleeps."""


def _complain(task: "asyncio.Task[None]") -> None:
    """Report a program that ends with an error: a bug in the test or in the server."""
    if not task.cancelled() and (error := task.exception()):
        traceback.print_exception(error)


class LoopClock:
    """A `Clock` that shows the virtual loop's time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        return _EPOCH + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))


class _Jumps(selectors.SelectSelector):
    """A selector that never waits for a socket: there are none."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._jump(timeout)
        return []


class _Listener(asyncio.AbstractServer):
    def __init__(
        self,
        loop: VirtualLoop,
        make: Callable[[], asyncio.Protocol],
        sock: socket.socket,
        machine: str,
    ) -> None:
        self._loop = loop
        self.make = make
        self.sockets = (sock,)
        self.machine = machine
        self.context = contextvars.copy_context()

    def close(self) -> None:
        self._loop.forget(self)

    def is_serving(self) -> bool:
        return True

    async def start_serving(self) -> None:
        pass

    async def serve_forever(self) -> None:
        await asyncio.Event().wait()

    async def wait_closed(self) -> None:
        pass

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop


class _End(asyncio.Transport):
    """One end of a connection. Written data arrives at the other end after a delay, in order; data
    written during the delay arrives together."""

    def __init__(
        self, loop: VirtualLoop, machine: str, context: contextvars.Context, address: Address
    ) -> None:
        super().__init__({"peername": ("10.0.0.1", 1), "sockname": address})
        self._loop = loop
        self.machine = machine
        self._context = context.copy()
        self.peer: _End
        self._protocol: asyncio.Protocol
        self._out = bytearray()
        self._in = bytearray()
        self._paused = False
        self._closing = False
        self._over = False
        self._ends_soon = False

    def connect(self, make: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        self._loop.enlist(self)
        self._protocol = self._context.run(make)
        self._context.run(self._protocol.connection_made, self)
        return self._protocol

    # Transport interface

    def write(self, data: Any) -> None:
        if self._closing or self._over:
            return
        if not self._out:
            self._later(self._deliver)
        self._out += data

    def writelines(self, list_of_data: Any) -> None:
        for data in list_of_data:
            self.write(data)

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._later(self._part)

    def abort(self) -> None:
        self._closing = True
        self._out.clear()
        self._later(self._part)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        if self._in:
            self._loop.call_soon(self._hand_over, context=self._context)

    def is_reading(self) -> bool:
        return not self._paused

    def get_write_buffer_size(self) -> int:
        return len(self._out)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol  # type: ignore[assignment]

    # Between the two ends

    def _later(self, act: Callable[[], None]) -> None:
        self._loop.call_later(self._loop.latency(), act)

    def _deliver(self) -> None:
        data, self._out = self._out, bytearray()
        if data and not self.peer._over:
            self.peer._in += data
            self._loop.call_soon(self.peer._hand_over, context=self.peer._context)

    def _hand_over(self) -> None:
        if self._paused or self._over or not self._in:
            return
        data, self._in = bytes(self._in), bytearray()
        self._protocol.data_received(data)

    def _part(self) -> None:
        """Close this end: written data is delivered, then both ends close."""
        self._deliver()
        self._end(None)
        self._loop.call_soon(self.peer.hang_up, context=self.peer._context)

    def hang_up(self) -> None:
        """The other end is closed."""
        if not self._over:
            self._hand_over()
            self._closing = True
            self._end(None)

    def die(self) -> None:
        """The machine of this end is off."""
        self._closing = self.peer._closing = True
        self._out.clear()
        self._end(ConnectionResetError("the machine is off"))
        self.peer._end(ConnectionResetError("the other side is gone"))

    def _end(self, error: Exception | None) -> None:
        if self._over:
            return
        self._over = True
        self._loop.discard(self)
        self._loop.call_soon(self._protocol.connection_lost, error, context=self._context)
