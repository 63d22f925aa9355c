"""One module's mutants, from its source to what became of each."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from mutation import cold, config, mutants, testing
from mutation.config import Config, Target
from mutation.forking import in_fork
from mutation.mutants import Mutant
from mutation.server import Result, Served, Server

SIGNS = {"caught": ".", "timeout": "t", "survived": "S", "unreached": "U", "cold": ""}


class Broken(Exception):
    """The tests of a module cannot be used."""


class Judged(Struct, frozen=True):
    """A mutant and what became of it."""

    mutant: Mutant
    state: str
    by: str

    @property
    def survives(self) -> bool:
        return self.state in ("survived", "unreached")


class Run(Struct, frozen=True):
    """All of one module."""

    target: Target
    judged: tuple[Judged, ...]
    tests: int
    seconds: float
    """Of processor time that the tests took once, while their lines were noted."""


def run(settings: Config, target: Target, wanted: Callable[[Mutant], bool]) -> Run:
    """Judge those of a module's mutants that are wanted.

    Raises:
        Broken: the tests fail without a mutant, or cannot be collected.
    """
    path = config.path_of(settings, target.module)
    made = [each for each in mutants.of_module(target.module, path) if wanted(each)]
    if not made:
        return Run(target, (), 0, 0.0)
    served = _serve(made, target.tests)
    if served.broken:
        raise Broken(f"{target.module}: {served.broken}")
    results = [_warmed(each, made, served, target) for each in served.results]
    judged = tuple(Judged(made[each.mutant], each.state, each.by) for each in results)
    return Run(target, judged, served.tests, served.seconds)


def _serve(made: Sequence[Mutant], tests: Sequence[str]) -> Served:
    def work() -> bytes:
        with _silent() as told:
            server = Server(made, told)
            pytest.main([*testing.OPTIONS, *tests], plugins=[server])
            return msgspec.json.encode(server.served)

    outcome = in_fork(work)
    if outcome.result is None:
        return Served(broken="the process that runs the tests died")
    return msgspec.json.decode(outcome.result, type=Served)


def _warmed(result: Result, made: Sequence[Mutant], served: Served, target: Target) -> Result:
    if result.state != "cold":
        return result
    state, by = cold.judged(made[result.mutant], target.tests, served.seconds)
    print(SIGNS[state], end="", flush=True)
    return replace(result, state=state, by=by)


@contextmanager
def _silent() -> Iterator[Callable[[Result], None]]:
    """Silence but for the sign of each result, which goes to where the output went before."""
    out = os.dup(1)
    testing.silence()
    yield lambda result: None if not SIGNS[result.state] else _tell(out, SIGNS[result.state])
    os.close(out)


def _tell(out: int, sign: str) -> None:
    os.write(out, sign.encode())
