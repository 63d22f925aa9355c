"""Runs collected pytest items one by one, and notes what each of them reaches."""

import importlib
import os
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from msgspec import Struct

_PLUGINS = ("pytest_asyncio.plugin", "_hypothesis_pytestplugin")

OPTIONS = (
    *("-q", "-s", "--no-header", "--no-summary", "--hypothesis-profile=mutation"),
    *(option for plugin in _PLUGINS for option in ("-p", plugin)),
    *("-p", "no:cacheprovider", "-p", "no:faulthandler", "-W", "ignore"),
)
"""Of pytest, for a quiet run with two plugins only: the others cost a second at each start."""


def prepare(libraries: Iterable[str]) -> None:
    """Import libraries, and register the hypothesis profile of mutation runs: the same examples
    each time, nothing kept, no shrinking."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in (*_PLUGINS, *libraries):
        importlib.import_module(name)
    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=50,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def silence() -> None:
    """Send what this process prints to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


class Ran(Struct, frozen=True):
    """One test: what it took, in seconds of processor time, and which lines it reached."""

    test: str
    seconds: float
    lines: frozenset[int]


class Items:
    """A pytest plugin that remembers whether a test failed."""

    def __init__(self) -> None:
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    def first_failure(self, items: Sequence[pytest.Item]) -> str | None:
        """Run tests until one fails; its id."""
        for at, item in enumerate(items):
            self._run(item, items[at + 1] if at + 1 < len(items) else None)
            if self.failed:
                return item.nodeid
        return None

    def traced(self, items: Sequence[pytest.Item], path: str) -> list[Ran]:
        """Run all tests and note which lines of a file each reaches."""
        found = []
        for at, item in enumerate(items):
            lines: set[int] = set()
            began = time.process_time()
            with Tracer(path, lines):
                self._run(item, items[at + 1] if at + 1 < len(items) else None)
            found.append(Ran(item.nodeid, time.process_time() - began, frozenset(lines)))
        return found

    def _run(self, item: pytest.Item, following: pytest.Item | None) -> None:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


class Tracer:
    """Notes the lines of one file that are run, in all threads."""

    def __init__(self, path: str, lines: set[int]) -> None:
        self._path = path
        self._lines = lines
        self._known: dict[object, bool] = {}

    def __enter__(self) -> None:
        threading.settrace(self._frame)
        sys.settrace(self._frame)

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code not in self._known:
            self._known[code] = code.co_filename == self._path
        return self._line if self._known[code] else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._lines.add(frame.f_lineno)
        return self._line


def quickest(ran: Iterable[Ran], lines: tuple[int, int]) -> list[Ran]:
    """The tests that reach one of these lines, the quickest first."""
    wanted = frozenset(range(lines[0], lines[1] + 1))
    return sorted((each for each in ran if each.lines & wanted), key=lambda each: each.seconds)
