"""A mutant that only counts when its module is imported again: all of pytest, in a fork."""

import importlib.machinery
import sys
import types
from collections.abc import Sequence
from importlib.abc import MetaPathFinder

import pytest

from mutation import testing
from mutation.forking import in_fork
from mutation.mutants import Mutant
from mutation.server import state_of


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a mutant under its module's name."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, mutant.path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> types.CodeType:
        return self._mutant.code()


class Finder(MetaPathFinder):
    """Finds a mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        loader = Loader(self._mutant)
        return importlib.machinery.ModuleSpec(fullname, loader, origin=self._mutant.path)


class FirstFailure:
    """A pytest plugin that remembers the first test that failed."""

    def __init__(self) -> None:
        self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid


def judged(mutant: Mutant, tests: Sequence[str], seconds: float) -> tuple[str, str]:
    """The state of a mutant, and the test that failed."""

    def run() -> bytes:
        testing.silence()
        sys.meta_path.insert(0, Finder(mutant))
        plugin = FirstFailure()
        code = pytest.main([*testing.OPTIONS, "-x", *tests], plugins=[plugin])
        return (plugin.test or (f"(pytest: {code})" if code else "")).encode()

    cpu = 20 + 10 * seconds
    return state_of(in_fork(run, cpu, 5 * cpu))
