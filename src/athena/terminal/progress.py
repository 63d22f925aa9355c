"""How a running task is shown: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from athena.client import Task

_WIDTH = 24
_WORDS = {
    "NOT_START": "waiting",
    "SUBMITTED": "sent",
    "IN_PROGRESS": "drawing",
    "SUCCESS": "done",
    "FAILURE": "failed",
    "CANCEL": "cancelled",
}


class Progress:
    """Shows one task on stderr, so that stdout holds only the files' paths."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._began = time.monotonic()
        self._console = Console(file=sys.stderr, highlight=False)
        self._live = Live(
            get_renderable=self._line, console=self._console, refresh_per_second=8, transient=False
        )

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, task: Task) -> None:
        """The task as it is now."""
        self._task = task
        if not self._console.is_terminal:
            self._console.print(f"{self._state()} {task.percent}%", markup=False)

    def _state(self) -> str:
        return _WORDS.get(self._task.status, self._task.status.lower())

    def _line(self) -> Text:
        task = self._task
        filled = task.percent * _WIDTH // 100
        seconds = time.monotonic() - self._began
        return Text.assemble(
            (f"{self._state():<9}", "green" if task.status == "SUCCESS" else "bold"),
            ("━" * filled, "cyan"),
            ("━" * (_WIDTH - filled), "bright_black"),
            f" {task.percent:3d}%  {seconds:5.1f} s  ",
            (task.prompt or "", "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )
