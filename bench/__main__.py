"""Runs every measurement and prints one table."""

import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from athena.terminal import loop
from bench import events, imagines, memory, requests
from bench.result import Result


def main() -> None:
    """Measure everything; exits with 1 if a value exceeds its bound."""
    results: list[Result] = []
    measurements: list[Callable[[Path], Coroutine[Any, Any, list[Result]]]] = [
        memory.measure,
        events.measure,
        requests.measure,
        imagines.measure,
    ]
    for measure in measurements:
        with tempfile.TemporaryDirectory() as folder:
            results += loop.run(measure(Path(folder)))
    _print(results)
    sys.exit(0 if all(result.good for result in results) else 1)


def _print(results: list[Result]) -> None:
    table = Table("what", "measured", "against", "ratio", "bound", "")
    for result in results:
        table.add_row(
            result.what,
            result.measured,
            result.against,
            result.ratio,
            result.bound,
            "good" if result.good else "MISSED",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
