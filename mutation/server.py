"""A process that has collected the tests, and forks once for each mutant."""

import importlib
import types
from collections.abc import Callable, Generator, Sequence

import msgspec
import pytest
from msgspec import Struct

from mutation import mutants, testing
from mutation.forking import Outcome, in_fork
from mutation.mutants import Mutant
from mutation.testing import Items, Ran

CPU_SECONDS, CPU_FACTOR = 1.0, 3
"""A mutant may take so long, and so many times what its tests took without it. That was measured
while their lines were noted, which alone makes them two to five times slower."""
WALL_FACTOR = 10
"""The same on the clock is so many times that; it ends what waits for ever."""


class Result(Struct, frozen=True):
    """What became of a mutant: caught, timeout, survived, unreached, or cold (still to be run)."""

    mutant: int
    """Its place in the list."""
    state: str
    by: str = ""
    """The test that failed."""


class Served(Struct, frozen=True):
    """All that a server has to say. `broken`: a test that fails without any mutant."""

    results: tuple[Result, ...] = ()
    tests: int = 0
    seconds: float = 0.0
    broken: str = ""


class Server:
    """A pytest plugin that runs mutants in place of tests."""

    def __init__(self, targets: Sequence[Mutant], told: Callable[[Result], None]) -> None:
        self._mutants = targets
        self._told = told
        self._early: set[int] = set()
        """Lines that run while the tests are collected: for their parameters, say."""
        self.served = Served(broken="the tests could not be collected")

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        with testing.Tracer(self._mutants[0].path, self._early):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed or not session.items:
            return True
        self.served = self._serve(session.items)
        return True

    def _serve(self, items: Sequence[pytest.Item]) -> Served:
        path = self._mutants[0].path
        outcome = in_fork(lambda: _baseline(items, path))
        if not outcome.result:
            return Served(broken="a test ended the process")
        ran = msgspec.json.decode(outcome.result, type=list[Ran] | str)
        if isinstance(ran, str):
            return Served(broken=ran)
        module = importlib.import_module(self._mutants[0].module)
        by_id = {item.nodeid: item for item in items}
        results = tuple(
            self._result(at, each, module, ran, by_id) for at, each in enumerate(self._mutants)
        )
        return Served(results, len(items), sum(each.seconds for each in ran))

    def _result(
        self,
        at: int,
        mutant: Mutant,
        module: types.ModuleType,
        ran: Sequence[Ran],
        by_id: dict[str, pytest.Item],
    ) -> Result:
        state, by = _judged(mutant, module, ran, by_id)
        is_early = not self._early.isdisjoint(range(mutant.lines[0], mutant.lines[1] + 1))
        if is_early and state in ("survived", "unreached"):
            state = "cold"
        result = Result(at, state, by)
        self._told(result)
        return result


def limits(seconds: float) -> tuple[float, float]:
    """The limits for tests that take so long: of processor time, and on the clock."""
    cpu = CPU_SECONDS + CPU_FACTOR * seconds
    return cpu, WALL_FACTOR * cpu


def state_of(outcome: Outcome) -> tuple[str, str]:
    """How a run ended, and the test that failed. A process that died was caught, too."""
    if outcome.timed_out:
        return "timeout", ""
    if outcome.result is None:
        return "caught", "(the process died)"
    return ("caught", outcome.result.decode()) if outcome.result else ("survived", "")


def _judged(
    mutant: Mutant, module: types.ModuleType, ran: Sequence[Ran], by_id: dict[str, pytest.Item]
) -> tuple[str, str]:
    if mutant.function is None or (swap := _swap(mutant, module)) is None:
        return "cold", ""
    function, code = swap
    chosen = testing.quickest(ran, mutant.lines)
    if not chosen:
        return "unreached", ""
    items = [by_id[each.test] for each in chosen]

    def run() -> bytes:
        function.__code__ = code
        return _first_failure(items)

    return state_of(in_fork(run, *limits(sum(each.seconds for each in chosen))))


def _first_failure(items: Sequence[pytest.Item]) -> bytes:
    plugin = Items()
    items[0].config.pluginmanager.register(plugin)
    return (plugin.first_failure(items) or "").encode()


def _baseline(items: Sequence[pytest.Item], path: str) -> bytes:
    plugin = Items()
    items[0].config.pluginmanager.register(plugin)
    ran = plugin.traced(items, path)
    if plugin.failed:
        again = Items()
        items[0].config.pluginmanager.register(again)
        return msgspec.json.encode(again.first_failure(items) or "a test, but not twice")
    return msgspec.json.encode(ran)


def _swap(
    mutant: Mutant, module: types.ModuleType
) -> tuple[types.FunctionType, types.CodeType] | None:
    """The live function and its new code; None where it cannot be exchanged in place."""
    function = _live(module, mutant.function or "")
    named = [
        code for code in mutants.functions(mutant.code()) if code.co_qualname == mutant.function
    ]
    if function is None or len(named) != 1:
        return None
    fits = function.__code__.co_freevars == named[0].co_freevars
    return (function, named[0]) if fits else None


def _live(module: types.ModuleType, qualified: str) -> types.FunctionType | None:
    found: object = module
    for name in qualified.split("."):
        found = vars(found).get(name) if hasattr(found, "__dict__") else None
    if isinstance(found, property):
        found = found.fget
    while not isinstance(found, types.FunctionType) and hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    if not isinstance(found, types.FunctionType):
        found = getattr(found, "__func__", None)
    while found is not None and hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    same = isinstance(found, types.FunctionType) and found.__qualname__ == qualified
    return found if same and isinstance(found, types.FunctionType) else None
